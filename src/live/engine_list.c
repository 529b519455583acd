/*
 * engine_list.c - what is asked of many services: those that a filter lets through, in an order.
 *
 * The column of states is looked at first, then that of the tags' signatures, and only then the
 * service itself.
 */
#include <stdlib.h>
#include <string.h>

#include "engine_state.h"

/* So many names are read before others get the lock. */
#define CHUNK 4096

/* Names and tags that are read in one call, at most: some hundred nanoseconds each. */
#define READS 1024

/* A filter as it is looked through with. */
struct sieve {
    const struct engine_filter *filter;
    uint64_t signature;
    uint64_t end;   /* no slot from here on is looked at, */
    uint64_t slots; /* or exists */
    unsigned reads; /* of names and tags, to see whether a slot passes */
};

struct engine_filter engine_filter_all(void)
{
    return (struct engine_filter){.statuses = (1u << SERVICE_STATUS_COUNT) - 1};
}

static struct sieve sieve_of(const struct engine *engine, const struct engine_filter *filter,
                             uint64_t begin)
{
    struct sieve sieve = {
        .filter = filter,
        .signature = tags_signature(filter->tags.text, filter->tags.length),
        .slots = registry_slots(engine->registry),
    };
    bool far = begin < sieve.slots && sieve.slots - begin > ENGINE_LOOKS;
    sieve.end = far ? begin + ENGINE_LOOKS : sieve.slots;
    return sieve;
}

static bool has_status(const struct engine *engine, uint32_t slot, unsigned statuses)
{
    enum state state = atomic_load_explicit(&engine->states[slot], memory_order_relaxed);
    return state != STATE_NONE && (statuses & 1u << state_status(state)) != 0;
}

static bool has_text(const struct engine *engine, uint32_t slot, const struct engine_filter *filter)
{
    struct service service;
    if (filter->search_length == 0)
        return true;
    registry_load(engine->registry, slot, &service);
    return memmem(service.name, service.length, filter->search, filter->search_length) != NULL;
}

static bool passes(const struct engine *engine, struct sieve *sieve, uint32_t slot)
{
    const struct engine_filter *filter = sieve->filter;
    if (!has_status(engine, slot, filter->statuses) ||
        !labels_may_have_tags(&engine->labels, slot, sieve->signature))
        return false;
    if (filter->tags.count == 0 && filter->search_length == 0)
        return true;
    sieve->reads++;
    return labels_have_tags(&engine->labels, slot, &filter->tags) && has_text(engine, slot, filter);
}

/* The first slot from SLOT on that passes, or the sieve's end: also when enough was read. */
static uint64_t next_passing(struct engine *engine, struct sieve *sieve, uint64_t slot)
{
    for (; slot < sieve->end && sieve->reads < READS; slot++) {
        if (passes(engine, sieve, (uint32_t)slot))
            return slot;
    }
    if (slot < sieve->end)
        engine_yield(engine); /* whoever goes on asks for the lock at once */
    sieve->end = slot;
    return slot;
}

static uint64_t cursor_at(const struct sieve *sieve, uint64_t slot)
{
    return slot < sieve->slots ? slot : 0;
}

size_t engine_list(struct engine *engine, const struct engine_filter *filter, int64_t now,
                   uint64_t *cursor, struct service_view *views, size_t max)
{
    size_t count = 0;
    engine_lock(engine);
    struct sieve sieve = sieve_of(engine, filter, *cursor);
    uint64_t slot = next_passing(engine, &sieve, *cursor);
    while (slot < sieve.end && count < max) {
        struct watched watched;
        watched_load(engine, &watched, (uint32_t)slot);
        watched_view(engine, &watched, now, &views[count++]);
        slot = next_passing(engine, &sieve, slot + 1);
    }
    engine_unlock(engine);
    *cursor = cursor_at(&sieve, slot);
    return count;
}

