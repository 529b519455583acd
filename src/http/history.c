#include "history.h"

#include <string.h>

#include "answer.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX     1000

static bool read_state(struct history *history, struct failure *failure)
{
    const char *text = query_text(&history->query, "state");
    if (text == NULL)
        history->state = STORE_ANY;
    else if (strcmp(text, "open") == 0)
        history->state = STORE_OPEN;
    else if (strcmp(text, "closed") == 0)
        history->state = STORE_CLOSED;
    else
        return failure_set(failure, "state: '%s' is neither open nor closed", text);
    return true;
}

static bool read_service(struct history *history, struct failure *failure)
{
    const char *text = query_text(&history->query, "service");
    size_t length;
    history->service[0] = '\0';
    if (text == NULL ||
        kairos_service_parse(text, strlen(text), history->service, &length) == KAIROS_SERVICE_OK)
        return true;
    return failure_set(failure,
                       "service: '%s' is no name; it has 1 to 100 characters of a-z 0-9 _ -", text);
}

/* Reads a moment of the wall clock into TIME; leaves it alone if it was not given. */
static bool read_time(struct history *history, const char *name, const struct clock *clock,
                      int64_t *time, struct failure *failure)
{
    int64_t wall;
    if (!query_time(&history->query, name, &wall, failure))
        return false;
    if (query_text(&history->query, name) != NULL)
        *time = clock_from_wall(clock, wall);
    return true;
}

bool history_read(struct request *request, struct history *history)
{
    static const char *const names[] = {"service", "state", "from", "to", "limit", "cursor", NULL};
    const struct clock *clock = request->context->clock;
    struct failure failure;
    if (!request_query(request, names, &history->query))
        return false;
    history->from = INT64_MIN;
    history->to = INT64_MAX;
    history->limit = LIMIT_DEFAULT;
    bool valid = read_state(history, &failure) && read_service(history, &failure) &&
                 read_time(history, "from", clock, &history->from, &failure) &&
                 read_time(history, "to", clock, &history->to, &failure) &&
                 query_number(&history->query, "limit", 1, LIMIT_MAX, &history->limit, &failure);
    if (!valid)
        answer_failure(request, 400, &failure);
    return valid;
}

struct store_query history_query(const struct history *history, uint64_t cursor)
{
    struct store_query query = store_query_default();
    query.state = history->state;
    query.service = history->service[0] == '\0' ? NULL : history->service;
    query.cursor = cursor;
    return query;
}

void history_update(const struct context *context, struct incident *incident)
{
    if (incident->end != INCIDENT_OPEN ||
        engine_update_incident(context->engine, clock_now(context->clock), incident))
        return;
    /* It has closed since it was read. Should it no longer be kept, it is shown as it was. */
    store_find(context->store, incident->service, incident->started_at, incident);
}
