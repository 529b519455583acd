/*
 * test_engine.c - the engine, case by case: what it does to the registry, its limits, its lists,
 * and the examples of the design. Whatever else happens is test_engine_rules.c's.
 */
#include "engine.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kairos/detector.h>

#include "live_rig.h"

#define SECOND       KAIROS_SECOND
#define MINUTE       KAIROS_MINUTE
#define HOUR         KAIROS_HOUR
#define DAY          KAIROS_DAY

#define ALL_STATUSES ((1u << SERVICE_STATUS_COUNT) - 1)

static struct rig rig;

static void with_defaults(size_t count)
{
    struct engine_options options = engine_options_default();
    options.max_services = 1000;
    rig_init(&rig, &options, count, BEGIN);
}

static enum service_status status_of(size_t i)
{
    return rig_view(&rig, i).status;
}

/* ---- The rules by example ---- */

/* The design's: beats at 10:00, 10:01, 10:02, then none until 10:06. */
static void the_example_of_the_design(void **state)
{
    with_defaults(1);
    for (int64_t minute = 0; minute <= 2; minute++) {
        rig_go(&rig, BEGIN + minute * MINUTE);
        rig_beat(&rig, 0, rig.now);
    }
    assert_int_equal(rig_view(&rig, 0).next_deadline, BEGIN + 5 * MINUTE);
    rig_go(&rig, BEGIN + 3 * MINUTE);
    assert_int_equal(status_of(0), SERVICE_UP);
    rig_go(&rig, BEGIN + 3 * MINUTE + 1);
    assert_int_equal(status_of(0), SERVICE_LATE);
    rig_go(&rig, BEGIN + 5 * MINUTE);
    assert_int_equal(status_of(0), SERVICE_LATE);
    rig_go(&rig, BEGIN + 5 * MINUTE + 1);
    struct service_view view = rig_view(&rig, 0);
    assert_int_equal(view.status, SERVICE_DOWN);
    assert_int_equal(view.next_deadline, TIME_NEVER);
    assert_int_equal(view.incident.kind, INCIDENT_SILENCE);
    assert_int_equal(view.incident.started_at, BEGIN + 5 * MINUTE);
    assert_int_equal(view.incident.last_seen, BEGIN + 2 * MINUTE);
    assert_int_equal(view.incident.missed_count, 3);
    rig_pass(&rig, BEGIN + 6 * MINUTE);
    rig_beat(&rig, 0, rig.now);
    assert_int_equal(status_of(0), SERVICE_UP);
    assert_int_equal(rig.oracle.figures.recoveries, 1);
    rig_check_all(&rig, false);
    rig_finish(&rig);
}

/* A beat just in time, at the last moment and a microsecond later. */
static void just_in_time(void **state)
{
    with_defaults(2);
    rig_beat(&rig, 0, BEGIN);
    rig_beat(&rig, 1, BEGIN);
    rig_go(&rig, BEGIN + 3 * MINUTE);
    rig_beat(&rig, 0, rig.now);
    rig_go(&rig, BEGIN + 3 * MINUTE + 1);
    assert_int_equal(status_of(0), SERVICE_UP);
    assert_int_equal(status_of(1), SERVICE_DOWN);
    assert_int_equal(rig.oracle.figures.alerts, 1);
    rig_check_all(&rig, true);
    rig_finish(&rig);
}

/* A job: start, and then success, failure, or nothing. */
static void runs(void **state)
{
    struct service_change change = {
        .create = true, .has_max_runtime = true, .max_runtime = 10 * MINUTE};
    with_defaults(3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(rig_change(&rig, i, &change), ENGINE_CREATED);
        assert_int_equal(rig_ping(&rig, i, ENGINE_START), ENGINE_OK);
    }
    rig_go(&rig, BEGIN + 10 * MINUTE);
    rig_ping(&rig, 0, ENGINE_HEARTBEAT);
    rig_ping(&rig, 1, ENGINE_FAIL);
    assert_int_equal(rig_view(&rig, 1).incident.kind, INCIDENT_FAIL);
    assert_int_equal(rig_view(&rig, 1).incident.missed_count, 0);
    rig_go(&rig, BEGIN + 10 * MINUTE + 1);
    assert_int_equal(status_of(0), SERVICE_UP);
    assert_int_equal(rig_view(&rig, 2).incident.kind, INCIDENT_OVERRUN);
    assert_int_equal(rig_view(&rig, 2).incident.started_at, BEGIN + 10 * MINUTE);
    assert_int_equal(rig_view(&rig, 2).incident.last_seen, TIME_NEVER);
    rig_check_all(&rig, true);
    rig_finish(&rig);
}

/* The live engine tells for a log what the file's detector finds in it, repeats expanded. */
static void the_same_as_the_file(void **state)
{
    enum { SERVICES = 5, BEATS = 300 };
    struct dice dice = {1};
    for (int round = 0; round < 20; round++) {
        struct engine_options options = engine_options_default();
        int64_t last[SERVICES], now = BEGIN;
        options.policy.interval = dice_between(&dice, 1, 60) * SECOND;
        options.policy.tolerance = dice_chance(&dice, 50) ? 0 : dice_between(&dice, 0, 90) * SECOND;
        options.policy.allowed_misses = 1 + (uint32_t)dice_below(&dice, 3);
        options.max_services = 1000;
        rig_init(&rig, &options, SERVICES, now);
        for (size_t i = 0; i < SERVICES; i++)
            rig_beat(&rig, i, last[i] = now);
        for (int beat = 0; beat <= BEATS; beat++) {
            size_t i = dice_below(&dice, SERVICES);
            now +=
                dice_between(&dice, 0, dice_chance(&dice, 90) ? 1 : 10) * options.policy.interval +
                dice_between(&dice, 0, 1);
            rig_go(&rig, now);
            for (size_t k = 0; k < SERVICES; k++) {
                struct service_view view = rig_view(&rig, k);
                uint64_t alerts = kairos_detector_count(&options.policy, last[k], now);
                assert_int_equal(view.has_incident, alerts > 0);
                if (alerts == 0)
                    continue;
                struct kairos_alert first = kairos_detector_alert(&options.policy, last[k], 1);
                struct kairos_alert newest =
                    kairos_detector_alert(&options.policy, last[k], alerts);
                assert_int_equal(view.incident.started_at, first.alert_at);
                assert_int_equal(view.incident.last_seen, first.last_seen);
                assert_int_equal(view.incident.missed_count, first.missed_count);
                assert_int_equal(view.incident.alert_count, alerts);
                assert_int_equal(view.incident.last_alert_at, newest.alert_at);
                assert_int_equal(view.incident.repeats_known, alerts);
                assert_int_equal(view.incident.started_at +
                                     (int64_t)(alerts - 1) * view.incident.repeat_every,
                                 newest.alert_at);
            }
            rig_beat(&rig, i, last[i] = now);
        }
        rig_finish(&rig);
    }
}

