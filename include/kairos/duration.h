/*
 * duration.h - spans of time as people write them: `90`, `90s`, `5m`, `1h`, `1d`, `250ms`.
 */
#ifndef KAIROS_DURATION_H
#define KAIROS_DURATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Reads the LENGTH bytes at TEXT: a whole number and a unit (`ms`, `s`, `m`, `h` or `d`); without a
 * unit it counts seconds. Returns true and sets *DURATION in microseconds (0 or more), or returns
 * false and leaves it alone when the text has another form or exceeds 2^63 - 1 microseconds.
 */
bool kairos_duration_parse(const char *text, size_t length, int64_t *duration);

#ifdef __cplusplus
}
#endif

#endif
