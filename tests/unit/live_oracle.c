#include "live_oracle.h"

#define NEVER TIME_NEVER

static int64_t min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- Expectation ---- */

/* Far away is far enough: the longest policies reach beyond 64 bits. */
static int64_t clamp(__int128 time)
{
    return time < INT64_MAX ? (int64_t)time : INT64_MAX;
}

static int64_t expected(const struct oracle_service *s, uint64_t k)
{
    return clamp((__int128)s->base + (__int128)k * s->policy.interval);
}

/* How many k = 1, 2, … have e(k) + T < NOW. */
static uint64_t misses_since_base(const struct oracle_service *s, int64_t now)
{
    int64_t span = now - s->policy.tolerance - s->base;
    if (span <= 0)
        return 0;
    return (uint64_t)((span + s->policy.interval - 1) / s->policy.interval - 1);
}

static uint64_t misses(const struct oracle_service *s, int64_t now)
{
    return s->misses_before + misses_since_base(s, now);
}

static int64_t reach(const struct oracle_service *s)
{
    return clamp((__int128)s->policy.allowed_misses * s->policy.interval + s->policy.tolerance);
}

/* Expectation starts anew at TIME, as by a heartbeat. */
static void start_anew(struct oracle_service *s, int64_t time)
{
    s->base = s->listening_since = time;
    s->misses_before = 0;
}

static bool is_running(const struct oracle_service *s)
{
    return s->run_started != NEVER && s->max_runtime > 0;
}

/* When an alert is due: as soon as the time is later. Its alert_at; whether the misses raise it. */
static int64_t silence_due(const struct oracle_service *s, int64_t *alert_at, bool *counted)
{
    int64_t due, bound = clamp(s->listening_since + (__int128)2 * reach(s));
    *counted = s->misses_before < s->policy.allowed_misses;
    if (*counted) {
        *alert_at = expected(s, s->policy.allowed_misses - s->misses_before);
        due = clamp((__int128)*alert_at + s->policy.tolerance);
    } else {
        due = *alert_at = s->base;
    }
    if (bound >= due)
        return due;
    *counted = false;
    return *alert_at = bound;
}

/* When the next alert is due, whatever its kind; INT64_MAX if none will be. */
static int64_t next_due(const struct oracle_service *s)
{
    int64_t alert_at;
    bool counted;
    if (s->paused)
        return INT64_MAX;
    if (is_running(s))
        return s->run_started + s->max_runtime;
    return s->last_seen == NEVER ? INT64_MAX : silence_due(s, &alert_at, &counted);
}

/* ---- Incidents ---- */

/* Whether there are repeats, which are counted. */
static bool repeats(const struct oracle_service *s)
{
    return s->has_incident && s->incident.kind != INCIDENT_OVERRUN;
}

static uint64_t alerts_since_base(const struct oracle_service *s, int64_t now)
{
    return repeats(s) ? misses(s, now) / s->policy.allowed_misses : 0;
}

/* The alert_at of the newest alert at NOW. */
static int64_t newest_at(const struct oracle_service *s, int64_t now)
{
    uint64_t needed = alerts_since_base(s, now) * s->policy.allowed_misses;
    if (needed == 0)
        return s->newest_before;
    return expected(s, needed > s->misses_before ? needed - s->misses_before : 0);
}

/* The incident as it stands at NOW. */
static struct incident describe(const struct oracle_service *s, int64_t now)
{
    struct incident incident = s->incident;
    uint64_t since = alerts_since_base(s, now);
    incident.alert_count = s->alerts_before + since;
    incident.last_alert_at = newest_at(s, now);
    incident.repeats_known = since;
    incident.repeat_every = since > 0 ? (int64_t)s->policy.allowed_misses * s->policy.interval : 0;
    incident.repeat_misses = s->policy.allowed_misses;
    return incident;
}

static void tell(struct oracle *oracle, const struct told *told)
{
    assert_true(oracle->told_count < TOLD_MAX);
    oracle->told[oracle->told_count++] = *told;
}

