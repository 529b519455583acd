/*
 * roster.h - the services of a log, in order of their first appearance, found by name.
 *
 * Records lie behind one another in one growing block, each with its timeline and its name; so the
 * order of appearance is the order in memory, and a reference is an offset, good for ever. Beside
 * them stands a hash table of references (XXH3, linear probing, at most three quarters full).
 */
#ifndef KAIROS_CORE_ROSTER_H
#define KAIROS_CORE_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kairos/service.h>
#include <kairos/timeline.h>

struct record {
    struct kairos_timeline timeline;
    uint32_t size;   /* of the record, in units of RECORD_UNIT */
    uint32_t length; /* of the name */
    char name[];     /* padded with NULs to whole words, with one at least */
};

#define RECORD_UNIT 8

struct roster_slot {
    uint32_t tag;       /* the hash's lower half */
    uint32_t reference; /* of the record, in units of RECORD_UNIT, from 1; 0 in a free slot */
};

struct roster {
    uint64_t seed; /* of the hash: any will do; one that cannot be guessed keeps chains short */
    size_t services;
    struct roster_slot *slots;
    size_t mask; /* number of slots, a power of two, less 1 */
    char *records;
    size_t used; /* bytes of records */
    size_t capacity;
};

/* Returns false when memory ran out. */
bool roster_init(struct roster *roster, uint64_t seed);

void roster_finish(struct roster *roster);

/* Bytes that the roster holds, without its timelines. */
size_t roster_memory(const struct roster *roster);

/* The hash of a NAME of LENGTH bytes. */
uint64_t roster_hash(const struct roster *roster, const char *name, size_t length);

/* Asks for the memory that roster_intern will look at first. */
static inline void roster_prefetch(const struct roster *roster, uint64_t hash)
{
    __builtin_prefetch(&roster->slots[hash & roster->mask]);
}

/*
 * The record of the service NAME (LENGTH bytes, padded with NULs to whole words) with this HASH,
 * made if there is none. Returns NULL when memory ran out. Valid until the next call.
 */
struct record *roster_intern(struct roster *roster, const char *name, size_t length, uint64_t hash);

/*
 * The record behind *POSITION (0 before the first call) in order of appearance; moves it. Returns
 * NULL when there is no further one.
 */
struct record *roster_next(const struct roster *roster, size_t *position);

#endif
