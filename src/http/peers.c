#include "peers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define NETWORK_BYTES 8 /* of an IPv6 address, that belong to one client */

/* One client, in a table of open addressing. */
struct peer {
    struct ip ip;
    unsigned connections; /* 0: the place is free */
};

struct peers {
    pthread_mutex_t lock;
    unsigned max;
    size_t mask; /* places less one: at least twice as many as there can be clients */
    size_t room; /* connections that there may still be */
    uint64_t seed;
    struct peer places[];
};

struct peers *peers_create(size_t connections, unsigned max)
{
    size_t places = 4;
    while (places < 2 * connections)
        places *= 2;
    struct peers *peers = calloc(1, sizeof(*peers) + places * sizeof(peers->places[0]));
    if (peers == NULL)
        return NULL;
    pthread_mutex_init(&peers->lock, NULL);
    peers->max = max;
    peers->mask = places - 1;
    peers->room = connections;
    /* So that networks cannot be chosen to collide. It is there long after the system has started.
     */
    (void)!getrandom(&peers->seed, sizeof(peers->seed), 0);
    return peers;
}

void peers_destroy(struct peers *peers)
{
    if (peers == NULL)
        return;
    pthread_mutex_destroy(&peers->lock);
    free(peers);
}

static struct ip client_of(const struct ip *ip)
{
    struct ip client = *ip;
    if (!ip_is_v4(ip))
        memset(client.bytes + NETWORK_BYTES, 0, sizeof(client.bytes) - NETWORK_BYTES);
    return client;
}

static size_t home_of(const struct peers *peers, const struct ip *client)
{
    return XXH3_64bits_withSeed(client, sizeof(*client), peers->seed) & peers->mask;
}

/* Where CLIENT is, or could be. */
static size_t find(const struct peers *peers, const struct ip *client)
{
    size_t at = home_of(peers, client);
    while (peers->places[at].connections > 0 &&
           memcmp(&peers->places[at].ip, client, sizeof(*client)) != 0)
        at = (at + 1) & peers->mask;
    return at;
}

/* Frees the place AT; whoever had to go past it on the way from home moves up. */
static void vacate(struct peers *peers, size_t at)
{
    for (size_t next = (at + 1) & peers->mask; peers->places[next].connections > 0;
         next = (next + 1) & peers->mask) {
        size_t home = home_of(peers, &peers->places[next].ip);
        if (((next - home) & peers->mask) < ((next - at) & peers->mask))
            continue;
        peers->places[at] = peers->places[next];
        at = next;
    }
    peers->places[at].connections = 0;
}

bool peers_enter(struct peers *peers, const struct ip *ip)
{
    struct ip client = client_of(ip);
    pthread_mutex_lock(&peers->lock);
    struct peer *peer = &peers->places[find(peers, &client)];
    bool admitted = peer->connections < peers->max && peers->room > 0;
    if (admitted) {
        peer->ip = client;
        peer->connections++;
        peers->room--;
    }
    pthread_mutex_unlock(&peers->lock);
    return admitted;
}

void peers_leave(struct peers *peers, const struct ip *ip)
{
    struct ip client = client_of(ip);
    pthread_mutex_lock(&peers->lock);
    size_t at = find(peers, &client);
    if (peers->places[at].connections > 1)
        peers->places[at].connections--;
    else
        vacate(peers, at);
    peers->room++;
    pthread_mutex_unlock(&peers->lock);
}