/* ---- Heartbeats and the registry ---- */

static struct blob slots_of(const struct registry *registry)
{
    struct blob blob = {.bytes = malloc(SEGMENT_SIZE), .size = SEGMENT_SIZE - COLUMN_SIZE};
    assert_non_null(blob.bytes);
    memcpy(blob.bytes, registry->base + HEADER_SIZE + COLUMN_SIZE, blob.size);
    return blob;
}

/* A heartbeat of a service that is up stores its time and nothing else. */
static void a_heartbeat_writes_no_slot(void **state)
{
    with_defaults(20);
    for (size_t i = 0; i < 20; i++)
        rig_beat(&rig, i, BEGIN);
    rig_go(&rig, BEGIN + 1);
    struct blob before = slots_of(rig.registry);
    struct header header = *rig.registry->header;
    for (int64_t time = 2; time < 1000; time++) {
        rig_pass(&rig, BEGIN + time);
        rig_beat(&rig, (size_t)time % 20, BEGIN + time);
        rig_ping(&rig, (size_t)time * 7 % 20, ENGINE_HEARTBEAT);
    }
    rig_go(&rig, BEGIN + 30 * SECOND);
    struct blob after = slots_of(rig.registry);
    assert_true(blob_equals(&before, &after));
    assert_memory_equal(&header, rig.registry->header, sizeof(header));
    assert_int_equal(rig_view(&rig, 19).last_seen, BEGIN + 999);
    rig_check_all(&rig, true);
    blob_free(&before);
    blob_free(&after);
    rig_finish(&rig);
}

/* What was acknowledged is in the registry. */
static void a_killed_process_loses_nothing(void **state)
{
    with_defaults(ORACLE_SERVICES);
    struct service_change change = {.create = true, .has_interval = true};
    change.policy.interval = HOUR;
    for (size_t i = 0; i < ORACLE_SERVICES; i++) {
        rig_beat(&rig, i, BEGIN - (int64_t)i);
        if (i % 3 == 0)
            rig_change(&rig, i, &change);
        if (i % 5 == 0)
            rig_ping(&rig, i, ENGINE_FAIL);
        if (i % 7 == 0)
            rig_pause(&rig, i, true);
        rig_restart(&rig); /* which syncs nothing */
        rig_check(&rig, i, false);
    }
    rig_check_all(&rig, false);
    rig_finish(&rig);
}

/* Each name from 1 to 100 characters: made, found, listed, found again, removed. */
static void names_of_any_length(void **state)
{
    struct den den;
    struct engine_options options = engine_options_default();
    struct failure failure;
    den_init(&den);
    options.max_services = 1000;
    for (int turn = 0; turn < 3; turn++) {
        struct registry *registry = den_open(&den, 1000);
        struct engine *engine = engine_create(registry, &options, BEGIN, &failure);
        assert_non_null(engine);
        for (size_t length = 1; length <= KAIROS_SERVICE_MAX; length++) {
            struct name name = {.length = length};
            struct service_view view;
            memset(name.text, 'a', length);
            if (turn == 0)
                assert_int_equal(engine_ping(engine, name.text, length, ENGINE_HEARTBEAT, BEGIN),
                                 ENGINE_CREATED);
            assert_int_equal(engine_ping(engine, name.text, length, ENGINE_HEARTBEAT, BEGIN + turn),
                             turn == 0 ? ENGINE_OLDER : ENGINE_OK);
            assert_int_equal(engine_find(engine, name.text, length, BEGIN, &view), ENGINE_OK);
            assert_string_equal(view.name, name.text);
            assert_int_equal(view.length, length);
            if (turn == 2)
                assert_int_equal(engine_delete(engine, name.text, length, BEGIN), ENGINE_OK);
        }
        walk_engine(engine, TIME_NEVER);
        assert_int_equal(walk_registry(registry), turn < 2 ? KAIROS_SERVICE_MAX : 0);
        engine_destroy(engine);
        registry_close(registry);
    }
    den_finish(&den);
}

/* Two slots with one name, as a crash of the machine can leave them: the one heard last stays. */
static void one_name_in_two_slots(void **state)
{
    static const int64_t times[][2] = {{0, 1}, {1, 0}, {1, 1}, {TIME_NEVER, 0}, {0, TIME_NEVER}};
    for (size_t row = 0; row < COUNT_OF(times); row++) {
        for (size_t length = 10; length <= 100; length += 45) {
            struct den den;
            struct engine_options options = engine_options_default();
            struct failure failure;
            struct service_view view;
            struct name name = name_numbered(1, length), other = name_numbered(2, 50);
            struct service service = service_named(&name), filler = service_named(&other);
            den_init(&den);
            struct registry *registry = den_open(&den, 1000);
            registry_add(registry, &service, times[row][0]);
            registry_add(registry, &filler, BEGIN);
            registry_add(registry, &service, times[row][1]);
            struct engine *engine = engine_create(registry, &options, BEGIN, &failure);
            assert_non_null(engine);
            walk_engine(engine, TIME_NEVER);
            assert_int_equal(walk_registry(registry), 2);
            assert_int_equal(engine_find(engine, name.text, length, BEGIN, &view), ENGINE_OK);
            int64_t latest = times[row][0] > times[row][1] ? times[row][0] : times[row][1];
            assert_int_equal(view.last_seen, latest);
            engine_destroy(engine);
            registry_close(registry);
            den_finish(&den);
        }
    }
}

