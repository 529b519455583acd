#include "server.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "worker.h"

/* Connections that wait to be accepted; the system may allow fewer (net.core.somaxconn). */
#define BACKLOG 4096

/* Descriptors for all but connections. */
#define DESCRIPTORS_KEPT 128

/* Connections in all: 2 GB, should each of them fill its memory. */
#define CONNECTIONS_MAX 65536

struct server {
    int socket;
    struct address address;
    struct worker *workers;
    unsigned worker_count;
    unsigned initialised; /* workers */
    unsigned running;
    atomic_uint at_socket; /* workers that have the socket in their epoll */
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
static unsigned connections_max(void)
{
    rlim_t descriptors = raise_descriptors();
    rlim_t all =
        descriptors > 2 * DESCRIPTORS_KEPT ? descriptors - DESCRIPTORS_KEPT : descriptors / 2;
    if (all > CONNECTIONS_MAX)
        all = CONNECTIONS_MAX;
    return all < 1 ? 1 : (unsigned)all;
}

/* Opens the listening socket. Port 0 becomes the one that the system picks. */
static bool open_socket(struct server *server, struct failure *failure)
{
    int on = 1;
    char text[ADDRESS_TEXT_SIZE];
    struct sockaddr *address = (struct sockaddr *)&server->address.socket;
    server->socket = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server->socket >= 0 &&
        setsockopt(server->socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        bind(server->socket, address, server->address.length) == 0 &&
        listen(server->socket, BACKLOG) == 0 &&
        getsockname(server->socket, address, &server->address.length) == 0)
        return true;
    int error = errno;
    address_format(&server->address, text);
    return failure_set(failure, "cannot listen at %s port %u: %s%s", text,
                       address_port(&server->address), strerror(error),
                       error == EADDRINUSE ? "; another program does, or try another --port" : "");
}

struct server *server_create(const struct server_options *options, struct failure *failure)
{
    struct server *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        failure_set(failure, "out of memory");
        return NULL;
    }
    server->socket = -1;
    server->address = options->address;
    server->worker_count = options->workers;
    size_t size = options->workers * sizeof(server->workers[0]);
    server->workers = aligned_alloc(_Alignof(struct worker), size);
    if (server->workers == NULL)
        failure_set(failure, "out of memory");
    else if (open_socket(server, failure))
        return server;
    server_destroy(server);
    return NULL;
}

const struct address *server_address(const struct server *server)
{
    return &server->address;
}

bool server_start(struct server *server, const struct context *context, struct failure *failure)
{
    server->connections_max = connections_max();
    for (; server->initialised < server->worker_count; server->initialised++) {
        if (!worker_init(&server->workers[server->initialised], server, context,
                         server->connections_max, failure))
            return false;
    }
    server->at_socket = server->worker_count;
    for (; server->running < server->worker_count; server->running++) {
        if (!worker_start(&server->workers[server->running], server->running, failure))
            return false;
    }
    return true;
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

void server_destroy(struct server *server)
{
    if (server == NULL)
        return;
    server_stop(server);
    for (; server->initialised > 0; server->initialised--)
        worker_finish(&server->workers[server->initialised - 1]);
    if (server->socket >= 0)
        close(server->socket);
    free(server->workers);
    free(server);
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

int server_socket(const struct server *server)
{
    return server->socket;
}

void server_leave_socket(struct server *server)
{
    if (atomic_fetch_sub(&server->at_socket, 1) == 1) {
        close(server->socket);
        server->socket = -1;
    }
}

struct server_counts server_counts(const struct server *server)
{
    struct server_counts sum = {0};
    for (unsigned i = 0; i < server->worker_count; i++) {
        const struct worker_counts *counts = &server->workers[i].counts;
        for (size_t c = 0; c < sizeof(sum.answers) / sizeof(sum.answers[0]); c++)
            sum.answers[c] += atomic_load_explicit(&counts->answers[c], memory_order_relaxed);
        for (size_t r = 0; r < KAIROS_REASON_COUNT; r++)
            sum.invalid[r] += atomic_load_explicit(&counts->invalid[r], memory_order_relaxed);
        sum.connections += atomic_load_explicit(&counts->connections, memory_order_relaxed);
        sum.refused += atomic_load_explicit(&counts->refused, memory_order_relaxed);
    }
    return sum;
}
