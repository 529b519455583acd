#include "handshake.h"

#include <microhttpd.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "connection.h"
#include "worker.h"

/* Clients that are seen at a time: those that are left are seen next time. */
#define EVENTS_AT_A_TIME 64

bool handshakes_init(struct handshakes *handshakes)
{
    *handshakes = (struct handshakes){.epoll = epoll_create1(EPOLL_CLOEXEC)};
    return handshakes->epoll >= 0;
}

void handshakes_finish(struct handshakes *handshakes)
{
    if (handshakes->epoll >= 0)
        close(handshakes->epoll);
    handshakes->epoll = -1;
}

/* ---- The lists ---- */

static struct handshakes *handshakes_of(const struct connection *connection)
{
    return &connection->worker->handshakes;
}

static struct connection **list_of(const struct connection *connection)
{
    struct handshakes *handshakes = handshakes_of(connection);
    return connection->handshake.waiting ? &handshakes->waiting : &handshakes->running;
}

static void enter_list(struct connection *connection)
{
    struct connection **first = list_of(connection);
    connection->handshake.last = NULL;
    connection->handshake.next = *first;
    if (*first != NULL)
        (*first)->handshake.last = connection;
    *first = connection;
}

static void leave_list(struct connection *connection)
{
    const struct handshake *handshake = &connection->handshake;
    if (handshake->last != NULL)
        handshake->last->handshake.next = handshake->next;
    else
        *list_of(connection) = handshake->next;
    if (handshake->next != NULL)
        handshake->next->handshake.last = handshake->last;
}

/* ---- One of them ---- */

void handshake_begin(struct connection *connection, struct MHD_Connection *handle)
{
    connection->handshake = (struct handshake){.handle = handle};
    enter_list(connection);
}

void handshake_end(struct connection *connection)
{
    const struct handshake *handshake = &connection->handshake;
    if (handshake->handle == NULL)
        return;
    leave_list(connection);
    if (handshake->watched)
        epoll_ctl(handshakes_of(connection)->epoll, EPOLL_CTL_DEL, connection->fd, NULL);
    connection->handshake = (struct handshake){0};
}

static bool wants_to_write(const struct connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection->handshake.handle, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return gnutls_record_get_direction(info->tls_session) == 1;
}

/* Has the epoll tell, once, when the client goes on. */
static bool watch(struct connection *connection, bool writes)
{
    struct handshake *handshake = &connection->handshake;
    struct epoll_event event = {
        .events = (writes ? EPOLLOUT : EPOLLIN | EPOLLRDHUP) | EPOLLONESHOT,
        .data.ptr = connection,
    };
    int what = handshake->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    handshake->watched |=
        epoll_ctl(handshakes_of(connection)->epoll, what, connection->fd, &event) == 0;
    return handshake->watched;
}

static void suspend(struct connection *connection)
{
    leave_list(connection);
    connection->handshake.waiting = true;
    enter_list(connection);
    MHD_suspend_connection(connection->handshake.handle);
}

static void resume(struct connection *connection)
{
    leave_list(connection);
    connection->handshake.waiting = false;
    enter_list(connection);
    MHD_resume_connection(connection->handshake.handle);
}

/* ---- All of them ---- */

void handshakes_go_on(struct handshakes *handshakes)
{
    struct epoll_event events[EVENTS_AT_A_TIME];
    int count = epoll_wait(handshakes->epoll, events, EVENTS_AT_A_TIME, 0);
    for (int i = 0; i < count; i++)
        resume(events[i].data.ptr);
}

void handshakes_wait(struct handshakes *handshakes)
{
    for (struct connection *connection = handshakes->running, *next; connection != NULL;
         connection = next) {
        next = connection->handshake.next;
        if (tls_is_agreed(&connection->tls))
            handshake_end(connection);
        else if (watch(connection, wants_to_write(connection)))
            suspend(connection);
    }
}

void handshakes_abandon(struct handshakes *handshakes)
{
    while (handshakes->waiting != NULL)
        resume(handshakes->waiting);
}
