/*
 * self_heartbeat.h - heartbeats of this Kairós to others that watch it: while all is well, and at
 * no other time, a thread of its own asks for their addresses.
 *
 * Each try is bounded in time and by itself; nothing else waits for it. What fails is counted, and
 * logged now and then, with the host alone: an address may hold a secret.
 */
#ifndef KAIROS_CLI_SELF_HEARTBEAT_H
#define KAIROS_CLI_SELF_HEARTBEAT_H

#include <stdint.h>

#include "context.h"
#include "failure.h"
#include "journal.h"
#include "server.h"

/* What it has to do with; all of that stays the caller's and must outlive it. */
struct self_heartbeat_parts {
    const struct context *context;
    const struct server *server;
    struct journal *journal;
    struct operations *operations;
};

struct self_heartbeat;

/* Starts the thread, which has nobody to tell. Returns NULL and describes the failure. */
struct self_heartbeat *self_heartbeat_create(const struct self_heartbeat_parts *parts,
                                             struct failure *failure);

/*
 * From now on the addresses of URLS (url_list.h; NULL for none), which is copied, are told each
 * INTERVAL, microseconds. Returns false, with nothing changed, when memory ran out.
 */
bool self_heartbeat_set(struct self_heartbeat *self, const char *urls, int64_t interval);

/* Ends the thread, whatever it does; accepts NULL. */
void self_heartbeat_destroy(struct self_heartbeat *self);

#endif
