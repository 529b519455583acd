/*
 * layout.h - the parser's fast path: records laid out like the one before them.
 *
 * Programs write their logs with one format string, so that records differ in a few values alone:
 *
 *     ,\n{"id": 17, "service": "svc-000123", "timestamp": "2025-08-04T10:00:00Z"}
 *     ^literal ^slot          ^slot                       ^slot                 ^literal
 *
 * A layout is learnt from a record that the complete path has read, border to border: the bytes
 * between the values, and what each value is good for. A later record with the same bytes in
 * between, and with values of the plain kind, takes the complete path through the same states: the
 * layout may skip them. That is the whole argument why both paths give the same result; a record
 * that differs in any way is not touched.
 */
#ifndef KAIROS_CORE_LAYOUT_H
#define KAIROS_CORE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include <kairos/parser.h>
#include <kairos/timestamp.h>

#include "words.h"

/* The longest stretch of bytes between two values. */
#define LITERAL_MAX 128

/* The most values that may differ from record to record: the two that count, and some ignored. */
#define SLOTS_MAX 8

enum slot_kind {
    SLOT_SERVICE,
    SLOT_TIME_TEXT,
    SLOT_TIME_NUMBER,
    SLOT_TEXT,   /* a string that is ignored */
    SLOT_NUMBER, /* a number that is ignored */
};

/* A value in a record: where it stands, strings without their quotes. */
struct slot {
    enum slot_kind kind;
    const char *begin;
    const char *end;
};

struct literal {
    size_t length;
    uint64_t last;                      /* the bytes of the last word that count */
    char text[LITERAL_MAX + WORD_SIZE]; /* padded with NULs to whole words */
};

/* A value, and what stands before it. */
struct piece {
    struct literal before;
    enum slot_kind kind;
};

struct layout {
    size_t span;        /* bytes that must lie ahead for a try; 0 while no layout is known */
    bool timed;         /* a value is the timestamp */
    size_t time_length; /* of the last record: the first guess for the next */
    size_t count;
    struct piece pieces[SLOTS_MAX];
    struct literal tail;
};

/*
 * Learns the layout of the record from BEGIN to END with COUNT values (SLOTS_MAX at most) at SLOTS,
 * in their order, and gives up the one before. The layout is unknown afterwards if a literal or a
 * value is too long.
 */
void layout_learn(struct layout *layout, const char *begin, const char *end,
                  const struct slot *slots, size_t count);

/*
 * Reads up to MAX records laid out like this from *CURSOR on into EVENTS, moves *CURSOR behind them
 * and returns their number. Stops before the first record that differs or lies too near END. Where
 * the layout is not timed, the events' times are left to the caller.
 */
size_t layout_read(struct layout *layout, struct kairos_date_memo *memo, const char **cursor,
                   const char *end, struct kairos_event *events, size_t max);

#endif
