/*
 * engine.c - the engine's life, heartbeats, and the passing of time. What is asked of single
 * services stands in engine_services.c, the steps on one service in watched.c.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "engine_state.h"

/* So many are looked at before others get the lock: well under a millisecond's work. */
#define CHUNK 256

/* So many are looked at in one tick: a millisecond's work or two. */
#define LOOKS_MAX 8192

/* Heartbeats are entered in batches, so that the memory that one needs is on its way while others
 * are worked on. */
#define BATCH 32

struct engine_options engine_options_default(void)
{
    return (struct engine_options){
        .policy = kairos_policy_default(),
        .auto_create = true,
        .max_services = 10000000,
    };
}

const char *service_status_name(enum service_status status)
{
    static const char *const names[] = {
        [SERVICE_NEW] = "new",   [SERVICE_UP] = "up",         [SERVICE_LATE] = "late",
        [SERVICE_DOWN] = "down", [SERVICE_PAUSED] = "paused",
    };
    return names[status];
}

/* ---- The lock ---- */

void engine_lock(struct engine *engine)
{
    atomic_fetch_add(&engine->waiting, 1);
    pthread_mutex_lock(&engine->lock);
    atomic_fetch_sub(&engine->waiting, 1);
}

void engine_unlock(struct engine *engine)
{
    pthread_mutex_unlock(&engine->lock);
}

void engine_yield(struct engine *engine)
{
    pthread_mutex_unlock(&engine->lock);
    /* A mutex is not fair: whoever was woken for it may need a moment. */
    for (int turns = 0; atomic_load(&engine->waiting) > 0 && turns < 100; turns++)
        sched_yield();
    pthread_mutex_lock(&engine->lock);
}

void engine_set_state(struct engine *engine, uint32_t slot, enum state state)
{
    enum state old = atomic_load_explicit(&engine->states[slot], memory_order_relaxed);
    engine->services[old]--;
    engine->services[state]++;
    atomic_store(&engine->states[slot], (uint8_t)state);
}

/* ---- Life ---- */

/* Of two slots with one name, which a crash of the machine can leave, the one heard last stays. */
static bool is_double(struct engine *engine, const struct watched *watched, uint64_t hash)
{
    const struct service *service = &watched->service;
    uint32_t other = index_find(&engine->index, service->name, service->length, hash);
    if (other == SLOT_NONE)
        return false;
    if (time_decode(atomic_load(registry_cell(engine->registry, other))) >= watched->last_seen) {
        registry_remove(engine->registry, watched->slot);
        return true;
    }
    index_remove(&engine->index, hash, other);
    wheel_remove(&engine->wheel, other);
    engine_set_state(engine, other, STATE_NONE);
    registry_remove(engine->registry, other);
    return false;
}

/* Loads the next services from *SLOT on, BATCH at most, and asks for what finding them needs. */
static size_t load_batch(struct engine *engine, uint32_t *slot, struct watched *batch,
                         uint64_t *hashes)
{
    uint32_t slots = registry_slots(engine->registry);
    size_t count = 0;
    for (; *slot < slots && count < BATCH; ++*slot) {
        if (registry_use(engine->registry, *slot) != SLOT_SERVICE)
            continue;
        const struct service *service = &batch[count].service;
        watched_load(engine, &batch[count], *slot);
        hashes[count] = index_hash(&engine->index, service->name, service->length);
        index_prefetch(&engine->index, hashes[count++]);
    }
    return count;
}

static bool take_up_all(struct engine *engine)
{
    struct watched batch[BATCH];
    uint64_t hashes[BATCH];
    uint32_t slot = 0;
    for (size_t count; (count = load_batch(engine, &slot, batch, hashes)) > 0;) {
        for (size_t i = 0; i < count; i++) {
            if (is_double(engine, &batch[i], hashes[i]))
                continue;
            if (!index_insert(&engine->index, hashes[i], batch[i].slot))
                return false;
            watched_settle(engine, &batch[i]);
        }
    }
    return true;
}

