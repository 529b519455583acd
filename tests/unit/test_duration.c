/*
 * test_duration.c - spans of time as people write them.
 */
#include <kairos/duration.h>

#include <kairos/timestamp.h>

#include "support.h"

static const struct {
    const char *text;
    int64_t duration;
} accepted[] = {
    {"0", 0},
    {"1", KAIROS_SECOND},
    {"60", 60 * KAIROS_SECOND},
    {"90s", 90 * KAIROS_SECOND},
    {"5m", 5 * KAIROS_MINUTE},
    {"1h", KAIROS_HOUR},
    {"1d", KAIROS_DAY},
    {"250ms", 250 * KAIROS_MILLISECOND},
    {"0ms", 0},
    {"0d", 0},
    {"007", 7 * KAIROS_SECOND},
    {"00000000000000000000000000000000000001s", KAIROS_SECOND},
    {"366d", 366 * KAIROS_DAY},
    {"8784h", 366 * KAIROS_DAY},
    /* The last ones below 2^63 microseconds. */
    {"9223372036854775ms", INT64_C(9223372036854775000)},
    {"9223372036854", INT64_C(9223372036854000000)},
    {"9223372036854s", INT64_C(9223372036854000000)},
    {"153722867280m", INT64_C(9223372036800000000)},
    {"2562047788h", INT64_C(9223372036800000000)},
    {"106751991d", INT64_C(9223372022400000000)},
};

static const struct bytes rejected[] = {
    BYTES(""),
    BYTES(" "),
    BYTES("s"),
    BYTES("ms"),
    BYTES("-1"),
    BYTES("-1s"),
    BYTES("+1"),
    BYTES("1.5"),
    BYTES("1.5h"),
    BYTES("1e3"),
    BYTES("0x10"),
    BYTES(" 1"),
    BYTES("1 "),
    BYTES("1 s"),
    BYTES("1s "),
    BYTES("1S"),
    BYTES("1M"),
    BYTES("1H"),
    BYTES("1D"),
    BYTES("1MS"),
    BYTES("1sm"),
    BYTES("1mss"),
    BYTES("1m1"),
    BYTES("1m30s"),
    BYTES("1us"),
    BYTES("1ns"),
    BYTES("1w"),
    BYTES("1y"),
    BYTES("1sec"),
    BYTES("1min"),
    BYTES("one"),
    BYTES("1,000"),
    BYTES("1_000"),
    BYTES("\xd9\xa1"),
    BYTES("1\0"),
    BYTES("1s\0"),
    BYTES("1\0s"),
    BYTES("\0"),
    /* The first ones beyond. */
    BYTES("9223372036854776ms"),
    BYTES("9223372036855"),
    BYTES("9223372036855s"),
    BYTES("153722867281m"),
    BYTES("2562047789h"),
    BYTES("106751992d"),
    BYTES("9223372036854775807"),
    BYTES("9223372036854775808ms"),
    BYTES("18446744073709551616"),
    BYTES("18446744073709551617ms"),
    BYTES("99999999999999999999999999999999999999999999"),
};

static void accepted_durations(void **state)
{
    for (size_t i = 0; i < COUNT_OF(accepted); i++) {
        int64_t duration;
        check(kairos_duration_parse(accepted[i].text, strlen(accepted[i].text), &duration),
              "refused: %s", accepted[i].text);
        check(duration == accepted[i].duration, "%s: %jd", accepted[i].text, (intmax_t)duration);
    }
}

static void rejected_durations(void **state)
{
    for (size_t i = 0; i < COUNT_OF(rejected); i++) {
        int64_t duration = 4711;
        check(!kairos_duration_parse(rejected[i].text, rejected[i].length, &duration),
              "accepted: %s", shown(rejected[i].text, rejected[i].length));
        check(duration == 4711, "the duration was touched: %s", rejected[i].text);
    }
}

static void reads_no_byte_beyond_its_length(void **state)
{
    struct fence fence;
    fence_init(&fence, 64);
    for (size_t i = 0; i < COUNT_OF(accepted); i++) {
        for (size_t length = 0; length <= strlen(accepted[i].text); length++) {
            int64_t duration;
            kairos_duration_parse(fence_place(&fence, accepted[i].text, length), length, &duration);
        }
    }
    fence_finish(&fence);
}

static void every_unit_agrees_with_multiplication(void **state)
{
    static const struct {
        const char *name;
        int64_t size;
    } units[] = {{"ms", KAIROS_MILLISECOND}, {"", KAIROS_SECOND}, {"s", KAIROS_SECOND},
                 {"m", KAIROS_MINUTE},       {"h", KAIROS_HOUR},  {"d", KAIROS_DAY}};
    struct dice dice = {1};
    struct text text = {0};
    for (int i = 0; i < 20000; i++) {
        size_t unit = dice_below(&dice, COUNT_OF(units));
        uint64_t count = dice_roll(&dice) >> dice_below(&dice, 64);
        text.length = 0;
        text_print(&text, "%ju%s", (uintmax_t)count, units[unit].name);
        int64_t duration = -1;
        bool valid = kairos_duration_parse(text.bytes, text.length, &duration);
        bool fits = count <= (uint64_t)(INT64_MAX / units[unit].size);
        check(valid == fits, "%s", text.bytes);
        if (fits)
            assert_int_equal(duration, (int64_t)count * units[unit].size);
    }
    text_finish(&text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted_durations),
        cmocka_unit_test(rejected_durations),
        cmocka_unit_test(reads_no_byte_beyond_its_length),
        cmocka_unit_test(every_unit_agrees_with_multiplication),
    };
    return cmocka_run_group_tests_name("duration", tests, NULL, NULL);
}
