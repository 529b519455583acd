/*
 * stopwatch.h - time as it passes for the user, whatever the wall clock does.
 */
#ifndef KAIROS_BASE_STOPWATCH_H
#define KAIROS_BASE_STOPWATCH_H

#include <time.h>

/* Seconds since some moment in the past. */
static inline double stopwatch_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

#endif
