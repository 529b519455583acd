/*
 * engine_services.c - what is asked of single services: to be seen, changed, paused, deleted.
 */
#include <string.h>

#include "engine_state.h"

/* So many slots are passed over before others get the lock. */
#define CHUNK 65536

static enum service_status status_of(enum state state)
{
    static const enum service_status statuses[STATE_COUNT] = {
        [STATE_NEW] = SERVICE_NEW,   [STATE_UP] = SERVICE_UP,     [STATE_RUNNING] = SERVICE_UP,
        [STATE_LATE] = SERVICE_LATE, [STATE_DOWN] = SERVICE_DOWN, [STATE_PAUSED] = SERVICE_PAUSED,
    };
    return statuses[state];
}

static int64_t next_deadline(const struct watched *watched)
{
    int64_t alert = watched_alert_after(watched);
    return watched_has_incident(watched) || alert > KAIROS_TIME_MAX ? TIME_NEVER : alert;
}

static uint64_t missed_count(const struct watched *watched, int64_t now)
{
    const struct service *service = &watched->service;
    if (service->paused || watched->last_seen == TIME_NEVER || watched_is_running(watched))
        return 0;
    uint64_t misses = expectation_misses(&service->expectation, watched->last_seen, now);
    return watched_has_incident(watched) ? misses % service->expectation.policy.allowed_misses
                                         : misses;
}

static void view_of(struct engine *engine, const struct watched *watched, int64_t now,
                    struct service_view *view)
{
    const struct service *service = &watched->service;
    *view = (struct service_view){
        .length = service->length,
        .status = status_of(engine->states[watched->slot]),
        .declared = service->declared,
        .policy = service->expectation.policy,
        .max_runtime = service->max_runtime,
        .last_seen = watched->last_seen,
        .next_deadline = next_deadline(watched),
        .running_since = service->run_started,
        .missed_count = missed_count(watched, now),
        .has_incident = watched_has_incident(watched),
    };
    memcpy(view->name, service->name, sizeof(view->name));
    if (view->has_incident)
        watched_describe(watched, now, &view->incident);
}

/* Finds a service; on ENGINE_OK the lock is held. */
static enum engine_result find(struct engine *engine, const char *name, size_t length,
                               struct watched *watched)
{
    return engine_enter(engine, name, length, index_hash(&engine->index, name, length), NULL,
                        watched);
}

/* ---- Seeing ---- */

enum engine_result engine_find(struct engine *engine, const char *name, size_t length, int64_t now,
                               struct service_view *view)
{
    struct watched watched;
    enum engine_result result = find(engine, name, length, &watched);
    if (result != ENGINE_OK)
        return result;
    view_of(engine, &watched, now, view);
    engine_unlock(engine);
    return ENGINE_OK;
}

static bool is_listed(const struct engine *engine, uint32_t slot, unsigned statuses)
{
    enum state state = atomic_load_explicit(&engine->states[slot], memory_order_relaxed);
    return state != STATE_NONE && (statuses & 1u << status_of(state)) != 0;
}

/* The first slot from SLOT on that is listed; the number of slots if there is none. */
static uint64_t next_listed(struct engine *engine, uint64_t slot, unsigned statuses)
{
    uint64_t slots = registry_slots(engine->registry);
    for (; slot < slots && !is_listed(engine, (uint32_t)slot, statuses); slot++) {
        if (slot % CHUNK == 0)
            engine_yield(engine);
    }
    return slot;
}

size_t engine_list(struct engine *engine, unsigned statuses, int64_t now, uint64_t *cursor,
                   struct service_view *views, size_t max)
{
    size_t count = 0;
    engine_lock(engine);
    uint64_t slots = registry_slots(engine->registry);
    uint64_t slot = next_listed(engine, *cursor, statuses);
    while (slot < slots && count < max) {
        struct watched watched;
        watched_load(engine, &watched, (uint32_t)slot);
        view_of(engine, &watched, now, &views[count++]);
        slot = next_listed(engine, slot + 1, statuses);
    }
    engine_unlock(engine);
    *cursor = slot < slots ? slot : 0;
    return count;
}

bool engine_update_incident(struct engine *engine, int64_t now, struct incident *incident)
{
    struct watched watched;
    if (find(engine, incident->service, strlen(incident->service), &watched) != ENGINE_OK)
        return false;
    bool open =
        watched_has_incident(&watched) && watched.service.incident_started == incident->started_at;
    if (open) {
        struct incident told = *incident;
        watched_describe(&watched, now, incident);
        /* What it began with, and what the engine does not know, stays as it was told. */
        incident->raised_at = told.raised_at;
        incident->last_seen = told.last_seen;
        incident->missed_count = told.missed_count;
        incident->acknowledged_at = told.acknowledged_at;
    }
    engine_unlock(engine);
    return open;
}

/* ---- Changing ---- */

static bool is_whole(int64_t duration)
{
    return duration % KAIROS_MILLISECOND == 0;
}