/* What was counted by NOW stays, as expectation is about to start anew. */
static void fold(struct oracle_service *s, int64_t now)
{
    uint64_t counted = misses(s, now);
    if (repeats(s)) {
        s->newest_before = newest_at(s, now);
        s->alerts_before += counted / s->policy.allowed_misses;
        counted %= s->policy.allowed_misses;
    }
    s->misses_before = counted < 1000000 ? counted : 1000000;
}

static void open_incident(struct oracle *oracle, struct oracle_service *s, enum incident_kind kind,
                          int64_t alert_at, bool counted, int64_t now)
{
    s->has_incident = true;
    s->incident = (struct incident){
        .kind = kind,
        .started_at = alert_at,
        .raised_at = now,
        .last_seen = s->last_seen,
        .ended_at = NEVER,
        .missed_count = kind == INCIDENT_SILENCE ? s->policy.allowed_misses : 0,
    };
    memcpy(s->incident.service, s->name.text, KAIROS_SERVICE_SIZE);
    s->alerts_before = counted ? 0 : 1;
    s->newest_before = alert_at;
    if (kind == INCIDENT_SILENCE && !counted) { /* the count starts again */
        s->base = max(s->base, alert_at);
        s->misses_before = 0;
    }
    oracle->figures.alerts++;
    struct told told = {.opened = true, .incident = describe(s, now), .newest = newest_at(s, now)};
    tell(oracle, &told);
}

static void close_incident(struct oracle *oracle, struct oracle_service *s, enum incident_end end,
                           int64_t now)
{
    if (!s->has_incident)
        return;
    struct told told = {.incident = describe(s, now), .newest = newest_at(s, now)};
    told.incident.end = end;
    told.incident.ended_at = now;
    s->has_incident = false;
    oracle->figures.recoveries += end == INCIDENT_RECOVERED;
    tell(oracle, &told);
}

/* ---- Gaps ---- */

/* The rule of a gap for a service that was last seen before its end, and no run is under way. */
static void take_gap(struct oracle_service *s, const struct gap *gap, bool counts_alerts)
{
    int64_t interval = s->policy.interval, tolerance = s->policy.tolerance;
    int64_t early = min(interval, max(5 * KAIROS_MINUTE, max(tolerance, interval / 4)));
    if (s->base > s->last_seen)
        early = interval;
    /* The first e(k), k >= 1, that is not before D - T. */
    int64_t room = gap->from - tolerance - s->base;
    int64_t k = room <= 0 ? 1 : (room + interval - 1) / interval;
    if (expected(s, (uint64_t)max(k, 1)) <= gap->to + early) {
        if (counts_alerts) {
            fold(s, gap->from);
        } else {
            uint64_t counted = misses(s, gap->from);
            s->misses_before = counted < 1000000 ? counted : 1000000;
        }
        s->base = gap->to;
    }
    s->listening_since += max(0, gap->to - max(gap->from, s->listening_since));
}

static void forget_run(struct oracle_service *s, const struct gap *gap)
{
    if (s->last_seen != NEVER) {
        fold(s, gap->from);
        s->misses_before = 0;
        s->base = gap->to;
        s->listening_since +=
            max(0, gap->to - max(min(gap->from, s->run_started), s->listening_since));
    }
    s->run_started = NEVER;
}

/* ---- What comes in ---- */

static bool is_new_policy(const struct kairos_policy *a, const struct kairos_policy *b)
{
    return a->interval != b->interval || a->tolerance != b->tolerance ||
           a->allowed_misses != b->allowed_misses;
}

static size_t count_present(const struct oracle *oracle)
{
    size_t count = 0;
    for (size_t i = 0; i < oracle->count; i++)
        count += oracle->services[i].present;
    return count;
}

static enum engine_result enter(struct oracle *oracle, struct oracle_service *s, bool create)
{
    struct name name = s->name;
    if (s->present)
        return ENGINE_OK;
    if (!create)
        return ENGINE_UNKNOWN;
    if (count_present(oracle) >= oracle->options.max_services)
        return ENGINE_FULL;
    *s = (struct oracle_service){
        .name = name,
        .present = true,
        .policy = oracle->options.policy,
        .last_seen = NEVER,
        .base = NEVER,
        .listening_since = NEVER,
        .run_started = NEVER,
        .newest_before = NEVER,
    };
    oracle->figures.created++;
    return ENGINE_CREATED;
}

