/*
 * test_ticker.c - the threads that drive the engine, with a receiver that is played by the test.
 * Engine time is moved by moving the clock's offset: nobody waits for it. That the machine slept
 * cannot be played, as only the system knows it.
 */
#include "ticker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "live_support.h"
#include "syncer.h"

#define SECOND KAIROS_SECOND
#define HOUR   KAIROS_HOUR

/* Long enough for any machine; nothing takes that long. */
#define PATIENCE 60 /* seconds */

/* All that there is, and what the receiver does. */
struct stage {
    struct den den;
    struct registry *registry;
    struct engine *engine;
    struct clock clock;
    struct ticker *ticker;
    _Atomic int64_t stamp;
    bool answers; /* stamps when asked; under the lock */
    _Atomic size_t asked, rounds;
    pthread_mutex_t lock;
    pthread_cond_t round; /* the ticker has asked how far was heard */

    /* Under the engine's lock. */
    struct incident opened;
    _Atomic size_t alerts;
};

static struct stage stage;

/* ---- The receiver ---- */

static int64_t heard_until(void *context)
{
    atomic_fetch_add(&stage.rounds, 1);
    pthread_mutex_lock(&stage.lock);
    pthread_cond_signal(&stage.round);
    pthread_mutex_unlock(&stage.lock);
    return atomic_load(&stage.stamp);
}

static void stamp_now(void)
{
    atomic_store(&stage.stamp, clock_now(&stage.clock));
}

static void ask(void *context)
{
    atomic_fetch_add(&stage.asked, 1);
    pthread_mutex_lock(&stage.lock);
    if (stage.answers)
        stamp_now();
    pthread_mutex_unlock(&stage.lock);
}

/* From here on it answers, or stamps no more. */
static void set_answers(bool answers)
{
    pthread_mutex_lock(&stage.lock);
    stage.answers = answers;
    pthread_mutex_unlock(&stage.lock);
}

static void on_opened(void *context, const struct incident *incident)
{
    stage.opened = *incident;
    atomic_fetch_add(&stage.alerts, 1);
}

/* ---- Setting the stage ---- */

/* The clock as it is at a first start, or where FLOOR is the last known time. */
static void start_clock(int64_t floor)
{
    struct clock_reading reading = clock_read();
    char boot_id[BOOT_ID_SIZE] = "a test";
    clock_init(&stage.clock, &reading, boot_id, NULL, floor);
}

static void open_engine(int64_t since)
{
    struct engine_options options = engine_options_default();
    struct failure failure;
    options.policy = (struct kairos_policy){.interval = SECOND, .allowed_misses = 1};
    options.listener.opened = on_opened;
    stage.registry = den_open(&stage.den, 100000);
    stage.engine = engine_create(stage.registry, &options, since, &failure);
    assert_non_null(stage.engine);
}

static int set_stage(void **state)
{
    memset(&stage, 0, sizeof(stage));
    den_init(&stage.den);
    pthread_mutex_init(&stage.lock, NULL);
    pthread_cond_init(&stage.round, NULL);
    atomic_store(&stage.stamp, TIME_NEVER);
    start_clock(TIME_NEVER);
    open_engine(clock_now(&stage.clock));
    return 0;
}

static int clear_stage(void **state)
{
    ticker_destroy(stage.ticker);
    engine_destroy(stage.engine);
    registry_close(stage.registry);
    pthread_cond_destroy(&stage.round);
    pthread_mutex_destroy(&stage.lock);
    den_finish(&stage.den);
    return 0;
}

static void start_ticker(int64_t deaf_since)
{
    static const struct hearing hearing = {.heard_until = heard_until, .ask = ask};
    struct failure failure = {0};
    stage.ticker =
        ticker_create(stage.engine, stage.registry, &stage.clock, &hearing, deaf_since, &failure);
    check(stage.ticker != NULL, "%s", failure.text);
}

static void stop_ticker(void)
{
    ticker_destroy(stage.ticker);
    stage.ticker = NULL;
}

