/*
 * parking.h - the requests of a worker that wait for what another thread does, without a thread:
 * their connections are suspended. Those that were woken wait in turn for their worker, who alone
 * may tell the library to go on with them.
 *
 * In the worker's thread, except for what is said to be otherwise.
 */
#ifndef KAIROS_HTTP_PARKING_H
#define KAIROS_HTTP_PARKING_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "request.h"

struct parking {
    LIST_HEAD(, request) parked;
    bool resumed; /* some, since that was asked last */
    pthread_mutex_t lock;
    struct request *woken; /* those to be resumed; under the lock */
};

void parking_init(struct parking *parking);

/* Nobody waits any more. */
void parking_finish(struct parking *parking);

/* Suspends the connection of REQUEST, which is not parked. */
void parking_add(struct parking *parking, struct request *request);

/*
 * REQUEST, which is parked, goes on. The library looks at its connection in its next run, and does
 * not ask for one (parking_has_resumed).
 */
void parking_resume(struct parking *parking, struct request *request);

/* The same for all that were woken. One that did not park after all goes on anyhow. */
void parking_resume_woken(struct parking *parking);

/* The same for all, to be closed: the library wants none to be suspended when it is stopped. */
void parking_abandon(struct parking *parking);

/* Whether any were resumed since this was asked last: then the library has to be run. */
bool parking_has_resumed(struct parking *parking);

/*
 * Enters REQUEST, which is parked or about to be, among the woken ones. Returns whether it is the
 * first of them: the worker has to be told. From any thread.
 */
bool parking_wake(struct parking *parking, struct request *request);

/* REQUEST, which nobody wakes any more, is about to be reused. */
void parking_forget(struct parking *parking, struct request *request);

#endif
