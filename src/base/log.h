/*
 * log.h - what happens, one line per event:
 *
 *   2025-08-04T10:05:00.000Z WARN skipped event=11 byte=1234 reason=missing_timestamp
 */
#ifndef KAIROS_BASE_LOG_H
#define KAIROS_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "failure.h"

enum log_level {
    LOG_DEBUG,
    LOG_INFO,
    LOG_WARNING,
    LOG_ERROR,
};

/* The longest line, with its date and its newline; a longer one is cut and ends in "...". */
#define LOG_LINE_MAX 8192

/* Once opened, it may be written to by several threads. */
struct log {
    FILE *stream;
    enum log_level level; /* the lowest that is written */
};

/* Reads DEBUG, INFO, WARNING or ERROR in any case. */
bool log_level_parse(const char *text, enum log_level *level);

/* Opens a log that appends to the file PATH, or to stderr if PATH is NULL. */
bool log_open(struct log *log, const char *path, enum log_level level, struct failure *failure);

void log_close(struct log *log);

/*
 * Writes one line in one piece, if LEVEL is high enough. A log that cannot be written to is no
 * failure.
 */
void log_write(struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Writes the LENGTH bytes at TEXT to QUOTED in double quotes, with a backslash before quotes and
 * backslashes; what is not printable ASCII becomes an escape of its byte. QUOTED needs room for 4
 * times LENGTH and 3.
 */
void log_quote(char *quoted, const char *text, size_t length);

#endif
