#include "worker.h"

#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gzip.h"
#include "handler.h"
#include "server.h"

/* Connections that are accepted at a time, so that other workers get some too. */
#define ACCEPTED_AT_A_TIME 8

/* All sources there are: whatever is ready is seen in each pass. */
#define EVENTS_AT_A_TIME (LISTENERS_MAX + DAEMONS_MAX + 2)

/* A worker that always has something to do stamps as often. */
#define STAMP_TIME_MAX KAIROS_SECOND

/* One whose last stamp is older may be behind by any number of requests. */
#define BACKLOG_AGE (3 * KAIROS_SECOND)

/* How long to accept nothing when the system has no descriptor or memory left. */
#define ACCEPT_PAUSE (100 * KAIROS_MILLISECOND)

/* How often that is logged at most. */
#define ACCEPT_LOG_PERIOD KAIROS_MINUTE

/* When the server stops, what is under way has so long to come to its end. */
#define DRAIN_TIME (3 * KAIROS_SECOND)

/* All bodies that a worker reads at the same time; one of the largest batches takes 34 MB. */
#define BODY_MEMORY_MAX ((size_t)256 * 1024 * 1024)

/* What the bell adds up: rings for a stamp, and rings for requests to be resumed or streams. */
#define BELL_STAMP UINT64_C(1)
#define BELL_WAKE  (UINT64_C(1) << 32)

enum source {
    SOURCE_LISTENER,
    SOURCE_BELL,
    SOURCE_DAEMON,
    SOURCE_HANDSHAKES,
};

/* ---- Batches ---- */

struct batch *worker_take_batch(struct worker *worker)
{
    struct batch *batch = NULL;
    if (worker->body_memory > BODY_MEMORY_MAX)
        return NULL;
    if (worker->spare_batch_count > 0)
        batch = worker->spare_batches[--worker->spare_batch_count];
    else
        batch = batch_create();
    if (batch == NULL)
        return NULL;
    batch_begin(batch);
    worker->body_memory += batch_memory(batch);
    return batch;
}

void worker_give_batch(struct worker *worker, struct batch *batch)
{
    worker->body_memory -= batch_memory(batch);
    batch_trim(batch);
    if (worker->spare_batch_count < BATCHES_KEPT)
        worker->spare_batches[worker->spare_batch_count++] = batch;
    else
        batch_destroy(batch);
}

bool worker_take_memory(struct worker *worker, size_t bytes)
{
    worker->body_memory += bytes;
    return worker->body_memory <= BODY_MEMORY_MAX;
}

void worker_give_memory(struct worker *worker, size_t bytes)
{
    worker->body_memory -= bytes;
}

/* ---- Counts: there is one writer, so no locked instruction is needed ---- */