/* The last that was told as opened, and as closed. */
struct last_told {
    struct incident opened, closed;
};

static void note_opened(void *context, const struct incident *incident)
{
    struct last_told *told = context;
    told->opened = *incident;
}

static void note_closed(void *context, const struct incident *incident)
{
    struct last_told *told = context;
    told->closed = *incident;
}

/* The slot that goes had an open incident: if that was told as opened, it is told as closed too. */
static void a_double_leaves_no_incident_open(void **state)
{
    struct den den;
    struct last_told told = {0};
    struct engine_options options = engine_options_default();
    struct failure failure;
    struct name name = name_of("push");
    struct service service = service_named(&name), newer = service;
    service.expectation.anchor = service.expectation.listening_since = BEGIN;
    service.incident_started = BEGIN + 3 * MINUTE;
    den_init(&den);
    struct registry *registry = den_open(&den, 1000);
    registry_add(registry, &service, BEGIN);
    registry_add(registry, &newer, BEGIN + HOUR);
    options.listener =
        (struct engine_listener){.context = &told, .opened = note_opened, .closed = note_closed};
    struct engine *engine = engine_create(registry, &options, BEGIN + HOUR, &failure);
    assert_non_null(engine);
    if (told.opened.started_at != 0)
        assert_int_equal(told.closed.started_at, told.opened.started_at);
    engine_destroy(engine);
    registry_close(registry);
    den_finish(&den);
}

/* ---- Changes of status ---- */

/* One change was told since the last time: of service 0, from one status to the other, now. */
static void check_change(enum service_status from, enum service_status to)
{
    assert_int_equal(rig.change_count, 1);
    assert_string_equal(rig.change.service, rig.oracle.services[0].name.text);
    assert_int_equal(rig.change.from, from);
    assert_int_equal(rig.change.to, to);
    assert_int_equal(rig.change.at, rig.now);
    rig.change_count = 0;
}

static void changes_of_status_are_told(void **state)
{
    with_defaults(1);
    rig_beat(&rig, 0, BEGIN);
    check_change(SERVICE_NONE, SERVICE_UP);
    rig_go(&rig, BEGIN + MINUTE);
    rig_beat(&rig, 0, rig.now);
    rig_ping(&rig, 0, ENGINE_LOG);
    rig_go(&rig, BEGIN + 2 * MINUTE);
    assert_int_equal(rig.change_count, 0);
    rig_go(&rig, BEGIN + 2 * MINUTE + 1);
    check_change(SERVICE_UP, SERVICE_LATE);
    rig_go(&rig, BEGIN + 4 * MINUTE + 1);
    check_change(SERVICE_LATE, SERVICE_DOWN);
    rig_go(&rig, BEGIN + HOUR);
    rig_restart(&rig);
    assert_int_equal(rig.change_count, 0);
    rig_beat(&rig, 0, rig.now);
    check_change(SERVICE_DOWN, SERVICE_UP);
    rig_ping(&rig, 0, ENGINE_FAIL);
    check_change(SERVICE_UP, SERVICE_DOWN);
    rig_pause(&rig, 0, true);
    check_change(SERVICE_DOWN, SERVICE_PAUSED);
    rig_pause(&rig, 0, true);
    assert_int_equal(rig.change_count, 0);
    rig_pause(&rig, 0, false);
    check_change(SERVICE_PAUSED, SERVICE_UP);
    rig_delete(&rig, 0);
    check_change(SERVICE_UP, SERVICE_NONE);
    rig_change(&rig, 0, &(struct service_change){.create = true});
    check_change(SERVICE_NONE, SERVICE_NEW);
    rig_finish(&rig);
}

/* ---- Senders' times ---- */

static void senders_clocks(void **state)
{
    with_defaults(4);
    assert_int_equal(rig_beat(&rig, 0, BEGIN + 5 * MINUTE), ENGINE_CREATED);
    assert_int_equal(rig_view(&rig, 0).last_seen, BEGIN);
    assert_int_equal(rig_beat(&rig, 1, BEGIN + 5 * MINUTE + 1), ENGINE_IN_FUTURE);
    assert_int_equal(rig_beat(&rig, 1, KAIROS_TIME_MAX), ENGINE_IN_FUTURE);
    assert_int_equal(rig_beat(&rig, 1, INT64_MAX), ENGINE_IN_FUTURE);
    rig_check(&rig, 1, false); /* nor is it created */
    assert_int_equal(rig_beat(&rig, 0, BEGIN), ENGINE_OLDER);
    assert_int_equal(rig_beat(&rig, 0, BEGIN - 365 * DAY), ENGINE_OLDER);
    assert_int_equal(rig_beat(&rig, 2, KAIROS_TIME_MIN), ENGINE_CREATED);
    assert_int_equal(rig_view(&rig, 2).last_seen, KAIROS_TIME_MIN);
    rig_go(&rig, BEGIN + 1);
    assert_int_equal(status_of(2), SERVICE_DOWN);
    rig_restart(&rig);
    rig_check_all(&rig, false);
    rig_finish(&rig);
}

/* A wall clock that was stepped takes a sender's year 1 to before it: nothing is damaged by that.
 */
