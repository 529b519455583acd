/*
 * test_timestamp.c - timestamps as text: what is a moment, which one, and how it is written.
 */
#include <kairos/timestamp.h>

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "support.h"

/* What a text says, as it is written again. */
struct accepted {
    const char *text;
    const char *moment;
};

struct anchored {
    const char *text;
    int64_t seconds;
};

/* Calendar moments that other programs agree on. */
static const struct anchored anchors[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"1969-12-31T23:59:59Z", -1},
    {"2025-08-04T10:05:00Z", 1754301900},
    {"2000-02-29T00:00:00Z", 951782400},
    {"1900-03-01T00:00:00Z", -2203891200},
    {"2038-01-19T03:14:08Z", 2147483648},
    {"2100-02-28T23:59:59Z", 4107542399},
    {"1600-02-29T12:00:00Z", -11670955200},
    {"0001-01-01T00:00:00Z", -62135596800},
    {"9999-12-31T23:59:59Z", 253402300799},
};

/* The forms that are read. */
static const struct accepted forms[] = {
    {"2025-08-04T10:05:00Z", "2025-08-04T10:05:00Z"},
    {"2025-08-04T10:05:00z", "2025-08-04T10:05:00Z"},
    {"2025-08-04t10:05:00Z", "2025-08-04T10:05:00Z"},
    {"2025-08-04 10:05:00Z", "2025-08-04T10:05:00Z"},
    {"2025-08-04 10:05:00", "2025-08-04T10:05:00Z"},
    {"2025-08-04T10:05:00", "2025-08-04T10:05:00Z"},
    {"2025-08-04T10:05", "2025-08-04T10:05:00Z"},
    {"2025-08-04T10:05Z", "2025-08-04T10:05:00Z"},
    {"2025-08-04T10:05z", "2025-08-04T10:05:00Z"},
    {"2025-08-04T10:05+05:30", "2025-08-04T04:35:00Z"},
    {"2025-08-04 10:05-05:30", "2025-08-04T15:35:00Z"},
    {"2025-08-04T10:05:00+00:00", "2025-08-04T10:05:00Z"},
    {"2025-08-04T10:05:00-00:00", "2025-08-04T10:05:00Z"},
    {"2025-08-04T10:05:07.1", "2025-08-04T10:05:07.100000Z"},
    {"2025-08-04T10:05:07.12Z", "2025-08-04T10:05:07.120000Z"},
    {"2025-08-04T10:05:07.123Z", "2025-08-04T10:05:07.123000Z"},
    {"2025-08-04T10:05:07.1234Z", "2025-08-04T10:05:07.123400Z"},
    {"2025-08-04T10:05:07.12345Z", "2025-08-04T10:05:07.123450Z"},
    {"2025-08-04T10:05:07.123456Z", "2025-08-04T10:05:07.123456Z"},
    {"2025-08-04T10:05:07.000001+05:30", "2025-08-04T04:35:07.000001Z"},
    {"2025-08-04T10:05:07.0Z", "2025-08-04T10:05:07Z"},
    {"2025-08-04T10:05:07.000000Z", "2025-08-04T10:05:07Z"},
};

/* Digits beyond the microsecond are cut and not rounded, before 1970 too. */
static const struct accepted fractions[] = {
    {"2025-08-04T10:05:07.1234567Z", "2025-08-04T10:05:07.123456Z"},
    {"2025-08-04T10:05:07.1234569Z", "2025-08-04T10:05:07.123456Z"},
    {"2025-08-04T10:05:07.9999999Z", "2025-08-04T10:05:07.999999Z"},
    {"2025-08-04T10:05:07.0000009Z", "2025-08-04T10:05:07Z"},
    {"2025-08-04T10:05:07.123456789012345678901234567890Z", "2025-08-04T10:05:07.123456Z"},
    {"1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z"},
    {"1969-12-31T23:59:59.0000001Z", "1969-12-31T23:59:59Z"},
    {"0001-01-01T00:00:00.9999999Z", "0001-01-01T00:00:00.999999Z"},
};

