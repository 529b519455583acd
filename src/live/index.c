#include "index.h"

#include <stdlib.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define ENTRIES_FIRST 8

static bool is_too_full(uint32_t used, uint32_t mask)
{
    return (uint64_t)used * 4 > ((uint64_t)mask + 1) * 3;
}

bool index_init(struct index *index, const struct registry *registry, size_t expected)
{
    index->registry = registry;
    /* Without random numbers it works all the same; a chosen seed only guards against chosen names.
     */
    index->seed = (uintptr_t)index;
    (void)!getrandom(&index->seed, sizeof(index->seed), GRND_NONBLOCK);
    for (size_t i = 0; i < INDEX_SHARDS; i++)
        index->shards[i] = (struct index_shard){.lock = PTHREAD_MUTEX_INITIALIZER};

    uint32_t count = ENTRIES_FIRST;
    while (is_too_full((uint32_t)(expected / INDEX_SHARDS), count - 1))
        count *= 2;
    for (size_t i = 0; i < INDEX_SHARDS; i++) {
        struct index_shard *shard = &index->shards[i];
        struct index_entry *entries = calloc(count, sizeof(entries[0]));
        if (entries == NULL)
            return false;
        atomic_init(&shard->entries, entries);
        atomic_init(&shard->mask, count - 1);
    }
    return true;
}

void index_finish(struct index *index)
{
    for (size_t i = 0; i < INDEX_SHARDS; i++) {
        free(atomic_load_explicit(&index->shards[i].entries, memory_order_relaxed));
        pthread_mutex_destroy(&index->shards[i].lock);
    }
}

uint64_t index_hash(const struct index *index, const char *name, size_t length)
{
    return XXH3_64bits_withSeed(name, length, index->seed);
}

/* The first entry with this hash and name, or with the hash alone where NAME is NULL. */
static uint32_t find(struct index *index, uint64_t hash, const char *name, size_t length)
{
    struct index_shard *shard = index_shard(index, hash);
    const struct index_entry *entries = atomic_load_explicit(&shard->entries, memory_order_relaxed);
    uint32_t mask = atomic_load_explicit(&shard->mask, memory_order_relaxed);
    uint32_t tag = (uint32_t)hash;
    for (uint32_t i = tag & mask; entries[i].slot != 0; i = (i + 1) & mask) {
        if (entries[i].tag == tag &&
            (name == NULL || registry_has_name(index->registry, entries[i].slot - 1, name, length)))
            return entries[i].slot - 1;
    }
    return SLOT_NONE;
}

uint32_t index_find(struct index *index, const char *name, size_t length, uint64_t hash)
{
    return find(index, hash, name, length);
}

uint32_t index_guess(struct index *index, uint64_t hash)
{
    return find(index, hash, NULL, 0);
}

static void place(struct index_entry *entries, uint32_t mask, struct index_entry entry)
{
    uint32_t i = entry.tag & mask;
    while (entries[i].slot != 0)
        i = (i + 1) & mask;
    entries[i] = entry;
}

static bool grow(struct index_shard *shard)
{
    struct index_entry *old = atomic_load_explicit(&shard->entries, memory_order_relaxed);
    uint32_t old_mask = atomic_load_explicit(&shard->mask, memory_order_relaxed);
    uint32_t mask = old_mask * 2 + 1;
    struct index_entry *entries = calloc((size_t)mask + 1, sizeof(entries[0]));
    if (entries == NULL)
        return false;
    for (uint32_t i = 0; i <= old_mask; i++) {
        if (old[i].slot != 0)
            place(entries, mask, old[i]);
    }
    atomic_store_explicit(&shard->entries, entries, memory_order_relaxed);
    atomic_store_explicit(&shard->mask, mask, memory_order_relaxed);
    free(old);
    return true;
}

bool index_insert(struct index *index, uint64_t hash, uint32_t slot)
{
    struct index_shard *shard = index_shard(index, hash);
    pthread_mutex_lock(&shard->lock);
    bool room =
        !is_too_full(shard->used + 1, atomic_load_explicit(&shard->mask, memory_order_relaxed)) ||
        grow(shard);
    if (room) {
        place(atomic_load_explicit(&shard->entries, memory_order_relaxed),
              atomic_load_explicit(&shard->mask, memory_order_relaxed),
              (struct index_entry){.tag = (uint32_t)hash, .slot = slot + 1});
        shard->used++;
    }
    pthread_mutex_unlock(&shard->lock);
    return room;
}

/* Frees entry I and closes the gap, so that no chain of probes is broken. */
static void close_gap(struct index_entry *entries, uint32_t mask, uint32_t i)
{
    for (uint32_t j = (i + 1) & mask; entries[j].slot != 0; j = (j + 1) & mask) {
        uint32_t home = entries[j].tag & mask;
        /* It may move back to I unless its home lies behind I. */
        if (((j - home) & mask) >= ((j - i) & mask)) {
            entries[i] = entries[j];
            i = j;
        }
    }
    entries[i] = (struct index_entry){0};
}

void index_remove(struct index *index, uint64_t hash, uint32_t slot)
{
    struct index_shard *shard = index_shard(index, hash);
    pthread_mutex_lock(&shard->lock);
    struct index_entry *entries = atomic_load_explicit(&shard->entries, memory_order_relaxed);
    uint32_t mask = atomic_load_explicit(&shard->mask, memory_order_relaxed);
    for (uint32_t i = (uint32_t)hash & mask; entries[i].slot != 0; i = (i + 1) & mask) {
        if (entries[i].slot == slot + 1) {
            close_gap(entries, mask, i);
            shard->used--;
            break;
        }
    }
    pthread_mutex_unlock(&shard->lock);
}
