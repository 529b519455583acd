#include <kairos/timestamp.h>

#include <assert.h>
#include <string.h>

#include "decimal.h"
#include "words.h"

#define DATE_LENGTH 10 /* YYYY-MM-DD */

/*
 * Days from 1970-01-01 to a date of the proleptic Gregorian calendar, and back. The year is taken
 * to begin in March, so that the leap day is its last. Source: Howard Hinnant, "chrono-Compatible
 * Low-Level Date Algorithms".
 */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_from_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    *month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    *year = year_of_era + era * 400 + (*month <= 2);
}

static int days_in_month(int year, int month)
{
    static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Reads COUNT digits at TEXT; returns -1 if one of them is none. */
static int digits(const char *text, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

/* Reads "YYYY-MM-DD" into MEMO. */
static bool parse_date(const char *text, struct kairos_date_memo *memo)
{
    int year = digits(text, 4), month = digits(text + 5, 2), day = digits(text + 8, 2);
    if (text[4] != '-' || text[7] != '-' || year < 1 || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month))
        return false;
    memcpy(memo->text, text, DATE_LENGTH);
    memo->midnight = days_from_date(year, month, day) * KAIROS_DAY;
    return true;
}

/* "HH:MM:SS" as a word, and what may be added to each of its bytes before the top bit is set. */
#define CLOCK_ZERO  UINT64_C(0x30303a30303a3030) /* 00:00:00 */
#define CLOCK_SLACK UINT64_C(0x76767f76767f7676) /* digits up to 9, colons exactly */

/*
 * Reads the 8 bytes at TEXT, "HH:MM:SS", into microseconds since midnight. All at once: after the
 * exclusive or each byte is a digit's value, or 0 for a colon; then every second byte takes in its
 * neighbour as the tens.
 */
static bool parse_clock(const char *text, int64_t *time)
{
    uint64_t word = word_load(text) ^ CLOCK_ZERO;
    if ((((word + CLOCK_SLACK) | word) & WORD_TOPS) != 0)
        return false;
    word = word * 10 + (word >> 8);
    int64_t hours = word & 0xff, minutes = word >> 24 & 0xff, seconds = word >> 48 & 0xff;
    if (hours > 23 || minutes > 59 || seconds > 59)
        return false;
    *time = (hours * 3600 + minutes * 60 + seconds) * KAIROS_SECOND;
    return true;
}

/* Reads ".123456" and any more digits; *TEXT moves behind them. */
static bool parse_fraction(const char **text, const char *end, int64_t *time)
{
    int64_t unit = KAIROS_SECOND;
    const char *c = *text + 1;
    for (; c < end && *c >= '0' && *c <= '9'; c++) {
        unit /= 10; /* 0 beyond the microsecond */
        *time += unit * (*c - '0');
    }
    bool found = c > *text + 1;
    *text = c;
    return found;
}

/* Reads what follows the time of day: nothing, "Z", or "+05:30". */
static bool parse_offset(const char *text, const char *end, int64_t *offset)
{
    *offset = 0;
    if (text == end)
        return true;
    if (*text == 'Z' || *text == 'z')
        return end - text == 1;
    if (end - text != 6 || (*text != '+' && *text != '-') || text[3] != ':')
        return false;
    int hours = digits(text + 1, 2), minutes = digits(text + 4, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *offset = hours * KAIROS_HOUR + minutes * KAIROS_MINUTE;
    if (*text == '-')
        *offset = -*offset;
    return true;
}

bool kairos_timestamp_parse_memo(const char *text, size_t length, struct kairos_date_memo *memo,
                                 int64_t *time)
{
    const char *end = text + length;
    if (length < 16) /* 2025-08-04T10:00 */
        return false;
    bool known = memo->text[0] != '\0' && memcmp(memo->text, text, DATE_LENGTH) == 0;
    if (!known && !parse_date(text, memo))
        return false;
    if (text[10] != 'T' && text[10] != 't' && text[10] != ' ')
        return false;

    int64_t of_day, offset;
    const char *rest;
    if (length >= 19 && text[16] == ':') {
        if (!parse_clock(text + 11, &of_day))
            return false;
        rest = text + 19;
        if (rest < end && *rest == '.' && !parse_fraction(&rest, end, &of_day))
            return false;
    } else {
        char clock[8] = "HH:MM:00";
        memcpy(clock, text + 11, 5);
        if (!parse_clock(clock, &of_day))
            return false;
        rest = text + 16;
    }
    if (!parse_offset(rest, end, &offset))
        return false;

    int64_t moment = memo->midnight + of_day - offset;
    if (moment < KAIROS_TIME_MIN || moment > KAIROS_TIME_MAX)
        return false;
    *time = moment;
    return true;
}

bool kairos_timestamp_parse(const char *text, size_t length, int64_t *time)
{
    struct kairos_date_memo memo = {0};
    return kairos_timestamp_parse_memo(text, length, &memo, time);
}

bool kairos_timestamp_parse_number(const char *text, size_t length, int64_t *time)
{
    struct decimal decimal;
    decimal_init(&decimal);
    for (size_t i = 0; i < length; i++) {
        if (!decimal_feed(&decimal, text[i]))
            return false;
    }
    return decimal_complete(&decimal) && decimal_time(&decimal, time);
}

/* Writes VALUE to TEXT with WIDTH digits, and returns what lies behind them. */
static char *put_digits(char *text, int64_t value, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        text[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return text + width;
}

size_t kairos_timestamp_format(int64_t time, char text[KAIROS_TIMESTAMP_SIZE])
{
    assert(time >= KAIROS_TIME_MIN && time <= KAIROS_TIME_MAX);
    int64_t days = time / KAIROS_DAY - (time % KAIROS_DAY < 0);
    int64_t of_day = time - days * KAIROS_DAY;
    int64_t year, month, day;
    date_from_days(days, &year, &month, &day);

    char *c = put_digits(text, year, 4);
    *c++ = '-';
    c = put_digits(c, month, 2);
    *c++ = '-';
    c = put_digits(c, day, 2);
    *c++ = 'T';
    c = put_digits(c, of_day / KAIROS_HOUR, 2);
    *c++ = ':';
    c = put_digits(c, of_day / KAIROS_MINUTE % 60, 2);
    *c++ = ':';
    c = put_digits(c, of_day / KAIROS_SECOND % 60, 2);
    if (of_day % KAIROS_SECOND != 0) {
        *c++ = '.';
        c = put_digits(c, of_day % KAIROS_SECOND, 6);
    }
    *c++ = 'Z';
    *c = '\0';
    return (size_t)(c - text);
}
