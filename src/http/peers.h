/*
 * peers.h - how many connections each client has, so that no single one can take all.
 *
 * A client is an IPv4 address, or the network of the first 64 bits of an IPv6 address: who has one
 * such address has all of that network's. From any thread.
 */
#ifndef KAIROS_HTTP_PEERS_H
#define KAIROS_HTTP_PEERS_H

#include <stdbool.h>
#include <stddef.h>

#include "ip.h"

struct peers;

/* For up to CONNECTIONS at a time, of which a client may have MAX. Returns NULL if memory ran out.
 */
struct peers *peers_create(size_t connections, unsigned max);

void peers_destroy(struct peers *peers);

/* Counts a connection; false if the client has as many as it may, or there are too many in all. */
bool peers_enter(struct peers *peers, const struct ip *ip);

/* A connection that was counted is closed. */
void peers_leave(struct peers *peers, const struct ip *ip);

#endif