static void before_the_year_one(void **state)
{
    struct name name = name_of("push");
    struct kairos_event event = {.time = KAIROS_TIME_MIN - 400 * DAY, .length = 4};
    struct service_view view;
    enum engine_result result;
    memcpy(event.text, name.text, sizeof(event.text));
    with_defaults(1);
    engine_heartbeats(rig.engine, &event, 1, BEGIN, &result);
    assert_int_equal(result, ENGINE_CREATED);
    event.time = INT64_MIN + 1;
    engine_heartbeats(rig.engine, &event, 1, BEGIN, &result);
    assert_int_equal(result, ENGINE_OLDER);
    assert_int_equal(engine_find(rig.engine, name.text, 4, BEGIN, &view), ENGINE_OK);
    assert_int_equal(view.last_seen, KAIROS_TIME_MIN);
    engine_destroy(rig.engine);
    registry_close(rig.registry);
    rig.registry = den_open(&rig.den, 1000);
    assert_int_equal(walk_registry(rig.registry), 1);
    registry_close(rig.registry);
    den_finish(&rig.den);
}

/* Engine time may lie before 1970, on a machine whose clock does. */
static void before_the_epoch(void **state)
{
    struct engine_options options = engine_options_default();
    options.max_services = 1000;
    rig_init(&rig, &options, 2, -DAY);
    rig_beat(&rig, 0, -DAY);
    rig_go(&rig, -DAY + 3 * MINUTE + 1);
    assert_int_equal(status_of(0), SERVICE_DOWN);
    rig_beat(&rig, 1, -MINUTE * 1440);
    rig_go(&rig, -1);
    rig_gap(&rig, GAP_STALL);
    rig_go(&rig, DAY);
    rig_check_all(&rig, true);
    rig_finish(&rig);
}

/* ---- Hearing before judging ---- */

static void nothing_is_judged_that_may_not_have_been_heard(void **state)
{
    struct name name = name_of("0000000000");
    struct engine_wake wake;
    with_defaults(1);
    rig_beat(&rig, 0, BEGIN);
    rig_pass(&rig, BEGIN + HOUR);
    for (int again = 0; again < 5; again++) {
        wake = engine_tick(rig.engine, rig.now, BEGIN + MINUTE);
        assert_true(wake.wants_hearing);
        assert_false(wake.more);
        assert_int_equal(status_of(0), SERVICE_UP);
        walk_engine(rig.engine, TIME_NEVER);
    }
    /* Late as heard, and not down. */
    do
        wake = engine_tick(rig.engine, rig.now, BEGIN + 3 * MINUTE);
    while (!wake.wants_hearing);
    assert_int_equal(status_of(0), SERVICE_LATE);
    assert_int_equal(rig.told_count, 0);
    /* It had beaten all the time. */
    assert_int_equal(engine_ping(rig.engine, name.text, 10, ENGINE_HEARTBEAT, rig.now), ENGINE_OK);
    wake = engine_tick(rig.engine, rig.now, rig.now);
    assert_false(wake.wants_hearing);
    assert_int_equal(status_of(0), SERVICE_UP);
    assert_true(wake.next > rig.now && wake.next <= rig.now + MINUTE + 2048);
    assert_int_equal(rig.told_count, 0);
    rig_finish(&rig);
}

/* When nothing waits, nothing is said to wait. */
static void when_to_come_back(void **state)
{
    struct engine_wake wake;
    with_defaults(2);
    wake = engine_tick(rig.engine, BEGIN, BEGIN);
    assert_int_equal(wake.next, INT64_MAX);
    assert_false(wake.wants_hearing || wake.more);
    rig_beat(&rig, 0, BEGIN);
    size_t turns = 0;
    for (int64_t now = BEGIN; now <= BEGIN + 3 * MINUTE; now = wake.next) {
        wake = engine_tick(rig.engine, now, now);
        assert_false(wake.wants_hearing || wake.more);
        assert_true(wake.next > now);
        assert_true(turns++ < 20);
    }
    assert_int_equal(status_of(0), SERVICE_LATE);
    wake = engine_tick(rig.engine, wake.next, wake.next);
    assert_int_equal(status_of(0), SERVICE_DOWN);
    assert_int_equal(wake.next, INT64_MAX); /* a dead service costs nothing */
    rig_finish(&rig);
}

/* More are due than one tick looks at: all are judged in the end, but for those that beat. */
static void very_many_are_due_at_once(void **state)
{
    enum { COUNT = 20000 };
    struct den den;
    struct engine_options options = engine_options_default();
    struct failure failure;
    den_init(&den);
    struct registry *registry = den_open(&den, COUNT);
    struct engine *engine = engine_create(registry, &options, BEGIN, &failure);
    assert_non_null(engine);
    for (size_t i = 0; i < COUNT; i++) {
        struct name name = name_numbered(i, 12);
        assert_int_equal(engine_ping(engine, name.text, 12, ENGINE_HEARTBEAT, BEGIN),
                         ENGINE_CREATED);
    }
    int64_t now = BEGIN + 3 * MINUTE + 1;
    struct engine_wake wake = engine_tick(engine, now, now);
    assert_true(wake.more);
    assert_true(engine_figures(engine).looked_at <= 10000);
    walk_engine(engine, TIME_NEVER);
    size_t recovered = 0, before = engine_figures(engine).services[SERVICE_DOWN];
    for (size_t i = 0; i < COUNT; i += 2) { /* every second one beats while others are looked at */
        struct name name = name_numbered(i, 12);
        engine_ping(engine, name.text, 12, ENGINE_HEARTBEAT, now);
    }
    recovered = engine_figures(engine).recoveries;
    assert_true(recovered <= before && recovered > 0);
    for (int turns = 0; wake.more; turns++) {
        wake = engine_tick(engine, now, now);
        assert_true(turns < 10);
    }
    struct engine_figures figures = engine_figures(engine);
    assert_int_equal(figures.services[SERVICE_UP], COUNT / 2);
    assert_int_equal(figures.services[SERVICE_DOWN], COUNT / 2);
    assert_int_equal(figures.alerts, COUNT / 2 + recovered);
    walk_engine(engine, now);
    engine_destroy(engine);
    registry_close(registry);
    den_finish(&den);
}