static void add(_Atomic uint64_t *count, uint64_t more)
{
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

void worker_count_events(struct worker *worker, uint64_t events,
                         const uint64_t bad[KAIROS_REASON_COUNT])
{
    add(&worker->counts.events, events);
    for (size_t i = 0; i < KAIROS_REASON_COUNT; i++)
        add(&worker->counts.invalid[i], bad[i]);
}

/* ---- For answers ---- */

/* Source: Sebastiano Vigna, splitmix64 (https://prng.di.unimi.it/splitmix64.c). */
uint64_t worker_next_id(struct worker *worker)
{
    uint64_t mixed = worker->id_seed += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

struct gzip *worker_gzip(struct worker *worker)
{
    if (worker->gzip == NULL)
        worker->gzip = gzip_create();
    return worker->gzip;
}

/* ---- Accepting ---- */

/* INDEX tells sources of one kind apart. */
static bool watch(const struct worker *worker, int fd, uint32_t events, enum source source,
                  size_t index)
{
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)index << 32 | source};
    return epoll_ctl(worker->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static enum source source_of(const struct epoll_event *event)
{
    return (enum source)(uint32_t)event->data.u64;
}

static size_t index_of(const struct epoll_event *event)
{
    return event->data.u64 >> 32;
}

static const struct listener *listener_of(const struct worker *worker,
                                          const struct epoll_event *event)
{
    size_t count;
    return &server_listeners(worker->server, &count)[index_of(event)];
}

static void stop_listening(struct worker *worker)
{
    size_t count;
    const struct listener *listeners = server_listeners(worker->server, &count);
    for (size_t i = 0; i < count && worker->listening; i++)
        epoll_ctl(worker->epoll, EPOLL_CTL_DEL, listeners[i].fd, NULL);
    worker->listening = false;
}

/* Exclusive: of the workers that wait, one is woken by a new connection. */
static bool start_listening(struct worker *worker)
{
    size_t count;
    const struct listener *listeners = server_listeners(worker->server, &count);
    worker->listening = true;
    for (size_t i = 0; i < count; i++) {
        if (!watch(worker, listeners[i].fd, EPOLLIN | EPOLLEXCLUSIVE, SOURCE_LISTENER, i)) {
            stop_listening(worker);
            return false;
        }
    }
    return true;
}

/* The system has no descriptor or memory left: connections wait. */
static void pause_listening(struct worker *worker, const char *error, int64_t now)
{
    stop_listening(worker);
    worker->listen_again = now + ACCEPT_PAUSE;
    if (now < worker->accept_log_next)
        return;
    worker->accept_log_next = now + ACCEPT_LOG_PERIOD;
    log_write(worker->context->log, LOG_WARNING,
              "accept error=\"%s\" detail=\"connections wait until others are closed\"", error);
}

static unsigned daemon_of(const struct listener *listener)
{
    return listener->tls ? DAEMON_HTTPS : DAEMON_HTTP;
}

/* Hands a connection to the library, which sets TCP_NODELAY; closes it if there are too many.
 */
static bool take_connection(struct worker *worker, const struct listener *listener, int fd,
                            const struct sockaddr *peer, socklen_t length, int64_t now)
{
    worker->arriving = connection_take(worker, listener, fd, peer, now);
    if (worker->arriving == NULL) {
        close(fd);
        return false;
    }
    bool taken =
        MHD_add_connection(worker->daemons[daemon_of(listener)], fd, peer, length) == MHD_YES;
    if (worker->arriving != NULL) /* it did not begin: see handler.c */
        connection_give(worker->arriving);
    worker->arriving = NULL;
    return taken;
}

/*
 * Accepts up to MAX connections that wait at LISTENER. Returns a bit for the daemon that they were
 * handed to, if there was any.
 */
static unsigned accept_at(struct worker *worker, const struct listener *listener, unsigned max,
                          int64_t now)
{
    unsigned accepted = 0;
    while (accepted < max) {
        struct sockaddr_storage peer;
        socklen_t length = sizeof(peer);
        int fd =
            accept4(listener->fd, (struct sockaddr *)&peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            bool taken =
                take_connection(worker, listener, fd, (struct sockaddr *)&peer, length, now);
            add(taken ? &worker->counts.connections : &worker->counts.refused, 1);
            accepted++;
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_listening(worker, strerror(errno), now);
            break;
        } else if (errno == EAGAIN) {
            break;
        }
        /* Any other error is of a connection that is gone already. */
    }
    return accepted == 0 ? 0 : 1U << daemon_of(listener);
}

/* ---- The loop ---- */

/* Milliseconds until the library must be looked at again; -1 if it need not. */
static int64_t time_of_daemons(const struct worker *worker)
{
    int64_t wait = worker->parking.resumed ? 0 : -1;
    for (unsigned i = 0; i < DAEMONS_MAX; i++) {
        MHD_UNSIGNED_LONG_LONG timeout;
        if (worker->daemons[i] == NULL || MHD_get_timeout(worker->daemons[i], &timeout) != MHD_YES)
            continue;
        int64_t time = timeout < INT_MAX ? (int64_t)timeout : INT_MAX;
        wait = wait < 0 || time < wait ? time : wait;
    }
    return wait;
}

/* Those of the daemons, as bits, that have something to do though nothing has come in. */
static unsigned daemons_due(struct worker *worker)
{
    unsigned due = 0;
    bool resumed = parking_has_resumed(&worker->parking);
    for (unsigned i = 0; i < DAEMONS_MAX; i++) {
        MHD_UNSIGNED_LONG_LONG timeout;
        if (worker->daemons[i] != NULL &&
            (resumed || (MHD_get_timeout(worker->daemons[i], &timeout) == MHD_YES && timeout == 0)))
            due |= 1U << i;
    }
    return due;
}

static void run_daemons(struct worker *worker, unsigned which)
{
    for (unsigned i = 0; i < DAEMONS_MAX; i++) {
        if (which & 1U << i)
            MHD_run(worker->daemons[i]);
    }
    handshakes_wait(&worker->handshakes);
}

/* WAIT, or less if the engine time TIME, which may be TIME_NEVER, comes sooner. */
static int64_t sooner(int64_t wait, int64_t time, int64_t now)
{
    if (time == TIME_NEVER)
        return wait;
    int64_t left = time < now ? 0 : (time - now) / KAIROS_MILLISECOND + 1;
    return wait < 0 || left < wait ? left : wait;
}

/* Milliseconds until the library, or the sockets, must be looked at again; -1 if it need not. */
static int time_to_wait(const struct worker *worker, int64_t now)
{
    int64_t wait = sooner(time_of_daemons(worker), connections_deadline(worker), now);
    /* Streams get no further turns then: one that is due would be so all the time. */
    if (worker->stopping)
        return (int)sooner(wait, worker->drain_until, now);
    wait = sooner(wait, worker->listen_again, now);
    wait = sooner(wait, streams_deadline(&worker->streams), now);
    return (int)wait;
}

static void tell_accesses(struct worker *worker)
{
    if (worker->access.length > 0)
        access_log_flush(server_access_log(worker->server), &worker->access);
}

static void hear_bell(struct worker *worker)
{
    uint64_t sum;
    if (read(worker->bell, &sum, sizeof(sum)) != sizeof(sum))
        return;
    if (sum % BELL_WAKE != 0)
        worker->rung++;
    if (sum / BELL_WAKE != 0) {
        parking_resume_woken(&worker->parking);
        streams_hear(&worker->streams);
    }
}

/*
 * Waits up to TIMEOUT milliseconds for something to do, and does it. Returns whether there was
 * anything.
 */
static bool pass(struct worker *worker, int timeout, int64_t now)
{
    add(&worker->rounds, 1);
    struct epoll_event events[EVENTS_AT_A_TIME];
    bool wants_stamp = worker->rung != worker->answered;
    int count = epoll_wait(worker->epoll, events, EVENTS_AT_A_TIME, timeout);
    unsigned due = daemons_due(worker);
    for (int i = 0; i < count; i++) {
        switch (source_of(&events[i])) {
        case SOURCE_LISTENER:
            due |= accept_at(worker, listener_of(worker, &events[i]),
                             wants_stamp ? UINT_MAX : ACCEPTED_AT_A_TIME, now);
            break;
        case SOURCE_BELL:
            hear_bell(worker);
            break;
        case SOURCE_DAEMON:
            due |= 1U << index_of(&events[i]);
            break;
        case SOURCE_HANDSHAKES:
            handshakes_go_on(&worker->handshakes);
            due |= 1U << DAEMON_HTTPS;
            break;
        }
    }
    run_daemons(worker, due);
    tell_accesses(worker);
    return count > 0 || due != 0;
}

static void stamp(struct worker *worker, int64_t time)
{
    if (time > atomic_load_explicit(&worker->heard_until, memory_order_relaxed))
        atomic_store_explicit(&worker->heard_until, time, memory_order_release);
}

/* Stamps TIME; whoever has rung up to RUNG times is told. */
static void give_stamp(struct worker *worker, int64_t time, uint64_t rung)
{
    struct ticker *ticker = server_ticker(worker->server);
    bool wanted = worker->answered != rung;
    stamp(worker, time);
    worker->answered = rung;
    if (wanted && ticker != NULL)
        ticker_heard(ticker);
}

/*
 * The server stops: what waits at the listening sockets is still accepted, and then no more. The
 * stamp for what was heard up to NOW follows when all of it was answered.
 */
static void begin_stop(struct worker *worker, int64_t now)
{
    worker->stopping = true;
    worker->drain_until = now + DRAIN_TIME;
    size_t count;
    const struct listener *listeners = server_listeners(worker->server, &count);
    for (size_t i = 0; i < count; i++)
        accept_at(worker, &listeners[i], UINT_MAX, now);
    stop_listening(worker);
    worker->listen_again = TIME_NEVER;
    server_leave_sockets(worker->server);
    constants_close(worker->constants);
    streams_end(&worker->streams);
}

/*
 * Up to when all has been heard, by a worker that had something to do in every pass since
 * BUSY_SINCE; TIME_NEVER if it cannot be said. What waits in a connection cannot be seen: only when
 * there is nothing to do is all heard for certain. A worker that is merely busy is hardly behind.
 * But one that has not stamped for long may be behind by any number of requests, sent one after the
 * other while it was stopped: it says nothing until that time is long enough to be a gap.
 */
static int64_t heard_though_busy(const struct worker *worker, int64_t busy_since, int64_t now)
{
    int64_t stamped = atomic_load_explicit(&worker->heard_until, memory_order_relaxed);
    if (stamped != TIME_NEVER && busy_since - stamped > BACKLOG_AGE)
        return now - stamped > STALL_MIN ? now : TIME_NEVER;
    return now - busy_since > STAMP_TIME_MAX ? busy_since : TIME_NEVER;
}

/* Closes the connections of clients that are too slow: all is heard up to HEARD. */
static void expire(struct worker *worker, int64_t heard)
{
    add(&worker->counts.timed_out, connections_expire(worker, heard));
}

static void serve_until_stop(struct worker *worker)
{
    const struct clock *clock = worker->context->clock;
    int64_t busy_since = TIME_NEVER;
    while (!server_is_stopping(worker->server)) {
        int64_t now = clock_now(clock);
        uint64_t rung = worker->rung;
        if (worker->listen_again != TIME_NEVER && now >= worker->listen_again)
            worker->listen_again = start_listening(worker) ? TIME_NEVER : now + ACCEPT_PAUSE;
        if (busy_since == TIME_NEVER)
            busy_since = now;

        bool busy = pass(worker, 0, now);
        int64_t heard = busy ? heard_though_busy(worker, busy_since, now) : now;
        if (heard != TIME_NEVER)
            expire(worker, heard);
        /* Connections that cannot be accepted are not heard. */
        if (heard != TIME_NEVER && worker->listen_again == TIME_NEVER) {
            give_stamp(worker, heard, rung);
            busy_since = TIME_NEVER;
        }
        /* Behind the stamp, so that streams that are written to do not hold it up. */
        if (!busy || streams_are_due(&worker->streams, now))
            streams_turn(&worker->streams, now);
        if (!busy)
            pass(worker, time_to_wait(worker, now), now);
    }
}

/* Answers what is under way. Idle connections are simply closed at the end. */
static void drain(struct worker *worker)
{
    const struct clock *clock = worker->context->clock;
    int64_t begin = clock_now(clock), now = begin;
    begin_stop(worker, begin);
    while (now < worker->drain_until) {
        if (!pass(worker, 0, now)) {
            stamp(worker, begin);
            expire(worker, now);
            /* A stream that has not ended is one whose client takes nothing. */
            if (worker->under_way <= worker->streams.count)
                return;
            pass(worker, time_to_wait(worker, now), now);
        }
        now = clock_now(clock);
    }
}

static void *run(void *argument)
{
    struct worker *worker = argument;
    serve_until_stop(worker);
    drain(worker);
    parking_abandon(&worker->parking);
    handshakes_abandon(&worker->handshakes);
    return NULL;
}

/* ---- Lifecycle ---- */

static bool start_daemon(struct worker *worker, unsigned which, unsigned connections)
{
    struct MHD_Daemon *daemon = handler_start(worker, which == DAEMON_HTTPS, connections);
    worker->daemons[which] = daemon;
    return daemon != NULL &&
           watch(worker, MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, EPOLLIN,
                 SOURCE_DAEMON, which);
}

bool worker_init(struct worker *worker, struct server *server, const struct context *context,
                 unsigned connections, struct failure *failure)
{
    errno = 0;
    *worker = (struct worker){
        .server = server,
        .context = context,
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .listen_again = TIME_NEVER,
        .accept_log_next = TIME_NEVER,
        .heard_until = TIME_NEVER,
        .handshakes.epoll = -1,
        .deadlines =
            {
                [AWAITED_HEADERS].time = server_limits(server)->header_timeout,
                [AWAITED_BODY].time = server_limits(server)->body_timeout,
            },
    };
    /* Should it fail, workers could give the same ids: the log tells them apart by their time. */
    (void)!getrandom(&worker->id_seed, sizeof(worker->id_seed), GRND_NONBLOCK);
    parking_init(&worker->parking);
    streams_init(&worker->streams, worker);
    if (server_access_log(server) != NULL)
        worker->access.text = malloc(ACCESS_LINES_SIZE);
    if (server_access_log(server) != NULL && worker->access.text == NULL)
        goto fail;
    if (worker->epoll < 0 || worker->bell < 0 ||
        !watch(worker, worker->bell, EPOLLIN, SOURCE_BELL, 0))
        goto fail;
    if (!handshakes_init(&worker->handshakes) ||
        !watch(worker, worker->handshakes.epoll, EPOLLIN, SOURCE_HANDSHAKES, 0))
        goto fail;
    if (!start_daemon(worker, DAEMON_HTTP, connections))
        goto fail;
    if (server_tls(server) != NULL && !start_daemon(worker, DAEMON_HTTPS, connections))
        goto fail;
    if (!constants_create(worker->constants))
        goto fail;
    if (start_listening(worker))
        return true;

fail:
    failure_set(failure, "cannot make a thread's event loop: %s",
                errno != 0 ? strerror(errno) : "out of memory");
    worker_finish(worker);
    return false;
}

bool worker_start(struct worker *worker, unsigned number, struct failure *failure)
{
    char name[16];
    int error = pthread_create(&worker->thread, NULL, run, worker);
    if (error != 0)
        return failure_set(failure, "cannot start a thread: %s; try a lower --threads",
                           strerror(error));
    snprintf(name, sizeof(name), "worker-%u", number);
    pthread_setname_np(worker->thread, name);
    return true;
}

static void ring(struct worker *worker, uint64_t what)
{
    /* Should the sum be full, it rings anyhow. */
    (void)!write(worker->bell, &what, sizeof(what));
}

void worker_ring(struct worker *worker)
{
    ring(worker, BELL_STAMP);
}

void worker_ring_streams(struct worker *worker)
{
    ring(worker, BELL_WAKE);
}

void worker_wake(struct worker *worker, struct request *request)
{
    if (parking_wake(&worker->parking, request))
        ring(worker, BELL_WAKE);
}

void worker_join(struct worker *worker)
{
    pthread_join(worker->thread, NULL);
}

void worker_finish(struct worker *worker)
{
    handler_stop(worker);
    handshakes_finish(&worker->handshakes);
    tell_accesses(worker);
    free(worker->access.text);
    streams_finish(&worker->streams);
    constants_destroy(worker->constants);
    gzip_destroy(worker->gzip);
    worker->gzip = NULL;
    while (worker->spare_batch_count > 0)
        batch_destroy(worker->spare_batches[--worker->spare_batch_count]);
    if (worker->epoll >= 0)
        close(worker->epoll);
    if (worker->bell >= 0)
        close(worker->bell);
    parking_finish(&worker->parking);
}
