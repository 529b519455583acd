/*
 * traffic.h - the requests that a worker has finished: how many by route and status, and how long
 * they took from the end of their headers to the end of their answer.
 *
 * A route is an endpoint's number (router.h): what is counted never depends on what a client sends.
 * The worker's thread is the only writer, so that counting takes no locked instruction; any thread
 * reads.
 */
#ifndef KAIROS_HTTP_TRAFFIC_H
#define KAIROS_HTTP_TRAFFIC_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"

/* Endpoints that can be told apart; those beyond count as ROUTE_OTHER does. */
#define TRAFFIC_ROUTES 64

/* Statuses that can be told apart, and one for all others. */
#define TRAFFIC_STATUSES 30

/* Buckets of durations. */
#define TRAFFIC_BUCKETS 9

struct traffic {
    _Atomic uint64_t answers[TRAFFIC_ROUTES][TRAFFIC_STATUSES];
    _Atomic uint64_t durations[TRAFFIC_ROUTES][TRAFFIC_BUCKETS];
    _Atomic uint64_t microseconds[TRAFFIC_ROUTES]; /* of them together */
    _Atomic uint64_t aborted; /* requests whose connection was closed ahead of an answer */
};

/* The same of all workers. */
struct traffic_sum {
    uint64_t answers[TRAFFIC_ROUTES][TRAFFIC_STATUSES];
    uint64_t durations[TRAFFIC_ROUTES][TRAFFIC_BUCKETS];
    uint64_t microseconds[TRAFFIC_ROUTES];
    uint64_t aborted;
};

/*
 * Counts a request for the endpoint numbered ROUTE that was finished after DURATION microseconds,
 * with STATUS; 0 if there was no answer.
 */
void traffic_count(struct traffic *traffic, unsigned route, unsigned status, int64_t duration);

/* Adds what TRAFFIC has counted to SUM. */
void traffic_add(struct traffic_sum *sum, const struct traffic *traffic);

/* The status that column COLUMN counts; 0 in that of all others. */
unsigned traffic_status(size_t column);

/* What the buckets of durations mean. */
const struct histogram_scale *traffic_scale(void);

#endif
