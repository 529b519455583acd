/*
 * test_decimal.c - JSON numbers as moments: the grammar to the letter, and no microsecond lost.
 */
#include "decimal.h"

#include <regex.h>
#include <stdlib.h>

#include <kairos/timestamp.h>

#include "support.h"

static const struct {
    const char *text;
    int64_t time;
} moments[] = {
    /* Zero in all its clothes. */
    {"0", 0},
    {"-0", 0},
    {"0.0", 0},
    {"-0.0", 0},
    {"0e0", 0},
    {"-0E-0", 0},
    {"0e99999999999999999999", 0},
    {"0.000e-99999999999999999999", 0},

    /* Seconds, with and without a fraction. */
    {"1", 1000000},
    {"-1", -1000000},
    {"1754301900", INT64_C(1754301900000000)},
    {"1754301900.123456", INT64_C(1754301900123456)},
    {"1754301900.1", INT64_C(1754301900100000)},
    {"0.000001", 1},
    {"-0.000001", -1},
    {"1.5", 1500000},

    /* What lies beyond the microsecond is cut towards zero. */
    {"1754301900.1234569", INT64_C(1754301900123456)},
    {"-1754301900.1234569", INT64_C(-1754301900123456)},
    {"0.0000019", 1},
    {"-0.0000019", -1},
    {"0.0000009", 0},
    {"-0.0000009", 0},
    {"1.9999999999999999999999999999999999999", 1999999},
    {"-1.9999999999999999999999999999999999999", -1999999},

    /* Exponents of either sign. */
    {"1e3", 1000000000},
    {"1E+3", 1000000000},
    {"1000e-3", 1000000},
    {"1.754301900e9", INT64_C(1754301900000000)},
    {"17543019001234560000e-10", INT64_C(1754301900123456)},
    {"1e-6", 1},
    {"1e-7", 0},
    {"1e-400", 0},
    {"-1e-400", 0},
    {"1e-99999999999999999999", 0},
    {"123456789012345678901234567890e-20", INT64_C(1234567890123456)},
    {"1e000000000000000000000000000000003", 1000000000},
    {"1e-000000000000000000000000000000003", 1000},

    /* From seconds to milliseconds: 2·10^10 is the last second. */
    {"20000000000", INT64_C(20000000000000000)},
    {"-20000000000", INT64_C(-20000000000000000)},
    {"2e10", INT64_C(20000000000000000)},
    {"20000000000.0000000000000", INT64_C(20000000000000000)},
    {"19999999999.999999", INT64_C(19999999999999999)},
    {"19999999999.9999999999999999999999", INT64_C(19999999999999999)},
    {"20000000001", INT64_C(20000000001000)},
    {"-20000000001", INT64_C(-20000000001000)},
    {"20000000000.000001", INT64_C(20000000000000)},
    {"20000000000.001", INT64_C(20000000000001)},
    {"20000000000.0000000000000000000000000000000001", INT64_C(20000000000000)},
    {"-20000000000.0000000000000000000000000000000001", INT64_C(-20000000000000)},
    {"2000000000000000000000000000000000000001e-29", INT64_C(20000000000000)},
    {"2000000000000000000000000000000000000000e-29", INT64_C(20000000000000000)},
    {"1754301900123", INT64_C(1754301900123000)},
    {"1754301900123.456", INT64_C(1754301900123456)},
    {"1754301900123.4569", INT64_C(1754301900123456)},
    {"-1754301900123.4569", INT64_C(-1754301900123456)},

    /* The ends of the calendar, in milliseconds: in seconds they would be too large. */
    {"253402300799999", INT64_C(253402300799999000)},
    {"253402300799999.999", KAIROS_TIME_MAX},
    {"253402300799999.9999", KAIROS_TIME_MAX},
    {"253402300799999.99999999999999999999999999", KAIROS_TIME_MAX},
    {"2.53402300799999999e14", KAIROS_TIME_MAX},
    {"253402300799", INT64_C(253402300799000)},
    {"-62135596800000", KAIROS_TIME_MIN},
    {"-62135596800000.0009", KAIROS_TIME_MIN},
    {"-62135596799999.999", KAIROS_TIME_MIN + 1},
    {"-62135596800", INT64_C(-62135596800000)},
};

