/*
 * batch.h - the heartbeats of one request, read as its body comes in.
 *
 * The body is a JSON array of events or NDJSON, as a file is; an event without a timestamp counts
 * as of now. Nothing is kept of the body but its events: valid ones in a row that grows, of bad
 * ones the first BATCH_ERRORS_KEPT. So nothing need be applied before all is known to be
 * well-formed.
 *
 *     batch_begin(batch);
 *     while (... more pieces ...)
 *         batch_feed(batch, piece, size, now);
 *     if (batch_finish(batch, now) == BATCH_OK)
 *         use(batch->events, batch->count);
 *     batch_trim(batch);                            to be kept for the next request
 */
#ifndef KAIROS_HTTP_BATCH_H
#define KAIROS_HTTP_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kairos/parser.h>

#include "engine.h"
#include "failure.h"
#include "place.h"

/* Events in one request at most: 25 MB while it is read. */
#define BATCH_EVENTS_MAX 200000

/* So many errors are told with their particulars. */
#define BATCH_ERRORS_KEPT 100

enum batch_status {
    BATCH_OK,
    BATCH_MALFORMED, /* an array that is not well-formed, or no event at all */
    BATCH_TOO_MANY,  /* more than BATCH_EVENTS_MAX events */
    BATCH_NO_MEMORY,
};

/* An event that was not accepted. */
struct batch_error {
    uint64_t number; /* in the body, from 1 */
    const char *reason;
    const char *detail;
};

struct batch {
    struct kairos_parser *parser;
    struct kairos_event *events; /* the valid ones; `offset` is their number in the body, from 1 */
    size_t count;
    size_t capacity;
    enum engine_result *results; /* room for as many */
    uint64_t total;              /* events, bad ones too */
    uint64_t bad[KAIROS_REASON_COUNT];
    struct batch_error errors[BATCH_ERRORS_KEPT]; /* of the first bad ones */
    size_t error_count;
    struct place place; /* where reading has arrived, */
    uint64_t offset;    /* and at which byte */
    enum batch_status status;
    struct failure failure; /* of anything but BATCH_OK */
};

/* An empty batch that has not begun. Returns NULL when memory ran out. */
struct batch *batch_create(void);

/* Accepts NULL. */
void batch_destroy(struct batch *batch);

/* Makes it empty, and ready for the first piece. */
void batch_begin(struct batch *batch);

/*
 * Takes the next SIZE bytes of the body; an event in it that has no timestamp is one of NOW (wall
 * time). After a status other than BATCH_OK nothing more is taken.
 */
enum batch_status batch_feed(struct batch *batch, const char *piece, size_t size, int64_t now);

/* Tells that the body ends here. On BATCH_OK there is room for the results of all events. */
enum batch_status batch_finish(struct batch *batch, int64_t now);

/* Bytes that the rows of events and results hold. */
size_t batch_memory(const struct batch *batch);

/* Gives the rows back if they have become large, so that the batch can be kept for later. */
void batch_trim(struct batch *batch);

#endif
