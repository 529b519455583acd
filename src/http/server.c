#include "server.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "access_log.h"
#include "peers.h"
#include "tls.h"
#include "worker.h"

/* Descriptors for all but connections. */
#define DESCRIPTORS_KEPT 128

/* Proxies of this machine. */
#define TRUSTED_PROXIES "127.0.0.1, ::1"

struct server {
    struct listener listeners[LISTENERS_MAX];
    size_t listener_count;
    struct tls *tls;
    struct server_limits limits;
    const char *access_file;
    struct access_log *access_log;
    struct peers *peers;
    struct log *log;
    struct worker *workers;
    unsigned worker_count;
    unsigned initialised; /* workers */
    unsigned running;
    atomic_uint at_sockets; /* workers that have the sockets in their epoll */
    atomic_bool stopping;
    _Atomic(struct ticker *) ticker;
    unsigned connections_max;
    _Atomic int64_t connections; /* that are open, of all workers */
};

/* Lets the process have as many descriptors as it may; returns how many. */
static rlim_t raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1024;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 1024;
}

/* How many connections there may be; each worker may have all of them. */
static unsigned connections_max(unsigned wanted)
{
    rlim_t descriptors = raise_descriptors();
    rlim_t all =
        descriptors > 2 * DESCRIPTORS_KEPT ? descriptors - DESCRIPTORS_KEPT : descriptors / 2;
    if (all > wanted)
        all = wanted;
    return all < 1 ? 1 : (unsigned)all;
}

/* Sockets come from outside: whoever opened them may have meant others to connect, or not. */
static bool check_reach(const struct server *server, struct failure *failure)
{
    char text[ADDRESS_TEXT_SIZE];
    for (size_t i = 0; i < server->listener_count; i++) {
        const struct listener *listener = &server->listeners[i];
        if (listener->local || address_is_loopback(&listener->address))
            continue;
        address_format(&listener->address, text);
        return failure_set(failure,
                           "others than this machine can connect to %s, at which the service "
                           "manager listens, and nobody is asked who he is; add "
                           "--insecure-no-auth if that is wanted",
                           text);
    }
    return true;
}

/* Reads the certificate; where others may listen to the wire, TLS is spoken. */
static bool open_tls(struct server *server, const struct server_options *options,
                     struct failure *failure)
{
    if (options->tls_cert == NULL)
        return true;
    server->tls = tls_create(options->tls_cert, options->tls_key, failure);
    for (size_t i = 0; i < server->listener_count; i++)
        server->listeners[i].tls = !server->listeners[i].local;
    return server->tls != NULL;
}

static bool open_sockets(struct server *server, const struct server_options *options,
                         struct failure *failure)
{
    struct listener *listeners = server->listeners;
    size_t *count = &server->listener_count;
    if (!listeners_adopt(listeners, LISTENERS_MAX, count, failure))
        return false;
    if (*count > 0)
        return options->open_to_others || check_reach(server, failure);
    if (options->unix_socket != NULL &&
        !listener_open_unix(&listeners[(*count)++], options->unix_socket, options->unix_socket_mode,
                            failure))
        return false;
    return !options->tcp || listener_open(&listeners[(*count)++], &options->address, failure);
}

struct server_options server_options_default(void)
{
    struct server_options options = {
        .tcp = true,
        .unix_socket_mode = 0660,
        .workers = 1,
        .limits =
            {
                .connections = CONNECTIONS_MAX,
                .connections_per_address = 1000,
                .header_timeout = 30 * KAIROS_SECOND,
                .body_timeout = 60 * KAIROS_SECOND,
            },
    };
    networks_add(&options.limits.trusted_proxies, TRUSTED_PROXIES, NULL);
    return options;
}

/* Makes the table of clients, unless each may have as many connections as it likes. */
static bool count_peers(struct server *server)
{
    const struct server_limits *limits = &server->limits;
    if (limits->connections_per_address == 0)
        return true;
    server->peers = peers_create(limits->connections, limits->connections_per_address);
    return server->peers != NULL;
}

struct server *server_create(const struct server_options *options, struct failure *failure)
{
    struct server *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        failure_set(failure, "out of memory");
        return NULL;
    }
    server->worker_count = options->workers;
    server->limits = options->limits;
    server->access_file = options->access_log;
    size_t size = options->workers * sizeof(server->workers[0]);
    server->workers = aligned_alloc(_Alignof(struct worker), size);
    if (server->workers == NULL || !count_peers(server))
        failure_set(failure, "out of memory");
    else if (open_sockets(server, options, failure) && open_tls(server, options, failure))
        return server;
    server_destroy(server);
    return NULL;
}

const struct listener *server_listeners(const struct server *server, size_t *count)
{
    *count = server->listener_count;
    return server->listeners;
}