static const struct bytes no_numbers[] = {
    BYTES(""),
    BYTES("-"),
    BYTES("+"),
    BYTES("+1"),
    BYTES("--1"),
    BYTES("00"),
    BYTES("01"),
    BYTES("-01"),
    BYTES("-00"),
    BYTES("1."),
    BYTES(".1"),
    BYTES("-.1"),
    BYTES("1.e1"),
    BYTES("1e"),
    BYTES("1E"),
    BYTES("1e+"),
    BYTES("1e-"),
    BYTES("1e1.5"),
    BYTES("1e1e1"),
    BYTES("1.2.3"),
    BYTES("e1"),
    BYTES("1e++1"),
    BYTES("1e+-1"),
    BYTES("1+1"),
    BYTES("1-1"),
    BYTES(" 1"),
    BYTES("1 "),
    BYTES("1\n"),
    BYTES("1\0"),
    BYTES("\0"),
    BYTES("0x10"),
    BYTES("1f"),
    BYTES("1_000"),
    BYTES("1,000"),
    BYTES("1d3"),
    BYTES("NaN"),
    BYTES("nan"),
    BYTES("-NaN"),
    BYTES("Infinity"),
    BYTES("-Infinity"),
    BYTES("inf"),
    BYTES("1/2"),
    BYTES("\xd9\xa1"),
    BYTES("\xef\xbc\x91"),
    BYTES("0-"),
    BYTES("0+"),
    BYTES("-e1"),
    BYTES("0.e1"),
    BYTES("0e"),
    BYTES("1e1 "),
    BYTES("2025-08-04T10:05:00Z"),
};

/* Numbers, but no moments. */
static const char *const no_moments[] = {
    "1e400",
    "-1e400",
    "1e99999999999999999999",
    "-1e99999999999999999999",
    "1.5e9223372036854775807",
    "1.5e9223372036854775808",
    "1.5e18446744073709551616",
    "1e15",
    "-1e15",
    "253402300800000",
    "253402300800000.0000001",
    "-62135596800000.001",
    "-62135596800001",
    "-62135596800001e0",
    "999999999999999",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "18446744073709.551616e30",
    "340282366920938463463374607431768211456",
    "1e20",
    "1e38",
    "1e39",
};

static bool parse(const char *text, int64_t *time)
{
    return kairos_timestamp_parse_number(text, strlen(text), time);
}

static void known_moments(void **state)
{
    for (size_t i = 0; i < COUNT_OF(moments); i++) {
        int64_t time = 4711;
        check(parse(moments[i].text, &time), "refused: %s", moments[i].text);
        check(time == moments[i].time, "%s: %jd", moments[i].text, (intmax_t)time);
    }
}

static void what_is_no_number_is_refused(void **state)
{
    for (size_t i = 0; i < COUNT_OF(no_numbers); i++) {
        int64_t time = 4711;
        check(!kairos_timestamp_parse_number(no_numbers[i].text, no_numbers[i].length, &time),
              "accepted: %s", shown(no_numbers[i].text, no_numbers[i].length));
        assert_int_equal(time, 4711);
    }
}

static void what_is_no_moment_is_refused(void **state)
{
    for (size_t i = 0; i < COUNT_OF(no_moments); i++) {
        int64_t time = 4711;
        check(!parse(no_moments[i], &time), "accepted: %s", no_moments[i]);
        assert_int_equal(time, 4711);
    }
}

/* Ten thousand digits anywhere, and none that counts is lost. */
static void numbers_of_ten_thousand_digits(void **state)
{
    const int many = 10000;
    static const struct {
        const char *before, *after; /* MANY zeros stand between them */
        bool valid;
        int64_t time;
    } rows[] = {
        {"1.", "", true, 1000000},
        {"0.", "1", true, 0},
        {"-0.", "1", true, 0},
        {"0.", "1e10001", true, 1000000},
        {"0.", "1754301900123456e10010", true, INT64_C(1754301900123456)},
        {"1", "", false, 0},
        {"1", "e-10000", true, 1000000},
        {"1754301900", "e-10000", true, INT64_C(1754301900000000)},
        {"20000000000.", "1", true, INT64_C(20000000000000)},
        {"20000000000.", "", true, INT64_C(20000000000000000)},
        {"1e", "3", true, 1000000000},
        {"1e-", "3", true, 1000},
        {"1e1", "", false, 0},
        {"-1e1", "", false, 0},
        {"1e-1", "", true, 0},
        {"0e1", "", true, 0},
        {"0", "", false, 0}, /* no number: a leading zero */
    };
    struct text text = {0};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t time = 0;
        text.length = 0;
        text_print(&text, "%s%0*d%s", rows[i].before, many, 0, rows[i].after);
        bool valid = kairos_timestamp_parse_number(text.bytes, text.length, &time);
        check(valid == rows[i].valid && time == rows[i].time, "%s(many zeros)%s: %s, %jd",
              rows[i].before, rows[i].after, valid ? "valid" : "invalid", (intmax_t)time);
    }

    text.length = 0;
    text_print(&text, "1754301900.123456");
    for (int i = 0; i < many; i++)
        text_add(&text, "9", 1);
    int64_t time = 0;
    assert_true(kairos_timestamp_parse_number(text.bytes, text.length, &time));
    assert_int_equal(time, INT64_C(1754301900123456));
    text_finish(&text);
}

