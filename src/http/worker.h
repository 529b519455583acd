/*
 * worker.h - a thread that serves connections, with an epoll loop of its own.
 *
 * All workers wait at all listening sockets; whoever accepts a connection keeps it. In each loop
 * a worker takes in all that has arrived, lets libmicrohttpd handle it, and, when nothing is left,
 * stamps the time at which it began to look: whatever had arrived at its sockets by then is in the
 * engine (hearing.h). When it finds no end of work it stamps once a second, unless it may be far
 * behind. What stands behind another request of the same connection counts as having arrived when
 * that one has been answered: the client has chosen that order.
 *
 * A worker's thread shares nothing with others but atomic stamps and counts.
 */
#ifndef KAIROS_HTTP_WORKER_H
#define KAIROS_HTTP_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kairos/parser.h>

#include "access_log.h"
#include "answer.h"
#include "batch.h"
#include "connection.h"
#include "failure.h"
#include "handshake.h"
#include "parking.h"
#include "request.h"
#include "streams.h"
#include "traffic.h"

/* Batches that are kept for the next requests; more only while more are read at the same time. */
#define BATCHES_KEPT 4

/* Counts that only the worker's thread adds to, and any thread reads. */
struct worker_counts {
    _Atomic uint64_t events;                       /* in request bodies */
    _Atomic uint64_t invalid[KAIROS_REASON_COUNT]; /* events that were no heartbeats */
    _Atomic uint64_t connections;                  /* accepted */
    _Atomic uint64_t refused;                      /* accepted and closed: too many */
    _Atomic uint64_t timed_out;                    /* closed: the client was too slow */
};

enum {
    DAEMON_HTTP,
    DAEMON_HTTPS,
    DAEMONS_MAX,
};

struct MHD_Daemon;
struct server;

struct worker {
    struct server *server;
    const struct context *context;
    struct MHD_Daemon *daemons[DAEMONS_MAX]; /* one that speaks HTTP, and one HTTPS; or NULL */
    struct MHD_Response *constants[CONSTANT_COUNT];
    pthread_t thread;
    int epoll; /* the listening sockets, the bell, and the daemon's own epoll */
    int bell;  /* an eventfd: rung when a stamp or a request's waking is wanted, or the server stops
                */
    bool listening; /* the listening sockets are in the epoll */
    bool stopping;
    int64_t listen_again;    /* when to, after descriptors ran out */
    int64_t accept_log_next; /* when that may be logged again */
    int64_t drain_until;     /* when stopping: when to leave at the latest */

    uint64_t rung;     /* times that the bell was heard */
    uint64_t answered; /* of these, how many stamps have answered */

    struct deadlines deadlines[AWAITED_COUNT];
    struct connection *spare_connections;
    struct connection *arriving; /* what is being handed to the library */
    struct handshakes handshakes;
    uint64_t id_seed;           /* of requests */
    struct gzip *gzip;          /* NULL before it was needed */
    struct access_lines access; /* of requests that have ended in this pass */
    struct request *spare_requests;
    size_t under_way; /* requests */
    struct parking parking;
    struct batch *spare_batches[BATCHES_KEPT];
    size_t spare_batch_count;
    size_t body_memory; /* of the batches and bodies that are being read */
    struct streams streams;

    /* What other threads read. */
    _Alignas(64) _Atomic int64_t heard_until;
    _Atomic uint64_t rounds; /* of its loop */
    struct worker_counts counts;
    struct traffic traffic;

    uint64_t rounds_seen; /* by server_has_progressed */
};

/*
 * Makes a worker for SERVER with room for CONNECTIONS. Returns false and describes the failure;
 * nothing is left then.
 */
bool worker_init(struct worker *worker, struct server *server, const struct context *context,
                 unsigned connections, struct failure *failure);

/* Starts its thread. */
bool worker_start(struct worker *worker, unsigned number, struct failure *failure);

/* Wakes it: to stamp, or to see that the server stops. From any thread. */
void worker_ring(struct worker *worker);

/* Has the worker resume a request that is parked, or about to be. From any thread. */
void worker_wake(struct worker *worker, struct request *request);

/* Has the worker look after its streams. From any thread. */
void worker_ring_streams(struct worker *worker);

/* Waits for its thread to end, which it does once the server stops. */
void worker_join(struct worker *worker);

/* Releases what worker_init made. Its thread does not run. */
void worker_finish(struct worker *worker);

/* ---- For answers and endpoints, in the worker's thread ---- */

/* EVENTS came in a request's body, of which so many were BAD. */
void worker_count_events(struct worker *worker, uint64_t events,
                         const uint64_t bad[KAIROS_REASON_COUNT]);

/* A number that no other request has, and that tells nothing. */
uint64_t worker_next_id(struct worker *worker);

/* What compresses answers; NULL if memory ran out. */
struct gzip *worker_gzip(struct worker *worker);

/*
 * A batch that has begun; NULL if memory ran out or too much is being read at once. Goes back to
 * worker_give_batch.
 */
struct batch *worker_take_batch(struct worker *worker);
void worker_give_batch(struct worker *worker, struct batch *batch);

/*
 * Counts BYTES more of bodies that are being read; returns whether that was within bounds. What was
 * taken is given back either way.
 */
bool worker_take_memory(struct worker *worker, size_t bytes);
void worker_give_memory(struct worker *worker, size_t bytes);

#endif
