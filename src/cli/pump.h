/*
 * pump.h - passes what a command writes on to where it would have gone, unchanged, and keeps the
 * last of it.
 *
 * Standard output and error stay apart, each with a thread of its own, so that neither waits for
 * the other; but where both go to the same place, as after 2>&1, one pipe keeps their order. What
 * is a terminal is not pumped: a command wants to know that it has one before it.
 *
 *   pump_init(&pump, true, &failure);
 *   …the command gets pump.out and pump.err, -1 for ours…
 *   pump_release(&pump);
 *   pump_wait(&pump, …);                  when the command has ended
 *   pump_finish(&pump);
 */
#ifndef KAIROS_CLI_PUMP_H
#define KAIROS_CLI_PUMP_H

#include <pthread.h>
#include <stdbool.h>

#include "failure.h"
#include "tail.h"

struct pump;

/* From a pipe to a descriptor. */
struct stream {
    struct pump *pump;
    pthread_t thread;
    bool running;
    char *block; /* what has been read */
    int from;
    int to;
};

struct pump {
    int out; /* for the command, to write to; -1 for ours */
    int err;
    struct stream streams[2];
    unsigned count; /* of streams */
    int stop;       /* an eventfd: readable when the streams are to end */
    int done;       /* an eventfd: readable when one has ended */
    unsigned ended; /* of streams; under the lock, as is the tail */
    struct tail tail;
    pthread_mutex_t lock;
};

/*
 * Makes the pipes and starts the threads; none if CAPTURE is false, or there are only terminals.
 * Describes the failure; then it is one that captures nothing.
 */
bool pump_init(struct pump *pump, bool capture, struct failure *failure);

/* Closes the command's ends here, so that the streams end with the command. */
void pump_release(struct pump *pump);

/*
 * To be called when the command has ended. Returns true when all has been passed on. What is in a
 * pipe by then will be, however long it takes; but somebody else may have it open still, and for
 * him nobody waits for longer than GRACE milliseconds. Returns false as soon as SIGNALS can be
 * read; it may be called again.
 */
bool pump_wait(struct pump *pump, int grace, int signals);

/* Copies the last of what was written. */
size_t pump_tail(struct pump *pump, char copy[TAIL_MAX]);

/* Only when pump_wait has returned true, or there was no command. */
void pump_finish(struct pump *pump);

#endif
