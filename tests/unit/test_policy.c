/*
 * test_policy.c - when heartbeats are expected, and which of them are missed.
 */
#include <kairos/policy.h>

#include "support.h"

static void the_default(void **state)
{
    struct kairos_policy policy = kairos_policy_default();
    assert_int_equal(policy.interval, 60 * KAIROS_SECOND);
    assert_int_equal(policy.allowed_misses, 3);
    assert_int_equal(policy.tolerance, 0);
    assert_int_equal(kairos_policy_validate(&policy), KAIROS_POLICY_OK);
}

static void the_strictest(void **state)
{
    struct kairos_policy policy = kairos_policy_strictest();
    assert_int_equal(kairos_policy_validate(&policy), KAIROS_POLICY_OK);
    assert_int_equal(kairos_policy_reach(&policy), KAIROS_INTERVAL_MIN);
}

/* The first value that is out of bounds is named: interval, allowed misses, tolerance. */
static void bounds(void **state)
{
    static const struct {
        struct kairos_policy policy;
        enum kairos_policy_result result;
    } rows[] = {
        {{.interval = 1000, .allowed_misses = 1}, KAIROS_POLICY_OK},
        {{.interval = 999, .allowed_misses = 1}, KAIROS_POLICY_INTERVAL},
        {{.interval = 0, .allowed_misses = 1}, KAIROS_POLICY_INTERVAL},
        {{.interval = -60000000, .allowed_misses = 1}, KAIROS_POLICY_INTERVAL},
        {{.interval = INT64_MIN, .allowed_misses = 1}, KAIROS_POLICY_INTERVAL},
        {{.interval = INT64_MAX, .allowed_misses = 1}, KAIROS_POLICY_INTERVAL},
        {{.interval = 366 * KAIROS_DAY, .allowed_misses = 1}, KAIROS_POLICY_OK},
        {{.interval = 366 * KAIROS_DAY + 1, .allowed_misses = 1}, KAIROS_POLICY_INTERVAL},
        {{.interval = 1000, .allowed_misses = 0}, KAIROS_POLICY_ALLOWED_MISSES},
        {{.interval = 1000, .allowed_misses = 1000000}, KAIROS_POLICY_OK},
        {{.interval = 1000, .allowed_misses = 1000001}, KAIROS_POLICY_ALLOWED_MISSES},
        {{.interval = 1000, .allowed_misses = UINT32_MAX}, KAIROS_POLICY_ALLOWED_MISSES},
        {{.interval = 1000, .allowed_misses = 1, .tolerance = -1}, KAIROS_POLICY_TOLERANCE},
        {{.interval = 1000, .allowed_misses = 1, .tolerance = INT64_MIN}, KAIROS_POLICY_TOLERANCE},
        {{.interval = 1000, .allowed_misses = 1, .tolerance = 366 * KAIROS_DAY}, KAIROS_POLICY_OK},
        {{.interval = 1000, .allowed_misses = 1, .tolerance = 366 * KAIROS_DAY + 1},
         KAIROS_POLICY_TOLERANCE},
        {{.interval = 0, .allowed_misses = 0, .tolerance = -1}, KAIROS_POLICY_INTERVAL},
        {{.interval = 1000, .allowed_misses = 0, .tolerance = -1}, KAIROS_POLICY_ALLOWED_MISSES},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check(kairos_policy_validate(&rows[i].policy) == rows[i].result, "row %zu", i);
}

/* A small policy, so that misses can be counted one by one. */
static struct kairos_policy small_policy(struct dice *dice)
{
    return (struct kairos_policy){
        .interval = dice_between(dice, 1, 20),
        .tolerance = dice_between(dice, 0, 30),
        .allowed_misses = (uint32_t)dice_between(dice, 1, 5),
    };
}

static void misses_are_counted_one_by_one(void **state)
{
    struct dice dice = {1};
    for (int i = 0; i < 100000; i++) {
        struct kairos_policy policy = small_policy(&dice);
        int64_t last = dice_between(&dice, -1000, 1000), now = last + dice_between(&dice, 0, 400);
        uint64_t misses = 0;
        while (last + (int64_t)(misses + 1) * policy.interval + policy.tolerance < now)
            misses++;
        check(kairos_policy_misses(&policy, last, now) == misses, "%jd, %jd: %jd to %jd",
              (intmax_t)policy.interval, (intmax_t)policy.tolerance, (intmax_t)last, (intmax_t)now);
    }
}

static void a_miss_is_late_by_more_than_the_tolerance(void **state)
{
    struct kairos_policy policy = {
        .interval = KAIROS_MINUTE, .tolerance = 10 * KAIROS_SECOND, .allowed_misses = 3};
    assert_int_equal(kairos_policy_misses(&policy, 0, 0), 0);
    assert_int_equal(kairos_policy_misses(&policy, 0, 70 * KAIROS_SECOND), 0);
    assert_int_equal(kairos_policy_misses(&policy, 0, 70 * KAIROS_SECOND + 1), 1);
    assert_int_equal(kairos_policy_misses(&policy, 0, 130 * KAIROS_SECOND), 1);
    assert_int_equal(kairos_policy_misses(&policy, 0, 130 * KAIROS_SECOND + 1), 2);
}

static void expected_heartbeats_stand_an_interval_apart(void **state)
{
    struct kairos_policy policy = kairos_policy_default();
    assert_int_equal(kairos_policy_expected(&policy, 5, 1), 5 + KAIROS_MINUTE);
    assert_int_equal(kairos_policy_expected(&policy, -5, 1000), -5 + 1000 * KAIROS_MINUTE);
}

/* The whole calendar at a millisecond: no step overflows. */
static void the_longest_silence_of_all(void **state)
{
    struct kairos_policy policy = {.interval = KAIROS_INTERVAL_MIN, .allowed_misses = 1};
    uint64_t misses = kairos_policy_misses(&policy, KAIROS_TIME_MIN, KAIROS_TIME_MAX);
    assert_int_equal(misses, UINT64_C(315537897599999));
    assert_int_equal(kairos_policy_expected(&policy, KAIROS_TIME_MIN, misses),
                     KAIROS_TIME_MAX - 999);

    policy.tolerance = KAIROS_TOLERANCE_MAX;
    misses = kairos_policy_misses(&policy, KAIROS_TIME_MIN, KAIROS_TIME_MAX);
    assert_int_equal(misses, UINT64_C(315537897599999) - KAIROS_TOLERANCE_MAX / 1000);
}

static void the_reach_is_the_longest_silence_without_an_alert(void **state)
{
    struct dice dice = {2};
    for (int i = 0; i < 100000; i++) {
        struct kairos_policy policy = small_policy(&dice);
        int64_t reach = kairos_policy_reach(&policy), last = dice_between(&dice, -50, 50);
        assert_int_equal(reach, policy.interval * policy.allowed_misses + policy.tolerance);
        assert_true(kairos_policy_misses(&policy, last, last + reach) < policy.allowed_misses);
        assert_int_equal(kairos_policy_misses(&policy, last, last + reach + 1),
                         policy.allowed_misses);
    }
}

static void the_reach_saturates(void **state)
{
    struct kairos_policy policy = {
        .interval = KAIROS_INTERVAL_MAX,
        .tolerance = KAIROS_TOLERANCE_MAX,
        .allowed_misses = KAIROS_ALLOWED_MISSES_MAX,
    };
    assert_int_equal(kairos_policy_validate(&policy), KAIROS_POLICY_OK);
    assert_int_equal(kairos_policy_reach(&policy), INT64_MAX);
    assert_int_equal(kairos_policy_misses(&policy, KAIROS_TIME_MIN, KAIROS_TIME_MAX), 9977);

    /* The last product below 2^63, and with it the tolerance that goes beyond. */
    policy.allowed_misses = (uint32_t)(INT64_MAX / policy.interval);
    policy.tolerance = 0;
    assert_int_equal(kairos_policy_reach(&policy), policy.interval * policy.allowed_misses);
    policy.tolerance = KAIROS_TOLERANCE_MAX;
    assert_int_equal(kairos_policy_reach(&policy), INT64_MAX);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default),
        cmocka_unit_test(the_strictest),
        cmocka_unit_test(bounds),
        cmocka_unit_test(misses_are_counted_one_by_one),
        cmocka_unit_test(a_miss_is_late_by_more_than_the_tolerance),
        cmocka_unit_test(expected_heartbeats_stand_an_interval_apart),
        cmocka_unit_test(the_longest_silence_of_all),
        cmocka_unit_test(the_reach_is_the_longest_silence_without_an_alert),
        cmocka_unit_test(the_reach_saturates),
    };
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
