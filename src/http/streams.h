/*
 * streams.h - the event streams of a worker: connections over which it tells what happens, for as
 * long as their clients listen.
 *
 * A stream costs its place in the feed and what it wants to be told, and no buffer: the library
 * asks for text when there is room in the socket, and a stream that has none to give is parked.
 * When the feed has something new the worker goes around its streams and lets those that want it
 * have their turn, a portion of them at a time, and with a bounded piece of text each: so that
 * requests in between wait for a few milliseconds at most, and the worker finds a moment to say
 * what it has heard (worker.h). All have had theirs when a whole round finds nothing to do.
 *
 * Nobody waits for a slow reader. Whoever takes nothing for a while, or is overtaken by the feed,
 * is dropped.
 *
 * In the worker's thread, except for what is said to be otherwise.
 */
#ifndef KAIROS_HTTP_STREAMS_H
#define KAIROS_HTTP_STREAMS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "feed.h"
#include "stream_event.h"
#include "stream_filter.h"

struct request;
struct worker;

/* One stream: the state of a request. */
struct stream {
    struct request *request;
    struct stream_filter filter;
    uint64_t next;                 /* the number of the item that it looks at next */
    enum reset_reason reset;       /* to be said at the beginning */
    int64_t active_at;             /* when it wrote, or its client took something; engine time */
    int queue;                     /* bytes that its client had not taken then */
    bool begun;                    /* what it begins with was written */
    bool has_turn;                 /* it may write */
    bool passed;                   /* items that it did not want, and was not told of */
    bool is_slow;                  /* it is to be dropped */
    struct stream *before, *after; /* of the worker's, in a circle */
};

struct streams {
    struct worker *worker;
    struct stream_texts *texts; /* NULL before the first stream */
    struct feed_waiter waiter;
    atomic_bool news; /* the feed has rung */
    size_t count;
    struct stream *at;   /* whose turn is next */
    size_t left;         /* still to be looked at in this round */
    uint64_t end;        /* the items before it are there, as this round knows */
    bool again;          /* another round is wanted */
    int64_t comments_at; /* when to look next whose connection has been silent for long */
    int64_t turn_at;     /* when there was a turn last */

    /* What other threads read. */
    _Atomic uint64_t open;
    _Atomic uint64_t dropped;
};

void streams_init(struct streams *streams, struct worker *worker);

/* All streams are gone. */
void streams_finish(struct streams *streams);

/* ---- For the worker ---- */

/* The bell was heard: perhaps the feed has rung it. */
void streams_hear(struct streams *streams);

/* Whether streams have waited for a turn too long, though the worker never finds nothing to do. */
bool streams_are_due(const struct streams *streams, int64_t now);

/* Resumes the next streams that want to write, a portion of them. */
void streams_turn(struct streams *streams, int64_t now);

/* When there must be a turn, engine time, perhaps long ago; TIME_NEVER if there are no streams. */
int64_t streams_deadline(const struct streams *streams);

/* Lets all streams come to their end, which the server's stopping is. */
void streams_end(struct streams *streams);

/* ---- For the endpoint ---- */

/* Adds STREAM, which is filled in up to `reset`. Returns false when memory ran out. */
bool streams_add(struct streams *streams, struct stream *stream);

/* Takes it out again, and counts it if it was too slow. */
void streams_remove(struct streams *streams, struct stream *stream);

/* What libmicrohttpd reads the text of a stream, its CONTEXT, from (MHD_ContentReaderCallback). */
ssize_t stream_read(void *context, uint64_t position, char *text, size_t max);

#endif
