/*
 * connection.h - what a worker keeps of a connection beside the library: from the moment it was
 * accepted until it is closed.
 *
 * That is who its client is, the certificate it began with, and until when the client has to send
 * what is waited for. Such a deadline is absolute: who sends a byte now and then gains nothing by
 * it. All deadlines of one kind are equally far away when they are set, so a queue keeps them in
 * order.
 *
 * It is touched by its worker's thread alone. Records are kept for reuse.
 */
#ifndef KAIROS_HTTP_CONNECTION_H
#define KAIROS_HTTP_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "handshake.h"
#include "ip.h"
#include "tls.h"

struct listener;
struct request;
struct worker;

/* What the client is to send. */
enum awaited {
    AWAITED_HEADERS, /* of a request: after it was accepted, or answered */
    AWAITED_BODY,    /* the rest of the request, up to its end */
    AWAITED_COUNT,
    AWAITED_NOTHING = AWAITED_COUNT, /* it is our turn */
};

struct connection {
    struct worker *worker;
    int fd;                 /* the library's */
    struct tls_session tls; /* all zero without TLS */
    struct handshake handshake;
    struct request *request; /* that is under way; NULL if there is none */
    bool has_ip;             /* false at a Unix socket */
    bool trusted;            /* a proxy, or at a Unix socket: it says who the client is */
    bool counted;            /* among the connections of its client */
    struct ip ip;
    char address[IP_TEXT_SIZE]; /* the same in text, once it was asked for; "" before */
    enum awaited awaited;
    int64_t deadline;               /* engine time */
    struct connection *next, *last; /* in the queue of its deadline; next also of a spare one */
};

/* Deadlines of one kind, the nearest first. */
struct deadlines {
    int64_t time; /* how far away they are when they are set */
    struct connection *first, *last;
};

/*
 * A record of the connection FD of PEER that came in at LISTENER, at the engine time NOW; NULL if
 * memory ran out, or there are too many, in all or from this client. Goes back to connection_give.
 */
struct connection *connection_take(struct worker *worker, const struct listener *listener, int fd,
                                   const struct sockaddr *peer, int64_t now);

void connection_give(struct connection *connection);

/* Frees those that are kept. */
void connections_free(struct connection *spare);

/* Whom it comes from, as the log says it: an address, or "unix". */
const char *connection_address(struct connection *connection);

/* From NOW on this is what the client has to send in time. */
void connection_await(struct connection *connection, enum awaited awaited, int64_t now);

/*
 * Closes those of WORKER whose deadline is past, when all that has arrived up to the engine time
 * HEARD has been read. Returns how many.
 */
unsigned connections_expire(struct worker *worker, int64_t heard);

/* The nearest deadline; TIME_NEVER if there is none. */
int64_t connections_deadline(const struct worker *worker);

#endif
