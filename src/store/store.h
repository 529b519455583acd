/*
 * store.h - where incidents are kept: one interface for every kind of store.
 *
 * An incident is put when it opens and again when it closes; the natural key (service, started_at)
 * tells that it is the same one, so putting it twice is harmless. Times are engine times.
 *
 *     struct store *store = store_memory_create(100000);
 *     store_put(store, &incident);
 *     struct store_query query = store_query_default();
 *     while ((count = store_list(store, &query, incidents, 100)) > 0 || query.cursor != 0)
 *         ...
 *     store_destroy(store);
 *
 * All functions may be called from any thread.
 */
#ifndef KAIROS_STORE_STORE_H
#define KAIROS_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "incident.h"

enum store_state {
    STORE_ANY,
    STORE_OPEN,
    STORE_CLOSED,
};

/* Which incidents, newest first; all conditions hold. */
struct store_query {
    enum store_state state;
    const char *service; /* its name, or NULL for all */
    int64_t from;        /* started_at is no earlier, */
    int64_t to;          /* and earlier than this */
    uint64_t cursor;     /* where to go on; 0 at the beginning, and again at the end */
};

/* All incidents. */
struct store_query store_query_default(void);

struct store;

/* What a kind of store does; see the functions below. Each begins with a struct store. */
struct store_kind {
    const char *name;
    bool (*put)(struct store *store, const struct incident *incident);
    bool (*find)(struct store *store, const char *service, int64_t started_at,
                 struct incident *incident);
    bool (*acknowledge)(struct store *store, const char *service, int64_t started_at, int64_t time,
                        struct incident *incident);
    size_t (*list)(struct store *store, struct store_query *query, struct incident *incidents,
                   size_t max);
    void (*destroy)(struct store *store);
};

struct store {
    const struct store_kind *kind;
};

/*
 * Enters an incident, or what has become of it: of one that is there already, kind, raised_at,
 * last_seen, missed_count and acknowledged_at stay as they are. Returns false when it could not be
 * kept.
 */
bool store_put(struct store *store, const struct incident *incident);

/* Finds an incident by its natural key; returns false when there is none. */
bool store_find(struct store *store, const char *service, int64_t started_at,
                struct incident *incident);

/*
 * Notes that somebody took the incident upon him at TIME, if it is open and nobody had yet. Returns
 * false when there is none; else INCIDENT is what it is now.
 */
bool store_acknowledge(struct store *store, const char *service, int64_t started_at, int64_t time,
                       struct incident *incident);

/*
 * Fills INCIDENTS with up to MAX that QUERY asks for and moves its cursor. A call may look at a
 * bounded number of incidents and then give fewer, even none, with a cursor to go on from.
 */
size_t store_list(struct store *store, struct store_query *query, struct incident *incidents,
                  size_t max);

/* Accepts NULL. */
void store_destroy(struct store *store);

/*
 * A store in memory that keeps the newest CAPACITY incidents (1 or more) and loses all when the
 * program ends. Memory is taken as it fills. Returns NULL when memory ran out.
 */
struct store *store_memory_create(size_t capacity);

#endif
