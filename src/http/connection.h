/*
 * connection.h - what a worker keeps of a connection beside the library: from the moment it was
 * accepted until it is closed.
 *
 * It is touched by its worker's thread alone. Records are kept for reuse.
 */
#ifndef KAIROS_HTTP_CONNECTION_H
#define KAIROS_HTTP_CONNECTION_H

#include <stdbool.h>

struct identity;
struct listener;
struct worker;

struct connection {
    struct worker *worker;
    int fd;                    /* the library's */
    struct identity *identity; /* what it shows of the server; NULL without TLS */
    struct connection *next;   /* spare */
};

/*
 * A record of the connection FD that came in at LISTENER; NULL if memory ran out. Goes back to
 * connection_give.
 */
struct connection *connection_take(struct worker *worker, const struct listener *listener, int fd);

void connection_give(struct connection *connection);

/* Frees those that are kept. */
void connections_free(struct connection *spare);

#endif
