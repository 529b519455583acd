/*
 * test_clock.c - engine time, while somebody steps the wall clock, the machine sleeps, and the
 * program and the machine start again.
 */
#include "clock.h"

#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <kairos/timestamp.h>

#include "support.h"

#define SECOND KAIROS_SECOND
#define HOUR   KAIROS_HOUR

static const char boot_a[BOOT_ID_SIZE] = "the first boot.";
static const char boot_b[BOOT_ID_SIZE] = "the second boot";
static const char unknown[BOOT_ID_SIZE];

/* A machine whose clocks are moved by hand. */
struct machine {
    struct clock_reading reading;
    struct clock clock;
};

/* The first start, at WALL, two hours after the boot, in which it slept for one. */
static void start(struct machine *machine, int64_t wall)
{
    machine->reading =
        (struct clock_reading){.wall = wall, .boottime = 2 * HOUR, .monotonic = HOUR};
    assert_false(clock_init(&machine->clock, &machine->reading, boot_a, NULL, TIME_NEVER));
}

static void pass(struct machine *machine, int64_t span)
{
    machine->reading.wall += span;
    machine->reading.boottime += span;
    machine->reading.monotonic += span;
}

static void suspend(struct machine *machine, int64_t span)
{
    machine->reading.wall += span;
    machine->reading.boottime += span;
}

static void step(struct machine *machine, int64_t span)
{
    machine->reading.wall += span;
}

static void check_time(const struct machine *machine, int64_t time)
{
    int64_t found = clock_at(&machine->clock, &machine->reading);
    check(found == time, "engine time %jd, not %jd", (intmax_t)found, (intmax_t)time);
}

/* The machine boots again; the wall clock says WALL then. */
static void reboot(struct machine *machine, int64_t wall)
{
    machine->reading =
        (struct clock_reading){.wall = wall, .boottime = 30 * SECOND, .monotonic = 30 * SECOND};
}

/* The program starts again, in the boot BOOT_ID. */
static bool restart(struct machine *machine, const char boot_id[BOOT_ID_SIZE], int64_t floor)
{
    struct clock_memory memory = clock_memory(&machine->clock);
    memset(&machine->clock, 0xa5, sizeof(machine->clock));
    return clock_init(&machine->clock, &machine->reading, boot_id, &memory, floor);
}

#define WALL INT64_C(1754301600000000)

/* ---- One life ---- */

static void begins_as_wall_time(void **state)
{
    struct machine machine;
    start(&machine, WALL);
    check_time(&machine, WALL);
    assert_true(clock_is_sane(&machine.clock));
    for (int i = 0; i < 1000; i++) {
        pass(&machine, 123456);
        assert_false(clock_check(&machine.clock, &machine.reading));
        check_time(&machine, machine.reading.wall);
        assert_int_equal(clock_to_wall(&machine.clock, WALL), WALL);
    }
}

static void steps_of_the_wall_clock_bend_nothing(void **state)
{
    static const int64_t steps[] = {HOUR,  -HOUR, 1000, -1000, KAIROS_DAY, -400 * KAIROS_DAY,
                                    999999};
    struct machine machine;
    int64_t skew = 0, time = WALL;
    start(&machine, WALL);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        step(&machine, steps[i]);
        skew += steps[i];
        check_time(&machine, time);
        assert_true(clock_check(&machine.clock, &machine.reading));
        assert_false(clock_check(&machine.clock, &machine.reading));
        check_time(&machine, time);
        /* What is shown is what the wall clock says. */
        assert_int_equal(clock_to_wall(&machine.clock, time), machine.reading.wall);
        assert_int_equal(clock_from_wall(&machine.clock, machine.reading.wall), time);
        assert_int_equal(clock_to_wall(&machine.clock, WALL), WALL + skew);
        pass(&machine, HOUR);
        time += HOUR;
        check_time(&machine, time);
        assert_false(clock_check(&machine.clock, &machine.reading));
    }
    assert_true(clock_is_sane(&machine.clock));
}

