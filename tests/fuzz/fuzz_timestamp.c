/*
 * fuzz_timestamp.c - timestamps as text and as numbers, against readers that take the notation
 * character by character and count days one year at a time.
 *
 * The input is read as a whole and line by line. The lines share one memo of the last date, which
 * may not change what comes out.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <kairos/timestamp.h>

#include "fuzz.h"

/* What is left of a text. */
struct scanner {
    const char *at;
    const char *end;
};

static bool take_char(struct scanner *scanner, const char *allowed)
{
    if (scanner->at == scanner->end || *scanner->at == '\0' || !strchr(allowed, *scanner->at))
        return false;
    scanner->at++;
    return true;
}

static bool take_digits(struct scanner *scanner, int count, int64_t *value)
{
    *value = 0;
    for (int i = 0; i < count; i++) {
        if (!take_char(scanner, "0123456789"))
            return false;
        *value = *value * 10 + (scanner->at[-1] - '0');
    }
    return true;
}

/* Text: "2025-08-04T10:05:00.123456+05:30" */

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t month_length(int64_t year, int64_t month)
{
    if (month == 2)
        return is_leap(year) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* Days from 0001-01-01 to 1970-01-01. */
#define DAYS_TO_EPOCH 719162

static bool take_date(struct scanner *scanner, int64_t *days)
{
    int64_t year, month, day;
    if (!take_digits(scanner, 4, &year) || !take_char(scanner, "-") ||
        !take_digits(scanner, 2, &month) || !take_char(scanner, "-") ||
        !take_digits(scanner, 2, &day))
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > month_length(year, month))
        return false;
    *days = day - 1 - DAYS_TO_EPOCH;
    for (int64_t y = 1; y < year; y++)
        *days += is_leap(y) ? 366 : 365;
    for (int64_t m = 1; m < month; m++)
        *days += month_length(year, m);
    return true;
}

/* Digits beyond the sixth are taken and do not count. */
static bool take_fraction(struct scanner *scanner, int64_t *micros)
{
    int64_t digit;
    int count = 0;
    *micros = 0;
    for (; take_digits(scanner, 1, &digit); count++) {
        if (count < 6)
            *micros = *micros * 10 + digit;
    }
    if (count == 0)
        return false;
    for (; count < 6; count++)
        *micros *= 10;
    return true;
}

static bool take_clock(struct scanner *scanner, int64_t *micros)
{
    int64_t hours, minutes, seconds = 0, fraction = 0;
    if (!take_digits(scanner, 2, &hours) || !take_char(scanner, ":") ||
        !take_digits(scanner, 2, &minutes))
        return false;
    if (take_char(scanner, ":")) {
        if (!take_digits(scanner, 2, &seconds))
            return false;
        if (take_char(scanner, ".") && !take_fraction(scanner, &fraction))
            return false;
    }
    *micros = ((hours * 60 + minutes) * 60 + seconds) * 1000000 + fraction;
    return hours < 24 && minutes < 60 && seconds < 60;
}

static bool take_offset(struct scanner *scanner, int64_t *minutes)
{
    int64_t hours;
    *minutes = 0;
    if (scanner->at == scanner->end || take_char(scanner, "Zz"))
        return true;
    bool west = *scanner->at == '-';
    if (!take_char(scanner, "+-") || !take_digits(scanner, 2, &hours) || !take_char(scanner, ":") ||
        !take_digits(scanner, 2, minutes))
        return false;
    if (hours > 23 || *minutes > 59)
        return false;
    *minutes += hours * 60;
    if (west)
        *minutes = -*minutes;
    return true;
}

static bool read_text(const char *text, size_t length, int64_t *time)
{
    struct scanner scanner = {.at = text, .end = text + length};
    int64_t days, micros, minutes;
    if (!take_date(&scanner, &days) || !take_char(&scanner, "Tt ") ||
        !take_clock(&scanner, &micros) || !take_offset(&scanner, &minutes) ||
        scanner.at != scanner.end)
        return false;
    *time = (days * 24 * 60 - minutes) * 60 * 1000000 + micros;
    return *time >= KAIROS_TIME_MIN && *time <= KAIROS_TIME_MAX;
}

/* Numbers: the digits as text, and the place of the point among them. */

struct number {
    bool negative;
    char *digits; /* without zeros in front */
    int64_t count;
    int64_t point; /* digits before the point; may be beyond them, or negative */
};

/* Beyond this no digits that an input has room for make up for an exponent. */
#define EXPONENT_BOUND INT64_C(1000000000000)

static bool take_exponent(struct scanner *scanner, int64_t *exponent)
{
    *exponent = 0;
    if (!take_char(scanner, "eE"))
        return true;
    bool negative = scanner->at < scanner->end && *scanner->at == '-';
    take_char(scanner, "+-");
    int64_t digit;
    if (!take_digits(scanner, 1, &digit))
        return false;
    do {
        if (*exponent < EXPONENT_BOUND)
            *exponent = *exponent * 10 + digit;
    } while (take_digits(scanner, 1, &digit));
    if (negative)
        *exponent = -*exponent;
    return true;
}

