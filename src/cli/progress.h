/*
 * progress.h - how far the work is, on a terminal, once it takes longer than a second.
 *
 * Any thread may count; one thread shows.
 */
#ifndef KAIROS_CLI_PROGRESS_H
#define KAIROS_CLI_PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool shown; /* a line stands on the terminal */
    bool enabled;
    double begin;  /* seconds, monotonic */
    double next;   /* seconds since then: no line before */
    uint64_t size; /* bytes of input in all; 0 when that is unknown */
    _Atomic uint64_t used;
    _Atomic uint64_t events;
};

/* Begins now. Shows only if stderr is a terminal. SIZE is in bytes, 0 when unknown. */
void progress_init(struct progress *progress, uint64_t size);

/* Counts BYTES of input used up, compressed or not as its size, and EVENTS. */
static inline void progress_add(struct progress *progress, uint64_t bytes, uint64_t events)
{
    atomic_fetch_add_explicit(&progress->used, bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&progress->events, events, memory_order_relaxed);
}

/* Shows the present state; to be called a few times a second, or more often. */
void progress_show(struct progress *progress);

/* The same, with a line of the caller's own for work that is not input used up. */
void progress_print(struct progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Takes the line from the terminal. */
void progress_finish(struct progress *progress);

#endif
