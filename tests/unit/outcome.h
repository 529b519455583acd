/*
 * outcome.h - all that a parser has to say of a log: its events, and the error if there is one.
 */
#ifndef KAIROS_TESTS_OUTCOME_H
#define KAIROS_TESTS_OUTCOME_H

#include <kairos/parser.h>

#include "support.h"

struct outcome {
    struct kairos_event *events;
    size_t count;
    size_t capacity;
    bool failed;
    struct kairos_parse_error error;
    enum kairos_format format;
};

/* How a log is handed over. All zero: as one block, by the fast path where there is one. */
struct reading {
    bool complete_path;          /* no fast path */
    const int64_t *default_time; /* of events without a timestamp; or NULL */
    size_t block_max;            /* blocks of 1 to this many bytes, by DICE; 0 for one block */
    size_t events_max;           /* asks for 1 to this many events at a time, by DICE; 0 for many */
    struct dice *dice;           /* needed for either */
    struct fence *fence;         /* where blocks are placed; NULL to read them where they are */
};

/* Reads the LENGTH bytes at TEXT as READING says into OUTCOME, which needs no initialisation. */
void outcome_read(struct outcome *outcome, const struct reading *reading, const char *text,
                  size_t length);

/* The same with a parser of the caller's, whose reading begins with TEXT. */
void outcome_read_on(struct outcome *outcome, const struct reading *reading,
                     struct kairos_parser *parser, const char *text, size_t length);

void outcome_finish(struct outcome *outcome);

/* Fails the test if two events differ in anything that matters. */
void check_same_event(const struct kairos_event *event, const struct kairos_event *expected);

/* Fails the test unless the outcomes are the same, but for the first SKIPPED events of EXPECTED. */
void check_same_outcome(const struct outcome *outcome, const struct outcome *expected,
                        size_t skipped);

#endif
