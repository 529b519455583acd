/*
 * engine_time.c - the passing of time: what is due is looked at and judged; and the times in which
 * Kairós could not hear.
 */
#include "engine_state.h"

/* So many are looked at before others get the lock: well under a millisecond's work. */
#define CHUNK 256

/* So many are looked at in one tick: a few milliseconds' work. Fewer made the latest verdicts
 * later. */
#define LOOKS_MAX 8192

/* A service that is up is about to be judged: heartbeats take the lock from here on, and one that
 * came just before shows. */
static void claim(struct engine *engine, struct watched *watched)
{
    engine_set_state(engine, watched->slot, STATE_LATE);
    int64_t last_seen = time_decode(atomic_load(registry_cell(engine->registry, watched->slot)));
    if (last_seen > watched->last_seen) {
        watched->last_seen = last_seen;
        /* Later than all gaps, or it had not come the quick way. */
        expectation_heartbeat(&watched->service.expectation, last_seen);
    }
}

/* Looks at an entry of the wheel that came up. */
static void look(struct engine *engine, uint32_t slot, int64_t now, int64_t heard,
                 struct engine_wake *wake)
{
    struct watched watched;
    engine->counters.looked_at++;
    watched_load(engine, &watched, slot);
    int64_t next = watched_next(engine, &watched);
    if (next < now && next >= heard) {
        wake->wants_hearing = true;
        watched_settle(engine, &watched, now);
        wheel_put(&engine->wheel, slot, now); /* to be looked at again */
        return;
    }
    if (next < heard && engine->states[slot] == STATE_UP)
        claim(engine, &watched);
    if (watched_forget_after(engine, &watched) < heard) {
        watched_remove(engine, &watched, INCIDENT_FORGOTTEN, now);
        return;
    }
    watched_judge(engine, &watched, heard, now);
    watched_settle(engine, &watched, now);
}

/* Looks at up to MAX entries that come up by TIME; the lock is held. */
static struct engine_wake look_at_due(struct engine *engine, int64_t time, int64_t now,
                                      int64_t heard, size_t max)
{
    struct engine_wake wake = {0};
    uint32_t slot;
    if (heard > engine->judged_until)
        engine->judged_until = heard;
    wheel_advance(&engine->wheel, time);
    for (size_t looked = 0; looked < max && wheel_pop(&engine->wheel, &slot);) {
        look(engine, slot, now, heard, &wake);
        if (++looked % CHUNK == 0)
            engine_yield(engine);
    }
    wake.more = wheel_has_due(&engine->wheel);
    wake.next = wheel_next(&engine->wheel);
    return wake;
}

struct engine_wake engine_tick(struct engine *engine, int64_t now, int64_t heard_until)
{
    engine_lock(engine);
    struct engine_wake wake = look_at_due(engine, now, now, heard_until, LOOKS_MAX);
    engine_unlock(engine);
    return wake;
}

/* ---- Gaps ---- */

/*
 * A gap is taken into account by a service when it is looked at. So that none has to know more gaps
 * than are kept, all take theirs before the oldest is overwritten.
 */
static void take_gaps_everywhere(struct engine *engine)
{
    uint32_t slots = registry_slots(engine->registry);
    for (uint32_t slot = 0; slot < slots; slot++) {
        if (atomic_load_explicit(&engine->states[slot], memory_order_relaxed) != STATE_NONE) {
            struct watched watched;
            watched_load(engine, &watched, slot);
            registry_store(engine->registry, slot, &watched.service);
        }
        if (slot % CHUNK == 0)
            engine_yield(engine);
    }
}

/* Runs are forgotten in a gap, and what comes after them may be due sooner than they were. */
static void look_at_runs(struct engine *engine, int64_t now)
{
    uint32_t slots = registry_slots(engine->registry);
    for (uint32_t slot = 0; slot < slots; slot++) {
        enum state state = atomic_load_explicit(&engine->states[slot], memory_order_relaxed);
        if (state == STATE_RUNNING || state == STATE_NEW)
            wheel_put(&engine->wheel, slot, now);
        if (slot % CHUNK == 0)
            engine_yield(engine);
    }
}

void engine_record_gap(struct engine *engine, const struct gap *gap)
{
    engine_lock(engine);
    /* What an earlier tick has left over, and then what was put behind that. */
    look_at_due(engine, gap->from, gap->to, gap->from, SIZE_MAX);
    look_at_due(engine, gap->from, gap->to, gap->from, SIZE_MAX);
    uint32_t recorded = registry_gap_count(engine->registry);
    if (recorded > 0 && recorded % GAPS_KEPT == 0)
        take_gaps_everywhere(engine);
    registry_add_gap(engine->registry, gap);
    atomic_store(&engine->fresh_from, gap->to);
    look_at_runs(engine, gap->to);
    engine->counters.gaps_for_reason[gap->reason]++;
    if (engine->options.listener.gap != NULL)
        engine->options.listener.gap(engine->options.listener.context, gap);
    engine_unlock(engine);
}

size_t engine_gaps(struct engine *engine, struct gap gaps[GAPS_KEPT])
{
    engine_lock(engine);
    uint32_t recorded = registry_gap_count(engine->registry);
    size_t kept = recorded < GAPS_KEPT ? recorded : GAPS_KEPT;
    for (size_t i = 0; i < kept; i++)
        gaps[i] = registry_gap(engine->registry, recorded - (uint32_t)(kept - 1 - i));
    engine_unlock(engine);
    return kept;
}
