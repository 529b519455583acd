#include "decimal.h"

#include <kairos/timestamp.h>

/* 10^19 - 1 fits into 64 bits. A moment needs 18 digits: 253402300799999.999 milliseconds. */
#define DIGITS_KEPT 19

/* Far beyond what any moment needs, and far from overflowing when the scale is added to it. */
#define EXPONENT_MAX (INT64_MAX / 4)

/* Times above this many seconds are milliseconds. */
#define SECONDS_MAX INT64_C(20000000000)

void decimal_init(struct decimal *decimal)
{
    *decimal = (struct decimal){.state = DECIMAL_START};
}

static void add_digit(struct decimal *decimal, unsigned digit)
{
    bool behind_point = decimal->state == DECIMAL_FRACTION;
    if (decimal->digits < DIGITS_KEPT) {
        decimal->mantissa = decimal->mantissa * 10 + digit;
        decimal->digits += decimal->mantissa != 0;
        decimal->scale -= behind_point;
    } else {
        decimal->rest |= digit != 0;
        decimal->scale += !behind_point;
    }
}

static void add_exponent_digit(struct decimal *decimal, unsigned digit)
{
    if (decimal->exponent < EXPONENT_MAX / 10)
        decimal->exponent = decimal->exponent * 10 + digit;
}

static bool feed_digit(struct decimal *decimal, unsigned digit)
{
    switch (decimal->state) {
    case DECIMAL_START:
    case DECIMAL_MINUS:
        decimal->state = digit == 0 ? DECIMAL_ZERO : DECIMAL_INTEGER;
        add_digit(decimal, digit);
        return true;
    case DECIMAL_INTEGER:
        add_digit(decimal, digit);
        return true;
    case DECIMAL_POINT:
    case DECIMAL_FRACTION:
        decimal->state = DECIMAL_FRACTION;
        add_digit(decimal, digit);
        return true;
    case DECIMAL_E:
    case DECIMAL_SIGN:
    case DECIMAL_EXPONENT:
        decimal->state = DECIMAL_EXPONENT;
        add_exponent_digit(decimal, digit);
        return true;
    case DECIMAL_ZERO:
        break;
    }
    return false;
}

static bool feed_sign(struct decimal *decimal, bool minus)
{
    if (decimal->state == DECIMAL_E) {
        decimal->exponent_negative = minus;
        decimal->state = DECIMAL_SIGN;
        return true;
    }
    if (decimal->state == DECIMAL_START && minus) {
        decimal->negative = true;
        decimal->state = DECIMAL_MINUS;
        return true;
    }
    return false;
}

bool decimal_feed(struct decimal *decimal, char c)
{
    bool integer = decimal->state == DECIMAL_ZERO || decimal->state == DECIMAL_INTEGER;
    switch (c) {
    case '0' ... '9':
        return feed_digit(decimal, (unsigned)(c - '0'));
    case '-':
    case '+':
        return feed_sign(decimal, c == '-');
    case '.':
        if (!integer)
            return false;
        decimal->state = DECIMAL_POINT;
        return true;
    case 'e':
    case 'E':
        if (!integer && decimal->state != DECIMAL_FRACTION)
            return false;
        decimal->state = DECIMAL_E;
        return true;
    default:
        return false;
    }
}

bool decimal_complete(const struct decimal *decimal)
{
    return decimal->state == DECIMAL_ZERO || decimal->state == DECIMAL_INTEGER ||
           decimal->state == DECIMAL_FRACTION || decimal->state == DECIMAL_EXPONENT;
}

/*
 * The whole part of value · 10^SHIFT for a value below 10^15; *EXACT is false if that cuts anything
 * off.
 */
static uint64_t scaled(const struct decimal *decimal, int64_t exponent, int shift, bool *exact)
{
    exponent += shift;
    *exact = !decimal->rest;
    unsigned __int128 value = decimal->mantissa;
    for (; exponent > 0; exponent--)
        value *= 10;
    for (; exponent < 0 && value > 0; exponent++) {
        *exact = *exact && value % 10 == 0;
        value /= 10;
    }
    /* Below 10^15 · 10^6: more than 64 bits hold, but then it is out of range as it is. */
    return value > UINT64_MAX ? UINT64_MAX : (uint64_t)value;
}

bool decimal_time(const struct decimal *decimal, int64_t *time)
{
    int64_t exponent =
        decimal->scale + (decimal->exponent_negative ? -decimal->exponent : decimal->exponent);
    if (decimal->mantissa == 0) {
        *time = 0;
        return true;
    }
    /* The number of digits before the point: 15 at most, or the year is beyond 9999. */
    if ((int64_t)decimal->digits + exponent > 15)
        return false;

    bool exact;
    uint64_t micros = scaled(decimal, exponent, 6, &exact);
    const uint64_t seconds_max = (uint64_t)SECONDS_MAX * (uint64_t)KAIROS_SECOND;
    if (micros > seconds_max || (micros == seconds_max && !exact))
        micros = scaled(decimal, exponent, 3, &exact);

    if (micros > (uint64_t)KAIROS_TIME_MAX)
        return false;
    int64_t moment = decimal->negative ? -(int64_t)micros : (int64_t)micros;
    if (moment < KAIROS_TIME_MIN)
        return false;
    *time = moment;
    return true;
}
