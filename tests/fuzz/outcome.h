/*
 * outcome.h - what a parser makes of a log: its events in order, and the error at the end if any.
 *
 * However a log is cut into blocks, and whichever path reads it, the outcome must be the same.
 */
#ifndef KAIROS_FUZZ_OUTCOME_H
#define KAIROS_FUZZ_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kairos/parser.h>

struct outcome {
    enum kairos_format format;
    struct kairos_event *events;
    size_t count;
    size_t capacity;
    bool failed;
    struct kairos_parse_error error; /* if it failed */
};

/* How a log is handed over. */
struct cutting {
    size_t block_max;            /* bytes in a block, at most; 0 for the whole log in one */
    size_t batch;                /* events asked for at a time, 1 or more */
    uint64_t seed;               /* of the blocks' sizes */
    const int64_t *default_time; /* of events without a timestamp; or NULL */
};

/* Reads the SIZE bytes at LOG, on the fast path where possible or on the complete path alone. */
void outcome_read(struct outcome *outcome, const char *log, size_t size, bool fast,
                  const struct cutting *cutting);

void outcome_finish(struct outcome *outcome);

/* Ends the process unless both are the same. */
void outcome_expect_same(const struct outcome *a, const struct outcome *b);

/* The same for two events. */
void event_expect_same(const struct kairos_event *a, const struct kairos_event *b);

#endif
