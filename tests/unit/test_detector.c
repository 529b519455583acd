/*
 * test_detector.c - which alerts a silence raises.
 */
#include <kairos/detector.h>

#include "support.h"

#define ALERTS_MAX 512

/*
 * The rule as it is told: at each expected heartbeat that did not come in time the misses are
 * counted up, and at the allowed number an alert is raised and the count starts again.
 */
static size_t oracle(const struct kairos_policy *policy, int64_t from, int64_t to,
                     struct kairos_alert alerts[ALERTS_MAX])
{
    size_t count = 0;
    uint32_t misses = 0;
    for (int64_t expected = from + policy->interval; expected + policy->tolerance < to;
         expected += policy->interval) {
        misses++;
        if (misses < policy->allowed_misses)
            continue;
        assert_true(count < ALERTS_MAX);
        alerts[count++] =
            (struct kairos_alert){.alert_at = expected, .last_seen = from, .missed_count = misses};
        misses = 0;
    }
    return count;
}

static void random_silences_agree_with_counting(void **state)
{
    struct dice dice = {1};
    for (int i = 0; i < 200000; i++) {
        struct kairos_policy policy = {
            .interval = dice_between(&dice, 1, 20),
            .tolerance = dice_chance(&dice, 50) ? 0 : dice_between(&dice, 0, 50),
            .allowed_misses = (uint32_t)dice_between(&dice, 1, 6),
        };
        int64_t from = dice_between(&dice, -1000, 1000), to = from + dice_between(&dice, 0, 300);
        struct kairos_alert expected[ALERTS_MAX];
        size_t count = oracle(&policy, from, to, expected);
        check(kairos_detector_count(&policy, from, to) == count,
              "interval %jd, tolerance %jd, misses %u: %jd to %jd", (intmax_t)policy.interval,
              (intmax_t)policy.tolerance, policy.allowed_misses, (intmax_t)from, (intmax_t)to);
        for (size_t n = 0; n < count; n++) {
            struct kairos_alert alert = kairos_detector_alert(&policy, from, n + 1);
            assert_int_equal(alert.alert_at, expected[n].alert_at);
            assert_int_equal(alert.last_seen, expected[n].last_seen);
            assert_int_equal(alert.missed_count, expected[n].missed_count);
        }
    }
}

static int64_t minutes(int64_t count)
{
    return count * KAIROS_MINUTE;
}

/* 10:02 and then 10:06: missed at 10:03, 10:04 and 10:05. */
static void three_misses_raise_one_alert(void **state)
{
    struct kairos_policy policy = kairos_policy_default();
    assert_int_equal(kairos_detector_count(&policy, minutes(602), minutes(606)), 1);
    struct kairos_alert alert = kairos_detector_alert(&policy, minutes(602), 1);
    assert_int_equal(alert.alert_at, minutes(605));
    assert_int_equal(alert.last_seen, minutes(602));
    assert_int_equal(alert.missed_count, 3);
}

static void the_threshold_is_strict(void **state)
{
    struct kairos_policy policy = kairos_policy_default();
    assert_int_equal(kairos_detector_count(&policy, 0, minutes(3)), 0);
    assert_int_equal(kairos_detector_count(&policy, 0, minutes(3) + 1), 1);
    assert_int_equal(kairos_detector_count(&policy, 0, minutes(6)), 1);
    assert_int_equal(kairos_detector_count(&policy, 0, minutes(6) + 1), 2);
    policy.tolerance = 30 * KAIROS_SECOND;
    assert_int_equal(kairos_detector_count(&policy, 0, minutes(3) + policy.tolerance), 0);
    assert_int_equal(kairos_detector_count(&policy, 0, minutes(3) + policy.tolerance + 1), 1);
}

static void equal_times_are_no_silence(void **state)
{
    struct kairos_policy policy = {.interval = KAIROS_INTERVAL_MIN, .allowed_misses = 1};
    assert_int_equal(kairos_detector_count(&policy, 0, 0), 0);
    assert_int_equal(kairos_detector_count(&policy, KAIROS_TIME_MAX, KAIROS_TIME_MAX), 0);
}

static void eight_thousand_years_at_a_millisecond(void **state)
{
    struct kairos_policy policy = {.interval = KAIROS_INTERVAL_MIN, .allowed_misses = 1};
    uint64_t count = kairos_detector_count(&policy, KAIROS_TIME_MIN, KAIROS_TIME_MAX);
    assert_int_equal(count, UINT64_C(315537897599999));
    assert_int_equal(kairos_detector_alert(&policy, KAIROS_TIME_MIN, count).alert_at,
                     KAIROS_TIME_MAX - 999);

    policy.allowed_misses = 1000;
    count = kairos_detector_count(&policy, KAIROS_TIME_MIN, KAIROS_TIME_MAX);
    assert_int_equal(count, UINT64_C(315537897599));
    struct kairos_alert last = kairos_detector_alert(&policy, KAIROS_TIME_MIN, count);
    assert_int_equal(last.alert_at, KAIROS_TIME_MAX - 999999);
    assert_int_equal(last.missed_count, 1000);
}

static void the_most_patient_policy_never_alerts(void **state)
{
    struct kairos_policy policy = {
        .interval = KAIROS_INTERVAL_MAX,
        .tolerance = KAIROS_TOLERANCE_MAX,
        .allowed_misses = KAIROS_ALLOWED_MISSES_MAX,
    };
    assert_int_equal(kairos_detector_count(&policy, KAIROS_TIME_MIN, KAIROS_TIME_MAX), 0);
    policy.allowed_misses = 1;
    assert_int_equal(kairos_detector_count(&policy, KAIROS_TIME_MIN, KAIROS_TIME_MAX), 9977);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_silences_agree_with_counting),
        cmocka_unit_test(three_misses_raise_one_alert),
        cmocka_unit_test(the_threshold_is_strict),
        cmocka_unit_test(equal_times_are_no_silence),
        cmocka_unit_test(eight_thousand_years_at_a_millisecond),
        cmocka_unit_test(the_most_patient_policy_never_alerts),
    };
    return cmocka_run_group_tests_name("detector", tests, NULL, NULL);
}
