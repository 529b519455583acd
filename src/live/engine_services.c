/*
 * engine_services.c - what is asked of single services: to be seen, changed, paused, deleted.
 */
#include <string.h>

#include "engine_state.h"

enum service_status state_status(enum state state)
{
    static const enum service_status statuses[STATE_COUNT] = {
        [STATE_NONE] = SERVICE_NONE,     [STATE_NEW] = SERVICE_NEW,   [STATE_UP] = SERVICE_UP,
        [STATE_RUNNING] = SERVICE_UP,    [STATE_LATE] = SERVICE_LATE, [STATE_DOWN] = SERVICE_DOWN,
        [STATE_PAUSED] = SERVICE_PAUSED,
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

void watched_view(struct engine *engine, const struct watched *watched, int64_t now,
                  struct service_view *view)
{
    const struct service *service = &watched->service;
    *view = (struct service_view){
        .length = service->length,
        .status = state_status(engine->states[watched->slot]),
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
    labels_get(&engine->labels, watched->slot, &view->label);
}

/* ---- Seeing ---- */

enum engine_result engine_find(struct engine *engine, const char *name, size_t length, int64_t now,
                               struct service_view *view)
{
    struct watched watched;
    enum engine_result result = engine_seek(engine, name, length, &watched);
    if (result != ENGINE_OK)
        return result;
    watched_view(engine, &watched, now, view);
    engine_unlock(engine);
    return ENGINE_OK;
}

bool engine_update_incident(struct engine *engine, int64_t now, struct incident *incident)
{
    struct watched watched;
    if (engine_seek(engine, incident->service, strlen(incident->service), &watched) != ENGINE_OK)
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

enum engine_result service_change_check(const struct service_change *change)
{
    struct kairos_policy policy = kairos_policy_default();
    if (change->has_interval)
        policy.interval = change->policy.interval;
    if (change->has_tolerance)
        policy.tolerance = change->policy.tolerance;
    if (change->has_allowed_misses)
        policy.allowed_misses = change->policy.allowed_misses;
    return check(&policy, change->has_max_runtime ? change->max_runtime : 0);
}

void service_change_label(const struct service_change *change, struct label *label)
{
    if (change->has_tags)
        label->tags = change->label.tags;
    if (change->has_description) {
        label->length = change->label.length;
        memcpy(label->description, change->label.description, sizeof(label->description));
    }
}

void engine_merge(const struct engine *engine, const struct service_change *change,
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

bool watched_adopt(struct watched *watched, const struct service *wanted, int64_t now)
{
    struct service *service = &watched->service;
    if (is_same(&service->expectation.policy, &wanted->expectation.policy) &&
        service->max_runtime == wanted->max_runtime)
        return false;
    set_policy(watched, &wanted->expectation.policy, now);
    service->max_runtime = wanted->max_runtime;
    watched->changed = true;
    return true;
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

/* Pauses (or resumes) a service that there is. */
static void set_paused(struct engine *engine, struct watched *watched, bool paused, int64_t now)
{
    if (paused && !watched->service.paused)
        pause_service(engine, watched, now);
    else if (!paused && watched->service.paused)
        resume_service(watched, now);
    watched->changed = true;
}

/* Gives a service that there is the label that CHANGE wants. */
static bool change_label(struct engine *engine, uint32_t slot, const struct service_change *change)
{
    struct label label;
    if (!change->has_tags && !change->has_description)
        return true;
    labels_get(&engine->labels, slot, &label);
    service_change_label(change, &label);
    return labels_set(&engine->labels, slot, &label);
}

/* Changes a service that there is; the lock is held. */
static enum engine_result change_found(struct engine *engine, struct watched *watched,
                                       const struct service_change *change, int64_t now)
{
    struct service wanted = watched->service;
    if (!change_label(engine, watched->slot, change))
        return ENGINE_NO_SPACE;
    engine_merge(engine, change, &wanted);
    watched_adopt(watched, &wanted, now);
    if (change->has_paused)
        set_paused(engine, watched, change->paused, now);
    watched->service.declared = true;
    watched->changed = true;
    watched_settle(engine, watched, now);
    return ENGINE_OK;
}

/* A service that was created just now and cannot be completed is none. */
static void take_back(struct engine *engine, struct watched *watched, int64_t now)
{
    watched_remove(engine, watched, INCIDENT_DELETED, now);
    engine->counters.created--;
}

enum engine_result engine_change(struct engine *engine, const char *name, size_t length,
                                 const struct service_change *change, int64_t now,
                                 struct service_view *view)
{
    struct watched watched;
    struct creation create = {.change = change};
    enum engine_result valid = service_change_check(change);
    /* Nothing is created that would then be refused. */
    bool may_create = change->create && valid == ENGINE_OK;
    enum engine_result result =
        engine_enter(engine, name, length, index_hash(&engine->index, name, length),
                     may_create ? &create : NULL, &watched);
    if (result == ENGINE_UNKNOWN && change->create)
        return valid;
    if (result != ENGINE_OK && result != ENGINE_CREATED)
        return result;
    enum engine_result changed = valid;
    if (changed == ENGINE_OK)
        changed = change_found(engine, &watched, change, now);
    if (changed == ENGINE_OK)
        watched_view(engine, &watched, now, view);
    else if (result == ENGINE_CREATED)
        take_back(engine, &watched, now);
    engine_unlock(engine);
    return changed == ENGINE_OK ? result : changed;
}

enum engine_result engine_label(struct engine *engine, const char *name, size_t length,
                                const struct label *label)
{
    struct watched watched;
    enum engine_result result = engine_seek(engine, name, length, &watched);
    if (result != ENGINE_OK)
        return result;
    if (!watched.service.declared)
        result = ENGINE_UNKNOWN;
    else if (!labels_set(&engine->labels, watched.slot, label))
        result = ENGINE_NO_SPACE;
    engine_unlock(engine);
    return result;
}

enum engine_result engine_pause(struct engine *engine, const char *name, size_t length, bool paused,
                                int64_t now, struct service_view *view)
{
    struct watched watched;
    enum engine_result result = engine_seek(engine, name, length, &watched);
    if (result != ENGINE_OK)
        return result;
    set_paused(engine, &watched, paused, now);
    watched.service.declared = true;
    watched_settle(engine, &watched, now);
    watched_view(engine, &watched, now, view);
    engine_unlock(engine);
    return ENGINE_OK;
}

enum engine_result engine_delete(struct engine *engine, const char *name, size_t length,
                                 int64_t now)
{
    struct watched watched;
    enum engine_result result = engine_seek(engine, name, length, &watched);
    if (result != ENGINE_OK)
        return result;
    watched_remove(engine, &watched, INCIDENT_DELETED, now);
    engine_unlock(engine);
    return ENGINE_OK;
}