static const struct accepted leap_years[] = {
    {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
    {"2000-02-29T23:59:59Z", "2000-02-29T23:59:59Z"},
    {"1600-02-29T00:00Z", "1600-02-29T00:00:00Z"},
    {"0004-02-29T00:00Z", "0004-02-29T00:00:00Z"},
    {"9996-02-29T00:00Z", "9996-02-29T00:00:00Z"},
    {"2024-02-29T23:30:00-01:00", "2024-03-01T00:30:00Z"},
    {"2024-03-01T00:30:00+01:00", "2024-02-29T23:30:00Z"},
    {"2023-03-01T00:30:00+01:00", "2023-02-28T23:30:00Z"},
    {"1900-03-01T00:30:00+01:00", "1900-02-28T23:30:00Z"},
    {"2023-02-28T23:30:00-01:00", "2023-03-01T00:30:00Z"},
};

static const char *const no_leap_years[] = {
    "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "0001-02-29T00:00:00Z",
    "9999-02-29T00:00:00Z", "2024-02-30T00:00:00Z", "2000-02-30T00:00:00Z", "2023-02-30T00:00:00Z",
};

static const struct accepted offsets[] = {
    {"2025-01-01T00:00:00+23:59", "2024-12-31T00:01:00Z"},
    {"2024-12-31T23:59:59-23:59", "2025-01-01T23:58:59Z"},
    {"2025-01-01T00:00:00+00:01", "2024-12-31T23:59:00Z"},
    {"2024-12-31T23:59:00-00:01", "2025-01-01T00:00:00Z"},
    {"2025-03-01T00:00:00+14:00", "2025-02-28T10:00:00Z"},
    {"2025-04-30T20:00:00-12:00", "2025-05-01T08:00:00Z"},
    {"2025-05-01T05:29:59+05:30", "2025-04-30T23:59:59Z"},
    {"1970-01-01T00:00:00+00:01", "1969-12-31T23:59:00Z"},
    {"1969-12-31T23:59:30.5-00:01", "1970-01-01T00:00:30.500000Z"},
    {"2025-08-04T10:00:00-23:00", "2025-08-05T09:00:00Z"},
};

static const char *const no_offsets[] = {
    "2025-08-04T10:05:00+24:00",
    "2025-08-04T10:05:00-24:00",
    "2025-08-04T10:05:00+23:60",
    "2025-08-04T10:05:00+00:60",
    "2025-08-04T10:05:00+99:99",
    "2025-08-04T10:05:00+0530",
    "2025-08-04T10:05:00+05",
    "2025-08-04T10:05:00+5:30",
    "2025-08-04T10:05:00+05:3",
    "2025-08-04T10:05:00+05:300",
    "2025-08-04T10:05:00+05:30Z",
    "2025-08-04T10:05:00Z+05:30",
    "2025-08-04T10:05:00 Z",
    "2025-08-04T10:05:00 +05:30",
    "2025-08-04T10:05:00+",
    "2025-08-04T10:05:00-",
    "2025-08-04T10:05:00+05:",
    "2025-08-04T10:05:00+05-30",
    "2025-08-04T10:05:00ZZ",
    "2025-08-04T10:05:00UTC",
    "2025-08-04T10:05:00+-5:30",
    "2025-08-04T10:05:00+05:-3",
    "2025-08-04T10:05:00y",
    ("2025-08-04T10:05:00\xe2\x88\x92"
     "05:30"),
};

/* The first and the last moment of the calendar, in UTC, whatever the offset. */
static const struct accepted calendar_ends[] = {
    {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
    {"0001-01-01T23:59:00+23:59", "0001-01-01T00:00:00Z"},
    {"0001-01-01T00:00:00-23:59", "0001-01-01T23:59:00Z"},
    {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
    {"9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999999Z"},
    {"9999-12-31T00:00:59.999999-23:59", "9999-12-31T23:59:59.999999Z"},
    {"9999-12-31T23:59:59+23:59", "9999-12-31T00:00:59Z"},
};

static const char *const beyond_calendar[] = {
    "0000-12-31T23:59:59Z",      "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+00:01", "0001-01-01T23:58:59.999999+23:59",
    "9999-12-31T23:59:59-00:01", "9999-12-31T00:01:00-23:59",
    "10000-01-01T00:00:00Z",     "-0001-01-01T00:00:00Z",
    "+2025-08-04T10:05:00Z",     "0000-12-31T23:59:59-23:59",
    "-001-01-01T00:00:00Z",
};

/* Months end where they end. */
static const char *const no_dates[] = {
    "2025-00-10T00:00:00Z", "2025-13-10T00:00:00Z", "2025-99-10T00:00:00Z", "2025-01-00T00:00:00Z",
    "2025-01-32T00:00:00Z", "2025-03-32T00:00:00Z", "2025-04-31T00:00:00Z", "2025-05-32T00:00:00Z",
    "2025-06-31T00:00:00Z", "2025-07-32T00:00:00Z", "2025-08-32T00:00:00Z", "2025-09-31T00:00:00Z",
    "2025-10-32T00:00:00Z", "2025-11-31T00:00:00Z", "2025-12-32T00:00:00Z", "2025-01-99T00:00:00Z",
};

static const struct accepted month_ends[] = {
    {"2025-01-31T23:59:59Z", "2025-01-31T23:59:59Z"},
    {"2025-02-28T23:59:59Z", "2025-02-28T23:59:59Z"},
    {"2025-03-31T23:59:59Z", "2025-03-31T23:59:59Z"},
    {"2025-04-30T23:59:59Z", "2025-04-30T23:59:59Z"},
    {"2025-05-31T23:59:59Z", "2025-05-31T23:59:59Z"},
    {"2025-06-30T23:59:59Z", "2025-06-30T23:59:59Z"},
    {"2025-07-31T23:59:59Z", "2025-07-31T23:59:59Z"},
    {"2025-08-31T23:59:59Z", "2025-08-31T23:59:59Z"},
    {"2025-09-30T23:59:59Z", "2025-09-30T23:59:59Z"},
    {"2025-10-31T23:59:59Z", "2025-10-31T23:59:59Z"},
    {"2025-11-30T23:59:59Z", "2025-11-30T23:59:59Z"},
    {"2025-12-31T23:59:59Z", "2025-12-31T23:59:59Z"},
};

static const struct accepted clock_ends[] = {
    {"2025-08-04T00:00:00Z", "2025-08-04T00:00:00Z"},
    {"2025-08-04T23:59:59Z", "2025-08-04T23:59:59Z"},
    {"2025-08-04T23:59Z", "2025-08-04T23:59:00Z"},
    {"2016-12-31T23:59:59.999999Z", "2016-12-31T23:59:59.999999Z"},
};

/* Second 60 too, even where there was a leap second. */
static const char *const no_times_of_day[] = {
    "2025-08-04T24:00:00Z", "2025-08-04T24:00Z",    "2025-08-04T24:00:00.0Z",
    "2025-08-04T25:00:00Z", "2025-08-04T23:60:00Z", "2025-08-04T23:60Z",
    "2025-08-04T10:05:60Z", "2025-08-04T10:05:61Z", "2016-12-31T23:59:60Z",
    "2016-12-31T23:59:61Z", "2025-08-04T99:99:99Z", "2025-08-04T29:00:00Z",
};

static const char *const other_forms[] = {
    "",
    " ",
    "Z",
    "T",
    "now",
    "null",
    "1754301900",
    "2025",
    "2025-08",
    "2025-08-04",
    "2025-08-04T",
    "2025-08-04T10",
    "2025-08-04T10Z",
    "2025-08-04T10:",
    "2025-08-04T10:0",
    "2025-08-04Z",
    "2025-08-04T10:05:",
    "2025-08-04T10:05:0",
    "2025-08-04T10:05:0Z",
    "2025-08-04T10:05:000Z",
    "2025-8-4T10:05:00Z",
    "2025-08-4T10:05:00Z",
    "25-08-04T10:05:00Z",
    "2025-08-04T1:05:00Z",
    "2025-08-04T10:5:00Z",
    "20250804T100500Z",
    "2025-08-04T100500Z",
    "2025-W32-1T10:05:00Z",
    "2025-216T10:05:00Z",
    "2025/08/04T10:05:00Z",
    "2025-08-04_10:05:00Z",
    "2025-08-04  10:05:00Z",
    "2025-08-04\t10:05:00Z",
    "2025-08-04\n10:05:00Z",
    "2025-08-04TT10:05:00Z",
    " 2025-08-04T10:05:00Z",
    "2025-08-04T10:05:00Z ",
    "2025-08-04T10:05:00Z\n",
    "2025-08-04T10:05:00.Z",
    "2025-08-04T10:05:00.",
    "2025-08-04T10:05:00,5Z",
    "2025-08-04T10:05:00.5.5Z",
    "2025-08-04T10:05:00.-5Z",
    "2025-08-04T10:05:00.5e1Z",
    "2025-08-04T10:05.5Z",
    "2025-08-04T10:05.500Z",
    "2025-08-04T10.5Z",
    "2025-08-04T10:05:00.+05:30",
    "2025-08-04T10-05-00Z",
    "2025:08:04T10:05:00Z",
    "not-a-timestamp",
    "Mon, 04 Aug 2025 10:05:00 GMT",
    "2025-08-04T10:05:00Zoulou",
    "0x25-08-04T10:05:00Z",
    "2025-0a-04T10:05:00Z",
    "202 -08-04T10:05:00Z",
    "2025-08-04T 1:05:00Z",
    "2025-08-04T10:05:0 Z",
    "2025-08-04T+1:05:00Z",
    ("\xef\xbb\xbf"
     "2025-08-04T10:05:00Z"),
    "\xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa5-08-04T10:05:00Z",
    "2025-08-04T10:05:00\xc2\xa0Z",
};

static bool parse(const char *text, int64_t *time)
{
    return kairos_timestamp_parse(text, strlen(text), time);
}

static void check_accepted(const struct accepted *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t time;
        char written[KAIROS_TIMESTAMP_SIZE];
        check(parse(rows[i].text, &time), "refused: %s", rows[i].text);
        size_t length = kairos_timestamp_format(time, written);
        check(strcmp(written, rows[i].moment) == 0, "%s: %s", rows[i].text, written);
        assert_int_equal(length, strlen(written));
    }
}

static void check_rejected(const char *const *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t time = 4711;
        check(!parse(rows[i], &time), "accepted: %s", shown(rows[i], strlen(rows[i])));
        check(time == 4711, "the time was touched: %s", rows[i]);
    }
}

static void known_moments(void **state)
{
    for (size_t i = 0; i < COUNT_OF(anchors); i++) {
        int64_t time;
        assert_true(parse(anchors[i].text, &time));
        check(time == anchors[i].seconds * KAIROS_SECOND, "%s: %jd", anchors[i].text,
              (intmax_t)time);
    }
    assert_int_equal(KAIROS_TIME_MIN, INT64_C(-62135596800000000));
    assert_int_equal(KAIROS_TIME_MAX, INT64_C(253402300799999999));
}

static void every_form_is_read(void **state)
{
    check_accepted(forms, COUNT_OF(forms));
}

static void fractions_are_cut_to_the_microsecond(void **state)
{
    check_accepted(fractions, COUNT_OF(fractions));

    struct text text = {0};
    text_print(&text, "2025-08-04T10:05:07.123456%010000dZ", 0);
    int64_t time;
    assert_true(parse(text.bytes, &time));
    assert_int_equal(time, INT64_C(1754301907123456));
    text_finish(&text);
}

static void leap_years_have_a_29_february(void **state)
{
    check_accepted(leap_years, COUNT_OF(leap_years));
    check_rejected(no_leap_years, COUNT_OF(no_leap_years));
}

static void months_end_where_they_end(void **state)
{
    check_accepted(month_ends, COUNT_OF(month_ends));
    check_rejected(no_dates, COUNT_OF(no_dates));
}

static void offsets_cross_month_and_year_borders(void **state)
{
    check_accepted(offsets, COUNT_OF(offsets));
    check_rejected(no_offsets, COUNT_OF(no_offsets));
}

static void the_calendar_ends_in_utc(void **state)
{
    check_accepted(calendar_ends, COUNT_OF(calendar_ends));
    check_rejected(beyond_calendar, COUNT_OF(beyond_calendar));
}

static void no_second_60_and_no_24_o_clock(void **state)
{
    check_accepted(clock_ends, COUNT_OF(clock_ends));
    check_rejected(no_times_of_day, COUNT_OF(no_times_of_day));
}

static void other_forms_are_refused(void **state)
{
    check_rejected(other_forms, COUNT_OF(other_forms));
}

static void nul_bytes_are_refused(void **state)
{
    static const struct bytes rows[] = {
        BYTES("2025-08-04T10:05:00Z\0"),
        BYTES("2025-08-04T10:05:00\0"),
        BYTES("2025-08-04T10:05\0"),
        BYTES("2025-08-04T10:05\0"
              "00Z"),
        BYTES("\0"
              "2025-08-04T10:05:00Z"),
        BYTES("\0\0\0\0\0\0\0\0\0\0T10:05:00Z"),
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t time;
        struct kairos_date_memo memo = {0};
        check(!kairos_timestamp_parse_memo(rows[i].text, rows[i].length, &memo, &time),
              "accepted: %s", shown(rows[i].text, rows[i].length));
    }
}

/* The date after DATE, by the rules one learns at school. */
static void next_date(int date[3])
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = date[0];
    bool leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
    int last = days[date[1] - 1] + (leap && date[1] == 2);
    if (++date[2] <= last)
        return;
    date[2] = 1;
    if (++date[1] <= 12)
        return;
    date[1] = 1;
    date[0]++;
}