/* ---- Gaps ---- */

/* Services of every kind: up, late, down, paused, new, running, failed. */
static void one_of_each(void)
{
    struct service_change job = {.create = true, .has_max_runtime = true, .max_runtime = 2 * DAY};
    struct service_change declared = {.create = true};
    with_defaults(10);
    for (size_t i = 0; i < 4; i++)
        rig_beat(&rig, i, BEGIN);
    rig_pause(&rig, 3, true);
    rig_change(&rig, 4, &declared);
    rig_change(&rig, 5, &job);
    rig_ping(&rig, 5, ENGINE_START);
    rig_beat(&rig, 6, BEGIN);
    rig_change(&rig, 6, &job);
    rig_ping(&rig, 7, ENGINE_FAIL);
    rig_pass(&rig, BEGIN + 2 * MINUTE);
    rig_beat(&rig, 1, BEGIN + 2 * MINUTE);
    rig_go(&rig, BEGIN + 3 * MINUTE + 1);
    rig_beat(&rig, 0, rig.now);
    rig_ping(&rig, 6, ENGINE_START);
    rig_go(&rig, rig.now + 1);
}

static void twenty_gaps_in_a_row(void **state)
{
    for (int restarting = 0; restarting < 3; restarting++) {
        one_of_each();
        for (int number = 0; number < 20; number++) {
            rig_pass(&rig, rig.now + (restarting == 2 ? HOUR : 10 * SECOND));
            if (restarting > 0)
                rig_restart(&rig);
            rig_gap(&rig, restarting > 0 ? GAP_RESTART : GAP_STALL);
        }
        rig_check_all(&rig, false);
        rig_tick(&rig, rig.now);
        rig_check_all(&rig, true);
        rig_go(&rig, rig.now + 10 * DAY);
        rig_check_all(&rig, true);
        assert_int_equal(status_of(0), SERVICE_DOWN);
        assert_int_equal(status_of(3), SERVICE_PAUSED);
        assert_int_equal(status_of(4), SERVICE_NEW);
        rig_finish(&rig);
    }
}

/* A heartbeat of before a gap that is delivered after it: the gap counts for it too. */
static void heartbeats_that_a_gap_delayed(void **state)
{
    with_defaults(3);
    for (size_t i = 0; i < 3; i++)
        rig_beat(&rig, i, BEGIN);
    rig_go(&rig, BEGIN + MINUTE);
    rig_pass(&rig, BEGIN + HOUR);
    rig_beat(&rig, 0, BEGIN + 30 * SECOND); /* waited to be heard */
    rig_gap(&rig, GAP_SUSPEND);
    rig_tick(&rig, rig.now);
    rig_beat(&rig, 1, BEGIN + 31 * SECOND); /* came later */
    rig_tick(&rig, rig.now);
    assert_int_equal(rig.oracle.figures.alerts, 0);
    rig_check_all(&rig, true);
    rig_go(&rig, BEGIN + HOUR + 3 * MINUTE);
    assert_int_equal(rig.oracle.figures.alerts, 0);
    rig_go(&rig, BEGIN + HOUR + 3 * MINUTE + 1);
    assert_int_equal(rig.oracle.figures.alerts, 3);
    rig_check_all(&rig, true);
    rig_finish(&rig);
}

/* ---- Lists ---- */

static void cursors_from_outside(void **state)
{
    static const uint64_t cursors[] = {1,
                                       50,
                                       SEGMENT_SLOTS - 1,
                                       SEGMENT_SLOTS,
                                       SEGMENT_SLOTS + 1,
                                       UINT32_MAX,
                                       UINT64_C(1) << 32,
                                       UINT64_MAX - 1,
                                       UINT64_MAX};
    struct service_view views[10];
    struct dice dice = {2};
    with_defaults(30);
    for (size_t i = 0; i < 30; i++)
        rig_beat(&rig, i, BEGIN);
    for (size_t i = 0; i < COUNT_OF(cursors) + 100; i++) {
        uint64_t cursor = i < COUNT_OF(cursors) ? cursors[i] : dice_roll(&dice);
        uint64_t given = cursor;
        struct engine_filter all = engine_filter_all();
        size_t count = engine_list(rig.engine, &all, BEGIN, &cursor, views, 10);
        assert_true(count <= 10);
        assert_true(cursor == 0 || cursor > given);
        assert_true(given < 100 || (count == 0 && cursor == 0));
    }
    rig_finish(&rig);
}

static void lists_by_status(void **state)
{
    one_of_each();
    for (unsigned mask = 0; mask <= ALL_STATUSES; mask++) {
        for (size_t page = 1; page <= 11; page++) {
            struct service_view views[11];
            uint64_t cursor = 0;
            size_t listed = 0, expected = 0, pages = 0;
            do {
                struct engine_filter filter = {.statuses = mask};
                size_t count = engine_list(rig.engine, &filter, rig.now, &cursor, views, page);
                for (size_t i = 0; i < count; i++)
                    assert_true((mask >> views[i].status & 1) != 0);
                listed += count;
                assert_true(count == page || cursor == 0);
                pages++;
            } while (cursor != 0);
            struct engine_figures figures = engine_figures(rig.engine);
            for (int status = 0; status < SERVICE_STATUS_COUNT; status++)
                expected += (mask >> status & 1) != 0 ? figures.services[status] : 0;
            assert_int_equal(listed, expected);
            assert_true(pages <= listed / page + 1);
        }
    }
    rig_finish(&rig);
}

