/*
 * server.h - the HTTP server: the sockets that it listens at, and the workers that serve them.
 *
 *     server = server_create(&options, &failure);       binds and listens: clients wait
 *     server_start(server, &context, &failure);         they are served
 *     hearing = server_hearing(server);
 *     ticker = ticker_create(…, &hearing, …);
 *     server_set_ticker(server, ticker);
 *     ...
 *     server_stop(server);                              answers what is under way
 *     ticker_destroy(ticker);
 *     server_destroy(server);
 */
#ifndef KAIROS_HTTP_SERVER_H
#define KAIROS_HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "context.h"
#include "failure.h"
#include "hearing.h"
#include "ip.h"
#include "listener.h"
#include "ticker.h"
#include "traffic.h"

#define WORKERS_MAX 256

/* Connections in all: 2 GB, should each of them fill its memory. */
#define CONNECTIONS_MAX 65536

/* Bounds of the times that clients are given. */
#define CLIENT_TIME_MIN KAIROS_SECOND
#define CLIENT_TIME_MAX KAIROS_DAY

/* What clients may take up. Times are in microseconds. */
struct server_limits {
    unsigned connections;             /* 1 to CONNECTIONS_MAX; as far as the descriptors go */
    unsigned connections_per_address; /* 0 for no limit; not for proxies, nor at Unix sockets */
    struct networks trusted_proxies;  /* these say for whom they ask */
    int64_t header_timeout;           /* from accepting, or the last answer, to complete headers */
    int64_t body_timeout;             /* from there to the end of the body */
};

/*
 * Sockets that the service manager has passed take the place of those that are named here.
 */
struct server_options {
    bool tcp;                /* whether to listen at the address */
    struct address address;  /* port 0 picks a free one */
    const char *unix_socket; /* a path to listen at, or NULL */
    mode_t unix_socket_mode; /* the permissions of its file */
    bool open_to_others;     /* whether others than this machine may be able to connect */
    const char *tls_cert;    /* PEM files: at addresses TLS is spoken; or NULL. They have to */
    const char *tls_key;     /* outlive the server. */
    const char *access_log;  /* a file, or "-" for the program's log; NULL for none */
    unsigned workers;        /* 1 to WORKERS_MAX */
    struct server_limits limits;
};

/* At no address yet; as many workers as this process may use cores are the caller's matter. */
struct server_options server_options_default(void);

struct server;

/*
 * Binds and listens. Returns NULL and describes the failure.
 */
struct server *server_create(const struct server_options *options, struct failure *failure);

/* Where it listens, COUNT of them, the port that was picked included. */
const struct listener *server_listeners(const struct server *server, size_t *count);

/*
 * Lets the process have as many descriptors as it may, and starts the workers, which answer about
 * CONTEXT; that stays the caller's and must outlive the
 * server. Returns false and describes the failure; then the server is good for destroying alone.
 */
bool server_start(struct server *server, const struct context *context, struct failure *failure);

/* How far heartbeats have been heard, for the ticker; good as long as the server. */
struct hearing server_hearing(struct server *server);

/* The ticker that asks; it may have asked already. */
void server_set_ticker(struct server *server, struct ticker *ticker);

/*
 * Listens no longer, answers what is under way (for a few seconds at most), and ends the workers.
 * server_hearing then tells for good up to when all was heard.
 */
void server_stop(struct server *server);

/*
 * Stops it if need be; accepts NULL. Returns false if the access log has not taken all, since where
 * it goes hangs: a part of the server lives on then, and the process had better end.
 */
bool server_destroy(struct server *server);

/* ---- For workers and endpoints ---- */

bool server_is_stopping(const struct server *server);

/* Whether there are as many connections as there may be. From any thread. */
bool server_is_full(const struct server *server);

/* A worker has one connection more, or less. */
void server_count_connection(struct server *server, int change);

/* NULL before it was set. */
struct ticker *server_ticker(const struct server *server);

/* NULL if there is none. Its file may be exchanged from any thread, by one at a time. */
struct access_log *server_access_log(const struct server *server);

const struct server_limits *server_limits(const struct server *server);

/* Whether whoever connects from IP is a proxy that says for whom it asks. */
bool server_trusts(const struct server *server, const struct ip *ip);

/* The connections of each client; NULL if they are not limited. */
struct peers *server_peers(const struct server *server);

/* The server's certificate; NULL if no TLS is spoken. */
struct tls *server_tls(const struct server *server);

/* A worker has taken the listening sockets out of its epoll; the last one closes them. */
void server_leave_sockets(struct server *server);

struct server_counts {
    uint64_t events; /* in request bodies */
    uint64_t invalid[KAIROS_REASON_COUNT];
    uint64_t connections; /* accepted */
    uint64_t refused;
    uint64_t open; /* connections that are open */
    uint64_t timed_out;
    uint64_t streams; /* open */
    uint64_t streams_dropped;
};

struct server_counts server_counts(const struct server *server);

/* What all workers have finished; TRAFFIC is overwritten. */
void server_traffic(const struct server *server, struct traffic_sum *traffic);

/*
 * Whether every worker has gone round its loop since this was asked last. An idle one does when it
 * is asked for a stamp, as the ticker does all the time. By one thread.
 */
bool server_has_progressed(struct server *server);

#endif
