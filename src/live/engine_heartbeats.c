/*
 * engine_heartbeats.c - what services send: heartbeats, alone and many at once, and reports.
 */
#include "engine_state.h"

/* Heartbeats are entered in batches, so that the memory that one needs is on its way while others
 * are worked on. */
#define BATCH 32

/* A service that beats appears. */
static const struct creation appearing;

enum quick {
    QUICK_DONE,
    QUICK_OLDER,
    QUICK_NO,     /* it takes the engine's lock */
    QUICK_STORED, /* so does this, and the time is stored already */
};

/* A heartbeat of a service that is up, under the lock of its part of the index. */
static enum quick beat_quickly(struct engine *engine, uint32_t slot, int64_t time)
{
    uint64_t code = time_encode(time);
    if (code <= atomic_load_explicit(registry_cell(engine->registry, slot), memory_order_relaxed))
        return QUICK_OLDER;
    if (atomic_load(&engine->states[slot]) != STATE_UP || time <= atomic_load(&engine->fresh_from))
        return QUICK_NO;
    if (registry_see(engine->registry, slot, code) != code)
        return QUICK_OLDER;
    return atomic_load(&engine->states[slot]) == STATE_UP ? QUICK_DONE : QUICK_STORED;
}

/* The same with the engine's lock, for all others. STORED: see above. */
static enum engine_result beat_slowly(struct engine *engine, const char *name, size_t length,
                                      uint64_t hash, int64_t time, int64_t now, bool stored)
{
    struct watched watched;
    enum engine_result result = engine_enter(
        engine, name, length, hash, engine->options.auto_create ? &appearing : NULL, &watched);
    if (result != ENGINE_OK && result != ENGINE_CREATED)
        return result;
    if (time > watched.last_seen || (stored && time == watched.last_seen))
        watched_beat(engine, &watched, time, now);
    else
        result = ENGINE_OLDER;
    watched_settle(engine, &watched, now);
    engine_unlock(engine);
    return result;
}

static enum engine_result beat(struct engine *engine, const char *name, size_t length,
                               uint64_t hash, int64_t time, int64_t now)
{
    if (time > now && time - now > ENGINE_AHEAD_MAX)
        return ENGINE_IN_FUTURE;
    if (time > now)
        time = now;
    if (time < KAIROS_TIME_MIN) /* the wall clock was stepped, and the sender lives in the year 1 */
        time = KAIROS_TIME_MIN;
    struct index_shard *shard = index_shard(&engine->index, hash);
    enum quick quick = QUICK_NO;
    pthread_mutex_lock(&shard->lock);
    uint32_t slot = index_find(&engine->index, name, length, hash);
    if (slot != SLOT_NONE)
        quick = beat_quickly(engine, slot, time);
    pthread_mutex_unlock(&shard->lock);
    switch (quick) {
    case QUICK_DONE:
        return ENGINE_OK;
    case QUICK_OLDER:
        return ENGINE_OLDER;
    default:
        return beat_slowly(engine, name, length, hash, time, now, quick == QUICK_STORED);
    }
}

static void count(_Atomic uint64_t *counter, uint64_t number)
{
    if (number > 0)
        atomic_fetch_add_explicit(counter, number, memory_order_relaxed);
}

/* Asks for the memory that COUNT heartbeats will need, as far as it is known where that is. */
static void fetch_ahead(struct engine *engine, const struct kairos_event *events, size_t count,
                        uint64_t *hashes)
{
    for (size_t i = 0; i < count; i++) {
        hashes[i] = index_hash(&engine->index, events[i].text, events[i].length);
        index_prefetch(&engine->index, hashes[i]);
    }
    for (size_t i = 0; i < count; i++) {
        struct index_shard *shard = index_shard(&engine->index, hashes[i]);
        pthread_mutex_lock(&shard->lock);
        uint32_t slot = index_guess(&engine->index, hashes[i]);
        pthread_mutex_unlock(&shard->lock);
        if (slot != SLOT_NONE) {
            registry_prefetch(engine->registry, slot);
            __builtin_prefetch((const void *)&engine->states[slot]);
        }
    }
}

void engine_heartbeats(struct engine *engine, const struct kairos_event *events, size_t total,
                       int64_t now, enum engine_result *results)
{
    uint64_t hashes[BATCH], accepted = 0, older = 0, in_future = 0;
    for (size_t at = 0; at < total; at += BATCH) {
        size_t size = total - at < BATCH ? total - at : BATCH;
        fetch_ahead(engine, events + at, size, hashes);
        for (size_t i = 0; i < size; i++) {
            const struct kairos_event *event = &events[at + i];
            enum engine_result result =
                beat(engine, event->text, event->length, hashes[i], event->time, now);
            accepted += result <= ENGINE_OLDER;
            older += result == ENGINE_OLDER;
            in_future += result == ENGINE_IN_FUTURE;
            results[at + i] = result;
        }
    }
    count(&engine->counters.heartbeats, accepted);
    count(&engine->counters.older, older);
    count(&engine->counters.in_future, in_future);
}

static enum engine_result ping_heartbeat(struct engine *engine, const char *name, size_t length,
                                         uint64_t hash, int64_t now)
{
    enum engine_result result = beat(engine, name, length, hash, now, now);
    count(&engine->counters.heartbeats, result <= ENGINE_OLDER);
    count(&engine->counters.older, result == ENGINE_OLDER);
    return result;
}

/* What changes a service beside its last heartbeat. */
static enum engine_result ping_report(struct engine *engine, const char *name, size_t length,
                                      uint64_t hash, enum engine_action action, int64_t now)
{
    struct watched watched;
    bool create = engine->options.auto_create && action != ENGINE_LOG;
    enum engine_result result =
        engine_enter(engine, name, length, hash, create ? &appearing : NULL, &watched);
    if (result != ENGINE_OK && result != ENGINE_CREATED)
        return result;
    if (action == ENGINE_FAIL) {
        watched_fail(engine, &watched, now);
        count(&engine->counters.fails, 1);
    } else if (action == ENGINE_START) {
        watched_start(&watched, now);
        count(&engine->counters.starts, 1);
    } else {
        count(&engine->counters.logs, 1);
    }
    watched_settle(engine, &watched, now);
    engine_unlock(engine);
    return result;
}

enum engine_result engine_ping(struct engine *engine, const char *name, size_t length,
                               enum engine_action action, int64_t now)
{
    uint64_t hash = index_hash(&engine->index, name, length);
    if (action == ENGINE_HEARTBEAT)
        return ping_heartbeat(engine, name, length, hash, now);
    return ping_report(engine, name, length, hash, action, now);
}
