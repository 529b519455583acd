#include "filter.h"

#include <string.h>

/* ---- One value each ---- */

static bool add_status(struct engine_filter *filter, const char *text, size_t length,
                       struct failure *failure)
{
    for (unsigned status = 0; status < SERVICE_STATUS_COUNT; status++) {
        const char *name = service_status_name((enum service_status)status);
        if (strlen(name) == length && memcmp(name, text, length) == 0) {
            filter->statuses |= 1U << status;
            return true;
        }
    }
    return failure_set(failure, "status: '%.*s' is none of new, up, late, down, paused",
                       (int)length, text);
}

static bool add_tag(struct engine_filter *filter, const char *text, size_t length,
                    struct failure *failure)
{
    switch (tags_add(&filter->tags, text, length)) {
    case TAGS_OK:
        return true;
    case TAGS_TOO_MANY:
        return failure_set(failure, "tag: more than %d are asked for", TAGS_MAX);
    default:
        return failure_set(failure,
                           "tag: '%.*s' is none; it has 1 to %d characters of a-z 0-9 _ - . :",
                           (int)length, text, TAG_MAX);
    }
}

static bool set_search(struct engine_filter *filter, const char *text, size_t length,
                       struct failure *failure)
{
    if (length > KAIROS_SERVICE_MAX)
        return failure_set(failure, "search: it is longer than any name; %d characters may do",
                           KAIROS_SERVICE_MAX);
    for (size_t i = 0; i < length; i++)
        filter->search[i] =
            text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
    filter->search_length = length;
    return true;
}

typedef bool add_value(struct engine_filter *filter, const char *text, size_t length,
                       struct failure *failure);

/* ---- From a query ---- */

/* Adds all of a text with commas between them. */
static bool add_list(struct engine_filter *filter, const char *text, add_value *add,
                     struct failure *failure)
{
    for (const char *end; *text != '\0'; text = *end == ',' ? end + 1 : end) {
        end = strchrnul(text, ',');
        if (!add(filter, text, (size_t)(end - text), failure))
            return false;
    }
    return true;
}

bool filter_from_query(const struct query *query, struct engine_filter *filter,
                       struct failure *failure)
{
    const char *statuses = query_text(query, "status"), *tags = query_text(query, "tag");
    const char *search = query_text(query, "search");
    *filter = engine_filter_all();
    if (statuses != NULL)
        filter->statuses = 0;
    return (statuses == NULL || add_list(filter, statuses, add_status, failure)) &&
           (tags == NULL || add_list(filter, tags, add_tag, failure)) &&
           (search == NULL || set_search(filter, search, strlen(search), failure));
}

/* ---- From JSON ---- */

static bool add_json(struct engine_filter *filter, const char *key, const json_t *value,
                     add_value *add, struct failure *failure)
{
    if (json_is_string(value))
        return add(filter, json_string_value(value), json_string_length(value), failure);
    if (!json_is_array(value))
        return failure_set(failure, "match: '%s' is neither a text nor an array of them", key);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *element = json_array_get(value, i);
        if (!json_is_string(element))
            return failure_set(failure, "match: '%s' has an element that is no text", key);
        if (!add(filter, json_string_value(element), json_string_length(element), failure))
            return false;
    }
    return true;
}

static bool read_member(struct engine_filter *filter, const char *key, const json_t *value,
                        struct failure *failure)
{
    if (strcmp(key, "status") == 0) {
        filter->statuses = 0;
        return add_json(filter, key, value, add_status, failure);
    }
    if (strcmp(key, "tag") == 0)
        return add_json(filter, key, value, add_tag, failure);
    if (strcmp(key, "search") != 0)
        return failure_set(failure, "match: unknown key '%s'; known are status, tag and search",
                           key);
    if (!json_is_string(value))
        return failure_set(failure, "match: 'search' is no text");
    return set_search(filter, json_string_value(value), json_string_length(value), failure);
}

bool filter_from_json(const json_t *object, struct engine_filter *filter, struct failure *failure)
{
    const char *key;
    json_t *value;
    *filter = engine_filter_all();
    if (!json_is_object(object))
        return failure_set(failure,
                           "match: it is no object; it is one such as {\"tag\": \"test\"}");
    json_object_foreach((json_t *)object, key, value)
    {
        if (!read_member(filter, key, value, failure))
            return false;
    }
    return true;
}
