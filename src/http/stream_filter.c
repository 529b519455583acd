#include "stream_filter.h"

#include <stdlib.h>
#include <string.h>

#include <kairos/service.h>

#include "stream_event.h"

/* The next piece of a text with commas between them, from *TEXT on; false at the end. */
static bool next_piece(const char **text, const char **piece, size_t *length)
{
    if (*text == NULL)
        return false;
    const char *end = strchrnul(*text, ',');
    *piece = *text;
    *length = (size_t)(end - *text);
    *text = *end == ',' ? end + 1 : NULL;
    return true;
}

static bool add_type(struct stream_filter *filter, const char *text, size_t length)
{
    for (unsigned type = 0; type < FEED_TYPE_COUNT; type++) {
        const char *name = event_name((enum feed_type)type);
        if (strlen(name) == length && memcmp(name, text, length) == 0) {
            filter->types |= 1U << type;
            return true;
        }
    }
    return false;
}

static bool parse_types(struct stream_filter *filter, const char *text, struct failure *failure)
{
    const char *piece;
    size_t length;
    filter->types = text == NULL ? FILTER_ALL : 0;
    while (next_piece(&text, &piece, &length)) {
        if (!add_type(filter, piece, length))
            return failure_set(failure,
                               "types: '%.*s' is none of alert, recovery, closed, status, gap",
                               (int)length, piece);
    }
    return true;
}

static bool parse_services(struct stream_filter *filter, const char *text, struct failure *failure)
{
    size_t count = 0, used = 0, length;
    const char *piece;
    if (text == NULL)
        return true;
    filter->services = malloc(strlen(text) + 2); /* each comma leaves room for a NUL */
    if (filter->services == NULL)
        return failure_set(failure, "out of memory; try again later");
    while (next_piece(&text, &piece, &length)) {
        char name[KAIROS_SERVICE_SIZE];
        size_t name_length;
        if (kairos_service_parse(piece, length, name, &name_length) != KAIROS_SERVICE_OK)
            return failure_set(
                failure, "service: '%.*s' is no name; it has 1 to 100 characters of a-z 0-9 _ -",
                (int)length, piece);
        if (++count > FILTER_SERVICES_MAX)
            return failure_set(failure, "service: more than %d are named", FILTER_SERVICES_MAX);
        memcpy(filter->services + used, name, name_length + 1);
        used += name_length + 1;
    }
    filter->services[used] = '\0';
    return true;
}

static bool parse_tags(struct stream_filter *filter, const char *text, struct failure *failure)
{
    const char *piece;
    size_t length;
    if (text == NULL)
        return true;
    filter->tags = calloc(1, sizeof(*filter->tags));
    if (filter->tags == NULL)
        return failure_set(failure, "out of memory; try again later");
    while (next_piece(&text, &piece, &length)) {
        switch (tags_add(filter->tags, piece, length)) {
        case TAGS_OK:
            break;
        case TAGS_TOO_MANY:
            return failure_set(failure, "tag: more than %d are asked for", TAGS_MAX);
        case TAGS_INVALID:
            return failure_set(failure,
                               "tag: '%.*s' is none; it has 1 to %d characters of a-z 0-9 _ - . :",
                               (int)length, piece, TAG_MAX);
        }
    }
    return true;
}

bool stream_filter_parse(struct stream_filter *filter, const char *types, const char *services,
                         const char *tags, struct failure *failure)
{
    *filter = (struct stream_filter){0};
    if (parse_types(filter, types, failure) && parse_services(filter, services, failure) &&
        parse_tags(filter, tags, failure))
        return true;
    stream_filter_finish(filter);
    return false;
}

void stream_filter_finish(struct stream_filter *filter)
{
    free(filter->services);
    free(filter->tags);
    filter->services = NULL;
    filter->tags = NULL;
}

static bool has_service(const struct stream_filter *filter, const char *service)
{
    if (filter->services == NULL)
        return true;
    for (const char *name = filter->services; *name != '\0'; name += strlen(name) + 1) {
        if (strcmp(name, service) == 0)
            return true;
    }
    return false;
}

bool stream_filter_wants(const struct stream_filter *filter, const struct feed_item *item)
{
    if ((filter->types & 1U << item->type) == 0)
        return false;
    switch (item->type) {
    case FEED_STATUS:
        return has_service(filter, item->change.service);
    case FEED_GAP:
        return true;
    default:
        return has_service(filter, item->incident.service);
    }
}

bool stream_filter_is_all(const struct stream_filter *filter)
{
    return filter->types == FILTER_ALL && filter->services == NULL && filter->tags == NULL;
}