static void reads_no_byte_beyond_its_length(void **state)
{
    struct fence fence;
    fence_init(&fence, 128);
    for (size_t i = 0; i < COUNT_OF(moments); i++) {
        for (size_t length = 0; length <= strlen(moments[i].text); length++) {
            int64_t time;
            kairos_timestamp_parse_number(fence_place(&fence, moments[i].text, length), length,
                                          &time);
        }
    }
    fence_finish(&fence);
}

/* Feeds TEXT; returns how many of its characters were taken. */
static size_t feed(struct decimal *decimal, const char *text)
{
    size_t taken = 0;
    decimal_init(decimal);
    while (text[taken] != '\0' && decimal_feed(decimal, text[taken]))
        taken++;
    return taken;
}

/*
 * Every text of up to seven of the characters that matter. A text that the number cannot go on with
 * is no beginning of any number; whether one may end there, the expression tells.
 */
static void the_grammar_is_that_of_rfc_8259(void **state)
{
    static const char letters[] = "019-+.eE";
    const size_t base = strlen(letters), longest = 6;
    regex_t number, beginning;
    assert_int_equal(regcomp(&number, "^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?$",
                             REG_EXTENDED | REG_NOSUB),
                     0);
    assert_int_equal(regcomp(&beginning,
                             "^(-?|-?(0|[1-9][0-9]*)(\\.[0-9]*)?|"
                             "-?(0|[1-9][0-9]*)(\\.[0-9]+)?[eE][+-]?[0-9]*)$",
                             REG_EXTENDED | REG_NOSUB),
                     0);
    size_t texts = 1;
    for (size_t length = 1; length <= longest; length++) {
        texts *= base;
        for (size_t index = 0; index < texts; index++) {
            char text[16] = {0};
            size_t rest = index;
            for (size_t i = 0; i < length; i++, rest /= base)
                text[i] = letters[rest % base];
            struct decimal decimal;
            bool all = feed(&decimal, text) == length;
            check(all == (regexec(&beginning, text, 0, NULL, 0) == 0), "%s", text);
            check((all && decimal_complete(&decimal)) == (regexec(&number, text, 0, NULL, 0) == 0),
                  "%s", text);
        }
    }
    regfree(&number);
    regfree(&beginning);
}

static void a_refused_character_changes_nothing(void **state)
{
    static const char *const texts[] = {"", "-", "0", "-7", "7.", "7.5", "7e", "7e-", "7.5e+10"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct decimal before;
        feed(&before, texts[i]);
        for (int byte = 0; byte < 256; byte++) {
            struct decimal after = before;
            if (decimal_feed(&after, (char)byte))
                assert_non_null(strchr("0123456789+-.eE", byte));
            else
                assert_memory_equal(&after, &before, sizeof(before));
        }
    }
}

/*
 * The oracle: writes the number out without an exponent and does its sums on the digits, as on
 * paper.
 */
#define PAPER 400
#define POINT 200 /* the place of the first digit behind the point */

