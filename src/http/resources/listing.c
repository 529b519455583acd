/*
 * listing.c - GET /api/v1/services: pages of services, by filter and in an order.
 *
 * In the order that stays a page mostly ends soon, and is made up at once; what is left after some
 * looking around, and what has to look at everything (an order, a search), goes on in a job.
 *
 * A cursor says where the page before ended, and nothing else: who stays is on one page, whoever
 * comes and goes meanwhile.
 *
 *   4711                       the slot to go on from
 *   name:backup                behind that name; `-name:` the other way round
 *   last_seen:1754300:backup   behind that time, as the registry encodes it, and name
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "filter.h"
#include "job.h"
#include "resource.h"
#include "view.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX     1000

/* So many are read at a time: the engine's lock is held for no longer. */
#define STEP 64

/* Looks (engine.h) that a worker takes before it leaves the rest to a job: half a millisecond. */
#define LOOKS_AT_ONCE 4

/* Looks of a job in one step. */
#define LOOKS_EACH_STEP 4

/* Room for a cursor. */
#define CURSOR_SIZE (KAIROS_SERVICE_SIZE + 40)

struct listing {
    struct job job; /* if it has become one */
    const struct context *context;
    struct engine_filter filter;
    uint64_t limit;
    bool sorted;
    uint64_t slot;              /* in the order that stays: where to go on; 0 at the end */
    struct selection selection; /* else; of one more than the limit */
    struct writer writer;
    uint64_t written; /* services */
};

/* ---- Cursors ---- */

static const char *order_name(const struct selection *selection)
{
    static const char *const names[2][2] = {{"name", "-name"}, {"last_seen", "-last_seen"}};
    return names[selection->order == ENGINE_BY_LAST_SEEN][selection->descending];
}

static void format_cursor(const struct selection *selection, const struct engine_key *key,
                          char text[CURSOR_SIZE])
{
    if (selection->order == ENGINE_BY_NAME)
        snprintf(text, CURSOR_SIZE, "%s:%s", order_name(selection), key->name.text);
    else
        snprintf(text, CURSOR_SIZE, "%s:%" PRIu64 ":%s", order_name(selection),
                 time_encode(key->last_seen), key->name.text);
}

static bool parse_name(const char *text, struct service_name *name)
{
    size_t length;
    if (kairos_service_parse(text, strlen(text), name->text, &length) != KAIROS_SERVICE_OK)
        return false;
    name->length = (uint8_t)length;
    return true;
}

/* Reads a cursor of the selection's own order. */
static bool parse_key(const char *text, struct selection *selection)
{
    const char *order = order_name(selection);
    uint64_t code;
    if (strncmp(text, order, strlen(order)) != 0 || text[strlen(order)] != ':')
        return false;
    text += strlen(order) + 1;
    if (selection->order == ENGINE_BY_NAME)
        return parse_name(text, &selection->after.name);
    const char *colon = strchr(text, ':');
    if (colon == NULL || !query_parse_digits((struct slice){text, (size_t)(colon - text)}, &code))
        return false;
    selection->after.last_seen = time_decode(code);
    return parse_name(colon + 1, &selection->after.name);
}

static bool read_cursor(struct listing *listing, const struct query *query, struct failure *failure)
{
    const char *text = query_text(query, "cursor");
    if (text == NULL)
        return true;
    if (!listing->sorted)
        return query_cursor(query, &listing->slot, failure);
    listing->selection.has_after = parse_key(text, &listing->selection);
    return listing->selection.has_after || query_refuse_cursor(query, failure);
}

/* ---- The request ---- */

static bool read_order(struct listing *listing, const struct query *query, struct failure *failure)
{
    const char *text = query_text(query, "sort");
    if (text == NULL)
        return true;
    listing->sorted = true;
    listing->selection.descending = *text == '-';
    text += *text == '-';
    if (strcmp(text, "last_seen") == 0)
        listing->selection.order = ENGINE_BY_LAST_SEEN;
    else if (strcmp(text, "name") != 0)
        return failure_set(failure, "sort: '%s' is none of name, -name, last_seen, -last_seen",
                           query_text(query, "sort"));
    return true;
}

static bool read_listing(struct request *request, struct listing *listing)
{
    static const char *const names[] = {FILTER_NAMES, "sort", "limit", "cursor", NULL};
    struct failure failure;
    struct query query;
    if (!request_query(request, names, &query))
        return false;
    listing->limit = LIMIT_DEFAULT;
    bool valid = filter_from_query(&query, &listing->filter, &failure) &&
                 read_order(listing, &query, &failure) &&
                 query_number(&query, "limit", 1, LIMIT_MAX, &listing->limit, &failure) &&
                 read_cursor(listing, &query, &failure);
    if (!valid)
        answer_failure(request, 400, &failure);
    return valid;
}

/* ---- The page ---- */

static void begin_page(struct listing *listing)
{
    writer_print(&listing->writer, "{\"services\":[");
}

