/*
 * layout.h - the parser's fast path: records laid out like the one before them.
 *
 * Programs write their logs with one format string, so that records differ in two values alone:
 *
 *     ,\n{"service": "svc-000123", "timestamp": "2025-08-04T10:00:00Z"}
 *     ^lead          ^service    ^middle         ^timestamp           ^tail
 *
 * A layout is learnt from a record that the complete path has read, border to border. A later
 * record whose lead, middle and tail are the same bytes, and whose values are of the plain kind,
 * takes the complete path through the same states: the layout may skip them. That is the whole
 * argument why both paths give the same result; a record that differs in any way is not touched.
 */
#ifndef KAIROS_CORE_LAYOUT_H
#define KAIROS_CORE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include <kairos/parser.h>
#include <kairos/timestamp.h>

#include "words.h"

/* The longest lead, middle or tail. Longer ones occur where records carry text that differs. */
#define LITERAL_MAX 128

struct literal {
    size_t length;
    char text[LITERAL_MAX + WORD_SIZE]; /* padded with NULs to whole words */
};

struct layout {
    size_t span; /* bytes that must lie ahead for a try; 0 while no layout is known */
    bool service_first;
    bool time_is_number;
    size_t time_length; /* of the last record: the first guess for the next */
    struct literal lead;
    struct literal middle;
    struct literal tail;
};

/* A piece of a record. */
struct slice {
    const char *begin;
    const char *end;
};

/*
 * Learns the layout of a RECORD in which the service's name (without its quotes) stands at SERVICE
 * and the timestamp (without quotes, unless TIME_IS_NUMBER) at TIME, and gives up the one before.
 * The layout is unknown afterwards if a literal is too long.
 */
void layout_learn(struct layout *layout, struct slice record, struct slice service,
                  struct slice time, bool time_is_number);

/*
 * Reads up to MAX records laid out like this from *CURSOR on into EVENTS, moves *CURSOR behind them
 * and returns their number. Stops before the first record that differs or lies too near END.
 */
size_t layout_read(struct layout *layout, struct kairos_date_memo *memo, const char **cursor,
                   const char *end, struct kairos_event *events, size_t max);

#endif
