/*
 * lateness.h - how late things were: many figures, and the few that are told of them.
 */
#ifndef KAIROS_BENCH_LATENESS_H
#define KAIROS_BENCH_LATENESS_H

#include <stddef.h>
#include <stdint.h>

#define NANOSECONDS INT64_C(1000000000) /* in a second */

/* Zero is an empty one. */
struct lateness {
    int64_t *values; /* nanoseconds */
    size_t count, capacity;
};

/* CLOCK_MONOTONIC, in nanoseconds. */
int64_t monotonic_now(void);

/* Ends the program when memory runs out. */
void lateness_add(struct lateness *lateness, int64_t value);

/* Prints a line "NAME count=… p50_us=… p99_us=… p999_us=… max_us=…" and empties it. */
void lateness_print(struct lateness *lateness, const char *name);

/* Reads TEXT as a number from 1 to MOST. What is wrong with it ends the program with status 2. */
uint64_t number_argument(const char *name, const char *text, uint64_t most);

#endif
