/*
 * heartbeats.h - the heartbeats of a log in order of time, held compactly: 16 bytes each, and the
 * name of a service once.
 */
#ifndef KAIROS_CLI_HEARTBEATS_H
#define KAIROS_CLI_HEARTBEATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kairos/analysis.h>

#include "failure.h"
#include "input.h"
#include "progress.h"
#include "roster.h"
#include "skipped.h"

struct heartbeat {
    int64_t time;     /* microseconds */
    uint32_t service; /* where its record stands in the roster, in units of RECORD_UNIT */
    uint32_t order;   /* of appearance in the log */
};

struct heartbeats {
    struct roster services;
    struct heartbeat *items;
    size_t count;
    size_t capacity;
    uint64_t skipped;                            /* events that are no valid heartbeats */
    struct kairos_bad_event bad[SKIPPED_LOGGED]; /* the first ones of them */
};

/*
 * Reads all of INPUT. Heartbeats of one moment keep the log's order. Returns false and describes
 * the failure when it cannot be read, is not well-formed, or memory ran out; then too finish is
 * needed. PROGRESS counts and is shown.
 */
bool heartbeats_read(struct heartbeats *heartbeats, struct input *input, struct progress *progress,
                     struct failure *failure);

void heartbeats_finish(struct heartbeats *heartbeats);

/* The name of the service that the heartbeat at INDEX comes from. */
const char *heartbeats_service(const struct heartbeats *heartbeats, size_t index);

#endif
