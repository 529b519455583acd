/*
 * feed.h - what happened, for those who want to follow it: the newest items, numbered.
 *
 * The engine's listener appends, and readers copy out from any number on. Nobody waits for a
 * reader: the feed keeps a bounded number of items, and whoever has fallen behind further than that
 * is told so.
 *
 *     uint64_t next = feed_next(feed);                        what comes from now on
 *     for (;;) {
 *         while (feed_read(feed, &next, items, 64, &count) && count > 0)
 *             ... use them ...
 *         feed_wait(feed, &waiter, next);                     waiter.wake is called once
 *         ... sleep until it was ...
 *     }
 *
 * All functions may be called from any thread. Appending costs a lock that is held for moments and
 * a copy; it allocates nothing. The feed's lock is taken behind all others of the engine, and none
 * is taken under it but what `wake` takes.
 */
#ifndef KAIROS_LIVE_FEED_H
#define KAIROS_LIVE_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine.h"

/* How many items are kept, unless somebody wants it otherwise: some minutes of a large outage's
 * alerts, 15 MB. */
#define FEED_CAPACITY 65536

enum feed_type {
    FEED_ALERT,    /* an incident was opened: its first alert was raised */
    FEED_RECOVERY, /* it was closed by a heartbeat */
    FEED_CLOSED,   /* it was closed in another way */
    FEED_STATUS,   /* a service has another status, has appeared, or is gone */
    FEED_GAP,      /* Kairós could not hear */
    FEED_TYPE_COUNT,
};

struct feed_item {
    uint64_t number; /* from 1 on, without holes */
    enum feed_type type;
    union {
        struct incident incident; /* of the first three types */
        struct status_change change;
        struct gap gap;
    };
};

struct feed;

/*
 * A feed that keeps the newest CAPACITY items, a power of two. The system gives their memory as it
 * is touched. Returns NULL when there is none.
 */
struct feed *feed_create(size_t capacity);

/* Nobody waits any more; accepts NULL. */
void feed_destroy(struct feed *feed);

/* ---- What happens ---- */

/* An incident was opened, or closed, as it says itself. */
void feed_incident(struct feed *feed, const struct incident *incident);
void feed_status(struct feed *feed, const struct status_change *change);
void feed_gap(struct feed *feed, const struct gap *gap);

/* ---- Readers ---- */

/* The number that the next item will have. */
uint64_t feed_next(struct feed *feed);

/* The number of the oldest item that is kept; that of the next one if there is none. */
uint64_t feed_oldest(struct feed *feed);

/*
 * Copies up to MAX items from number *NEXT on into ITEMS, moves *NEXT behind them and tells their
 * COUNT, 0 if there are none yet. Returns false, and does none of it, when the item *NEXT is no
 * longer kept.
 */
bool feed_read(struct feed *feed, uint64_t *next, struct feed_item *items, size_t max,
               size_t *count);

/* Somebody who waits. It is the caller's, with `wake` and `context` filled in, all else zero. */
struct feed_waiter {
    /* Called by whoever appends, under locks of the engine and the feed: it may not call either,
     * and not take long. */
    void (*wake)(void *context);
    void *context;

    /* The feed's, under its lock. */
    struct feed_waiter *next;
    bool waiting;
};

/*
 * Has WAITER woken, once, as soon as there is an item NEXT; at once if there is. However much is
 * appended until it is called again, nobody is woken a second time.
 */
void feed_wait(struct feed *feed, struct feed_waiter *waiter, uint64_t next);

/* WAITER, waiting or not, is woken no more. */
void feed_leave(struct feed *feed, struct feed_waiter *waiter);

#endif