static void put(char *text, int value, int width)
{
    for (int i = width - 1; i >= 0; i--, value /= 10)
        text[i] = (char)('0' + value % 10);
}

/* At the end of a month: the day after it, were the month longer. */
static void check_next_is_refused(const int date[3], const char *text)
{
    int64_t time;
    int next[3] = {date[0], date[1], date[2]};
    next_date(next);
    if (next[2] != 1)
        return;
    char beyond[KAIROS_TIMESTAMP_SIZE];
    strcpy(beyond, text);
    put(beyond + 8, date[2] + 1, 2);
    check(!kairos_timestamp_parse(beyond, 20, &time), "accepted: %s", beyond);
}

static void every_day_of_the_calendar(void **state)
{
    int date[3] = {1, 1, 1};
    char text[KAIROS_TIMESTAMP_SIZE], written[KAIROS_TIMESTAMP_SIZE];
    strcpy(text, "0001-01-01T12:34:56Z");
    const int64_t clock = 12 * KAIROS_HOUR + 34 * KAIROS_MINUTE + 56 * KAIROS_SECOND;
    int64_t days = 0;
    for (; date[0] <= 9999; days++, next_date(date)) {
        put(text, date[0], 4);
        put(text + 5, date[1], 2);
        put(text + 8, date[2], 2);
        int64_t time = 0, expected = KAIROS_TIME_MIN + days * KAIROS_DAY + clock;
        check(kairos_timestamp_parse(text, 20, &time) && time == expected, "%s: %jd", text,
              (intmax_t)time);
        kairos_timestamp_format(expected, written);
        check(memcmp(written, text, 21) == 0, "%s is written as %s", text, written);
        check_next_is_refused(date, text);
    }
    assert_int_equal(days, 3652059);
}

