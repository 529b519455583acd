/*
 * watched.c - the steps on one service, each under the engine's lock.
 */
#include <string.h>

#include "engine_state.h"

bool watched_has_incident(const struct watched *watched)
{
    return watched->service.incident_started != TIME_NEVER;
}

bool watched_is_running(const struct watched *watched)
{
    return watched->service.run_started != TIME_NEVER && watched->service.max_runtime > 0;
}

int64_t watched_alert_after(const struct watched *watched)
{
    const struct service *service = &watched->service;
    if (service->paused)
        return INT64_MAX;
    if (watched_is_running(watched))
        return service->run_started + service->max_runtime;
    if (watched->last_seen == TIME_NEVER)
        return INT64_MAX;
    return expectation_alert_after(&service->expectation, watched->last_seen);
}

/* ---- Incidents ---- */

void watched_count_alerts(struct watched *watched, uint64_t alerts)
{
    uint64_t sum = watched->service.alerts_before + alerts;
    watched->service.alerts_before = sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

bool watched_repeats(const struct watched *watched)
{
    return watched_has_incident(watched) && watched->last_seen != TIME_NEVER &&
           watched->service.incident_kind != INCIDENT_OVERRUN;
}

/* Alerts of the open incident since the anchor. */
static uint64_t alerts_since_anchor(const struct watched *watched, int64_t now, int64_t *newest_at)
{
    if (!watched_repeats(watched))
        return 0;
    return expectation_alerts(&watched->service.expectation, watched->last_seen, now, newest_at);
}

void watched_describe(const struct watched *watched, int64_t now, struct incident *incident)
{
    const struct service *service = &watched->service;
    const struct kairos_policy *policy = &service->expectation.policy;
    bool silence = service->incident_kind == INCIDENT_SILENCE;
    int64_t newest_at = service->alerts_before > 1 ? TIME_NEVER : service->incident_started;
    uint64_t since = alerts_since_anchor(watched, now, &newest_at);
    uint64_t alerts = service->alerts_before + since;
    *incident = (struct incident){
        .kind = service->incident_kind,
        .end = INCIDENT_OPEN,
        .started_at = service->incident_started,
        .raised_at = service->incident_started + service->raised_after * KAIROS_MILLISECOND,
        .last_seen = watched->last_seen,
        .ended_at = TIME_NEVER,
        .acknowledged_at = TIME_NEVER,
        .last_alert_at = newest_at,
        .repeat_every = since > 0 ? kairos_policy_reach(policy) - policy->tolerance : 0,
        .alert_count = alerts > 0 ? alerts : 1,
        .repeats_known = since,
        .fails = service->fails,
        .missed_count = silence ? policy->allowed_misses : 0,
        .repeat_misses = policy->allowed_misses,
    };
    memcpy(incident->service, service->name, sizeof(incident->service));
}

static uint32_t milliseconds_between(int64_t from, int64_t to)
{
    int64_t span = (to - from) / KAIROS_MILLISECOND;
    if (span < 0)
        return 0;
    return span < UINT32_MAX ? (uint32_t)span : UINT32_MAX;
}

static void open_incident(struct engine *engine, struct watched *watched, enum incident_kind kind,
                          int64_t alert_at, int64_t now)
{
    struct service *service = &watched->service;
    struct incident incident;
    bool silence = kind == INCIDENT_SILENCE;
    bool plain = silence && expectation_is_plain(&service->expectation, watched->last_seen);
    service->incident_started = alert_at;
    service->incident_kind = kind;
    service->raised_after = milliseconds_between(alert_at, now);
    service->fails = 0;
    service->alerts_before = plain ? 0 : 1;
    if (silence && !plain)
        expectation_alerted(&service->expectation, watched->last_seen, alert_at);

    /* Kept before it is told. */
    registry_store(engine->registry, watched->slot, service);
    watched->changed = false;
    engine->counters.alerts_of_kind[kind]++;
    watched_describe(watched, now, &incident);
    incident.raised_at = now;
    if (engine->options.listener.opened != NULL)
        engine->options.listener.opened(engine->options.listener.context, &incident);
}

/* The open incident, described by INCIDENT, has ended. */
static void end_incident(struct engine *engine, struct watched *watched, struct incident *incident,
                         enum incident_end end, int64_t now)
{
    struct service *service = &watched->service;
    service->incident_started = TIME_NEVER;
    service->incident_kind = INCIDENT_SILENCE;
    service->alerts_before = 0;
    service->fails = 0;
    service->raised_after = 0;
    registry_store(engine->registry, watched->slot, service);
    watched->changed = false;
    engine->counters.recoveries += end == INCIDENT_RECOVERED;
    incident->end = end;
    incident->ended_at = now;
    if (engine->options.listener.closed != NULL)
        engine->options.listener.closed(engine->options.listener.context, incident);
}

void watched_close(struct engine *engine, struct watched *watched, enum incident_end end,
                   int64_t now)
{
    struct incident incident;
    if (!watched_has_incident(watched))
        return;
    watched_describe(watched, now, &incident);
    end_incident(engine, watched, &incident, end, now);
}

/* ---- Judging ---- */

/* An alert that may be raised as soon as the time is later than DUE is raised at NOW. */
static void count_delay(struct engine *engine, int64_t due, int64_t now)
{
    int64_t delay = now > due ? now - due : 0;
    engine->counters.delays[histogram_bucket(engine_delays(), delay)]++;
    engine->counters.delay_sum += (uint64_t)delay;
}

void watched_judge(struct engine *engine, struct watched *watched, int64_t until, int64_t now)
{
    int64_t due = watched_alert_after(watched);
    if (watched_has_incident(watched) || due >= until)
        return;
    count_delay(engine, due, now);
    if (watched_is_running(watched))
        open_incident(engine, watched, INCIDENT_OVERRUN, due, now);
    else
        open_incident(engine, watched, INCIDENT_SILENCE,
                      expectation_alert_at(&watched->service.expectation, watched->last_seen), now);
}

/* ---- Gaps ---- */

/* The end of the run may have been lost in the gap: it is forgotten, and heartbeats expected. */
static void forget_run(struct watched *watched, const struct gap *gap)
{
    struct service *service = &watched->service;
    int64_t newest_at;
    watched_count_alerts(watched, alerts_since_anchor(watched, gap->from, &newest_at));
    if (watched->last_seen != TIME_NEVER)
        expectation_gap_in_run(&service->expectation, watched->last_seen, gap,
                               service->run_started);
    service->run_started = TIME_NEVER;
}

/* What was due before the gap has been judged when it was recorded. */
static void take_gap(struct watched *watched, const struct gap *gap)
{
    struct service *service = &watched->service;
    bool running = watched_is_running(watched) && service->run_started < gap->to;
    bool silent = watched->last_seen != TIME_NEVER && watched->last_seen < gap->to;
    if (service->paused || (!running && !silent))
        return;
    if (running)
        forget_run(watched, gap);
    else
        watched_count_alerts(watched, expectation_gap(&service->expectation, watched->last_seen,
                                                      gap, watched_repeats(watched)));
    watched->changed = true;
}

static void take_gaps(struct engine *engine, struct watched *watched)
{
    uint32_t count = registry_gap_count(engine->registry);
    uint32_t behind = (uint8_t)(count - watched->service.gap_number);
    for (uint32_t i = behind < GAPS_KEPT ? behind : GAPS_KEPT; i > 0; i--) {
        struct gap gap = registry_gap(engine->registry, count - i + 1);
        take_gap(watched, &gap);
        watched->service.gap_number = (uint8_t)(count - i + 1);
    }
}

/* Gaps that a heartbeat at TIME, delivered late, came before. */
static void take_gaps_after(struct engine *engine, struct watched *watched, int64_t time)
{
    uint32_t count = registry_gap_count(engine->registry);
    uint32_t kept = count < GAPS_KEPT ? count : GAPS_KEPT;
    for (uint32_t i = kept; i > 0; i--) {
        struct gap gap = registry_gap(engine->registry, count - i + 1);
        if (gap.to > time) {
            expectation_gap(&watched->service.expectation, time, &gap, false);
            watched->changed = true;
        }
    }
}

/* ---- What comes in ---- */

void watched_load(struct engine *engine, struct watched *watched, uint32_t slot)
{
    watched->slot = slot;
    watched->told = atomic_load_explicit(&engine->states[slot], memory_order_relaxed);
    watched->changed = false;
    watched->last_seen = time_decode(atomic_load(registry_cell(engine->registry, slot)));
    registry_load(engine->registry, slot, &watched->service);
    if (watched->service.run_started <= watched->last_seen)
        watched->service.run_started = TIME_NEVER; /* the heartbeat has ended it */
    take_gaps(engine, watched);
}

/* Another heartbeat may have come the quick way since the service was loaded: the newest counts. */
static void see(struct engine *engine, struct watched *watched, int64_t time)
{
    watched->last_seen =
        time_decode(registry_see(engine->registry, watched->slot, time_encode(time)));
}

void watched_beat(struct engine *engine, struct watched *watched, int64_t time, int64_t now)
{
    struct service *service = &watched->service;
    struct incident incident;
    bool open = watched_has_incident(watched);
    if (open)
        watched_describe(watched, now, &incident);
    see(engine, watched, time);
    time = watched->last_seen;
    if (service->paused)
        return;
    if (service->run_started != TIME_NEVER && service->run_started <= time) {
        service->run_started = TIME_NEVER;
        watched->changed = true;
    }
    /* A newer heartbeat puts the anchor out of effect without a word in the slot. */
    bool newer = expectation_heartbeat(&service->expectation, time);
    watched->changed |= !newer;
    if (newer)
        take_gaps_after(engine, watched, time);
    if (!open)
        return;
    if (watched_alert_after(watched) > now) {
        end_incident(engine, watched, &incident, INCIDENT_RECOVERED, now);
        return;
    }
    service->alerts_before = 0;
    watched_count_alerts(watched, incident.alert_count);
    watched->changed = true;
}

void watched_start(struct watched *watched, int64_t now)
{
    if (watched->service.paused)
        return;
    watched->service.run_started = now > watched->last_seen ? now : watched->last_seen + 1;
    watched->changed = true;
}

void watched_fail(struct engine *engine, struct watched *watched, int64_t now)
{
    struct service *service = &watched->service;
    struct incident incident;
    bool open = watched_has_incident(watched);
    if (open)
        watched_describe(watched, now, &incident);
    see(engine, watched, now);
    if (service->paused)
        return;
    service->run_started = TIME_NEVER;
    expectation_restart(&service->expectation, now);
    watched->changed = true;
    if (!open) {
        open_incident(engine, watched, INCIDENT_FAIL, now, now);
        return;
    }
    if (service->fails < UINT16_MAX)
        service->fails++;
    service->alerts_before = 0;
    watched_count_alerts(watched, incident.alert_count);
}

/* ---- Afterwards ---- */

static enum state state_of(const struct watched *watched, int64_t judged)
{
    if (watched->service.paused)
        return STATE_PAUSED;
    if (watched_has_incident(watched))
        return STATE_DOWN;
    if (watched->last_seen == TIME_NEVER)
        return STATE_NEW;
    if (watched_is_running(watched))
        return STATE_RUNNING;
    if (expectation_misses(&watched->service.expectation, watched->last_seen, judged) > 0)
        return STATE_LATE;
    return STATE_UP;
}

int64_t watched_forget_after(const struct engine *engine, const struct watched *watched)
{
    int64_t time, since = watched->service.run_started;
    bool silent = watched_has_incident(watched) || watched->last_seen == TIME_NEVER;
    if (engine->options.forget_after == 0 || watched->service.declared || !silent)
        return INT64_MAX;
    if (watched->last_seen != TIME_NEVER)
        since = expectation_listening_since(&watched->service.expectation, watched->last_seen);
    if (since == TIME_NEVER || __builtin_add_overflow(since, engine->options.forget_after, &time))
        return INT64_MAX;
    return time;
}

int64_t watched_next(const struct engine *engine, const struct watched *watched)
{
    int64_t forget = watched_forget_after(engine, watched);
    if (watched_has_incident(watched))
        return forget;
    int64_t alert = watched_alert_after(watched);
    alert = alert < forget ? alert : forget;
    enum state state = atomic_load_explicit(&engine->states[watched->slot], memory_order_relaxed);
    if (state != STATE_UP)
        return alert;
    int64_t late = expectation_late_after(&watched->service.expectation, watched->last_seen);
    return late < alert ? late : alert;
}

/* Tells of the status that the service has now, if it is another one. */
static void tell_status(struct engine *engine, const struct watched *watched, enum state state,
                        int64_t now)
{
    const struct engine_listener *listener = &engine->options.listener;
    enum service_status from = state_status(watched->told), to = state_status(state);
    if (listener->changed == NULL || from == to)
        return;
    struct status_change change = {.from = from, .to = to, .at = now};
    memcpy(change.service, watched->service.name, sizeof(change.service));
    listener->changed(listener->context, &change);
}

void watched_place(struct engine *engine, struct watched *watched)
{
    if (watched->changed)
        registry_store(engine->registry, watched->slot, &watched->service);
    watched->changed = false;
    engine_set_state(engine, watched->slot, state_of(watched, engine->judged_until));
    int64_t next = watched_next(engine, watched);
    if (next == INT64_MAX)
        wheel_remove(&engine->wheel, watched->slot);
    else
        wheel_put(&engine->wheel, watched->slot, next);
}

void watched_settle(struct engine *engine, struct watched *watched, int64_t now)
{
    watched_place(engine, watched);
    tell_status(engine, watched, engine->states[watched->slot], now);
}

void watched_remove(struct engine *engine, struct watched *watched, enum incident_end end,
                    int64_t now)
{
    const struct service *service = &watched->service;
    uint64_t hash = index_hash(&engine->index, service->name, service->length);
    watched_close(engine, watched, end, now);
    index_remove(&engine->index, hash, watched->slot); /* from here on no heartbeat finds it */
    wheel_remove(&engine->wheel, watched->slot);
    engine_set_state(engine, watched->slot, STATE_NONE);
    labels_clear(&engine->labels, watched->slot);
    registry_remove(engine->registry, watched->slot);
    tell_status(engine, watched, STATE_NONE, now);
}
