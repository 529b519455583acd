/*
 * stream_event.h - what happened, as events of the stream (/api/v1/stream).
 *
 *   id: 63f2a1b0c4d58-17
 *   event: alert
 *   data: {"service":"push","alert_at":"2025-08-04T10:05:00Z",…}
 *
 * The data is what the API shows of the same thing elsewhere. An id names the run of the program,
 * by when it started, and the item's number in the feed.
 *
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html, "Event stream
 * interpretation".
 */
#ifndef KAIROS_HTTP_STREAM_EVENT_H
#define KAIROS_HTTP_STREAM_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "feed.h"
#include "percent.h"
#include "writer.h"

/* No event is longer. */
#define EVENT_TEXT_MAX 1024

/* Milliseconds after which a client whose stream has broken is to come again. */
#define EVENT_RETRY 2000

/* Why a client has to read anew how things stand. */
enum reset_reason {
    RESET_NONE,      /* it need not */
    RESET_RESTART,   /* its last event is of an earlier run of the program */
    RESET_OVERTAKEN, /* what followed its last event is no longer kept */
    RESET_UNKNOWN,   /* its last event was never sent */
};

/* "alert", "recovery", "closed", "status", "gap". */
const char *event_name(enum feed_type type);

/* The event of ITEM, in the run RUN. */
void event_write(struct writer *writer, const struct clock *clock, uint64_t run,
                 const struct feed_item *item);

/*
 * What a stream begins with: when to come again, the id of NUMBER, which was the last item before
 * it, and, unless it is RESET_NONE, why the client is to read anew how things stand.
 */
void event_write_begin(struct writer *writer, uint64_t run, uint64_t number,
                       enum reset_reason reason);

/*
 * A comment, which keeps a connection in use. With a NUMBER other than 0 it lets the client know
 * that it has got all that it wants up to that item.
 */
void event_write_comment(struct writer *writer, uint64_t run, uint64_t number);

/* Reads an id. Returns false if TEXT is none. */
bool event_id_parse(struct slice text, uint64_t *run, uint64_t *number);

#endif
