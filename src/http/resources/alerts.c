/*
 * alerts.c - /api/v1/alerts: every alert, the newest incident first and in it the newest alert.
 *
 * A page may begin and end anywhere among the repeats of an incident, of which there can be
 * millions. Its cursor is the store's, for the incidents that follow, and before those the alerts
 * of one incident that are still to be shown:
 *
 *   42                     from the store's 42 on
 *   42.17.push@1754300000  before that the alerts of this incident, from number 17 down
 */
#include <inttypes.h>
#include <string.h>

#include "alerts_of.h"
#include "answer.h"
#include "history.h"
#include "resource.h"
#include "view.h"

/*
 * Readings of the store for one page: each looks at one incident that matches, or at a few thousand
 * that do not. More would hold up the worker's other requests by over a millisecond: the page ends
 * early then, with a cursor.
 */
#define READINGS_MAX 2000

struct page {
    const struct context *context;
    const struct history *history;
    struct writer *writer;
    uint64_t written;
    struct incident incident; /* whose alerts are being written */
    uint64_t below;           /* those up to this number are still to be; 0 if none are */
    uint64_t cursor;          /* the store's, for the incidents that follow; 0 at the end */
};

/* Reads the page's place from its cursor; without one it is the beginning. */
static bool read_cursor(struct page *page, struct failure *failure)
{
    const struct query *query = &page->history->query;
    struct incident_id id;
    const char *text = query_text(query, "cursor");
    const char *dot = text == NULL ? NULL : strchr(text, '.');
    if (dot == NULL)
        return query_cursor(query, &page->cursor, failure);
    const char *second = strchrnul(dot + 1, '.');
    if (*second == '\0' ||
        !query_parse_digits((struct slice){text, (size_t)(dot - text)}, &page->cursor) ||
        !query_parse_digits((struct slice){dot + 1, (size_t)(second - dot - 1)}, &page->below) ||
        !incident_id_parse((struct slice){second + 1, strlen(second + 1)}, &id))
        return query_refuse_cursor(query, failure);
    if (store_find(page->context->store, id.service, id.started_at, &page->incident))
        history_update(page->context, &page->incident);
    else
        page->below = 0; /* it is no longer kept */
    return true;
}

/* Writes alerts of the page's incident; returns whether there was room for all that match. */
static bool write_alerts(struct page *page)
{
    const struct history *history = page->history;
    struct alert alert;
    while (page->below > 0 &&
           alerts_of_find(&page->incident, page->below, history->from, history->to, &alert)) {
        if (page->written == history->limit)
            return false;
        if (page->written++ > 0)
            writer_print(page->writer, ",");
        view_alert(page->writer, page->context->clock, &page->incident, &alert);
        page->below = alert.ordinal - 1;
    }
    page->below = 0;
    return true;
}

/* Goes on from the page's place, and moves it. */
static void write_page(struct page *page, bool at_end)
{
    struct store_query query = history_query(page->history, page->cursor);
    query.to = page->history->to; /* an incident that began later has no earlier alerts */
    for (int readings = 0; write_alerts(page) && !at_end && readings < READINGS_MAX; readings++) {
        size_t count = store_list(page->context->store, &query, &page->incident, 1);
        if (count > 0) {
            history_update(page->context, &page->incident);
            page->below = UINT64_MAX;
        }
        page->cursor = query.cursor;
        at_end = query.cursor == 0;
    }
}

static void write_cursor(const struct page *page)
{
    struct writer *writer = page->writer;
    if (page->below > 0)
        writer_print(writer, "\"%" PRIu64 ".%" PRIu64 ".%s@%" PRIi64 "\"", page->cursor,
                     page->below, page->incident.service, page->incident.started_at);
    else if (page->cursor > 0)
        writer_print(writer, "\"%" PRIu64 "\"", page->cursor);
    else
        writer_print(writer, "null");
}

static void answer_list(struct request *request)
{
    struct writer writer = {0};
    struct history history;
    struct failure failure;
    struct page page = {.context = request->context, .history = &history, .writer = &writer};
    if (!history_read(request, &history))
        return;
    if (!read_cursor(&page, &failure)) {
        answer_failure(request, 400, &failure);
        return;
    }
    writer_print(&writer, "{\"alerts\":[");
    /* With the alerts of one incident all may be said; without a cursor nothing is yet. */
    write_page(&page, query_text(&history.query, "cursor") != NULL && page.cursor == 0);
    writer_print(&writer, "],\"next_cursor\":");
    write_cursor(&page);
    writer_print(&writer, "}");
    answer_json(request, 200, &writer);
}

static const struct endpoint endpoints[] = {
    {.path = "/api/v1/alerts", .methods = METHODS_READ, .answer = answer_list},
};

const struct resource alerts_resource = RESOURCE(endpoints);