bool server_start(struct server *server, const struct context *context, struct failure *failure)
{
    server->connections_max = connections_max(server->limits.connections);
    server->log = context->log;
    if (server->tls != NULL)
        tls_warn(server->tls, server->log);
    if (server->access_file != NULL) {
        server->access_log = access_log_create(server->access_file, server->log, failure);
        if (server->access_log == NULL)
            return false;
    }
    for (; server->initialised < server->worker_count; server->initialised++) {
        if (!worker_init(&server->workers[server->initialised], server, context,
                         server->connections_max, failure))
            return false;
    }
    server->at_sockets = server->worker_count;
    for (; server->running < server->worker_count; server->running++) {
        if (!worker_start(&server->workers[server->running], server->running, failure))
            return false;
    }
    return true;
}

struct access_log *server_access_log(const struct server *server)
{
    return server->access_log;
}

const struct server_limits *server_limits(const struct server *server)
{
    return &server->limits;
}

bool server_trusts(const struct server *server, const struct ip *ip)
{
    return networks_have(&server->limits.trusted_proxies, ip);
}

struct peers *server_peers(const struct server *server)
{
    return server->peers;
}

struct tls *server_tls(const struct server *server)
{
    return server->tls;
}

static int64_t heard_until(void *context)
{
    const struct server *server = context;
    int64_t oldest = INT64_MAX;
    for (unsigned i = 0; i < server->worker_count; i++) {
        int64_t time = atomic_load_explicit(&server->workers[i].heard_until, memory_order_acquire);
        oldest = time < oldest ? time : oldest;
    }
    return oldest;
}

static void ring_all(void *context)
{
    struct server *server = context;
    for (unsigned i = 0; i < server->initialised; i++)
        worker_ring(&server->workers[i]);
}

struct hearing server_hearing(struct server *server)
{
    return (struct hearing){.context = server, .heard_until = heard_until, .ask = ring_all};
}

void server_set_ticker(struct server *server, struct ticker *ticker)
{
    server->ticker = ticker;
    ring_all(server);
}

void server_stop(struct server *server)
{
    server->stopping = true;
    ring_all(server);
    for (; server->running > 0; server->running--)
        worker_join(&server->workers[server->running - 1]);
}

static void close_sockets(struct server *server)
{
    for (size_t i = 0; i < server->listener_count; i++)
        listener_close(&server->listeners[i]);
}

bool server_destroy(struct server *server)
{
    if (server == NULL)
        return true;
    server_stop(server);
    for (; server->initialised > 0; server->initialised--)
        worker_finish(&server->workers[server->initialised - 1]);
    close_sockets(server);
    tls_destroy(server->tls);
    peers_destroy(server->peers);
    bool told = access_log_destroy(server->access_log);
    free(server->workers);
    free(server);
    return told;
}

bool server_is_stopping(const struct server *server)
{
    return atomic_load_explicit(&server->stopping, memory_order_relaxed);
}

struct ticker *server_ticker(const struct server *server)
{
    return server->ticker;
}

bool server_is_full(const struct server *server)
{
    return atomic_load_explicit(&server->connections, memory_order_relaxed) >=
           (int64_t)server->connections_max;
}

void server_count_connection(struct server *server, int change)
{
    atomic_fetch_add_explicit(&server->connections, change, memory_order_relaxed);
}

void server_leave_sockets(struct server *server)
{
    if (atomic_fetch_sub(&server->at_sockets, 1) == 1)
        close_sockets(server);
}

struct server_counts server_counts(const struct server *server)
{
    struct server_counts sum = {0};
    for (unsigned i = 0; i < server->worker_count; i++) {
        const struct worker_counts *counts = &server->workers[i].counts;
        sum.events += atomic_load_explicit(&counts->events, memory_order_relaxed);
        for (size_t r = 0; r < KAIROS_REASON_COUNT; r++)
            sum.invalid[r] += atomic_load_explicit(&counts->invalid[r], memory_order_relaxed);
        sum.connections += atomic_load_explicit(&counts->connections, memory_order_relaxed);
        sum.refused += atomic_load_explicit(&counts->refused, memory_order_relaxed);
        sum.timed_out += atomic_load_explicit(&counts->timed_out, memory_order_relaxed);
        const struct streams *streams = &server->workers[i].streams;
        sum.streams += atomic_load_explicit(&streams->open, memory_order_relaxed);
        sum.streams_dropped += atomic_load_explicit(&streams->dropped, memory_order_relaxed);
    }
    int64_t open = atomic_load_explicit(&server->connections, memory_order_relaxed);
    sum.open = open > 0 ? (uint64_t)open : 0;
    return sum;
}

void server_traffic(const struct server *server, struct traffic_sum *traffic)
{
    *traffic = (struct traffic_sum){0};
    for (unsigned i = 0; i < server->worker_count; i++)
        traffic_add(traffic, &server->workers[i].traffic);
}

bool server_has_progressed(struct server *server)
{
    bool progressed = true;
    for (unsigned i = 0; i < server->worker_count; i++) {
        struct worker *worker = &server->workers[i];
        uint64_t rounds = atomic_load_explicit(&worker->rounds, memory_order_relaxed);
        progressed &= rounds != worker->rounds_seen;
        worker->rounds_seen = rounds;
    }
    return progressed;
}
