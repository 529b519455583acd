/*
 * incidents.c - /api/v1/incidents: from the first alert of a silence to the recovery.
 */
#include <inttypes.h>
#include <string.h>

#include "answer.h"
#include "history.h"
#include "resource.h"
#include "view.h"

/* Incidents that are read from the store at a time. */
#define STEP 32

/*
 * Readings of the store for one page: each looks at a few thousand incidents, and a page of few
 * that are far between ends early, with a cursor.
 */
#define READINGS_MAX 64

static void write_page(struct writer *writer, const struct context *context,
                       const struct history *history, uint64_t cursor)
{
    struct incident incidents[STEP];
    struct store_query query = history_query(history, cursor);
    uint64_t written = 0;
    query.from = history->from;
    query.to = history->to;
    writer_print(writer, "{\"incidents\":[");
    for (int readings = 0; readings < READINGS_MAX && written < history->limit; readings++) {
        uint64_t wanted = history->limit - written;
        size_t count =
            store_list(context->store, &query, incidents, wanted < STEP ? (size_t)wanted : STEP);
        for (size_t i = 0; i < count; i++, written++) {
            if (written > 0)
                writer_print(writer, ",");
            history_update(context, &incidents[i]);
            view_incident(writer, context->clock, &incidents[i]);
        }
        if (query.cursor == 0)
            break;
    }
    if (query.cursor == 0)
        writer_print(writer, "],\"next_cursor\":null}");
    else
        writer_print(writer, "],\"next_cursor\":\"%" PRIu64 "\"}", query.cursor);
}

static void answer_list(struct request *request)
{
    struct writer writer = {0};
    struct history history;
    struct failure failure;
    uint64_t cursor = 0;
    if (!history_read(request, &history))
        return;
    if (!query_cursor(&history.query, &cursor, &failure)) {
        answer_failure(request, 400, &failure);
        return;
    }
    write_page(&writer, request->context, &history, cursor);
    answer_json(request, 200, &writer);
}

/* The store keeps the newest; one that is open is known to the engine in any case. */
static bool find(const struct context *context, const struct incident_id *id,
                 struct incident *incident)
{
    struct service_view view;
    if (store_find(context->store, id->service, id->started_at, incident)) {
        history_update(context, incident);
        return true;
    }
    if (engine_find(context->engine, id->service, strlen(id->service), clock_now(context->clock),
                    &view) != ENGINE_OK ||
        !view.has_incident || view.incident.started_at != id->started_at)
        return false;
    *incident = view.incident;
    return true;
}

/* Finds the incident that the path names; if there is none answers that, and returns false. */
static bool find_named(struct request *request, struct incident *incident)
{
    char text[SEGMENT_MAX];
    size_t length;
    struct incident_id id;
    if (percent_decode(request->route.segments[0], text, sizeof(text), &length) != PERCENT_OK ||
        !incident_id_parse((struct slice){text, length}, &id)) {
        answer_error(request, 400,
                     "the incident's id in the path is invalid; it is a service's name, '@' and a "
                     "number, as listings show it");
        return false;
    }
    if (find(request->context, &id, incident))
        return true;
    answer_error(request, 404, "there is no incident %s, or it is no longer kept", text);
    return false;
}

static void answer_incident(struct request *request, const struct incident *incident)
{
    struct writer writer = {0};
    view_incident(&writer, request->context->clock, incident);
    answer_json(request, 200, &writer);
}

static void answer_get(struct request *request)
{
    struct incident incident;
    if (find_named(request, &incident))
        answer_incident(request, &incident);
}

/* Somebody takes an open incident upon him; whoever did so first stays the one. */
static void answer_acknowledge(struct request *request)
{
    const struct context *context = request->context;
    struct incident incident;
    if (!find_named(request, &incident))
        return;
    struct incident kept = incident;
    if (incident.end == INCIDENT_OPEN &&
        !store_acknowledge(context->store, incident.service, incident.started_at,
                           clock_now(context->clock), &kept)) {
        store_put(context->store, &incident); /* it had lost its place to newer ones */
        store_acknowledge(context->store, incident.service, incident.started_at,
                          clock_now(context->clock), &kept);
    }
    incident.acknowledged_at = kept.acknowledged_at;
    if (kept.end == INCIDENT_OPEN)
        answer_incident(request, &incident);
    else
        answer_error(request, 409, "the incident is closed; there is nothing left to acknowledge");
}

static const struct endpoint endpoints[] = {
    {.path = "/api/v1/incidents", .methods = METHODS_READ, .answer = answer_list},
    {.path = "/api/v1/incidents/{id}", .methods = METHODS_READ, .answer = answer_get},
    {
        .path = "/api/v1/incidents/{id}/acknowledge",
        .methods = METHOD_POST,
        .answer = answer_acknowledge,
    },
};

const struct resource incidents_resource = RESOURCE(endpoints);