/* A heartbeat at TIME, newer than the last one, of a service that is not paused. */
static void hear(struct oracle *oracle, struct oracle_service *s, int64_t time, int64_t now)
{
    struct oracle_service before = *s;
    s->last_seen = time;
    if (s->run_started != NEVER && s->run_started <= time)
        s->run_started = NEVER;
    if (s->base != NEVER && time <= s->base) {
        start_anew(s, s->base);
    } else {
        start_anew(s, time);
        for (size_t i = 0; i < oracle->gap_count; i++) {
            if (oracle->gaps[i].to > time)
                take_gap(s, &oracle->gaps[i], false);
        }
    }
    if (!s->has_incident)
        return;
    if (next_due(s) > now) {
        close_incident(oracle, &before, INCIDENT_RECOVERED, now);
        s->has_incident = false;
        return;
    }
    s->alerts_before = describe(&before, now).alert_count;
    s->newest_before = newest_at(&before, now);
}

enum engine_result oracle_heartbeat(struct oracle *oracle, size_t i, int64_t time, int64_t now)
{
    struct oracle_service *s = &oracle->services[i];
    if (time > now + 5 * KAIROS_MINUTE) {
        oracle->figures.in_future++;
        return ENGINE_IN_FUTURE;
    }
    enum engine_result result = enter(oracle, s, oracle->options.auto_create);
    if (result > ENGINE_CREATED)
        return result;
    oracle->figures.heartbeats++;
    time = min(time, now);
    if (time <= s->last_seen) {
        oracle->figures.older++;
        return ENGINE_OLDER;
    }
    if (s->paused)
        s->last_seen = time;
    else
        hear(oracle, s, time, now);
    return result;
}

static void hear_fail(struct oracle *oracle, struct oracle_service *s, int64_t now)
{
    s->last_seen = max(s->last_seen, now);
    if (s->paused)
        return;
    s->run_started = NEVER;
    if (s->has_incident) {
        s->newest_before = newest_at(s, now);
        s->alerts_before = describe(s, now).alert_count;
        s->incident.fails++;
        start_anew(s, now);
        return;
    }
    start_anew(s, now);
    open_incident(oracle, s, INCIDENT_FAIL, now, false, now);
}

enum engine_result oracle_ping(struct oracle *oracle, size_t i, enum engine_action action,
                               int64_t now)
{
    struct oracle_service *s = &oracle->services[i];
    if (action == ENGINE_HEARTBEAT)
        return oracle_heartbeat(oracle, i, now, now);
    enum engine_result result =
        enter(oracle, s, oracle->options.auto_create && action != ENGINE_LOG);
    if (result > ENGINE_CREATED)
        return result;
    if (action == ENGINE_FAIL)
        hear_fail(oracle, s, now);
    else if (action == ENGINE_START && !s->paused)
        s->run_started = now > s->last_seen ? now : s->last_seen + 1;
    oracle->figures.fails += action == ENGINE_FAIL;
    oracle->figures.starts += action == ENGINE_START;
    oracle->figures.logs += action == ENGINE_LOG;
    return result;
}

/* ---- Time ---- */

/* Nobody claims it, it is down or never beat, and was listened to for long. */
static bool is_forgotten(const struct oracle *oracle, const struct oracle_service *s, int64_t heard)
{
    int64_t since = s->last_seen == NEVER ? s->run_started : s->listening_since;
    return oracle->options.forget_after > 0 && !s->declared && since != NEVER &&
           (s->has_incident || s->last_seen == NEVER) &&
           since + oracle->options.forget_after < heard;
}

