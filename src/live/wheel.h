/*
 * wheel.h - a timer wheel: which services to look at next.
 *
 * It is lazy. An entry says no more than "look at this one at that time": whoever looks computes
 * anew what is due, and puts the entry back. So a heartbeat moves nothing, and entries need no
 * time of their own: when a coarse level's slot comes up, its entries are handed out to be looked
 * at, too, and go back into a finer one.
 *
 *   level 0   256 slots of one tick (1.024 ms)
 *   level 1   256 slots of 256 ticks (0.26 s), level 2: 67 s, level 3: 4.8 h, level 4: 51 days
 *
 * Entries are slot numbers of the registry; each has 8 bytes of links in a table. Source: George
 * Varghese and Tony Lauck, "Hashed and Hierarchical Timing Wheels" (SOSP 1987), scheme 7.
 */
#ifndef KAIROS_LIVE_WHEEL_H
#define KAIROS_LIVE_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WHEEL_LEVELS 5
#define WHEEL_BITS   8
#define WHEEL_SLOTS  (1 << WHEEL_BITS)

/* A tick is 2^10 microseconds. */
#define WHEEL_TICK_BITS 10

struct wheel_links {
    uint32_t next, previous; /* entries, slots of the wheel, or nothing: see wheel.c */
};

struct wheel {
    int64_t tick; /* slots before it are empty */
    struct wheel_links *links;
    uint32_t capacity;
    uint32_t heads[WHEEL_LEVELS * WHEEL_SLOTS + 1]; /* the last one: those that have come up */
    uint64_t occupied[WHEEL_LEVELS][WHEEL_SLOTS / 64];
};

/* A wheel for entries 0 to CAPACITY - 1, at TIME. Returns false when memory ran out. */
bool wheel_init(struct wheel *wheel, uint32_t capacity, int64_t time);

void wheel_finish(struct wheel *wheel);

/* Puts ENTRY, which is in the wheel or not, where it comes up at TIME, or soon when that is past.
 */
void wheel_put(struct wheel *wheel, uint32_t entry, int64_t time);

/* Takes ENTRY out, if it is in. */
void wheel_remove(struct wheel *wheel, uint32_t entry);

/*
 * Lets time pass, to TIME if that is later: entries that are to be looked at by then have come up.
 * Within one tick, entries come up anew only when all that had come up were popped.
 */
void wheel_advance(struct wheel *wheel, int64_t time);

/* Takes out an entry that has come up; returns false when there is none. */
bool wheel_pop(struct wheel *wheel, uint32_t *entry);

/* Whether there are entries that have come up. */
bool wheel_has_due(const struct wheel *wheel);

/* When the next entry comes up, INT64_MAX if none will; microseconds. */
int64_t wheel_next(const struct wheel *wheel);

#endif
