#include "live_rig.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- The trace ---- */

static void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void trace(const char *format, ...)
{
    va_list arguments;
    if (getenv("RIG_TRACE") == NULL)
        return;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
}

static void trace_change(const struct service_change *change)
{
    if (change->has_interval)
        trace(" interval=%jd", (intmax_t)change->policy.interval);
    if (change->has_tolerance)
        trace(" tolerance=%jd", (intmax_t)change->policy.tolerance);
    if (change->has_allowed_misses)
        trace(" allowed_misses=%u", change->policy.allowed_misses);
    if (change->has_max_runtime)
        trace(" max_runtime=%jd", (intmax_t)change->max_runtime);
    trace(" replace=%d create=%d\n", change->replace, change->create);
}

static void trace_reset(const struct engine_options *options, int64_t now)
{
    trace("reset %jd interval=%jd tolerance=%jd allowed_misses=%u", (intmax_t)now,
          (intmax_t)options->policy.interval, (intmax_t)options->policy.tolerance,
          options->policy.allowed_misses);
    trace(" forget_after=%jd auto_create=%d max_services=%zu\n", (intmax_t)options->forget_after,
          options->auto_create, options->max_services);
}

/* ---- The listener ---- */

static void note(struct rig *rig, bool opened, const struct incident *incident)
{
    assert_true(rig->told_count < TOLD_MAX);
    rig->told[rig->told_count++] = (struct told){.opened = opened, .incident = *incident};
}

static void on_opened(void *context, const struct incident *incident)
{
    assert_int_equal(incident->end, INCIDENT_OPEN);
    note(context, true, incident);
}

static void on_closed(void *context, const struct incident *incident)
{
    assert_int_not_equal(incident->end, INCIDENT_OPEN);
    note(context, false, incident);
}

static void on_gap(void *context, const struct gap *gap)
{
    struct rig *rig = context;
    assert_true(rig->gap_count < COUNT_OF(rig->gaps));
    rig->gaps[rig->gap_count++] = *gap;
}

/* The number of the service called NAME; beyond them if the oracle does not know it. */
static size_t number_of(const struct rig *rig, const char *name)
{
    size_t i = 0;
    while (i < rig->oracle.count && strcmp(rig->oracle.services[i].name.text, name) != 0)
        i++;
    return i;
}

static void on_changed(void *context, const struct status_change *change)
{
    struct rig *rig = context;
    size_t i = number_of(rig, change->service);
    rig->change = *change;
    rig->change_count++;
    assert_int_not_equal(change->from, change->to);
    if (i == rig->oracle.count)
        return;
    assert_int_equal(change->from, rig->statuses[i]);
    rig->statuses[i] = change->to;
}

/* ---- Life ---- */

/* The status of service I, or that there is none. */
static enum service_status status_of(struct rig *rig, size_t i)
{
    const struct name *name = &rig->oracle.services[i].name;
    struct service_view view;
    enum engine_result result = engine_find(rig->engine, name->text, name->length, rig->now, &view);
    return result == ENGINE_OK ? view.status : SERVICE_NONE;
}

static void start(struct rig *rig, int64_t since)
{
    struct failure failure = {0};
    rig->registry = den_open(&rig->den, rig->options.max_services);
    rig->engine = engine_create(rig->registry, &rig->options, since, &failure);
    check(rig->engine != NULL, "%s", failure.text);
    for (size_t i = 0; i < rig->oracle.count; i++)
        rig->statuses[i] = status_of(rig, i); /* what is found at the start is not told */
}

static void stop(struct rig *rig)
{
    engine_destroy(rig->engine);
    registry_close(rig->registry);
}

void rig_init(struct rig *rig, const struct engine_options *options, size_t count, int64_t now)
{
    memset(rig, 0, sizeof(*rig));
    den_init(&rig->den);
    trace_reset(options, now);
    rig->options = *options;
    rig->options.listener = (struct engine_listener){
        .context = rig,
        .opened = on_opened,
        .closed = on_closed,
        .gap = on_gap,
        .changed = on_changed,
    };
    rig->now = rig->heard = now;
    oracle_init(&rig->oracle, options, count, now);
    start(rig, now);
}

void rig_finish(struct rig *rig)
{
    stop(rig);
    den_finish(&rig->den);
}

/* ---- What is done ---- */

static const struct name *name_at(const struct rig *rig, size_t i)
{
    return &rig->oracle.services[i].name;
}

static void check_told(struct rig *rig)
{
    oracle_check_told(&rig->oracle, rig->told, &rig->told_count);
}