/* The clocks are read one after the other; what they differ by for that is no step. */
static void less_than_a_millisecond_is_no_step(void **state)
{
    static const int64_t spans[] = {1, -1, 500, -500, 999, -999};
    for (size_t i = 0; i < COUNT_OF(spans); i++) {
        struct machine machine;
        start(&machine, WALL);
        step(&machine, spans[i]);
        assert_false(clock_check(&machine.clock, &machine.reading));
        assert_int_equal(clock_to_wall(&machine.clock, WALL), WALL);
    }
}

/* The wall clock is slewed by little and little: it is followed all the same. */
static void a_slow_drift_is_followed(void **state)
{
    struct machine machine;
    start(&machine, WALL);
    for (int i = 0; i < 10000; i++) {
        pass(&machine, SECOND);
        step(&machine, 300);
        clock_check(&machine.clock, &machine.reading);
        int64_t shown = clock_to_wall(&machine.clock, clock_at(&machine.clock, &machine.reading));
        assert_in_range(machine.reading.wall - shown, 0, 1000);
    }
    check_time(&machine, WALL + 10000 * SECOND);
}

static void a_suspend_is_time_that_passed(void **state)
{
    struct machine machine;
    start(&machine, WALL);
    pass(&machine, HOUR);
    suspend(&machine, 8 * HOUR);
    check_time(&machine, WALL + 9 * HOUR);
    assert_false(clock_check(&machine.clock, &machine.reading));
    assert_int_equal(clock_to_wall(&machine.clock, WALL), WALL);
}

static void never_is_never_on_any_clock(void **state)
{
    struct machine machine;
    start(&machine, WALL);
    step(&machine, HOUR);
    clock_check(&machine.clock, &machine.reading);
    assert_int_equal(clock_to_wall(&machine.clock, TIME_NEVER), TIME_NEVER);
    assert_int_equal(clock_from_wall(&machine.clock, TIME_NEVER), TIME_NEVER);
}

/* ---- Another life, in the same boot ---- */

static void the_same_boot_goes_on(void **state)
{
    static const int64_t steps[] = {0, HOUR, -HOUR, -400 * KAIROS_DAY};
    for (size_t before = 0; before < COUNT_OF(steps); before++) {
        for (size_t meanwhile = 0; meanwhile < COUNT_OF(steps); meanwhile++) {
            struct machine machine;
            start(&machine, WALL);
            step(&machine, steps[before]);
            clock_check(&machine.clock, &machine.reading);
            pass(&machine, HOUR);
            int64_t alive_at = clock_at(&machine.clock, &machine.reading);
            /* It is not running for two hours, in one of which the machine sleeps. */
            step(&machine, steps[meanwhile]);
            pass(&machine, HOUR);
            suspend(&machine, HOUR);
            assert_true(restart(&machine, boot_a, alive_at));
            assert_true(clock_is_sane(&machine.clock));
            check_time(&machine, WALL + 3 * HOUR);
            assert_int_equal(clock_to_wall(&machine.clock, WALL + 3 * HOUR), machine.reading.wall);
            assert_false(clock_check(&machine.clock, &machine.reading));
        }
    }
}

/* ---- Another boot ---- */

static void another_boot_goes_by_the_wall_clock(void **state)
{
    static const int64_t steps[] = {0, HOUR, -HOUR};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        struct machine machine;
        start(&machine, WALL);
        step(&machine, steps[i]);
        clock_check(&machine.clock, &machine.reading);
        pass(&machine, HOUR);
        int64_t synced = clock_at(&machine.clock, &machine.reading);
        reboot(&machine, machine.reading.wall + 10 * KAIROS_MINUTE);
        assert_false(restart(&machine, boot_b, synced));
        assert_true(clock_is_sane(&machine.clock));
        check_time(&machine, WALL + HOUR + 10 * KAIROS_MINUTE);
        assert_int_equal(clock_to_wall(&machine.clock, WALL), WALL + steps[i]);
        assert_memory_equal(clock_memory(&machine.clock).boot_id, boot_b, BOOT_ID_SIZE);
        /* And goes on in that one. */
        pass(&machine, HOUR);
        assert_true(restart(&machine, boot_b, synced));
        check_time(&machine, WALL + 2 * HOUR + 10 * KAIROS_MINUTE);
    }
}

