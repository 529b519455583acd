/*
 * handler.h - what libmicrohttpd asks of a worker: a daemon of its own for each, which parses
 * requests, and what becomes of them from their headers to the end of their answer.
 */
#ifndef KAIROS_HTTP_HANDLER_H
#define KAIROS_HTTP_HANDLER_H

#include <stdbool.h>

struct MHD_Daemon;
struct worker;

/*
 * Starts a daemon of WORKER, for CONNECTIONS at most, which speaks TLS or not. It has neither a
 * thread nor a socket to listen at: the worker runs it, and hands connections to it. Returns NULL
 * if that fails.
 */
struct MHD_Daemon *handler_start(struct worker *worker, bool tls, unsigned connections);

/* Stops those that were started, which closes all connections; and releases what is kept. */
void handler_stop(struct worker *worker);

#endif