static void check_same(enum engine_result found, enum engine_result expected)
{
    check(found == expected, "the result is %d and not %d", (int)found, (int)expected);
}

void rig_beats(struct rig *rig, const size_t *services, const int64_t *times, size_t count)
{
    struct kairos_event *events = calloc(count, sizeof(events[0]));
    enum engine_result *results = malloc(count * sizeof(results[0]));
    assert_true(events != NULL && results != NULL);
    trace("batch %jd", (intmax_t)rig->now);
    for (size_t k = 0; k < count; k++) {
        const struct name *name = name_at(rig, services[k]);
        events[k].time = times[k];
        events[k].length = (uint8_t)name->length;
        memcpy(events[k].text, name->text, sizeof(events[k].text));
        trace(" %s:%jd", name->text, (intmax_t)times[k]);
    }
    trace("\n");
    engine_heartbeats(rig->engine, events, count, rig->now, results);
    for (size_t k = 0; k < count; k++)
        check_same(results[k], oracle_heartbeat(&rig->oracle, services[k], times[k], rig->now));
    check_told(rig);
    free(events);
    free(results);
}

enum engine_result rig_beat(struct rig *rig, size_t i, int64_t time)
{
    struct kairos_event event = {.time = time, .length = (uint8_t)name_at(rig, i)->length};
    enum engine_result result;
    memcpy(event.text, name_at(rig, i)->text, sizeof(event.text));
    trace("beat %s %jd %jd\n", event.text, (intmax_t)time, (intmax_t)rig->now);
    engine_heartbeats(rig->engine, &event, 1, rig->now, &result);
    check_same(result, oracle_heartbeat(&rig->oracle, i, time, rig->now));
    check_told(rig);
    return result;
}

enum engine_result rig_ping(struct rig *rig, size_t i, enum engine_action action)
{
    static const char *const actions[] = {"heartbeat", "fail", "start", "log"};
    const struct name *name = name_at(rig, i);
    trace("ping %s %s %jd\n", name->text, actions[action], (intmax_t)rig->now);
    enum engine_result result =
        engine_ping(rig->engine, name->text, name->length, action, rig->now);
    check_same(result, oracle_ping(&rig->oracle, i, action, rig->now));
    check_told(rig);
    return result;
}

enum engine_result rig_change(struct rig *rig, size_t i, const struct service_change *change)
{
    const struct name *name = name_at(rig, i);
    struct service_view view;
    trace("change %s %jd", name->text, (intmax_t)rig->now);
    trace_change(change);
    enum engine_result result =
        engine_change(rig->engine, name->text, name->length, change, rig->now, &view);
    check_same(result, oracle_change(&rig->oracle, i, change, rig->now));
    check_told(rig);
    if (result <= ENGINE_CREATED)
        oracle_check_view(&rig->oracle, i, rig->now, false, &view);
    return result;
}

enum engine_result rig_pause(struct rig *rig, size_t i, bool paused)
{
    const struct name *name = name_at(rig, i);
    struct service_view view;
    trace("%s %s %jd\n", paused ? "pause" : "resume", name->text, (intmax_t)rig->now);
    enum engine_result result =
        engine_pause(rig->engine, name->text, name->length, paused, rig->now, &view);
    check_same(result, oracle_pause(&rig->oracle, i, paused, rig->now));
    check_told(rig);
    if (result == ENGINE_OK)
        oracle_check_view(&rig->oracle, i, rig->now, false, &view);
    return result;
}

enum engine_result rig_delete(struct rig *rig, size_t i)
{
    const struct name *name = name_at(rig, i);
    trace("delete %s %jd\n", name->text, (intmax_t)rig->now);
    enum engine_result result = engine_delete(rig->engine, name->text, name->length, rig->now);
    check_same(result, oracle_delete(&rig->oracle, i, rig->now));
    check_told(rig);
    return result;
}

/* ---- Time ---- */

void rig_pass(struct rig *rig, int64_t now)
{
    assert_true(now >= rig->now);
    rig->now = now;
}

void rig_tick(struct rig *rig, int64_t heard)
{
    struct engine_wake wake;
    size_t told;
    trace("tick %jd %jd\n", (intmax_t)heard, (intmax_t)rig->now);
    do {
        told = rig->told_count;
        wake = engine_tick(rig->engine, rig->now, heard);
    } while (wake.more || rig->told_count > told);
    assert_true(wake.next > rig->now || wake.next + 1024 > rig->now || wake.wants_hearing);
    rig->heard = heard;
    oracle_tick(&rig->oracle, rig->now, heard);
    check_told(rig);
}