/* A boot whose name is not known may be any. */
static void an_unknown_boot_is_another_one(void **state)
{
    struct machine machine;
    start(&machine, WALL);
    pass(&machine, HOUR);
    step(&machine, 10 * KAIROS_MINUTE);
    assert_false(restart(&machine, unknown, WALL));
    check_time(&machine, WALL + HOUR + 10 * KAIROS_MINUTE);
    step(&machine, KAIROS_MINUTE);
    assert_false(restart(&machine, unknown, WALL));
    check_time(&machine, WALL + HOUR + 11 * KAIROS_MINUTE);
}

/* After a boot without a battery the wall clock says 1970, until somebody sets it. */
static void a_wall_clock_that_is_not_sane(void **state)
{
    static const int64_t skews[] = {0, HOUR, -HOUR};
    for (size_t i = 0; i < COUNT_OF(skews); i++) {
        struct machine machine;
        start(&machine, WALL);
        step(&machine, skews[i]);
        clock_check(&machine.clock, &machine.reading);
        int64_t floor = WALL + HOUR;
        reboot(&machine, 30 * SECOND);
        assert_false(restart(&machine, boot_b, floor));
        assert_false(clock_is_sane(&machine.clock));
        for (int turn = 0; turn < 10; turn++) { /* it stands still */
            check_time(&machine, floor);
            assert_false(clock_check(&machine.clock, &machine.reading));
            pass(&machine, KAIROS_MINUTE);
        }
        machine.reading.wall = floor + skews[i] - 1;
        assert_false(clock_check(&machine.clock, &machine.reading));
        assert_false(clock_is_sane(&machine.clock));
        machine.reading.wall = floor + skews[i] + 5 * HOUR;
        assert_true(clock_check(&machine.clock, &machine.reading));
        assert_true(clock_is_sane(&machine.clock));
        check_time(&machine, floor + 5 * HOUR);
        assert_int_equal(clock_to_wall(&machine.clock, floor), floor + skews[i]);
        pass(&machine, HOUR);
        check_time(&machine, floor + 6 * HOUR);
        assert_false(clock_check(&machine.clock, &machine.reading));
        /* Once sane, it is: a step back is a step. */
        step(&machine, -24 * HOUR);
        assert_true(clock_check(&machine.clock, &machine.reading));
        assert_true(clock_is_sane(&machine.clock));
        check_time(&machine, floor + 6 * HOUR);
    }
}

static void the_floor_itself_is_sane(void **state)
{
    struct machine machine;
    start(&machine, WALL);
    reboot(&machine, WALL + HOUR);
    assert_false(restart(&machine, boot_b, WALL + HOUR));
    assert_true(clock_is_sane(&machine.clock));
    check_time(&machine, WALL + HOUR);
    reboot(&machine, WALL + HOUR - 1);
    assert_false(restart(&machine, boot_a, WALL + HOUR));
    assert_false(clock_is_sane(&machine.clock));
    check_time(&machine, WALL + HOUR);
    machine.reading.wall++;
    assert_true(clock_check(&machine.clock, &machine.reading));
    check_time(&machine, WALL + HOUR);
}

/* The registry was lost, and a floor alone is known; or a memory without a floor. */
static void with_half_the_memory(void **state)
{
    struct machine machine;
    start(&machine, WALL);
    assert_false(clock_init(&machine.clock, &machine.reading, boot_a, NULL, WALL + HOUR));
    assert_false(clock_is_sane(&machine.clock));
    check_time(&machine, WALL + HOUR);
    start(&machine, WALL);
    pass(&machine, HOUR);
    assert_true(restart(&machine, boot_a, TIME_NEVER));
    assert_true(clock_is_sane(&machine.clock));
    check_time(&machine, WALL + HOUR);
}