static void statuses_have_names(void **state)
{
    static const char *const names[] = {"new", "up", "late", "down", "paused"};
    for (int status = 0; status < SERVICE_STATUS_COUNT; status++)
        assert_string_equal(service_status_name((enum service_status)status), names[status]);
    assert_string_equal(incident_kind_name(INCIDENT_SILENCE), "silence");
    assert_string_equal(incident_kind_name(INCIDENT_FAIL), "fail");
    assert_string_equal(incident_kind_name(INCIDENT_OVERRUN), "overrun");
    assert_string_equal(incident_end_name(INCIDENT_OPEN), "open");
    assert_string_equal(incident_end_name(INCIDENT_RECOVERED), "recovered");
    assert_string_equal(incident_end_name(INCIDENT_PAUSED), "paused");
    assert_string_equal(incident_end_name(INCIDENT_DELETED), "deleted");
    assert_string_equal(incident_end_name(INCIDENT_FORGOTTEN), "forgotten");
}

/* ---- Limits ---- */

static void no_more_than_max_services(void **state)
{
    struct engine_options options = engine_options_default();
    struct service_change change = {.create = true};
    options.max_services = 3;
    rig_init(&rig, &options, 6, BEGIN);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(rig_beat(&rig, i, BEGIN), ENGINE_CREATED);
    assert_int_equal(rig_beat(&rig, 3, BEGIN), ENGINE_FULL);
    assert_int_equal(rig_ping(&rig, 4, ENGINE_FAIL), ENGINE_FULL);
    assert_int_equal(rig_ping(&rig, 5, ENGINE_START), ENGINE_FULL);
    assert_int_equal(rig_ping(&rig, 5, ENGINE_LOG), ENGINE_UNKNOWN);
    assert_int_equal(rig_change(&rig, 5, &change), ENGINE_FULL);
    assert_int_equal(rig_change(&rig, 1, &change), ENGINE_OK);
    assert_int_equal(rig_delete(&rig, 1), ENGINE_OK);
    assert_int_equal(rig_change(&rig, 5, &change), ENGINE_CREATED);
    assert_int_equal(rig_beat(&rig, 3, BEGIN), ENGINE_FULL);
    rig_check_all(&rig, false);
    rig_finish(&rig);
}

static void without_auto_create(void **state)
{
    struct engine_options options = engine_options_default();
    struct service_change change = {.create = true}, no_creation = {0};
    options.auto_create = false;
    options.max_services = 1000;
    rig_init(&rig, &options, 2, BEGIN);
    assert_int_equal(rig_beat(&rig, 0, BEGIN), ENGINE_UNKNOWN);
    for (int action = ENGINE_HEARTBEAT; action <= ENGINE_LOG; action++)
        assert_int_equal(rig_ping(&rig, 0, (enum engine_action)action), ENGINE_UNKNOWN);
    assert_int_equal(rig_change(&rig, 0, &no_creation), ENGINE_UNKNOWN);
    assert_int_equal(rig_pause(&rig, 0, true), ENGINE_UNKNOWN);
    assert_int_equal(rig_delete(&rig, 0), ENGINE_UNKNOWN);
    assert_int_equal(rig_change(&rig, 0, &change), ENGINE_CREATED);
    assert_int_equal(status_of(0), SERVICE_NEW);
    assert_int_equal(rig_beat(&rig, 0, BEGIN), ENGINE_OK);
    rig_check_all(&rig, false);
    rig_finish(&rig);
}

static void the_forgotten(void **state)
{
    struct engine_options options = engine_options_default();
    struct service_change change = {.create = true};
    options.max_services = 1000;
    options.forget_after = DAY;
    rig_init(&rig, &options, 5, BEGIN);
    rig_beat(&rig, 0, BEGIN);
    rig_beat(&rig, 1, BEGIN);
    rig_change(&rig, 1, &change); /* claimed */
    rig_beat(&rig, 2, BEGIN);
    rig_pause(&rig, 2, true);        /* claimed too, and paused */
    rig_ping(&rig, 3, ENGINE_START); /* never beat, and nobody claims it */
    rig_ping(&rig, 4, ENGINE_FAIL);
    rig_go(&rig, BEGIN + DAY);
    rig_check_all(&rig, true);
    assert_int_equal(status_of(0), SERVICE_DOWN);
    rig_go(&rig, BEGIN + DAY + 1);
    rig_check_all(&rig, true);
    assert_false(rig.oracle.services[0].present);
    assert_true(rig.oracle.services[1].present && rig.oracle.services[2].present);
    assert_false(rig.oracle.services[3].present || rig.oracle.services[4].present);
    assert_int_equal(rig_beat(&rig, 0, rig.now), ENGINE_CREATED);
    rig_go(&rig, BEGIN + 1000 * DAY); /* down and forgotten at once */
    rig_check_all(&rig, true);
    assert_false(rig.oracle.services[0].present);
    rig_finish(&rig);
}

