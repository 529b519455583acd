/*
 * decimal.h - a JSON number, character by character.
 *
 * The grammar is RFC 8259's (section 6), and this is the one place that knows it. Beside checking
 * it, the value is kept as far as a moment in time needs it: nineteen significant digits, a power
 * of ten, and whether anything but zeros followed. So a number of any length costs no memory.
 */
#ifndef KAIROS_CORE_DECIMAL_H
#define KAIROS_CORE_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

enum decimal_state {
    DECIMAL_START,
    DECIMAL_MINUS,    /* after '-': a digit must follow */
    DECIMAL_ZERO,     /* after a leading 0: no further digit */
    DECIMAL_INTEGER,  /* after digits */
    DECIMAL_POINT,    /* after '.': a digit must follow */
    DECIMAL_FRACTION, /* after digits behind the point */
    DECIMAL_E,        /* after 'e' or 'E': a sign or digit must follow */
    DECIMAL_SIGN,     /* after the exponent's sign: a digit must follow */
    DECIMAL_EXPONENT, /* after digits of the exponent */
};

struct decimal {
    enum decimal_state state;
    bool negative;
    bool exponent_negative;
    bool rest;         /* digits other than 0 were left out of the mantissa */
    unsigned digits;   /* of the mantissa, leading zeros not counted */
    uint64_t mantissa; /* the value is mantissa (and a bit, if REST) · 10^(scale ± exponent) */
    int64_t scale;
    int64_t exponent; /* as written, without its sign; saturates */
};

void decimal_init(struct decimal *decimal);

/* Takes the next character. Returns false, and takes nothing, if the number cannot go on with it.
 */
bool decimal_feed(struct decimal *decimal, char c);

/* Whether the number may end here. */
bool decimal_complete(const struct decimal *decimal);

/*
 * Reads a complete number as Unix time (see kairos_timestamp_parse_number). Returns false if that
 * is no valid moment.
 */
bool decimal_time(const struct decimal *decimal, int64_t *time);

#endif