/* A memory of this boot whose engine time lies before the floor (one of both is wrong). */
static void the_floor_holds_in_the_same_boot_too(void **state)
{
    struct machine machine;
    start(&machine, WALL);
    restart(&machine, boot_a, WALL + HOUR);
    assert_false(clock_is_sane(&machine.clock));
    check_time(&machine, WALL + HOUR);
    pass(&machine, 2 * HOUR);
    assert_true(clock_check(&machine.clock, &machine.reading));
    check_time(&machine, WALL + 2 * HOUR);
}

/* ---- The system's clocks ---- */

static void the_system_can_be_read(void **state)
{
    struct clock_reading first = clock_read(), second = clock_read();
    char boot_id[BOOT_ID_SIZE], again[BOOT_ID_SIZE];
    assert_true(first.boottime > 0 && first.boottime <= second.boottime);
    assert_true(first.monotonic > 0 && first.monotonic <= second.monotonic);
    assert_true(first.monotonic <= second.boottime);
    clock_boot_id(boot_id);
    clock_boot_id(again);
    assert_memory_equal(boot_id, again, BOOT_ID_SIZE);
    struct clock clock;
    clock_init(&clock, &first, boot_id, NULL, TIME_NEVER);
    int64_t now = clock_now(&clock);
    assert_true(now >= first.wall && now <= first.wall + clock_read().boottime - first.boottime);
}

/* Ahead of so many looks at a clock whoever looks is kept from running for 5 ms, or so it seems. */
static int pauses;
static int64_t paused; /* nanoseconds */

int clock_gettime(clockid_t id, struct timespec *time)
{
    if (pauses > 0) {
        pauses--;
        paused += 5000000;
    }
    if (syscall(SYS_clock_gettime, id, time) != 0)
        return -1;
    int64_t all = (int64_t)time->tv_sec * 1000000000 + time->tv_nsec + paused;
    time->tv_sec = (time_t)(all / 1000000000);
    time->tv_nsec = (long)(all % 1000000000);
    return 0;
}

/* Being kept from running between two clocks is no step of one of them. */
static void a_reading_is_of_one_moment(void **state)
{
    (void)state;
    struct clock_reading calm = clock_read();
    for (int kept = 1; kept <= 40; kept++) {
        pauses = kept;
        struct clock_reading reading = clock_read();
        int64_t step = (reading.wall - reading.boottime) - (calm.wall - calm.boottime);
        assert_true(step > -KAIROS_MILLISECOND && step < KAIROS_MILLISECOND);
        assert_int_equal(pauses, 0);
    }
}

/* The boot's name is the kernel's, in binary. */
static void the_boot_has_a_name(void **state)
{
    char boot_id[BOOT_ID_SIZE];
    struct text text = {0};
    char line[64] = "";
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
    if (file == NULL)
        skip();
    assert_non_null(fgets(line, sizeof(line), file));
    fclose(file);
    clock_boot_id(boot_id);
    for (size_t i = 0; i < BOOT_ID_SIZE; i++)
        text_print(&text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                   (unsigned char)boot_id[i]);
    assert_int_equal(strncmp(text.bytes, line, text.length), 0);
    text_finish(&text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_as_wall_time),
        cmocka_unit_test(steps_of_the_wall_clock_bend_nothing),
        cmocka_unit_test(less_than_a_millisecond_is_no_step),
        cmocka_unit_test(a_slow_drift_is_followed),
        cmocka_unit_test(a_suspend_is_time_that_passed),
        cmocka_unit_test(never_is_never_on_any_clock),
        cmocka_unit_test(the_same_boot_goes_on),
        cmocka_unit_test(another_boot_goes_by_the_wall_clock),
        cmocka_unit_test(an_unknown_boot_is_another_one),
        cmocka_unit_test(a_wall_clock_that_is_not_sane),
        cmocka_unit_test(the_floor_itself_is_sane),
        cmocka_unit_test(with_half_the_memory),
        cmocka_unit_test(the_floor_holds_in_the_same_boot_too),
        cmocka_unit_test(the_system_can_be_read),
        cmocka_unit_test(a_reading_is_of_one_moment),
        cmocka_unit_test(the_boot_has_a_name),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