/* A policy in which something is out of bounds changes nothing and creates nothing. */
static void policies_that_are_refused(void **state)
{
    static const struct {
        int64_t interval, tolerance, max_runtime;
        uint32_t allowed_misses;
        enum engine_result result;
    } rows[] = {
        {MINUTE, 0, 0, 3, ENGINE_OK},
        {SECOND, 0, 0, 1, ENGINE_OK},
        {366 * DAY, 366 * DAY, 366 * DAY, 1000000, ENGINE_OK},
        {SECOND - 1000, 0, 0, 3, ENGINE_BAD_INTERVAL},
        {SECOND + 1, 0, 0, 3, ENGINE_BAD_INTERVAL},
        {SECOND + 999, 0, 0, 3, ENGINE_BAD_INTERVAL},
        {0, 0, 0, 3, ENGINE_BAD_INTERVAL},
        {-MINUTE, 0, 0, 3, ENGINE_BAD_INTERVAL},
        {INT64_MIN, 0, 0, 3, ENGINE_BAD_INTERVAL},
        {INT64_MAX, 0, 0, 3, ENGINE_BAD_INTERVAL},
        {366 * DAY + 1000, 0, 0, 3, ENGINE_BAD_INTERVAL},
        {MINUTE, -1000, 0, 3, ENGINE_BAD_TOLERANCE},
        {MINUTE, 1, 0, 3, ENGINE_BAD_TOLERANCE},
        {MINUTE, 366 * DAY + 1000, 0, 3, ENGINE_BAD_TOLERANCE},
        {MINUTE, INT64_MIN, 0, 3, ENGINE_BAD_TOLERANCE},
        {MINUTE, 0, 0, 0, ENGINE_BAD_MISSES},
        {MINUTE, 0, 0, 1000001, ENGINE_BAD_MISSES},
        {MINUTE, 0, 0, UINT32_MAX, ENGINE_BAD_MISSES},
        {MINUTE, 0, -1000, 3, ENGINE_BAD_RUNTIME},
        {MINUTE, 0, 1, 3, ENGINE_BAD_RUNTIME},
        {MINUTE, 0, 366 * DAY + 1000, 3, ENGINE_BAD_RUNTIME},
        {MINUTE, 0, INT64_MIN, 3, ENGINE_BAD_RUNTIME},
    };
    with_defaults(2 + COUNT_OF(rows));
    rig_beat(&rig, 0, BEGIN);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct service_change change = {
            .has_interval = true,
            .has_tolerance = true,
            .has_allowed_misses = true,
            .has_max_runtime = true,
            .policy = {.interval = rows[i].interval,
                       .tolerance = rows[i].tolerance,
                       .allowed_misses = rows[i].allowed_misses},
            .max_runtime = rows[i].max_runtime,
            .create = true,
        };
        bool fine = rows[i].result == ENGINE_OK;
        assert_int_equal(rig_change(&rig, 0, &change), rows[i].result);
        assert_int_equal(rig_change(&rig, 2 + i, &change), fine ? ENGINE_CREATED : rows[i].result);
        change.create = false;
        assert_int_equal(rig_change(&rig, 1, &change), ENGINE_UNKNOWN);
        rig_check_all(&rig, false);
    }
    rig_finish(&rig);
}

/* The longest policy there is: never down in this calendar, and shown so. */
static void the_longest_policy(void **state)
{
    struct service_change change = {
        .create = true,
        .has_interval = true,
        .has_tolerance = true,
        .has_allowed_misses = true,
        .policy = {.interval = 366 * DAY, .tolerance = 366 * DAY, .allowed_misses = 1000000},
    };
    struct name name = name_of("push");
    struct service_view view;
    with_defaults(1);
    engine_ping(rig.engine, name.text, 4, ENGINE_HEARTBEAT, BEGIN);
    assert_int_equal(engine_change(rig.engine, name.text, 4, &change, BEGIN, &view), ENGINE_OK);
    assert_int_equal(view.next_deadline, TIME_NEVER);
    engine_tick(rig.engine, KAIROS_TIME_MAX, KAIROS_TIME_MAX);
    assert_int_equal(engine_find(rig.engine, name.text, 4, KAIROS_TIME_MAX, &view), ENGINE_OK);
    assert_int_equal(view.status, SERVICE_LATE);
    assert_true(view.missed_count > 7000 && view.missed_count < 9000);
    struct gap gap = {.from = KAIROS_TIME_MAX, .to = KAIROS_TIME_MAX, .reason = GAP_STALL};
    engine_record_gap(rig.engine, &gap);
    engine_tick(rig.engine, KAIROS_TIME_MAX, KAIROS_TIME_MAX);
    walk_engine(rig.engine, TIME_NEVER);
    engine_destroy(rig.engine);
    registry_close(rig.registry);
    registry_close(den_open(&rig.den, 1));
    den_finish(&rig.den);
}

/* ---- No room ---- */

#define expect(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static enum engine_result beat_numbered(struct engine *engine, size_t number, int64_t now)
{
    struct name name = name_numbered(number, 12);
    return engine_ping(engine, name.text, name.length, ENGINE_HEARTBEAT, now);
}