/* Judges one service. Returns whether anything happened. */
static bool judge(struct oracle *oracle, struct oracle_service *s, int64_t heard, int64_t now)
{
    int64_t alert_at;
    bool counted;
    if (!s->present || s->paused)
        return false;
    if (is_forgotten(oracle, s, heard)) {
        close_incident(oracle, s, INCIDENT_FORGOTTEN, now);
        s->present = false;
        return true;
    }
    if (s->has_incident || next_due(s) >= heard)
        return false;
    if (is_running(s)) {
        open_incident(oracle, s, INCIDENT_OVERRUN, s->run_started + s->max_runtime, false, now);
        return true;
    }
    silence_due(s, &alert_at, &counted);
    open_incident(oracle, s, INCIDENT_SILENCE, alert_at, counted, now);
    return true;
}

void oracle_tick(struct oracle *oracle, int64_t now, int64_t heard)
{
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < oracle->count; i++)
            again |= judge(oracle, &oracle->services[i], heard, now);
    }
    oracle->judged = max(oracle->judged, heard);
}

void oracle_gap(struct oracle *oracle, const struct gap *gap)
{
    for (size_t i = 0; i < oracle->count; i++) {
        judge(oracle, &oracle->services[i], gap->from, gap->to);
        judge(oracle, &oracle->services[i], gap->from, gap->to); /* raised, and forgotten */
    }
    if (oracle->gap_count == GAPS_KEPT) {
        memmove(oracle->gaps, oracle->gaps + 1, (GAPS_KEPT - 1) * sizeof(oracle->gaps[0]));
        oracle->gap_count--;
    }
    oracle->gaps[oracle->gap_count++] = *gap;
    for (size_t i = 0; i < oracle->count; i++) {
        struct oracle_service *s = &oracle->services[i];
        if (!s->present || s->paused)
            continue;
        if (is_running(s) && s->run_started < gap->to)
            forget_run(s, gap);
        else if (s->last_seen != NEVER && s->last_seen < gap->to)
            take_gap(s, gap, true);
    }
    oracle->figures.gaps++;
    oracle->judged = max(oracle->judged, gap->from);
}

void oracle_restart(struct oracle *oracle, int64_t since)
{
    oracle->figures = (struct engine_figures){0};
    for (size_t i = 0; i < oracle->count; i++) {
        const struct oracle_service *s = &oracle->services[i];
        if (!s->present || !s->has_incident)
            continue;
        struct told told = {.opened = true,
                            .again = true,
                            .incident = describe(s, since),
                            .newest = newest_at(s, since)};
        tell(oracle, &told);
    }
}

/* ---- Changes ---- */

static bool is_duration(int64_t duration, int64_t least)
{
    return duration >= least && duration <= 366 * KAIROS_DAY && duration % 1000 == 0;
}

static enum engine_result flaw_of(const struct kairos_policy *policy, int64_t max_runtime)
{
    if (!is_duration(policy->interval, KAIROS_SECOND))
        return ENGINE_BAD_INTERVAL;
    if (policy->allowed_misses < 1 || policy->allowed_misses > 1000000)
        return ENGINE_BAD_MISSES;
    if (!is_duration(policy->tolerance, 0))
        return ENGINE_BAD_TOLERANCE;
    return is_duration(max_runtime, 0) ? ENGINE_OK : ENGINE_BAD_RUNTIME;
}

/* e = max(a + I, NOW), then every I. */
static void expect_from(struct oracle_service *s, int64_t now)
{
    s->base = max(s->last_seen + s->policy.interval, now) - s->policy.interval;
    s->listening_since = now;
}

enum engine_result oracle_change(struct oracle *oracle, size_t i,
                                 const struct service_change *change, int64_t now)
{
    struct oracle_service *s = &oracle->services[i];
    bool defaults = change->replace || !s->present;
    struct kairos_policy policy = defaults ? oracle->options.policy : s->policy;
    int64_t max_runtime = defaults ? 0 : s->max_runtime;
    if (change->has_interval)
        policy.interval = change->policy.interval;
    if (change->has_tolerance)
        policy.tolerance = change->policy.tolerance;
    if (change->has_allowed_misses)
        policy.allowed_misses = change->policy.allowed_misses;
    if (change->has_max_runtime)
        max_runtime = change->max_runtime;
    if (!s->present && !change->create)
        return ENGINE_UNKNOWN;
    enum engine_result flaw = flaw_of(&policy, max_runtime);
    if (flaw != ENGINE_OK)
        return flaw;
    enum engine_result result = enter(oracle, s, true);
    if (result > ENGINE_CREATED)
        return result;
    if (is_new_policy(&policy, &s->policy)) {
        bool expects = s->last_seen != NEVER && !s->paused; /* a resume lets it start anew */
        if (expects)
            fold(s, now);
        s->policy = policy;
        if (expects)
            expect_from(s, now);
    }
    s->max_runtime = max_runtime;
    s->declared = true;
    return result;
}

