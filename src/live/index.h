/*
 * index.h - finds a service's slot by its name. In memory only: it is rebuilt at the start.
 *
 * A hash table (XXH3 with a random seed, linear probing, at most three quarters full) in
 * INDEX_SHARDS parts. A part grows by itself, so that no growth holds up everybody. Each has a
 * lock: what changes a part, or looks into it without the engine's lock, holds it. Whoever holds
 * the engine's lock may look without, as all changes are made under that lock as well.
 */
#ifndef KAIROS_LIVE_INDEX_H
#define KAIROS_LIVE_INDEX_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry.h"

#define INDEX_SHARD_BITS 10
#define INDEX_SHARDS     (1 << INDEX_SHARD_BITS)

struct index_entry {
    uint32_t tag;  /* the hash's lower half */
    uint32_t slot; /* and 1; 0 if the entry is free */
};

struct index_shard {
    pthread_mutex_t lock;
    uint32_t used;
    _Atomic uint32_t mask;               /* entries, a power of two, less 1 */
    struct index_entry *_Atomic entries; /* atomic for index_prefetch alone */
} __attribute__((aligned(64)));

struct index {
    const struct registry *registry; /* knows the names */
    uint64_t seed;
    struct index_shard shards[INDEX_SHARDS];
};

/*
 * An empty index with room for about EXPECTED services. Returns false when memory ran out;
 * index_finish is due all the same.
 */
bool index_init(struct index *index, const struct registry *registry, size_t expected);

void index_finish(struct index *index);

/* The hash of a NAME of LENGTH bytes. */
uint64_t index_hash(const struct index *index, const char *name, size_t length);

/* The part that names with this HASH are in, for its lock. */
static inline struct index_shard *index_shard(struct index *index, uint64_t hash)
{
    return &index->shards[hash >> (64 - INDEX_SHARD_BITS)];
}

/* Asks for the memory that a look-up begins with. */
static inline void index_prefetch(struct index *index, uint64_t hash)
{
    struct index_shard *shard = index_shard(index, hash);
    uint32_t mask = atomic_load_explicit(&shard->mask, memory_order_relaxed);
    __builtin_prefetch(atomic_load_explicit(&shard->entries, memory_order_relaxed) +
                       ((uint32_t)hash & mask));
}

/*
 * The slot of the service NAME (LENGTH bytes, padded with NULs to whole words), or SLOT_NONE. Under
 * the lock of the part or the engine's.
 */
uint32_t index_find(struct index *index, const char *name, size_t length, uint64_t hash);

/*
 * The first slot that may be NAME's, by its hash alone, to ask for its memory ahead; or SLOT_NONE.
 * Under the same locks.
 */
uint32_t index_guess(struct index *index, uint64_t hash);

/*
 * Enters SLOT for a name with HASH that is not there yet; takes the part's lock. Returns false when
 * memory ran out. Under the engine's lock.
 */
bool index_insert(struct index *index, uint64_t hash, uint32_t slot);

/* Removes SLOT; takes the part's lock. Under the engine's lock. */
void index_remove(struct index *index, uint64_t hash, uint32_t slot);

#endif