static void limit_file_size(rlim_t size)
{
    struct rlimit limit = {.rlim_cur = size, .rlim_max = RLIM_INFINITY};
    expect(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static void run_out_of_space(const struct den *den)
{
    struct engine_options options = engine_options_default();
    struct failure failure;
    struct service_view view;
    struct service_change change = {.create = true};
    struct name name = name_of("push");
    size_t count = 0;
    signal(SIGXFSZ, SIG_IGN);
    struct registry *registry = den_open(den, 4 * SEGMENT_SLOTS);
    struct engine *engine = engine_create(registry, &options, BEGIN, &failure);
    expect(engine != NULL);
    limit_file_size((rlim_t)map_size(1) + 1000);
    while (beat_numbered(engine, count, BEGIN) == ENGINE_CREATED)
        count++;
    expect(count == SEGMENT_SLOTS);
    /* Refused for want of space; those that are there beat on. */
    for (int again = 0; again < 3; again++) {
        expect(beat_numbered(engine, count, BEGIN) == ENGINE_NO_SPACE);
        expect(engine_ping(engine, name.text, 4, ENGINE_FAIL, BEGIN) == ENGINE_NO_SPACE);
        expect(engine_change(engine, name.text, 4, &change, BEGIN, &view) == ENGINE_NO_SPACE);
        expect(engine_figures(engine).no_space);
        expect(beat_numbered(engine, (size_t)again, BEGIN + 1) == ENGINE_OK);
        engine_make_room(engine);
        expect(engine_figures(engine).no_space);
    }
    walk_engine(engine, TIME_NEVER);
    /* A slot that becomes free can be used. */
    struct name gone = name_numbered(0, 12);
    expect(engine_delete(engine, gone.text, gone.length, BEGIN) == ENGINE_OK);
    expect(engine_ping(engine, name.text, 4, ENGINE_HEARTBEAT, BEGIN) == ENGINE_CREATED);
    expect(beat_numbered(engine, 0, BEGIN) == ENGINE_NO_SPACE);
    limit_file_size(RLIM_INFINITY);
    engine_make_room(engine);
    expect(!engine_figures(engine).no_space);
    expect(beat_numbered(engine, 0, BEGIN) == ENGINE_CREATED);
    expect(registry_slots(registry) == 2 * SEGMENT_SLOTS);
    walk_engine(engine, TIME_NEVER);
    engine_destroy(engine);
    registry_close(registry);
    _exit(0);
}

static void a_full_disk(void **state)
{
    struct den den;
    int status = 0;
    den_init(&den);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        run_out_of_space(&den);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    struct registry *registry = den_open(&den, 1);
    assert_int_equal(walk_registry(registry), SEGMENT_SLOTS + 1);
    registry_close(registry);
    den_finish(&den);
}

/* It grows by itself when it must, ahead of need when it may, and not beyond its room. */
static void growth(void **state)
{
    struct den den;
    struct engine_options options = engine_options_default();
    struct failure failure;
    size_t count = 0;
    den_init(&den);
    struct registry *registry = den_open(&den, 1);
    struct engine *engine = engine_create(registry, &options, BEGIN, &failure);
    assert_non_null(engine);
    engine_make_room(engine);
    assert_int_equal(registry_slots(registry), SEGMENT_SLOTS);
    for (; count < SEGMENT_SLOTS / 2; count++)
        assert_int_equal(beat_numbered(engine, count, BEGIN), ENGINE_CREATED);
    engine_make_room(engine);
    assert_int_equal(registry_slots(registry), 2 * SEGMENT_SLOTS);
    engine_make_room(engine);
    assert_int_equal(registry_slots(registry), 2 * SEGMENT_SLOTS);
    while (beat_numbered(engine, count, BEGIN) == ENGINE_CREATED)
        count++;
    assert_int_equal(count, 2 * SEGMENT_SLOTS);
    assert_int_equal(beat_numbered(engine, count, BEGIN), ENGINE_NO_SPACE);
    engine_make_room(engine);
    assert_int_equal(beat_numbered(engine, count, BEGIN), ENGINE_NO_SPACE);
    walk_engine(engine, TIME_NEVER);
    engine_destroy(engine);
    registry_close(registry);
    den_finish(&den);
}

/* ---- Incidents that somebody asks for ---- */

static void incidents_that_are_none(void **state)
{
    struct incident incident = {.started_at = BEGIN};
    with_defaults(1);
    memcpy(incident.service, "nobody", 7);
    assert_false(engine_update_incident(rig.engine, BEGIN, &incident));
    memcpy(incident.service, rig.oracle.services[0].name.text, KAIROS_SERVICE_SIZE);
    assert_false(engine_update_incident(rig.engine, BEGIN, &incident));
    rig_ping(&rig, 0, ENGINE_FAIL);
    assert_true(engine_update_incident(rig.engine, BEGIN, &incident));
    assert_int_equal(incident.kind, INCIDENT_FAIL);
    rig_beat(&rig, 0, BEGIN);
    rig_pass(&rig, BEGIN + 1);
    rig_beat(&rig, 0, BEGIN + 1);
    assert_false(engine_update_incident(rig.engine, BEGIN, &incident));
    incident.started_at = TIME_NEVER; /* what "no incident" is to the engine */
    assert_false(engine_update_incident(rig.engine, BEGIN, &incident));
    rig_finish(&rig);
}

/* An engine without a listener, and one that is nobody's. */
static void nobody_listens(void **state)
{
    struct engine_options options = engine_options_default();
    struct failure failure;
    struct den den;
    struct name name = name_of("push");
    struct gap gap = {.from = BEGIN + HOUR, .to = BEGIN + 2 * HOUR, .reason = GAP_SUSPEND};
    den_init(&den);
    struct registry *registry = den_open(&den, 1);
    for (int turn = 0; turn < 2; turn++) {
        struct engine *engine = engine_create(registry, &options, BEGIN, &failure);
        assert_non_null(engine);
        engine_ping(engine, name.text, 4, ENGINE_HEARTBEAT, BEGIN);
        engine_tick(engine, BEGIN + HOUR, BEGIN + HOUR);
        engine_record_gap(engine, &gap);
        if (turn == 1)
            engine_delete(engine, name.text, 4, BEGIN + 2 * HOUR);
        engine_destroy(engine);
    }
    engine_destroy(NULL);
    registry_close(registry);
    den_finish(&den);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_design),
        cmocka_unit_test(just_in_time),
        cmocka_unit_test(runs),
        cmocka_unit_test(the_same_as_the_file),
        cmocka_unit_test(a_heartbeat_writes_no_slot),
        cmocka_unit_test(a_killed_process_loses_nothing),
        cmocka_unit_test(names_of_any_length),
        cmocka_unit_test(one_name_in_two_slots),
        cmocka_unit_test(a_double_leaves_no_incident_open),
        cmocka_unit_test(changes_of_status_are_told),
        cmocka_unit_test(senders_clocks),
        cmocka_unit_test(before_the_year_one),
        cmocka_unit_test(before_the_epoch),
        cmocka_unit_test(nothing_is_judged_that_may_not_have_been_heard),
        cmocka_unit_test(when_to_come_back),
        cmocka_unit_test(very_many_are_due_at_once),
        cmocka_unit_test(twenty_gaps_in_a_row),
        cmocka_unit_test(heartbeats_that_a_gap_delayed),
        cmocka_unit_test(cursors_from_outside),
        cmocka_unit_test(lists_by_status),
        cmocka_unit_test(statuses_have_names),
        cmocka_unit_test(no_more_than_max_services),
        cmocka_unit_test(without_auto_create),
        cmocka_unit_test(the_forgotten),
        cmocka_unit_test(policies_that_are_refused),
        cmocka_unit_test(the_longest_policy),
        cmocka_unit_test(a_full_disk),
        cmocka_unit_test(growth),
        cmocka_unit_test(incidents_that_are_none),
        cmocka_unit_test(nobody_listens),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
