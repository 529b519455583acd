/*
 * test_alerts_of.c - the alerts that an incident consists of.
 */
#include "alerts_of.h"

#include <stdlib.h>

#include "clock.h"
#include "support.h"

/* A silence with COUNT alerts, EVERY apart from 1000 on, of which the newest KNOWN are known. */
static struct incident silence(uint64_t count, int64_t every, uint64_t known)
{
    return (struct incident){
        .started_at = 1000,
        .last_alert_at = 1000 + (int64_t)(count - 1) * every,
        .repeat_every = every,
        .alert_count = count,
        .repeats_known = known,
        .missed_count = 3,
        .repeat_misses = 4,
    };
}

static struct alert find(const struct incident *incident, uint64_t below)
{
    struct alert alert;
    assert_true(alerts_of_find(incident, below, INT64_MIN, INT64_MAX, &alert));
    return alert;
}

static void one_alert_alone(void **state)
{
    static const struct incident rows[] = {
        {.started_at = 1000, .last_alert_at = 1000, .alert_count = 1, .missed_count = 3},
        {.started_at = 1000,
         .last_alert_at = 1000,
         .alert_count = 1,
         .repeats_known = 1,
         .repeat_every = 10,
         .missed_count = 3},
        {.started_at = 1000, .last_alert_at = TIME_NEVER, .alert_count = 1, .missed_count = 3},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct alert alert = find(&rows[i], UINT64_MAX);
        assert_int_equal(alert.ordinal, 1);
        assert_int_equal(alert.alert_at, 1000);
        assert_int_equal(alert.missed_count, 3);
        assert_false(alerts_of_find(&rows[i], 0, INT64_MIN, INT64_MAX, &alert));
        assert_false(alerts_of_find(&rows[i], 1, 1001, INT64_MAX, &alert));
        assert_false(alerts_of_find(&rows[i], 1, INT64_MIN, 1000, &alert));
        assert_true(alerts_of_find(&rows[i], 1, 1000, 1001, &alert));
    }
}

static void the_newest_comes_first(void **state)
{
    struct incident incident = silence(4, 10, 4);
    for (uint64_t ordinal = 4; ordinal >= 1; ordinal--) {
        struct alert alert = find(&incident, ordinal);
        assert_int_equal(alert.ordinal, ordinal);
        assert_int_equal(alert.alert_at, 1000 + ((int64_t)ordinal - 1) * 10);
        assert_int_equal(alert.missed_count, ordinal == 1 ? 3 : 4);
    }
    assert_int_equal(find(&incident, UINT64_MAX).ordinal, 4);
}

/* Of repeats that lie before a change of the policy, or a gap, only the number is known. */
static void unknown_repeats_are_left_out(void **state)
{
    struct incident incident = silence(10, 10, 2);
    assert_int_equal(find(&incident, UINT64_MAX).ordinal, 10);
    assert_int_equal(find(&incident, 9).ordinal, 9);
    assert_int_equal(find(&incident, 8).ordinal, 1);

    incident.repeats_known = 0;
    incident.repeat_every = 0;
    incident.last_alert_at = TIME_NEVER;
    assert_int_equal(find(&incident, UINT64_MAX).ordinal, 1);
}

static void millions_are_arithmetic(void **state)
{
    struct incident incident = silence(UINT64_C(5000000000), 1000000, UINT64_C(5000000000));
    struct alert alert;
    assert_int_equal(find(&incident, UINT64_C(4000000000)).alert_at,
                     1000 + INT64_C(3999999999) * 1000000);
    assert_true(alerts_of_find(&incident, UINT64_MAX, INT64_MIN, 1000 + 7 * 1000000, &alert));
    assert_int_equal(alert.ordinal, 7);
    assert_true(alerts_of_find(&incident, UINT64_MAX, INT64_MIN, 1000 + 7 * 1000000 + 1, &alert));
    assert_int_equal(alert.ordinal, 8);
    assert_false(alerts_of_find(&incident, UINT64_MAX, 1000 + 1, 1000 + 1000000, &alert));
    assert_false(alerts_of_find(&incident, UINT64_MAX, INT64_MIN, INT64_MIN, &alert));
}

static void random_pages(void **state)
{
    struct dice dice = {1};
    for (int round = 0; round < 20000; round++) {
        uint64_t count = 1 + dice_below(&dice, 12), known = dice_below(&dice, 14);
        struct incident incident = silence(count, dice_between(&dice, 1, 9), known);
        int64_t from = dice_between(&dice, 990, 1100), to = dice_between(&dice, 990, 1100);
        uint64_t below = dice_below(&dice, 15), repeats = count - 1 < known ? count - 1 : known;

        uint64_t expected = 0;
        for (uint64_t ordinal = 1; ordinal <= count && ordinal <= below; ordinal++) {
            int64_t at = 1000 + (int64_t)(ordinal - 1) * incident.repeat_every;
            if ((ordinal == 1 || ordinal > count - repeats) && at >= from && at < to)
                expected = ordinal;
        }
        struct alert alert;
        bool found = alerts_of_find(&incident, below, from, to, &alert);
        assert_int_equal(found ? alert.ordinal : 0, expected);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_alert_alone),
        cmocka_unit_test(the_newest_comes_first),
        cmocka_unit_test(unknown_repeats_are_left_out),
        cmocka_unit_test(millions_are_arithmetic),
        cmocka_unit_test(random_pages),
    };
    return cmocka_run_group_tests_name("alerts_of", tests, NULL, NULL);
}
