/*
 * history.h - pages of incidents: what the listings of incidents and of alerts have in common.
 *
 * Both take ?service=, ?state=open|closed, ?from=, ?to=, ?limit= and ?cursor=.
 */
#ifndef KAIROS_HTTP_HISTORY_H
#define KAIROS_HTTP_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include <kairos/service.h>

#include "query.h"
#include "request.h"
#include "store.h"

struct history {
    enum store_state state;
    char service[KAIROS_SERVICE_SIZE]; /* empty for all */
    int64_t from;                      /* engine times */
    int64_t to;
    uint64_t limit;
    struct query query; /* of the request, for its cursor */
};

/* Reads the request's query. What is wrong it answers itself, and returns false. */
bool history_read(struct request *request, struct history *history);

/* What to ask of the store from CURSOR on, of any time. Good as long as HISTORY. */
struct store_query history_query(const struct history *history, uint64_t cursor);

/* Brings an incident that is open up to date. */
void history_update(const struct context *context, struct incident *incident);

#endif
