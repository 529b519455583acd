/*
 * histogram.h - how often a duration was no longer than this and that: counts in buckets.
 *
 * A scale is a row of bounds, ascending; a duration belongs into the first bucket whose bound it
 * does not exceed, and beyond the last one into one more. Who keeps the counts, and how, is the
 * caller's matter: some are written by one thread and read by others.
 */
#ifndef KAIROS_BASE_HISTOGRAM_H
#define KAIROS_BASE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

struct histogram_scale {
    const int64_t *bounds; /* microseconds */
    size_t count;          /* of them; of buckets there is one more */
};

/* The bucket of DURATION, microseconds: 0 to scale->count. */
static inline size_t histogram_bucket(const struct histogram_scale *scale, int64_t duration)
{
    size_t bucket = 0;
    while (bucket < scale->count && duration > scale->bounds[bucket])
        bucket++;
    return bucket;
}

#endif