/* Tells of all incidents that are open. */
static void tell_incidents(struct engine *engine, int64_t since)
{
    const struct engine_listener *listener = &engine->options.listener;
    uint32_t slots = registry_slots(engine->registry);
    for (uint32_t slot = 0; slot < slots && listener->opened != NULL; slot++) {
        struct watched watched;
        struct incident incident;
        if (engine->states[slot] != STATE_DOWN)
            continue;
        watched_load(engine, &watched, slot);
        watched_describe(&watched, since, &incident);
        listener->opened(listener->context, &incident);
    }
}

static bool reserve_states(struct engine *engine)
{
    engine->states_size = registry_capacity(engine->registry);
    void *states = mmap(NULL, engine->states_size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    engine->states = states == MAP_FAILED ? NULL : states;
    return engine->states != NULL;
}

struct engine *engine_create(struct registry *registry, const struct engine_options *options,
                             int64_t since, struct failure *failure)
{
    struct engine *engine = aligned_alloc(_Alignof(struct engine), sizeof(*engine));
    if (engine == NULL) {
        failure_set(failure, "out of memory");
        return NULL;
    }
    memset(engine, 0, sizeof(*engine));
    engine->options = *options;
    engine->registry = registry;
    engine->judged_until = since;
    pthread_mutex_init(&engine->lock, NULL);
    uint32_t gaps = registry_gap_count(registry);
    atomic_init(&engine->fresh_from, gaps > 0 ? registry_gap(registry, gaps).to : TIME_NEVER);

    if (index_init(&engine->index, registry, registry_slots(registry) - registry_free(registry)) &&
        reserve_states(engine) && wheel_init(&engine->wheel, registry_capacity(registry), since) &&
        take_up_all(engine)) {
        tell_incidents(engine, since);
        return engine;
    }
    failure_set(failure, "out of memory for %zu services; lower --max-services",
                options->max_services);
    engine_destroy(engine);
    return NULL;
}

void engine_destroy(struct engine *engine)
{
    if (engine == NULL)
        return;
    wheel_finish(&engine->wheel);
    if (engine->states != NULL)
        munmap(engine->states, engine->states_size);
    index_finish(&engine->index);
    pthread_mutex_destroy(&engine->lock);
    free(engine);
}

/* ---- New services ---- */

struct service engine_new_service(const struct engine *engine, const char *name, size_t length)
{
    struct service service = {
        .length = (uint8_t)length,
        .expectation = {.policy = engine->options.policy,
                        .anchor = TIME_NEVER,
                        .listening_since = TIME_NEVER},
        .run_started = TIME_NEVER,
        .incident_started = TIME_NEVER,
    };
    memcpy(service.name, name, length);
    return service;
}

static size_t count_services(const struct engine *engine)
{
    size_t count = 0;
    for (int state = STATE_NEW; state < STATE_COUNT; state++)
        count += engine->services[state];
    return count;
}

/* Adds a service; ENGINE_NO_SPACE when the registry has to grow first. */
static enum engine_result add(struct engine *engine, uint64_t hash, const struct service *new,
                              struct watched *watched)
{
    if (count_services(engine) >= engine->options.max_services)
        return ENGINE_FULL;
    *watched = (struct watched){.last_seen = TIME_NEVER, .service = *new};
    watched->service.gap_number = (uint8_t)registry_gap_count(engine->registry);
    watched->slot = registry_add(engine->registry, &watched->service, TIME_NEVER);
    if (watched->slot == SLOT_NONE)
        return ENGINE_NO_SPACE;
    if (!index_insert(&engine->index, hash, watched->slot)) {
        registry_remove(engine->registry, watched->slot);
        return ENGINE_NO_SPACE;
    }
    engine_set_state(engine, watched->slot, STATE_NEW);
    engine->counters.created++;
    return ENGINE_CREATED;
}

/* Lets the registry grow, without the lock. */
static bool grow(struct engine *engine)
{
    enum registry_growth growth = registry_grow(engine->registry);
    if (growth != REGISTRY_GROWN)
        return false;
    engine_lock(engine);
    registry_adopt(engine->registry);
    engine->no_space = false;
    engine_unlock(engine);
    return true;
}

/* New services are refused, until there is room again. */
static void note_no_space(struct engine *engine)
{
    engine_lock(engine);
    engine->no_space = registry_free(engine->registry) < 2;
    engine_unlock(engine);
}

void engine_make_room(struct engine *engine)
{
    engine_lock(engine);
    bool enough = registry_free(engine->registry) > SEGMENT_SLOTS / 2;
    if (enough)
        engine->no_space = false;
    engine_unlock(engine);
    if (!enough)
        grow(engine);
}

enum engine_result engine_enter(struct engine *engine, const char *name, size_t length,
                                uint64_t hash, const struct service *create,
                                struct watched *watched)
{
    for (;;) {
        engine_lock(engine);
        uint32_t slot = index_find(&engine->index, name, length, hash);
        if (slot != SLOT_NONE) {
            watched_load(engine, watched, slot);
            return ENGINE_OK;
        }
        enum engine_result result =
            create == NULL ? ENGINE_UNKNOWN : add(engine, hash, create, watched);
        if (result == ENGINE_CREATED)
            return result;
        /* Room for a name and its rest, and it was refused: then memory ran out. */
        bool full = result == ENGINE_NO_SPACE && registry_free(engine->registry) < 2;
        bool hopeless = engine->no_space;
        engine_unlock(engine);
        if (!full || hopeless || !grow(engine)) {
            if (full)
                note_no_space(engine);
            return result;
        }
    }
}

/* ---- Heartbeats ---- */

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
    struct service new = engine_new_service(engine, name, length);
    enum engine_result result = engine_enter(engine, name, length, hash,
                                             engine->options.auto_create ? &new : NULL, &watched);
    if (result != ENGINE_OK && result != ENGINE_CREATED)
        return result;
    if (time > watched.last_seen || (stored && time == watched.last_seen))
        watched_beat(engine, &watched, time, now);
    else
        result = ENGINE_OLDER;
    watched_settle(engine, &watched);
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
    struct service new = engine_new_service(engine, name, length);
    bool create = engine->options.auto_create && action != ENGINE_LOG;
    enum engine_result result =
        engine_enter(engine, name, length, hash, create ? &new : NULL, &watched);
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
    watched_settle(engine, &watched);
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

/* ---- Time ---- */

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
        watched_settle(engine, &watched);
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
    watched_settle(engine, &watched);
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
    engine->counters.gaps++;
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

/* ---- Figures ---- */

struct engine_figures engine_figures(struct engine *engine)
{
    const struct counters *counters = &engine->counters;
    engine_lock(engine);
    struct engine_figures figures = {
        .services =
            {
                [SERVICE_NEW] = engine->services[STATE_NEW],
                [SERVICE_UP] = engine->services[STATE_UP] + engine->services[STATE_RUNNING],
                [SERVICE_LATE] = engine->services[STATE_LATE],
                [SERVICE_DOWN] = engine->services[STATE_DOWN],
                [SERVICE_PAUSED] = engine->services[STATE_PAUSED],
            },
        .heartbeats = atomic_load(&counters->heartbeats),
        .older = atomic_load(&counters->older),
        .in_future = atomic_load(&counters->in_future),
        .fails = atomic_load(&counters->fails),
        .starts = atomic_load(&counters->starts),
        .logs = atomic_load(&counters->logs),
        .created = counters->created,
        .alerts = counters->alerts,
        .recoveries = counters->recoveries,
        .gaps = counters->gaps,
        .looked_at = counters->looked_at,
        .no_space = engine->no_space,
    };
    engine_unlock(engine);
    return figures;
}