static void read_name(const struct engine *engine, uint32_t slot, struct service_name *name)
{
    struct service service;
    registry_load(engine->registry, slot, &service);
    name->length = service.length;
    memcpy(name->text, service.name, sizeof(name->text));
}

size_t engine_names(struct engine *engine, const struct engine_filter *filter, uint64_t *cursor,
                    struct service_name *names, size_t max)
{
    size_t count = 0;
    engine_lock(engine);
    struct sieve sieve = sieve_of(engine, filter, *cursor);
    uint64_t slot = next_passing(engine, &sieve, *cursor);
    while (slot < sieve.end && count < max) {
        read_name(engine, (uint32_t)slot, &names[count++]);
        if (count % CHUNK == 0)
            engine_yield(engine);
        slot = next_passing(engine, &sieve, slot + 1);
    }
    engine_unlock(engine);
    *cursor = cursor_at(&sieve, slot);
    return count;
}

/* ---- Orders ---- */

/* Less than 0 if A comes before B. */
static int compare(const struct selection *selection, const struct engine_key *a,
                   const struct engine_key *b)
{
    int order = 0;
    if (selection->order == ENGINE_BY_LAST_SEEN)
        order = (a->last_seen > b->last_seen) - (a->last_seen < b->last_seen);
    if (order == 0)
        order = memcmp(a->name.text, b->name.text, sizeof(a->name.text));
    return selection->descending ? -order : order;
}

static void swap(struct engine_key *a, struct engine_key *b)
{
    struct engine_key kept = *a;
    *a = *b;
    *b = kept;
}

/* The keys are a heap, whose root comes last. Moves the one at I down to its place. */
static void sift_down(struct selection *selection, size_t i, size_t count)
{
    struct engine_key *keys = selection->keys;
    for (size_t child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && compare(selection, &keys[child], &keys[child + 1]) < 0)
            child++;
        if (compare(selection, &keys[i], &keys[child]) >= 0)
            return;
        swap(&keys[i], &keys[child]);
    }
}

static void sift_up(struct selection *selection, size_t i)
{
    struct engine_key *keys = selection->keys;
    for (; i > 0 && compare(selection, &keys[(i - 1) / 2], &keys[i]) < 0; i = (i - 1) / 2)
        swap(&keys[(i - 1) / 2], &keys[i]);
}

static void offer(struct selection *selection, const struct engine_key *key)
{
    if (selection->has_after && compare(selection, key, &selection->after) <= 0)
        return;
    if (selection->count < selection->max) {
        selection->keys[selection->count] = *key;
        sift_up(selection, selection->count++);
    } else if (compare(selection, key, &selection->keys[0]) < 0) {
        selection->keys[0] = *key;
        sift_down(selection, 0, selection->count);
    }
}

/* Takes the heap apart, the last one first, into sorted keys. */
static void sort(struct selection *selection)
{
    for (size_t left = selection->count; left > 1; left--) {
        swap(&selection->keys[0], &selection->keys[left - 1]);
        sift_down(selection, 0, left - 1);
    }
}

static struct engine_key key_of(const struct engine *engine, uint32_t slot)
{
    struct engine_key key = {.last_seen =
                                 time_decode(atomic_load(registry_cell(engine->registry, slot)))};
    read_name(engine, slot, &key.name);
    return key;
}

bool engine_select(struct engine *engine, const struct engine_filter *filter,
                   struct selection *selection)
{
    engine_lock(engine);
    struct sieve sieve = sieve_of(engine, filter, selection->slot);
    uint64_t slot = next_passing(engine, &sieve, selection->slot);
    for (size_t looked = 1; slot < sieve.end; looked++) {
        struct engine_key key = key_of(engine, (uint32_t)slot);
        offer(selection, &key);
        if (looked % CHUNK == 0)
            engine_yield(engine);
        slot = next_passing(engine, &sieve, slot + 1);
    }
    engine_unlock(engine);
    selection->slot = slot;
    if (slot < sieve.slots)
        return true;
    sort(selection);
    return false;
}