static void write_service(struct listing *listing, const struct service_view *view)
{
    if (listing->written++ > 0)
        writer_print(&listing->writer, ",");
    view_service(&listing->writer, listing->context->clock, view);
}

/* CURSOR: of the next page; NULL if there is none. */
static void end_page(struct listing *listing, const char *cursor)
{
    writer_print(&listing->writer, "],\"next_cursor\":");
    if (cursor == NULL)
        writer_print(&listing->writer, "null}");
    else
        writer_print(&listing->writer, "\"%s\"}", cursor);
}

/* Goes on in the order that stays for so many looks. Returns whether there is more to do. */
static bool look_on(struct listing *listing, int looks)
{
    struct service_view views[STEP];
    char cursor[CURSOR_SIZE];
    int64_t now = clock_now(listing->context->clock);
    do {
        uint64_t room = listing->limit - listing->written;
        size_t count = engine_list(listing->context->engine, &listing->filter, now, &listing->slot,
                                   views, room < STEP ? (size_t)room : STEP);
        for (size_t i = 0; i < count; i++)
            write_service(listing, &views[i]);
        looks -= count < STEP;
    } while (listing->slot != 0 && listing->written < listing->limit && looks > 0);
    if (listing->slot != 0 && listing->written < listing->limit)
        return true;
    snprintf(cursor, sizeof(cursor), "%" PRIu64, listing->slot);
    end_page(listing, listing->slot == 0 ? NULL : cursor);
    return false;
}

/* Writes what was selected, as it is by now: whoever has gone, or is another, is left out. */
static void write_selected(struct listing *listing)
{
    const struct selection *selection = &listing->selection;
    const struct context *context = listing->context;
    int64_t now = clock_now(context->clock);
    for (size_t i = 0; i < selection->count && i < listing->limit; i++) {
        const struct service_name *name = &selection->keys[i].name;
        struct service_view view;
        if (engine_find(context->engine, name->text, name->length, now, &view) == ENGINE_OK &&
            (listing->filter.statuses >> view.status & 1) != 0 &&
            tags_include(view.label.tags.text, view.label.tags.length, &listing->filter.tags))
            write_service(listing, &view);
    }
}

/* Goes on with the selection. Returns whether there is more to do. */
static bool select_on(struct listing *listing)
{
    struct selection *selection = &listing->selection;
    char cursor[CURSOR_SIZE];
    for (int looks = 0; looks < LOOKS_EACH_STEP; looks++) {
        if (engine_select(listing->context->engine, &listing->filter, selection))
            continue;
        write_selected(listing);
        bool more = selection->count > listing->limit;
        if (more)
            format_cursor(selection, &selection->keys[listing->limit - 1], cursor);
        end_page(listing, more ? cursor : NULL);
        return false;
    }
    return true;
}

/* ---- The job ---- */

static bool run(struct job *job)
{
    struct listing *listing = (struct listing *)job; /* its first member */
    bool more = listing->sorted ? select_on(listing) : look_on(listing, LOOKS_EACH_STEP);
    if (!more)
        job_wake(job);
    return more;
}

static void destroy(struct listing *listing)
{
    writer_finish(&listing->writer);
    free(listing->selection.keys);
    free(listing);
}

static void drop(struct job *job)
{
    destroy((struct listing *)job);
}

static void forget(struct request *request)
{
    struct listing *listing = request->state;
    if (listing != NULL)
        job_abandon(&listing->job);
}

static bool prepare(struct listing *listing)
{
    begin_page(listing);
    if (!listing->sorted)
        return true;
    listing->selection.max = (size_t)listing->limit + 1;
    listing->selection.keys = malloc(listing->selection.max * sizeof(struct engine_key));
    return listing->selection.keys != NULL;
}

/* Whether it is better left to a job from the beginning. */
static bool is_long(const struct listing *listing)
{
    return listing->sorted || listing->filter.search_length > 0;
}

static void begin(struct request *request, struct listing *listing)
{
    if (!prepare(listing)) {
        answer_error(request, 503, "out of memory; try again later");
        destroy(listing);
    } else if (!is_long(listing) && !look_on(listing, LOOKS_AT_ONCE)) {
        answer_json(request, 200, &listing->writer);
        destroy(listing);
    } else {
        request->state = listing;
        job_init(&listing->job, request, run, drop);
        job_park(&listing->job);
        job_submit(&listing->job);
    }
}

static void answer_list(struct request *request)
{
    struct listing *listing = request->state;
    if (listing != NULL) {
        answer_json(request, 200, &listing->writer);
        return;
    }
    listing = calloc(1, sizeof(*listing));
    if (listing == NULL) {
        answer_error(request, 503, "out of memory; try again later");
        return;
    }
    listing->context = request->context;
    if (read_listing(request, listing))
        begin(request, listing);
    else
        destroy(listing);
}

static const struct endpoint endpoints[] = {
    {
        .path = "/api/v1/services",
        .methods = METHODS_READ,
        .answer = answer_list,
        .forget = forget,
    },
};

const struct resource listing_resource = RESOURCE(endpoints);
