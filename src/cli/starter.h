/*
 * starter.h - tells the server that a run starts, in a thread of its own: the command does not wait
 * for the server.
 */
#ifndef KAIROS_CLI_STARTER_H
#define KAIROS_CLI_STARTER_H

#include <pthread.h>
#include <stdbool.h>

#include "beat.h"
#include "courier.h"

enum starter_state {
    STARTER_EMPTYING, /* the spool, whose heartbeats would end the run */
    STARTER_SENDING,  /* an earlier fail or the start, which happen when they are sent */
    STARTER_DONE,
};

struct starter {
    struct courier_options options;
    struct beat beat;
    pthread_t thread;
    bool running; /* there is a thread */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum starter_state state; /* under the lock, */
    bool ended;               /* as is whether the run has ended: it starts no more */
};

/* Starts the thread. curl_global_init was called. */
void starter_begin(struct starter *starter, const struct courier_options *options,
                   const struct beat *beat);

/*
 * The run has ended: it starts no more, nor does an earlier one fail; and what is being sent is
 * waited for, so that the end does not overtake it.
 */
void starter_end(struct starter *starter);

/*
 * Gives the thread PATIENCE more seconds for the spool. Returns whether it has ended; if not, the
 * program is to be left by _exit.
 */
bool starter_finish(struct starter *starter, double patience);

#endif
