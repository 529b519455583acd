/*
 * job.h - long work, done in steps by a pool of threads of its own, so that no worker is kept from
 * its connections.
 *
 * A request that needs such work holds a struct job inside its `state` and waits without a thread:
 *
 *     static bool run(struct job *job)               a thread of the pool, step by step
 *     {
 *         ... work for some milliseconds ...
 *         if (... there is more ...)
 *             return true;
 *         state->done = true;
 *         job_wake(job);
 *         return false;
 *     }
 *
 *     static void answer(struct request *request)    the worker's thread
 *     {
 *         if (request->state == NULL) {
 *             ... make the state ...
 *             job_init(&state->job, request, run, drop);
 *             job_park(&state->job);
 *             job_submit(&state->job);
 *         } else if (state->done) {
 *             ... answer ...
 *         }
 *     }
 *
 *     static void forget(struct request *request)
 *     {
 *         job_abandon(&state->job);                  from here on the state belongs to the pool
 *     }
 *
 * Jobs take turns, a step each. The threads run at a lower priority than all others of the process:
 * what they do never delays a heartbeat that waits to be heard. Nothing is queued but what requests
 * wait for, so there are no more jobs than connections.
 *
 * A job outlives its request: a worker may not wait for a step to end. Whoever abandons a job lets
 * go of its state at once; the pool releases it (`drop`) as soon as it is not being run.
 *
 * The pool's lock is taken ahead of a worker's, and under the lock of nothing else but what a state
 * keeps for itself.
 */
#ifndef KAIROS_HTTP_JOB_H
#define KAIROS_HTTP_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"

/* Threads that a pool may have. */
#define JOB_THREADS_MAX 256

struct job_pool;
struct request;

struct job {
    /*
     * Does the next step, by one thread at a time. Returns true if there is more to do at once; on
     * false it is not called again before the job is submitted.
     */
    bool (*run)(struct job *job);

    /* Releases what the job is part of. The last that is called, by any thread. */
    void (*drop)(struct job *job);

    /* The pool's, under its lock. */
    struct job_pool *pool;
    struct request *request;
    struct job *next;
    enum { JOB_IDLE, JOB_QUEUED, JOB_RUNNING } place;
    bool again;     /* submitted while it was running */
    bool parked;    /* the request waits to be woken */
    bool abandoned; /* the request is gone */
};

/* Starts THREADS threads (1 to JOB_THREADS_MAX). Returns NULL and describes the failure. */
struct job_pool *job_pool_create(unsigned threads, struct failure *failure);

/*
 * Ends the threads, each after the step that it is in (see job_is_unwanted). No job is run any
 * more; requests can still be parked and forgotten. To be called once the server has stopped, ahead
 * of whatever jobs work with.
 */
void job_pool_stop(struct job_pool *pool);

/* Stops it if need be; accepts NULL. All jobs must have been abandoned: the server is destroyed. */
void job_pool_destroy(struct job_pool *pool);

struct job_figures {
    unsigned threads;
    size_t queued;  /* jobs that wait for a thread */
    size_t running; /* jobs that have one */
    uint64_t steps; /* that were done */
};

/* From any thread, while the pool is not being stopped. */
struct job_figures job_pool_figures(struct job_pool *pool);

/* ---- In the thread of the request's worker ---- */

/* Makes a job of REQUEST, for the pool of its context. */
void job_init(struct job *job, struct request *request, bool (*run)(struct job *),
              void (*drop)(struct job *));

/* As request_park: the request waits for the next job_wake. */
void job_park(struct job *job);

/*
 * Lets go of the job: its request is woken no more, and its state may not be touched again. To be
 * called once, from the endpoint's `forget`.
 */
void job_abandon(struct job *job);

/* ---- From any thread, while the job was not abandoned; in `run` always ---- */

/* Has the job run as soon as a thread is free; once more if it is running now. */
void job_submit(struct job *job);

/* Wakes the request if it is parked, and not gone. */
void job_wake(struct job *job);

/* Whether nobody waits for the result any more: a long step asks now and then, and ends early. */
bool job_is_unwanted(struct job *job);

#endif
