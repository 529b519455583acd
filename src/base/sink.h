/*
 * sink.h - what threads tell, on its way to where it is written: a thread of its own does that,
 * which may be slow, or hang.
 *
 *     sink = sink_create(&(struct sink_options){.name = "journal", …, .take = take}, &failure);
 *     sink_tell(sink, &part, 1, 1);             from any thread: copied, and never waited for
 *     ...
 *     sink_destroy(sink);                       what was told is taken
 *
 * There are two buffers: while one is being taken the other one fills. What then finds no room is
 * counted, and the number is told to whoever takes.
 */
#ifndef KAIROS_BASE_SINK_H
#define KAIROS_BASE_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "failure.h"

/* Seconds that a taker who hangs is waited for in the end. */
#define SINK_PATIENCE 1

struct sink_options {
    const char *name; /* of the thread: 15 characters at most */
    size_t capacity;  /* bytes of each buffer; the system gives the memory as it is touched */
    unsigned linger;  /* milliseconds to wait for more to come, once something was told */

    /*
     * Takes SIZE bytes, which are all that was told, in order; then LOST more entries were told
     * and found no room. In the sink's thread.
     */
    void (*take)(void *context, const char *bytes, size_t size, uint64_t lost);
    void *context;
};

struct sink;

/* Starts the thread. Returns NULL and describes the failure. */
struct sink *sink_create(const struct sink_options *options, struct failure *failure);

/*
 * Tells ENTRIES entries, the bytes of which are in COUNT parts: all of it, or nothing if there is
 * no room. From any thread.
 */
void sink_tell(struct sink *sink, const struct iovec *parts, int count, uint64_t entries);

/*
 * Lets what was told be taken, and ends the thread; accepts NULL. Returns false when that has not
 * come to an end within SINK_PATIENCE: then sink and thread live on; it may be tried again.
 */
bool sink_destroy(struct sink *sink);

#endif