/* Waits for the ticker's next round. */
static void wait_for_round(void)
{
    struct timespec deadline;
    size_t before = atomic_load(&stage.rounds);
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += PATIENCE;
    pthread_mutex_lock(&stage.lock);
    int error = 0;
    while (atomic_load(&stage.rounds) == before && error == 0)
        error = pthread_cond_timedwait(&stage.round, &stage.lock, &deadline);
    pthread_mutex_unlock(&stage.lock);
    assert_int_equal(error, 0);
}

/* Some rounds in which what is to happen would have happened. */
static void wait_for_rounds(void)
{
    for (int round = 0; round < 5; round++)
        wait_for_round();
}

/* Waits, from round to round, until CONDITION holds. */
#define wait_until(condition)                                                                      \
    do {                                                                                           \
        for (int round = 0; !(condition); round++) {                                               \
            check(round < 10000, "%s never held", #condition);                                     \
            wait_for_round();                                                                      \
        }                                                                                          \
    } while (0)

/* Engine time goes on by SPAN at once. */
static void jump(int64_t span)
{
    atomic_fetch_add(&stage.clock.offset, span);
}

static uint64_t count_gaps(void)
{
    return engine_figures(stage.engine).gaps;
}

static struct gap last_gap(void)
{
    struct gap gaps[GAPS_KEPT];
    size_t count = engine_gaps(stage.engine, gaps);
    assert_true(count > 0);
    return gaps[count - 1];
}

static void beat(const char *text, int64_t time)
{
    struct kairos_event event = {.time = time, .length = (uint8_t)strlen(text)};
    enum engine_result result;
    memcpy(event.text, text, event.length);
    engine_heartbeats(stage.engine, &event, 1, clock_now(&stage.clock), &result);
    assert_true(result <= ENGINE_CREATED);
}

/* ---- The ticker ---- */

static void a_first_start_is_no_gap(void **state)
{
    set_answers(true);
    start_ticker(TIME_NEVER);
    wait_until(ticker_is_ready(stage.ticker));
    wait_for_rounds();
    assert_int_equal(count_gaps(), 0);
    wait_until(registry_alive_at(stage.registry) != TIME_NEVER);
    int64_t alive_at = registry_alive_at(stage.registry);
    assert_true(alive_at <= clock_now(&stage.clock));
    wait_until(registry_alive_at(stage.registry) > alive_at);
}

static void a_restart_is_one_gap(void **state)
{
    int64_t now = clock_now(&stage.clock), deaf_since = now - HOUR;
    beat("push", now - 2 * HOUR);       /* was due before */
    beat("email", deaf_since - SECOND); /* may have beaten in between */
    set_answers(true);
    start_ticker(deaf_since);
    wait_until(ticker_is_ready(stage.ticker));
    wait_for_rounds();
    stop_ticker();
    assert_int_equal(count_gaps(), 1);
    struct gap gap = last_gap();
    assert_int_equal(gap.from, deaf_since);
    assert_int_equal(gap.reason, GAP_RESTART);
    assert_true(gap.to > now && gap.to <= clock_now(&stage.clock));
    assert_int_equal(stage.alerts, 1);
    assert_string_equal(stage.opened.service, "push");
    assert_int_equal(stage.opened.started_at, now - 2 * HOUR + SECOND);
    assert_int_equal(stage.opened.raised_at, gap.to);
    walk_engine(stage.engine, TIME_NEVER);
}

/* Nothing is judged that nobody says to have heard. */
static void a_receiver_that_never_stamps(void **state)
{
    beat("push", clock_now(&stage.clock) - HOUR);
    start_ticker(TIME_NEVER);
    wait_until(atomic_load(&stage.asked) >= 3);
    jump(5 * SECOND);
    wait_for_rounds();
    assert_false(ticker_is_ready(stage.ticker));
    assert_int_equal(stage.alerts, 0);
    assert_int_equal(registry_alive_at(stage.registry), TIME_NEVER);
    stop_ticker();
    assert_int_equal(stage.alerts, 0);
    assert_int_equal(count_gaps(), 0);
}

/* What waited at the start has not been heard by a stamp from before it. */
static void a_stamp_from_before_the_start(void **state)
{
    beat("push", clock_now(&stage.clock) - HOUR);
    stamp_now();
    jump(1);
    start_ticker(clock_now(&stage.clock) - 10 * SECOND);
    wait_for_rounds();
    assert_false(ticker_is_ready(stage.ticker));
    assert_int_equal(count_gaps(), 0);
    set_answers(true);
    wait_until(ticker_is_ready(stage.ticker));
    assert_int_equal(count_gaps(), 1);
}

/* The receiver answers once, and then sleeps: judged is what was due by its stamp. */
static void judged_up_to_the_stamp(void **state)
{
    set_answers(true);
    start_ticker(TIME_NEVER);
    wait_until(ticker_is_ready(stage.ticker));
    set_answers(false);
    beat("push", clock_now(&stage.clock));
    jump(4 * SECOND);
    size_t asked = atomic_load(&stage.asked);
    wait_until(atomic_load(&stage.asked) >= asked + 5);
    assert_int_equal(stage.alerts, 0);
    /* It wakes, and says so. */
    stamp_now();
    ticker_heard(stage.ticker);
    wait_until(atomic_load(&stage.alerts) == 1);
    assert_int_equal(count_gaps(), 0);
    assert_true(stage.opened.raised_at > stage.opened.started_at);
}

/* A heartbeat that had waited is heard before the verdict. */
static void what_waits_is_heard_first(void **state)
{
    set_answers(true);
    start_ticker(TIME_NEVER);
    wait_until(ticker_is_ready(stage.ticker));
    set_answers(false);
    beat("push", clock_now(&stage.clock));
    jump(4 * SECOND);
    wait_for_rounds();
    beat("push", clock_now(&stage.clock));
    stamp_now();
    ticker_heard(stage.ticker);
    wait_until(registry_alive_at(stage.registry) >= atomic_load(&stage.stamp));
    stop_ticker();
    assert_int_equal(stage.alerts, 0);
}

static void a_stall_is_a_gap(void **state)
{
    set_answers(true);
    start_ticker(TIME_NEVER);
    wait_until(ticker_is_ready(stage.ticker));
    beat("push", clock_now(&stage.clock));
    for (uint64_t stalls = 1; stalls <= 3; stalls++) {
        int64_t before = clock_now(&stage.clock);
        jump(STALL_MIN + SECOND);
        int64_t after = clock_now(&stage.clock);
        wait_until(count_gaps() == stalls);
        struct gap gap = last_gap();
        assert_int_equal(gap.reason, GAP_STALL);
        assert_true(gap.from <= after && gap.to >= after && gap.to - gap.from >= STALL_MIN);
        assert_true(gap.from >= before - STALL_MIN);
        assert_true(ticker_is_ready(stage.ticker));
    }
    walk_registry(stage.registry);
}

/* One that is shorter is made up for. */
static void a_short_stall_is_no_gap(void **state)
{
    set_answers(true);
    start_ticker(TIME_NEVER);
    wait_until(ticker_is_ready(stage.ticker));
    beat("push", clock_now(&stage.clock));
    jump(2 * SECOND);
    wait_until(atomic_load(&stage.alerts) == 1);
    assert_int_equal(count_gaps(), 0);
}

/* Somebody steps the wall clock: that is kept for the next start, and judges nobody. */
static void a_step_of_the_wall_clock_is_kept(void **state)
{
    struct clock_memory memory = {0};
    set_answers(true);
    start_ticker(TIME_NEVER);
    wait_until(ticker_is_ready(stage.ticker));
    assert_false(registry_clock(stage.registry, &memory));
    atomic_fetch_sub(&stage.clock.skew, HOUR);
    wait_until(registry_clock(stage.registry, &memory));
    wait_until(atomic_load(&stage.clock.skew) > -HOUR / 2);
    stop_ticker();
    assert_true(registry_clock(stage.registry, &memory));
    assert_int_equal(memory.skew, atomic_load(&stage.clock.skew));
    assert_int_equal(memory.offset, atomic_load(&stage.clock.offset));
    assert_int_equal(count_gaps(), 0);
}

/* After a boot the wall clock says a time before the last known one, until somebody sets it. */
static void nothing_is_judged_before_the_clock_is_sane(void **state)
{
    int64_t floor = clock_now(&stage.clock) + HOUR;
    start_clock(floor);
    beat("push", floor - HOUR);
    set_answers(true);
    start_ticker(floor);
    wait_for_rounds();
    assert_false(ticker_is_ready(stage.ticker));
    assert_int_equal(stage.alerts, 0);
    assert_int_equal(count_gaps(), 0);
    atomic_fetch_sub(&stage.clock.skew, 3 * HOUR); /* set to two hours behind the floor */
    wait_until(ticker_is_ready(stage.ticker));
    wait_until(count_gaps() == 1);
    struct gap gap = last_gap();
    assert_int_equal(gap.from, floor);
    assert_true(gap.to - floor >= 2 * HOUR && gap.to - floor < 3 * HOUR);
    assert_int_equal(stage.alerts, 1);
    assert_int_equal(stage.opened.started_at, floor - HOUR + SECOND);
}

/* More than one tick looks at are judged without waiting for the next. */
static void very_many_at_once(void **state)
{
    enum { COUNT = 20000 };
    int64_t now = clock_now(&stage.clock);
    for (size_t i = 0; i < COUNT; i++) {
        struct name name = name_numbered(i, 12);
        beat(name.text, now);
    }
    set_answers(true);
    start_ticker(TIME_NEVER);
    wait_until(ticker_is_ready(stage.ticker));
    jump(5 * SECOND);
    wait_until(atomic_load(&stage.alerts) == COUNT);
    stop_ticker();
    assert_int_equal(engine_figures(stage.engine).services[SERVICE_DOWN], COUNT);
    walk_engine(stage.engine, TIME_NEVER);
}

static void it_ends_when_told(void **state)
{
    for (int i = 0; i < 20; i++) {
        set_answers(i % 2 == 0);
        start_ticker(i % 3 == 0 ? TIME_NEVER : clock_now(&stage.clock));
        if (i % 4 == 0)
            wait_for_round();
        stop_ticker();
    }
    ticker_destroy(NULL);
}

/* ---- The syncer ---- */

/* What the syncer does shows in the registry alone. */
#define wait_for_syncer(condition)                                                                 \
    do {                                                                                           \
        for (int turn = 0; !(condition); turn++) {                                                 \
            check(turn < PATIENCE * 100, "%s never held", #condition);                             \
            poll(NULL, 0, 10);                                                                     \
        }                                                                                          \
    } while (0)

/* It syncs up to what was heard, and lets the registry grow when half a segment is in use. */
static void the_syncer(void **state)
{
    struct failure failure = {0};
    for (size_t i = 0; registry_free(stage.registry) > SEGMENT_SLOTS / 3; i++) {
        struct name name = name_numbered(i, 12);
        beat(name.text, BEGIN);
    }
    registry_stamp_alive(stage.registry, BEGIN + 1);
    struct syncer *syncer = syncer_create(stage.engine, stage.registry, &failure);
    check(syncer != NULL, "%s", failure.text);
    wait_for_syncer(registry_synced_until(stage.registry) == BEGIN + 1);
    assert_int_equal(registry_slots(stage.registry), 2 * SEGMENT_SLOTS);
    syncer_destroy(syncer);
    for (int i = 0; i < 10; i++)
        syncer_destroy(syncer_create(stage.engine, stage.registry, &failure));
    syncer_destroy(NULL);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, set_stage, clear_stage)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ON_STAGE(a_first_start_is_no_gap),
        ON_STAGE(a_restart_is_one_gap),
        ON_STAGE(a_receiver_that_never_stamps),
        ON_STAGE(a_stamp_from_before_the_start),
        ON_STAGE(judged_up_to_the_stamp),
        ON_STAGE(what_waits_is_heard_first),
        ON_STAGE(a_stall_is_a_gap),
        ON_STAGE(a_short_stall_is_no_gap),
        ON_STAGE(a_step_of_the_wall_clock_is_kept),
        ON_STAGE(nothing_is_judged_before_the_clock_is_sane),
        ON_STAGE(very_many_at_once),
        ON_STAGE(it_ends_when_told),
        ON_STAGE(the_syncer),
    };
    return cmocka_run_group_tests_name("ticker", tests, NULL, NULL);
}
