/*
 * engine.c - the engine's life and lock, new services, figures. Heartbeats stand in
 * engine_heartbeats.c, the passing of time in engine_time.c, what is asked of single services in
 * engine_services.c, and of many in engine_list.c; what those follow that nobody declared in
 * engine_rules.c; the steps on one service in watched.c.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "engine_state.h"

/* Services are taken up in batches, so that the memory that one needs is on its way while others
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

const char *engine_action_name(enum engine_action action)
{
    static const char *const names[] = {
        [ENGINE_HEARTBEAT] = "heartbeat",
        [ENGINE_FAIL] = "fail",
        [ENGINE_START] = "start",
        [ENGINE_LOG] = "log",
    };
    return names[action];
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
            /* What gaps have changed is written when it is looked at: a start writes nothing. */
            batch[i].changed = false;
            watched_place(engine, &batch[i]);
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
    labels_init(&engine->labels, registry_capacity(registry));
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
    labels_finish(&engine->labels);
    if (engine->states != NULL)
        munmap(engine->states, engine->states_size);
    index_finish(&engine->index);
    pthread_mutex_destroy(&engine->lock);
    free(engine);
}

/* ---- New services ---- */

/* A service that there is not yet: NAME, the default policy, never seen. */
static struct service new_service(const struct engine *engine, const char *name, size_t length)
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

size_t engine_room(struct engine *engine)
{
    engine_lock(engine);
    size_t count = count_services(engine), max = engine->options.max_services;
    engine_unlock(engine);
    return count < max ? max - count : 0;
}

/* Puts a new service into its slot; ENGINE_NO_SPACE when the registry has to grow first. */
static enum engine_result put(struct engine *engine, uint64_t hash, const struct service *new,
                              struct watched *watched)
{
    *watched = (struct watched){.told = STATE_NONE, .last_seen = TIME_NEVER, .service = *new};
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

static enum engine_result add(struct engine *engine, const char *name, size_t length, uint64_t hash,
                              const struct creation *create, struct watched *watched)
{
    const struct label *label = NULL;
    if (count_services(engine) >= engine->options.max_services)
        return ENGINE_FULL;
    struct service new = new_service(engine, name, length);
    new.declared = create->change != NULL;
    if (new.declared)
        engine_merge(engine, create->change, &new);
    else
        label = engine_rule_for(engine, &new);
    enum engine_result result = put(engine, hash, &new, watched);
    if (result == ENGINE_CREATED && label != NULL)
        labels_set(&engine->labels, watched->slot, label); /* without memory it has none */
    return result;
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
                                uint64_t hash, const struct creation *create,
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
            create == NULL ? ENGINE_UNKNOWN : add(engine, name, length, hash, create, watched);
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

enum engine_result engine_seek(struct engine *engine, const char *name, size_t length,
                               struct watched *watched)
{
    return engine_enter(engine, name, length, index_hash(&engine->index, name, length), NULL,
                        watched);
}

/* ---- Figures ---- */

const struct histogram_scale *engine_delays(void)
{
    static const int64_t bounds[ENGINE_DELAYS] = {
        1000,   2000,    5000,    10000,   25000,    50000,    100000,   250000,
        500000, 1000000, 2500000, 5000000, 10000000, 30000000, 60000000,
    };
    static const struct histogram_scale scale = {bounds, ENGINE_DELAYS};
    return &scale;
}

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
        .delay_sum = counters->delay_sum,
        .recoveries = counters->recoveries,
        .looked_at = counters->looked_at,
        .no_space = engine->no_space,
        .slots_free = registry_free(engine->registry),
    };
    for (size_t i = 0; i < INCIDENT_KIND_COUNT; i++)
        figures.alerts += figures.alerts_of_kind[i] = counters->alerts_of_kind[i];
    for (size_t i = 0; i < GAP_REASON_COUNT; i++)
        figures.gaps += figures.gaps_for_reason[i] = counters->gaps_for_reason[i];
    memcpy(figures.delays, counters->delays, sizeof(figures.delays));
    engine_unlock(engine);
    return figures;
}