static void random_moments_come_back(void **state)
{
    struct dice dice = {1};
    char text[KAIROS_TIMESTAMP_SIZE];
    for (int i = 0; i < 300000; i++) {
        int64_t time = dice_between(&dice, KAIROS_TIME_MIN, KAIROS_TIME_MAX), again;
        if (dice_chance(&dice, 30))
            time -= time % KAIROS_SECOND;
        size_t length = kairos_timestamp_format(time, text);
        assert_int_equal(length, time % KAIROS_SECOND == 0 ? 20 : 27);
        check(parse(text, &again) && again == time, "%jd: %s", (intmax_t)time, text);
    }
}

static void formatting_agrees_with_gmtime(void **state)
{
    struct dice dice = {2};
    for (int i = 0; i < 100000; i++) {
        time_t seconds =
            dice_between(&dice, KAIROS_TIME_MIN / KAIROS_SECOND, KAIROS_TIME_MAX / KAIROS_SECOND);
        char text[KAIROS_TIMESTAMP_SIZE], expected[64];
        struct tm tm;
        gmtime_r(&seconds, &tm);
        snprintf(expected, sizeof(expected), "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        kairos_timestamp_format(seconds * KAIROS_SECOND, text);
        assert_string_equal(text, expected);
    }
}

static void the_ends_of_the_calendar_are_written(void **state)
{
    char text[KAIROS_TIMESTAMP_SIZE];
    kairos_timestamp_format(KAIROS_TIME_MIN, text);
    assert_string_equal(text, "0001-01-01T00:00:00Z");
    kairos_timestamp_format(KAIROS_TIME_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999999Z");
    kairos_timestamp_format(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999999Z");
    kairos_timestamp_format(KAIROS_TIME_MIN + 1, text);
    assert_string_equal(text, "0001-01-01T00:00:00.000001Z");
}

/*
 * The oracle: a regular expression tells the form, and timegm the moment. timegm carries what is
 * too large into the next unit, so that a real moment is one that it gives back unchanged.
 */
struct oracle {
    regex_t form;
};

enum group {
    YEAR = 1,
    MONTH,
    DAY,
    HOUR,
    MINUTE,
    COLON,
    SECOND,
    POINT,
    FRACTION,
    ZONE,
    SIGN,
    AHEAD_HOURS,
    AHEAD_MINUTES,
    GROUPS
};

static void oracle_init(struct oracle *oracle)
{
    const char *form = "^([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})"
                       "(:([0-9]{2})(\\.([0-9]+))?)?(Z|z|([+-])([0-9]{2}):([0-9]{2}))?$";
    assert_int_equal(regcomp(&oracle->form, form, REG_EXTENDED), 0);
}

static int number(const char *text, regmatch_t group)
{
    return group.rm_so < 0 ? 0 : atoi(text + group.rm_so);
}

static int64_t micros(const char *text, regmatch_t group)
{
    int64_t value = 0;
    for (int i = 0; i < 6; i++) {
        bool there = group.rm_so >= 0 && group.rm_so + i < group.rm_eo;
        value = value * 10 + (there ? text[group.rm_so + i] - '0' : 0);
    }
    return value;
}

static bool oracle_parse(const struct oracle *oracle, const char *text, int64_t *time)
{
    regmatch_t group[GROUPS];
    if (regexec(&oracle->form, text, GROUPS, group, 0) != 0)
        return false;
    const struct tm asked = {
        .tm_year = number(text, group[YEAR]) - 1900,
        .tm_mon = number(text, group[MONTH]) - 1,
        .tm_mday = number(text, group[DAY]),
        .tm_hour = number(text, group[HOUR]),
        .tm_min = number(text, group[MINUTE]),
        .tm_sec = number(text, group[SECOND]),
    };
    struct tm tm = asked;
    int64_t seconds = timegm(&tm);
    if (asked.tm_year < 1 - 1900 || tm.tm_year != asked.tm_year || tm.tm_mon != asked.tm_mon ||
        tm.tm_mday != asked.tm_mday || tm.tm_hour != asked.tm_hour || tm.tm_min != asked.tm_min ||
        tm.tm_sec != asked.tm_sec)
        return false;
    int hours = number(text, group[AHEAD_HOURS]), minutes = number(text, group[AHEAD_MINUTES]);
    if (hours > 23 || minutes > 59)
        return false;
    int ahead = (hours * 60 + minutes) * 60;
    if (group[SIGN].rm_so >= 0 && text[group[SIGN].rm_so] == '-')
        ahead = -ahead;
    int64_t moment = (seconds - ahead) * KAIROS_SECOND + micros(text, group[FRACTION]);
    if (moment < KAIROS_TIME_MIN || moment > KAIROS_TIME_MAX)
        return false;
    *time = moment;
    return true;
}

/* Compares the parser with the oracle, TEXT ending at a forbidden page and holding no NUL. */
static void compare(const struct oracle *oracle, struct fence *fence, const char *text,
                    struct kairos_date_memo *memo)
{
    size_t length = strlen(text);
    int64_t expected = 0, time = 0, remembered = 0;
    bool valid = oracle_parse(oracle, text, &expected);
    const char *placed = fence_place(fence, text, length);
    check(kairos_timestamp_parse(placed, length, &time) == valid && time == expected,
          "%s: %s, %jd instead of %jd", shown(text, length), valid ? "valid" : "invalid",
          (intmax_t)time, (intmax_t)expected);
    check(kairos_timestamp_parse_memo(placed, length, memo, &remembered) == valid &&
              remembered == expected,
          "the memo makes a difference: %s", shown(text, length));
}

static const char *const bases[] = {
    "2025-08-04T10:05:00Z",        "2025-08-04T10:05",
    "2024-02-29 23:59:59.123456z", "2025-08-04T10:05:00.123456789+05:30",
    "2025-12-31t23:59-23:59",      "1969-12-31T23:59:59.9",
    "0001-01-01T00:00:00Z",        "9999-12-31T23:59:59.999999Z",
    "2000-02-28T00:00:00+00:00",   "1900-03-01T19:39:49",
};

static void every_prefix_and_mutation_agrees_with_the_oracle(void **state)
{
    struct oracle oracle;
    struct fence fence;
    struct kairos_date_memo memo = {0};
    oracle_init(&oracle);
    fence_init(&fence, 64);
    for (size_t b = 0; b < COUNT_OF(bases); b++) {
        char text[64];
        for (size_t length = 0; length <= strlen(bases[b]); length++) {
            strcpy(text, bases[b]);
            text[length] = '\0';
            compare(&oracle, &fence, text, &memo);
        }
        for (size_t at = 0; at < strlen(bases[b]); at++) {
            strcpy(text, bases[b]);
            for (int byte = 1; byte < 256; byte++) {
                text[at] = (char)byte;
                compare(&oracle, &fence, text, &memo);
            }
        }
    }
    fence_finish(&fence);
    regfree(&oracle.form);
}

/* Two digits: most often what may stand there, now and then what may not. */
static void put_field(struct dice *dice, char *text, int low, int high)
{
    put(text,
        dice_chance(dice, 95) ? (int)dice_between(dice, low, high) : (int)dice_below(dice, 100), 2);
}

static void random_texts_agree_with_the_oracle(void **state)
{
    static const char *const fractions_of[] = {"", "", ".5", ".123456", ".99999999999", ".0", "."};
    static const char *const zones[] = {"",       "Z",      "z",      "+00:00",
                                        "-23:59", "+23:59", "+24:00", "+05"};
    struct oracle oracle;
    struct fence fence;
    struct kairos_date_memo memo = {0};
    struct dice dice = {3};
    oracle_init(&oracle);
    fence_init(&fence, 64);
    for (int i = 0; i < 100000; i++) {
        char text[64] = "yyyy-mm-ddThh:mm:ss";
        put(text, dice_chance(&dice, 30) ? 2025 : (int)dice_below(&dice, 10000), 4);
        put_field(&dice, text + 5, 1, 12);
        put_field(&dice, text + 8, 1, 31);
        text[10] = dice_char(&dice, "Tt ");
        put_field(&dice, text + 11, 0, 23);
        put_field(&dice, text + 14, 0, 59);
        put_field(&dice, text + 17, 0, 59);
        if (dice_chance(&dice, 20))
            text[16] = '\0';
        else
            strcat(text, fractions_of[dice_below(&dice, COUNT_OF(fractions_of))]);
        strcat(text, zones[dice_below(&dice, COUNT_OF(zones))]);
        compare(&oracle, &fence, text, &memo);
    }
    fence_finish(&fence);
    regfree(&oracle.form);
}

/* The memo may hold a date of a text that was refused for its time of day. */
static void a_memo_changes_no_result(void **state)
{
    static const char *const texts[] = {
        "2025-08-04T10:05:00Z", "2025-08-04T25:05:00Z", "2025-08-04T10:05:00Z",
        "2025-02-30T10:05:00Z", "2025-08-04T10:05:00Z", "2025-08-05T10:05:00Z",
        "2025-08-05T24:00:00Z", "2025-08-04X10:05:00Z", "0001-01-01T00:00:00+00:01",
    };
    struct kairos_date_memo memo = {0};
    for (size_t i = 0; i < 100 * COUNT_OF(texts); i++) {
        const char *text = texts[i * 7 % COUNT_OF(texts)];
        int64_t plain = 0, remembered = 0;
        bool valid = parse(text, &plain);
        assert_int_equal(kairos_timestamp_parse_memo(text, strlen(text), &memo, &remembered),
                         valid);
        assert_int_equal(remembered, plain);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_moments),
        cmocka_unit_test(every_form_is_read),
        cmocka_unit_test(fractions_are_cut_to_the_microsecond),
        cmocka_unit_test(leap_years_have_a_29_february),
        cmocka_unit_test(months_end_where_they_end),
        cmocka_unit_test(offsets_cross_month_and_year_borders),
        cmocka_unit_test(the_calendar_ends_in_utc),
        cmocka_unit_test(no_second_60_and_no_24_o_clock),
        cmocka_unit_test(other_forms_are_refused),
        cmocka_unit_test(nul_bytes_are_refused),
        cmocka_unit_test(every_day_of_the_calendar),
        cmocka_unit_test(random_moments_come_back),
        cmocka_unit_test(formatting_agrees_with_gmtime),
        cmocka_unit_test(the_ends_of_the_calendar_are_written),
        cmocka_unit_test(every_prefix_and_mutation_agrees_with_the_oracle),
        cmocka_unit_test(random_texts_agree_with_the_oracle),
        cmocka_unit_test(a_memo_changes_no_result),
    };
    return cmocka_run_group_tests_name("timestamp", tests, NULL, NULL);
}