enum engine_result oracle_pause(struct oracle *oracle, size_t i, bool paused, int64_t now)
{
    struct oracle_service *s = &oracle->services[i];
    if (!s->present)
        return ENGINE_UNKNOWN;
    if (paused && !s->paused) {
        close_incident(oracle, s, INCIDENT_PAUSED, now);
        s->run_started = NEVER;
    } else if (!paused && s->paused && s->last_seen != NEVER) {
        expect_from(s, now);
        s->misses_before = 0;
    }
    s->paused = paused;
    s->declared = true;
    return ENGINE_OK;
}

enum engine_result oracle_delete(struct oracle *oracle, size_t i, int64_t now)
{
    struct oracle_service *s = &oracle->services[i];
    if (!s->present)
        return ENGINE_UNKNOWN;
    close_incident(oracle, s, INCIDENT_DELETED, now);
    s->present = false;
    return ENGINE_OK;
}

/* ---- Questions ---- */

void oracle_init(struct oracle *oracle, const struct engine_options *options, size_t count,
                 int64_t now)
{
    assert_true(count <= ORACLE_SERVICES);
    memset(oracle, 0, sizeof(*oracle));
    oracle->options = *options;
    oracle->count = count;
    oracle->judged = now;
    for (size_t i = 0; i < count; i++)
        oracle->services[i].name = name_numbered(i, i % 4 == 3 ? 100 - i : 10 + i % 11);
}

/*
 * UP and LATE differ by misses, as far as was judged. A heartbeat that comes late may leave a
 * service up that it should leave late, until the next tick.
 */
static bool is_status(const struct oracle *oracle, const struct oracle_service *s, bool exact,
                      enum service_status status)
{
    if (s->paused)
        return status == SERVICE_PAUSED;
    if (s->has_incident)
        return status == SERVICE_DOWN;
    if (s->last_seen == NEVER)
        return status == SERVICE_NEW;
    bool late = !is_running(s) && misses(s, oracle->judged) > 0;
    return status == (late ? SERVICE_LATE : SERVICE_UP) || (!exact && late && status == SERVICE_UP);
}

/* What changes as an incident goes on. */
static void check_course(const struct incident *expected, const struct incident *found,
                         int64_t newest)
{
    assert_string_equal(found->service, expected->service);
    assert_int_equal(found->kind, expected->kind);
    assert_int_equal(found->end, expected->end);
    assert_int_equal(found->started_at, expected->started_at);
    assert_int_equal(found->ended_at, expected->ended_at);
    assert_int_equal(found->alert_count, expected->alert_count);
    assert_int_equal(found->repeats_known, expected->repeats_known);
    assert_int_equal(found->repeat_every, expected->repeat_every);
    assert_int_equal(found->repeat_misses, expected->repeat_misses);
    assert_int_equal(found->fails, expected->fails);
    /* Not known any more: a repeat before the base. */
    if (found->last_alert_at != NEVER || expected->repeats_known > 0 || expected->alert_count < 2)
        assert_int_equal(found->last_alert_at, newest);
}

/* What is true of its first alert. */
static void check_first(const struct incident *expected, const struct incident *found)
{
    assert_int_equal(found->raised_at, expected->raised_at);
    assert_int_equal(found->last_seen, expected->last_seen);
    assert_int_equal(found->missed_count, expected->missed_count);
}

