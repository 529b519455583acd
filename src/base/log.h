/*
 * log.h - what happens, one line per event:
 *
 *   2025-08-04T10:05:00.000Z WARN skipped event=11 byte=1234 reason=missing_timestamp
 *
 * or, as LOG_JSON, the same made into an object (log_json.h):
 *
 *   {"time": "2025-08-04T10:05:00.000Z", "level": "WARN", "event": "skipped", "event_": 11, …}
 *
 * Lines are always written as in the first form: an event, and words KEY=VALUE, of which those that
 * may hold anything go through log_quote.
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

enum log_format {
    LOG_TEXT,
    LOG_JSON,
};

/* The longest line of text, with its date and its newline; a longer one is cut, ending in "...". */
#define LOG_LINE_MAX 8192

/* Seconds that log_adopt waits for a line that somebody writes. */
#define LOG_PATIENCE 1

/* All zero: everything, as text, on stderr. */
struct log_options {
    const char *file;     /* what to append to; NULL is stderr */
    const char *option;   /* that names it, for messages; NULL is log-file */
    enum log_level level; /* the lowest that is written */
    enum log_format format;
};

/* Once opened, it may be written to by several threads. */
struct log {
    FILE *stream;
    _Atomic enum log_level level;
    _Atomic enum log_format format;
};

/* Reads DEBUG, INFO, WARNING or ERROR in any case. */
bool log_level_parse(const char *text, enum log_level *level);

/* Reads text or json in any case. */
bool log_format_parse(const char *text, enum log_format *format);

bool log_open(struct log *log, const struct log_options *options, struct failure *failure);

void log_close(struct log *log);

/* ---- Going on in another file, or in a new one of the same name, while threads write ---- */

/*
 * Opens what the options name. Returns a descriptor, for log_adopt or to be closed; or -1 and
 * describes the failure.
 */
int log_prepare(const struct log_options *options, struct failure *failure);

/*
 * From now on lines go where FD does, in the way OPTIONS say; FD is closed. Returns false, with
 * nothing changed and FD still open, when the log hangs: a line has not been written for
 * LOG_PATIENCE.
 */
bool log_adopt(struct log *log, int fd, const struct log_options *options);

/*
 * Writes one line in one piece, if LEVEL is high enough. A log that cannot be written to is no
 * failure.
 */
void log_write(struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Writes the LENGTH bytes of LINES, which stand as log_write would write them as text, in few
 * pieces. The log's level is not asked.
 */
void log_write_lines(struct log *log, const char *lines, size_t length);

/*
 * Writes the LENGTH bytes at TEXT to QUOTED in double quotes, with a backslash before quotes and
 * backslashes; what is not printable ASCII becomes an escape of its byte. QUOTED needs room for 4
 * times LENGTH and 3.
 */
void log_quote(char *quoted, const char *text, size_t length);

#endif