static bool oracle_time(const char *text, int64_t *time)
{
    bool negative = *text == '-';
    text += negative;
    const char *e = strpbrk(text, "eE");
    long exponent = e == NULL ? 0 : strtol(e + 1, NULL, 10);
    size_t mantissa = e == NULL ? strlen(text) : (size_t)(e - text);
    const char *point = memchr(text, '.', mantissa);
    long whole = point == NULL ? (long)mantissa : point - text;

    char paper[PAPER];
    memset(paper, '0', sizeof(paper));
    long at = POINT - whole - exponent;
    for (size_t i = 0; i < mantissa; i++) {
        if (text[i] == '.')
            continue;
        if (at < 0 || at >= PAPER)
            abort();
        paper[at++] = text[i];
    }

    /* 20,000,000,000 has eleven digits. */
    char last_second[PAPER];
    memset(last_second, '0', sizeof(last_second));
    last_second[POINT - 11] = '2';
    bool milliseconds = memcmp(paper, last_second, PAPER) > 0;

    /* More than 18 digits are no moment, and fewer fit into 128 bits. */
    long end = POINT + (milliseconds ? 3 : 6);
    __int128 value = 0;
    for (long i = 0; i < end; i++) {
        value = value * 10 + (paper[i] - '0');
        if (value > KAIROS_TIME_MAX)
            return false;
    }
    if (negative)
        value = -value;
    if (value < KAIROS_TIME_MIN)
        return false;
    *time = (int64_t)value;
    return true;
}

/* Writes DIGITS with the point moved POINT places to the left of their end, in a random notation.
 */
static void put_number(struct dice *dice, struct text *text, const char *digits, int point)
{
    int length = (int)strlen(digits);
    int whole = (int)dice_between(dice, 1, length); /* digits before the point, as written */
    if (digits[0] == '0')
        whole = 1;
    int exponent = length - point - whole;
    text->length = 0;
    text_print(text, "%s%.*s", dice_chance(dice, 30) ? "-" : "", whole, digits);
    if (whole < length)
        text_print(text, ".%s", digits + whole);
    if (exponent != 0 || dice_chance(dice, 10))
        text_print(text, "%c%s%d", dice_char(dice, "eE"),
                   exponent >= 0 && dice_chance(dice, 50) ? "+" : "", exponent);
}

static void compare(const char *text)
{
    int64_t time = 0, expected = 0;
    bool valid = parse(text, &time), should = oracle_time(text, &expected);
    check(valid == should && time == expected, "%s: %s %jd, not %s %jd", text,
          valid ? "valid" : "invalid", (intmax_t)time, should ? "valid" : "invalid",
          (intmax_t)expected);
}

static void random_numbers_agree_with_sums_on_paper(void **state)
{
    struct dice dice = {1};
    struct text text = {0};
    for (int i = 0; i < 200000; i++) {
        char digits[48] = {0};
        size_t length = 1 + dice_below(&dice, 45);
        for (size_t d = 0; d < length; d++)
            digits[d] =
                dice_chance(&dice, 40) ? dice_char(&dice, "09") : dice_char(&dice, "123456789");
        put_number(&dice, &text, digits,
                   (int)dice_between(&dice, (int)length - 20, (int)length + 8));
        compare(text.bytes);
    }
    text_finish(&text);
}

/* Near the limits a digit decides, however far behind it stands. */
static void numbers_near_the_limits_agree_with_sums_on_paper(void **state)
{
    static const char *const limits[] = {
        "20000000000",         "19999999999",          "20000000001",    "253402300799999",
        "253402300800000",     "62135596800000",       "62135596799999", "62135596800001",
        "999999999999999",     "1000000000000000",     "253402300799",   "18446744073709",
        "9223372036854775807", "18446744073709551616",
    };
    struct dice dice = {2};
    struct text text = {0};
    for (int i = 0; i < 100000; i++) {
        char digits[64];
        strcpy(digits, limits[dice_below(&dice, COUNT_OF(limits))]);
        size_t length = strlen(digits), more = dice_below(&dice, 40);
        char filler = dice_char(&dice, "09");
        memset(digits + length, filler, more);
        digits[length + more] = '\0';
        if (dice_chance(&dice, 50))
            digits[length + more - (more > 0)] = dice_char(&dice, "0123456789");
        put_number(&dice, &text, digits, (int)more + (int)dice_between(&dice, -1, 1));
        compare(text.bytes);
    }
    text_finish(&text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_moments),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(what_is_no_moment_is_refused),
        cmocka_unit_test(numbers_of_ten_thousand_digits),
        cmocka_unit_test(reads_no_byte_beyond_its_length),
        cmocka_unit_test(the_grammar_is_that_of_rfc_8259),
        cmocka_unit_test(a_refused_character_changes_nothing),
        cmocka_unit_test(random_numbers_agree_with_sums_on_paper),
        cmocka_unit_test(numbers_near_the_limits_agree_with_sums_on_paper),
    };
    return cmocka_run_group_tests_name("decimal", tests, NULL, NULL);
}
