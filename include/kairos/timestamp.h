/*
 * timestamp.h - moments in time, and how they are written.
 *
 * A moment is a signed 64-bit number of microseconds since 1970-01-01T00:00:00Z, without leap
 * seconds, in the proleptic Gregorian calendar. Every moment of the years 0001 to 9999 (UTC) is
 * valid, nothing else is. Two notations are read: the text form of RFC 3339 (with some liberties,
 * below) and the decimal text of a JSON number. One is written: RFC 3339 in UTC.
 */
#ifndef KAIROS_TIMESTAMP_H
#define KAIROS_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KAIROS_MILLISECOND INT64_C(1000)
#define KAIROS_SECOND      INT64_C(1000000)
#define KAIROS_MINUTE      (60 * KAIROS_SECOND)
#define KAIROS_HOUR        (60 * KAIROS_MINUTE)
#define KAIROS_DAY         (24 * KAIROS_HOUR)

/* 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z. */
#define KAIROS_TIME_MIN (INT64_C(-62135596800) * KAIROS_SECOND)
#define KAIROS_TIME_MAX (INT64_C(253402300800) * KAIROS_SECOND - 1)

/* Room for "9999-12-31T23:59:59.999999Z" and its NUL. */
#define KAIROS_TIMESTAMP_SIZE 28

/*
 * The last calendar date that was read, kept because most heartbeats of a log share it with the
 * one before. Zero it before the first use; it changes the speed and never the result.
 */
struct kairos_date_memo {
    char text[10];    /* "YYYY-MM-DD", or NULs */
    int64_t midnight; /* its first moment in UTC, microseconds */
};

/*
 * Reads the LENGTH bytes at TEXT, which must be one timestamp and no more:
 *
 *   2025-08-04T10:05:00.123456+05:30
 *   ^date     ^^time   ^fraction^offset
 *
 * The separator is `T`, `t` or one blank. Seconds may be left out, and then there is no fraction.
 * A fraction has one digit or more; those beyond the microsecond are cut. The offset is `Z`, `z`,
 * or a sign with hours 00 to 23 and minutes 00 to 59; none means UTC. Reads TEXT[0 .. LENGTH) only.
 *
 * Returns true and sets *TIME, or returns false and leaves it alone when the text has another form
 * or names no real moment (30 February, 24:00:00, second 60, a year outside 0001 to 9999 in UTC).
 * Source: RFC 3339, section 5.6.
 */
bool kairos_timestamp_parse(const char *text, size_t length, int64_t *time);

/* The same, with the caller's memo of the last date. */
bool kairos_timestamp_parse_memo(const char *text, size_t length, struct kairos_date_memo *memo,
                                 int64_t *time);

/*
 * Reads the LENGTH bytes at TEXT, which must be one JSON number (RFC 8259, section 6), as Unix
 * time: in seconds, or in milliseconds when its magnitude exceeds 2·10^10. It is read as decimal
 * text, so that no microsecond is lost; digits beyond the microsecond are cut towards zero.
 *
 * Returns true and sets *TIME, or returns false and leaves it alone when the text is no JSON number
 * or the moment lies outside the years 0001 to 9999.
 */
bool kairos_timestamp_parse_number(const char *text, size_t length, int64_t *time);

/*
 * Writes TIME (KAIROS_TIME_MIN to KAIROS_TIME_MAX) to TEXT as RFC 3339 in UTC with `Z`, and with a
 * fraction of six digits only where there is one. Returns the length without the NUL.
 */
size_t kairos_timestamp_format(int64_t time, char text[KAIROS_TIMESTAMP_SIZE]);

#ifdef __cplusplus
}
#endif

#endif