void rig_go(struct rig *rig, int64_t now)
{
    rig_pass(rig, now);
    rig_tick(rig, now);
}

void rig_gap(struct rig *rig, enum gap_reason reason)
{
    struct gap gap = {.from = rig->heard, .to = rig->now, .reason = reason};
    trace("gap %jd %jd %s\n", (intmax_t)gap.from, (intmax_t)gap.to, gap_reason_name(reason));
    engine_record_gap(rig->engine, &gap);
    oracle_gap(&rig->oracle, &gap);
    check_told(rig);
    assert_int_equal(rig->gap_count, 1);
    assert_memory_equal(&rig->gaps[0], &gap, sizeof(gap));
    rig->gap_count = 0;
    rig->heard = gap.to;
}

void rig_restart(struct rig *rig)
{
    trace("restart %jd %jd\n", (intmax_t)rig->heard, (intmax_t)rig->heard);
    stop(rig);
    start(rig, rig->heard);
    oracle_restart(&rig->oracle, rig->heard);
    check_told(rig);
}

/* ---- Looking ---- */

struct service_view rig_view(struct rig *rig, size_t i)
{
    const struct name *name = name_at(rig, i);
    struct service_view view;
    assert_int_equal(engine_find(rig->engine, name->text, name->length, rig->now, &view),
                     ENGINE_OK);
    return view;
}

void rig_check(struct rig *rig, size_t i, bool exact)
{
    const struct name *name = name_at(rig, i);
    struct service_view view;
    assert_int_equal(status_of(rig, i), rig->statuses[i]);
    if (!rig->oracle.services[i].present) {
        assert_int_equal(engine_find(rig->engine, name->text, name->length, rig->now, &view),
                         ENGINE_UNKNOWN);
        return;
    }
    view = rig_view(rig, i);
    oracle_check_view(&rig->oracle, i, rig->now, exact, &view);
    if (!view.has_incident)
        return;
    struct incident incident = view.incident;
    incident.raised_at = 1;
    incident.last_seen = 2;
    incident.missed_count = 3;
    incident.alert_count = incident.fails = 0;
    assert_true(engine_update_incident(rig->engine, rig->now, &incident));
    assert_true(incident.raised_at == 1 && incident.last_seen == 2 && incident.missed_count == 3);
    oracle_check_incident(&rig->oracle, i, rig->now, &incident);
    incident.started_at++;
    assert_false(engine_update_incident(rig->engine, rig->now, &incident));
}

/* Each is listed once, in pages of any size. */
static void check_list(struct rig *rig, bool exact)
{
    struct service_view views[ORACLE_SERVICES];
    bool listed[ORACLE_SERVICES] = {false};
    struct engine_filter all = engine_filter_all();
    size_t page = 1 + (size_t)rig->now % 7;
    uint64_t cursor = 0;
    do {
        size_t count = engine_list(rig->engine, &all, rig->now, &cursor, views, page);
        assert_true(count <= page && (count == page || cursor == 0));
        for (size_t k = 0; k < count; k++) {
            size_t i = number_of(rig, views[k].name);
            assert_true(i < rig->oracle.count);
            assert_false(listed[i]);
            listed[i] = true;
            oracle_check_view(&rig->oracle, i, rig->now, exact, &views[k]);
        }
    } while (cursor != 0);
    for (size_t i = 0; i < rig->oracle.count; i++)
        assert_int_equal(listed[i], rig->oracle.services[i].present);
}

static void check_gaps(struct rig *rig)
{
    struct gap gaps[GAPS_KEPT];
    assert_int_equal(engine_gaps(rig->engine, gaps), rig->oracle.gap_count);
    for (size_t i = 0; i < rig->oracle.gap_count; i++) {
        assert_int_equal(gaps[i].from, rig->oracle.gaps[i].from);
        assert_int_equal(gaps[i].to, rig->oracle.gaps[i].to);
        assert_int_equal(gaps[i].reason, rig->oracle.gaps[i].reason);
    }
}

void rig_check_all(struct rig *rig, bool exact)
{
    struct engine_figures figures = engine_figures(rig->engine);
    for (size_t i = 0; i < rig->oracle.count; i++)
        rig_check(rig, i, exact);
    check_list(rig, exact);
    check_gaps(rig);
    oracle_check_figures(&rig->oracle, exact, &figures);
    walk_engine(rig->engine, exact ? rig->heard : TIME_NEVER);
}