/* Names what is wrong with a policy for a service that is watched; ENGINE_OK if nothing is. */
static enum engine_result check(const struct kairos_policy *policy, int64_t max_runtime)
{
    if (policy->interval < ENGINE_INTERVAL_MIN || !is_whole(policy->interval))
        return ENGINE_BAD_INTERVAL;
    if (max_runtime < 0 || max_runtime > ENGINE_RUNTIME_MAX || !is_whole(max_runtime))
        return ENGINE_BAD_RUNTIME;
    switch (kairos_policy_validate(policy)) {
    case KAIROS_POLICY_INTERVAL:
        return ENGINE_BAD_INTERVAL;
    case KAIROS_POLICY_ALLOWED_MISSES:
        return ENGINE_BAD_MISSES;
    case KAIROS_POLICY_TOLERANCE:
        return ENGINE_BAD_TOLERANCE;
    case KAIROS_POLICY_OK:
        break;
    }
    return is_whole(policy->tolerance) ? ENGINE_OK : ENGINE_BAD_TOLERANCE;
}

/* SERVICE as CHANGE wants it; its expectation is not started anew. */
static void merge(const struct engine *engine, const struct service_change *change,
                  struct service *service)
{
    struct kairos_policy *policy = &service->expectation.policy;
    if (change->replace) {
        *policy = engine->options.policy;
        service->max_runtime = 0;
    }
    if (change->has_interval)
        policy->interval = change->policy.interval;
    if (change->has_tolerance)
        policy->tolerance = change->policy.tolerance;
    if (change->has_allowed_misses)
        policy->allowed_misses = change->policy.allowed_misses;
    if (change->has_max_runtime)
        service->max_runtime = change->max_runtime;
}

static bool is_same(const struct kairos_policy *a, const struct kairos_policy *b)
{
    return a->interval == b->interval && a->tolerance == b->tolerance &&
           a->allowed_misses == b->allowed_misses;
}

/* Gives a service a policy at NOW. */
static void set_policy(struct watched *watched, const struct kairos_policy *policy, int64_t now)
{
    struct expectation *expectation = &watched->service.expectation;
    if (is_same(&expectation->policy, policy))
        return;
    if (watched->last_seen == TIME_NEVER)
        expectation->policy = *policy;
    else
        watched_count_alerts(watched, expectation_change(expectation, watched->last_seen, policy,
                                                         now, watched_repeats(watched)));
}

/* Changes a service that there is; the lock is held. */
static enum engine_result change_found(struct engine *engine, struct watched *watched,
                                       const struct service_change *change, int64_t now)
{
    struct service wanted = watched->service;
    merge(engine, change, &wanted);
    enum engine_result result = check(&wanted.expectation.policy, wanted.max_runtime);
    if (result != ENGINE_OK)
        return result;
    set_policy(watched, &wanted.expectation.policy, now);
    watched->service.max_runtime = wanted.max_runtime;
    watched->service.declared = true;
    watched->changed = true;
    watched_settle(engine, watched);
    return ENGINE_OK;
}

enum engine_result engine_change(struct engine *engine, const char *name, size_t length,
                                 const struct service_change *change, int64_t now,
                                 struct service_view *view)
{
    struct watched watched;
    struct service new = engine_new_service(engine, name, length);
    new.declared = true;
    merge(engine, change, &new);
    /* Nothing is created that would then be refused. */
    enum engine_result valid = check(&new.expectation.policy, new.max_runtime);
    bool create = change->create && valid == ENGINE_OK;
    enum engine_result result =
        engine_enter(engine, name, length, index_hash(&engine->index, name, length),
                     create ? &new : NULL, &watched);
    if (result == ENGINE_UNKNOWN && change->create)
        return valid;
    if (result != ENGINE_OK && result != ENGINE_CREATED)
        return result;
    enum engine_result changed = change_found(engine, &watched, change, now);
    if (changed == ENGINE_OK)
        view_of(engine, &watched, now, view);
    engine_unlock(engine);
    return changed == ENGINE_OK ? result : changed;
}

static void pause_service(struct engine *engine, struct watched *watched, int64_t now)
{
    watched_close(engine, watched, INCIDENT_PAUSED, now);
    watched->service.paused = true;
    watched->service.run_started = TIME_NEVER;
}

static void resume_service(struct watched *watched, int64_t now)
{
    watched->service.paused = false;
    if (watched->last_seen != TIME_NEVER)
        expectation_resume(&watched->service.expectation, watched->last_seen, now);
}

enum engine_result engine_pause(struct engine *engine, const char *name, size_t length, bool paused,
                                int64_t now, struct service_view *view)
{
    struct watched watched;
    enum engine_result result = find(engine, name, length, &watched);
    if (result != ENGINE_OK)
        return result;
    if (paused && !watched.service.paused)
        pause_service(engine, &watched, now);
    else if (!paused && watched.service.paused)
        resume_service(&watched, now);
    watched.service.declared = true;
    watched.changed = true;
    watched_settle(engine, &watched);
    view_of(engine, &watched, now, view);
    engine_unlock(engine);
    return ENGINE_OK;
}

enum engine_result engine_delete(struct engine *engine, const char *name, size_t length,
                                 int64_t now)
{
    struct watched watched;
    enum engine_result result = find(engine, name, length, &watched);
    if (result != ENGINE_OK)
        return result;
    watched_remove(engine, &watched, INCIDENT_DELETED, now);
    engine_unlock(engine);
    return ENGINE_OK;
}