/* Takes digits up to one that is none; zeros count only behind others. Returns how many it took. */
static int64_t take_run(struct scanner *scanner, struct number *number)
{
    int64_t taken = 0;
    for (; take_char(scanner, "0123456789"); taken++) {
        if (scanner->at[-1] != '0' || number->count > 0)
            number->digits[number->count++] = scanner->at[-1];
    }
    return taken;
}

/* Source: RFC 8259, section 6. */
static bool take_number(struct scanner *scanner, struct number *number)
{
    number->negative = take_char(scanner, "-");
    bool zero = scanner->at < scanner->end && *scanner->at == '0';
    int64_t whole = take_run(scanner, number);
    if (whole == 0 || (zero && whole > 1))
        return false;
    int64_t before = number->count;
    int64_t behind = 0;
    if (take_char(scanner, ".")) {
        behind = take_run(scanner, number);
        if (behind == 0)
            return false;
    }
    int64_t exponent;
    if (!take_exponent(scanner, &exponent) || scanner->at != scanner->end)
        return false;
    number->point = exponent + (before > 0 ? before : number->count - behind);
    return true;
}

/* The digit that stands for 10^POWER. */
static int digit_at(const struct number *number, int64_t power)
{
    int64_t index = number->point - 1 - power;
    return index < 0 || index >= number->count ? 0 : number->digits[index] - '0';
}

/* Whether it exceeds 2·10^10. */
static bool is_milliseconds(const struct number *number)
{
    if (number->point != 11)
        return number->point > 11;
    if (number->digits[0] != '2')
        return number->digits[0] > '2';
    for (int64_t i = 1; i < number->count; i++) {
        if (number->digits[i] != '0')
            return true;
    }
    return false;
}

static bool number_time(const struct number *number, int64_t *time)
{
    *time = 0;
    if (number->count == 0)
        return true;
    if (number->point > 16)
        return false;
    int64_t lowest = is_milliseconds(number) ? -3 : -6;
    __int128 micros = 0;
    for (int64_t power = 16; power >= lowest; power--)
        micros = micros * 10 + digit_at(number, power);
    if (number->negative)
        micros = -micros;
    if (micros < KAIROS_TIME_MIN || micros > KAIROS_TIME_MAX)
        return false;
    *time = (int64_t)micros;
    return true;
}

static bool read_number(const char *text, size_t length, int64_t *time)
{
    struct scanner scanner = {.at = text, .end = text + length};
    struct number number = {.digits = fuzz_allocate(length, 1)};
    bool valid = take_number(&scanner, &number) && number_time(&number, time);
    free(number.digits);
    return valid;
}

/* What a refused text must leave as it is. */
#define UNTOUCHED INT64_C(0x5a5a5a5a5a5a5a5a)

static void check_format(int64_t time)
{
    char text[KAIROS_TIMESTAMP_SIZE];
    size_t length = kairos_timestamp_format(time, text);
    EXPECT(length < sizeof(text) && strlen(text) == length);
    EXPECT(text[length - 1] == 'Z' && (length == 20 || length == 27));
    int64_t again;
    EXPECT(read_text(text, length, &again) && again == time);
    EXPECT(kairos_timestamp_parse(text, length, &again) && again == time);
}

static void check_text(const char *text, size_t length, struct kairos_date_memo *memo)
{
    int64_t expected, time = UNTOUCHED, memo_time = UNTOUCHED;
    bool valid = read_text(text, length, &expected);
    EXPECT(kairos_timestamp_parse(text, length, &time) == valid);
    EXPECT(kairos_timestamp_parse_memo(text, length, memo, &memo_time) == valid);
    EXPECT(time == (valid ? expected : UNTOUCHED));
    EXPECT(memo_time == time);
    if (valid)
        check_format(time);
}

static void check_number(const char *text, size_t length)
{
    int64_t expected, time = UNTOUCHED;
    bool valid = read_number(text, length, &expected);
    EXPECT(kairos_timestamp_parse_number(text, length, &time) == valid);
    EXPECT(time == (valid ? expected : UNTOUCHED));
    if (valid)
        check_format(time);
}

static void check(const char *bytes, size_t length, struct kairos_date_memo *memo)
{
    char *text = fuzz_copy(bytes, length);
    check_text(text, length, memo);
    check_number(text, length);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *line = (const char *)data, *end = line + size;
    struct kairos_date_memo memo = {0};
    check(line, size, &memo);
    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *line_end = newline == NULL ? end : newline;
        check(line, (size_t)(line_end - line), &memo);
        line = line_end + 1;
    }
    return 0;
}
