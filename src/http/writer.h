/*
 * writer.h - the text of an answer as it grows, and how JSON is written.
 *
 *     struct writer writer = {0};
 *     writer_print(&writer, "{\"service\":");
 *     writer_string(&writer, name, length);
 *     writer_print(&writer, "}");
 *     answer_json(request, 200, &writer);      takes over the text
 *
 * When memory runs out the writer remembers it, and whoever takes the text finds out.
 */
#ifndef KAIROS_HTTP_WRITER_H
#define KAIROS_HTTP_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"

/* All zero is an empty one. */
struct writer {
    char *text; /* from malloc */
    size_t length;
    size_t capacity;
    bool failed; /* memory ran out */
};

void writer_print(struct writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The LENGTH bytes at TEXT as they stand. */
void writer_add(struct writer *writer, const char *text, size_t length);

/* A whole number. */
void writer_number(struct writer *writer, uint64_t number);

/* A JSON string: what is not UTF-8 in the LENGTH bytes at TEXT becomes '?'. */
void writer_string(struct writer *writer, const char *text, size_t length);

/* The engine time TIME as a JSON string, RFC 3339 in UTC; null for TIME_NEVER. */
void writer_time(struct writer *writer, const struct clock *clock, int64_t time);

/* A span of MICROSECONDS as a JSON number of seconds, whole where it is whole. */
void writer_seconds(struct writer *writer, int64_t microseconds);

/* Frees the text; the writer is empty then. */
void writer_finish(struct writer *writer);

#endif
