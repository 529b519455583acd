/*
 * handshake.h - connections that are to speak TLS, until they can: while client and server agree on
 * their keys.
 *
 * The library wants to be run without a pause for as long as such a connection waits for its client
 * (0.9.75: what is left unread there still counts as readable), so that six bytes of one client
 * would keep a worker busy. A connection that waits is therefore suspended, and its worker waits
 * for the client itself.
 *
 *     handshake_begin(connection, handle);      it was accepted
 *     handshakes_go_on(&worker->handshakes);    to be run: clients have sent something
 *     ... the library runs ...
 *     handshakes_wait(&worker->handshakes);     those that are not at their end wait again
 *
 * All of it belongs to one worker's thread.
 */
#ifndef KAIROS_HTTP_HANDSHAKE_H
#define KAIROS_HTTP_HANDSHAKE_H

#include <stdbool.h>

struct MHD_Connection;
struct connection;

/* Those of a worker. */
struct handshakes {
    int epoll;                  /* of the sockets of those that wait */
    struct connection *running; /* those that the library looks at */
    struct connection *waiting; /* those that are suspended */
};

/* What a connection has of it. All zero if it has none under way. */
struct handshake {
    struct MHD_Connection *handle;
    bool watched; /* its socket is in the epoll */
    bool waiting;
    struct connection *next, *last; /* in its list */
};

/* Returns false, with errno set and nothing to finish, if that cannot be done. */
bool handshakes_init(struct handshakes *handshakes);

void handshakes_finish(struct handshakes *handshakes);

/* CONNECTION, the library's HANDLE, begins. */
void handshake_begin(struct connection *connection, struct MHD_Connection *handle);

/* CONNECTION, which does not wait, is going to be closed, or is through. */
void handshake_end(struct connection *connection);

/* Those whose clients have sent something, or left, are looked at in the library's next run. */
void handshakes_go_on(struct handshakes *handshakes);

/* The library has run: those that are not through wait for their clients. */
void handshakes_wait(struct handshakes *handshakes);

/* None waits any more: the library is going to be stopped, and closes them. */
void handshakes_abandon(struct handshakes *handshakes);

#endif