void oracle_check_view(const struct oracle *oracle, size_t i, int64_t now, bool exact,
                       const struct service_view *view)
{
    const struct oracle_service *s = &oracle->services[i];
    assert_true(s->present);
    assert_string_equal(view->name, s->name.text);
    assert_int_equal(view->length, s->name.length);
    check(is_status(oracle, s, exact, view->status), "%s is %s", view->name,
          service_status_name(view->status));
    assert_int_equal(view->declared, s->declared);
    assert_false(is_new_policy(&view->policy, &s->policy));
    assert_int_equal(view->max_runtime, s->max_runtime);
    assert_int_equal(view->last_seen, s->last_seen);
    assert_int_equal(view->running_since, s->run_started);
    assert_int_equal(view->has_incident, s->has_incident);
    int64_t due = s->has_incident ? INT64_MAX : next_due(s);
    assert_int_equal(view->next_deadline, due > KAIROS_TIME_MAX ? NEVER : due);
    uint64_t missed = 0;
    if (!s->paused && s->last_seen != NEVER && !is_running(s))
        missed = misses(s, now);
    assert_int_equal(view->missed_count,
                     s->has_incident ? missed % s->policy.allowed_misses : missed);
    if (s->has_incident)
        oracle_check_incident(oracle, i, now, &view->incident);
}

void oracle_check_incident(const struct oracle *oracle, size_t i, int64_t now,
                           const struct incident *incident)
{
    const struct oracle_service *s = &oracle->services[i];
    struct incident expected = describe(s, now);
    assert_true(s->has_incident);
    check_course(&expected, incident, newest_at(s, now));
}

/* In order of service, and of time for each. */
static void sort(struct told *told, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct told one = told[i];
        size_t j = i;
        for (; j > 0 && strcmp(told[j - 1].incident.service, one.incident.service) > 0; j--)
            told[j] = told[j - 1];
        told[j] = one;
    }
}

void oracle_check_told(struct oracle *oracle, struct told *told, size_t *count)
{
    sort(told, *count);
    sort(oracle->told, oracle->told_count);
    for (size_t i = 0; i < *count || i < oracle->told_count; i++) {
        check(i < oracle->told_count, "%s was told, and should not be", told[i].incident.service);
        check(i < *count, "%s should be told", oracle->told[i].incident.service);
        const struct told *expected = &oracle->told[i];
        assert_int_equal(told[i].opened, expected->opened);
        check_course(&expected->incident, &told[i].incident, expected->newest);
        if (expected->opened && !expected->again)
            check_first(&expected->incident, &told[i].incident);
    }
    *count = 0;
    oracle->told_count = 0;
}

void oracle_check_figures(const struct oracle *oracle, bool exact,
                          const struct engine_figures *figures)
{
    const struct engine_figures *expected = &oracle->figures;
    uint64_t sum = 0;
    for (int status = SERVICE_NEW; status < SERVICE_STATUS_COUNT; status++) {
        uint64_t least = 0, most = 0;
        for (size_t i = 0; i < oracle->count; i++) {
            const struct oracle_service *s = &oracle->services[i];
            bool may = s->present && is_status(oracle, s, exact, (enum service_status)status);
            bool must = may;
            for (int other = SERVICE_NEW; may && other < SERVICE_STATUS_COUNT; other++)
                must &= other == status || !is_status(oracle, s, exact, (enum service_status)other);
            least += must;
            most += may;
        }
        check(figures->services[status] >= least && figures->services[status] <= most, "%ju are %s",
              (uintmax_t)figures->services[status],
              service_status_name((enum service_status)status));
        sum += figures->services[status];
    }
    assert_int_equal(sum, count_present(oracle));
    assert_int_equal(figures->heartbeats, expected->heartbeats);
    assert_int_equal(figures->older, expected->older);
    assert_int_equal(figures->in_future, expected->in_future);
    assert_int_equal(figures->fails, expected->fails);
    assert_int_equal(figures->starts, expected->starts);
    assert_int_equal(figures->logs, expected->logs);
    assert_int_equal(figures->created, expected->created);
    assert_int_equal(figures->alerts, expected->alerts);
    assert_int_equal(figures->recoveries, expected->recoveries);
    assert_int_equal(figures->gaps, expected->gaps);
}
