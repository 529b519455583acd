#include "connection.h"

#include <stdlib.h>
#include <string.h>

#include "listener.h"
#include "peers.h"
#include "request.h"
#include "server.h"
#include "tls.h"
#include "worker.h"

/* ---- Deadlines ---- */

static void leave_queue(struct connection *connection)
{
    if (connection->awaited == AWAITED_NOTHING)
        return;
    struct deadlines *queue = &connection->worker->deadlines[connection->awaited];
    if (connection->last != NULL)
        connection->last->next = connection->next;
    else
        queue->first = connection->next;
    if (connection->next != NULL)
        connection->next->last = connection->last;
    else
        queue->last = connection->last;
    connection->awaited = AWAITED_NOTHING;
}

void connection_await(struct connection *connection, enum awaited awaited, int64_t now)
{
    leave_queue(connection);
    if (awaited == AWAITED_NOTHING)
        return;
    struct deadlines *queue = &connection->worker->deadlines[awaited];
    connection->awaited = awaited;
    connection->deadline = now + queue->time;
    connection->next = NULL;
    connection->last = queue->last;
    if (queue->last != NULL)
        queue->last->next = connection;
    else
        queue->first = connection;
    queue->last = connection;
}

/*
 * Whoever is slow with a body is told. The library could answer only at its end; but until then it
 * does not send either, so that this does not come between anything.
 */
static void tell_too_slow(const struct connection *connection)
{
    static const char answer[] = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n"
                                 "Content-Length: 0\r\n\r\n";
    struct request *request = connection->request;
    if (request == NULL || request->queued)
        return;
    request->status = 408;
    if (connection->tls.identity == NULL)
        (void)!send(connection->fd, answer, strlen(answer), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Lets the library see the end of what comes in, by which it closes the connection. */
static void expire(struct connection *connection)
{
    if (connection->awaited == AWAITED_BODY)
        tell_too_slow(connection);
    leave_queue(connection);
    shutdown(connection->fd, SHUT_RDWR);
}

/* While we do not read, the client cannot be late. */
static bool is_held_up(const struct connection *connection)
{
    return connection->request != NULL && connection->request->parked;
}

unsigned connections_expire(struct worker *worker, int64_t heard)
{
    unsigned expired = 0;
    for (enum awaited kind = 0; kind < AWAITED_COUNT; kind++) {
        struct connection *connection;
        while ((connection = worker->deadlines[kind].first) != NULL &&
               connection->deadline < heard) {
            if (is_held_up(connection)) {
                connection_await(connection, kind, heard);
                continue;
            }
            expire(connection);
            expired++;
        }
    }
    return expired;
}

int64_t connections_deadline(const struct worker *worker)
{
    int64_t nearest = TIME_NEVER;
    for (enum awaited kind = 0; kind < AWAITED_COUNT; kind++) {
        const struct connection *first = worker->deadlines[kind].first;
        if (first != NULL && (nearest == TIME_NEVER || first->deadline < nearest))
            nearest = first->deadline;
    }
    return nearest;
}

/* ---- Coming and going ---- */

/* Finds out who the client is; false if it has too many connections. */
static bool admit(struct connection *connection, const struct sockaddr *peer)
{
    struct server *server = connection->worker->server;
    connection->has_ip = ip_of_socket(peer, &connection->ip);
    connection->trusted = !connection->has_ip || server_trusts(server, &connection->ip);
    if (connection->trusted || server_peers(server) == NULL)
        return true;
    connection->counted = peers_enter(server_peers(server), &connection->ip);
    return connection->counted;
}

struct connection *connection_take(struct worker *worker, const struct listener *listener, int fd,
                                   const struct sockaddr *peer, int64_t now)
{
    struct connection *connection = worker->spare_connections;
    if (server_is_full(worker->server))
        return NULL;
    if (connection != NULL)
        worker->spare_connections = connection->next;
    else
        connection = malloc(sizeof(*connection));
    if (connection == NULL)
        return NULL;
    *connection = (struct connection){.worker = worker, .fd = fd, .awaited = AWAITED_NOTHING};
    server_count_connection(worker->server, 1);
    if (!admit(connection, peer)) {
        connection_give(connection);
        return NULL;
    }
    if (listener->tls)
        connection->tls.identity = tls_take(server_tls(worker->server));
    connection_await(connection, AWAITED_HEADERS, now);
    return connection;
}

void connection_give(struct connection *connection)
{
    struct worker *worker = connection->worker;
    leave_queue(connection);
    handshake_end(connection);
    identity_give(connection->tls.identity);
    if (connection->counted)
        peers_leave(server_peers(worker->server), &connection->ip);
    server_count_connection(worker->server, -1);
    connection->next = worker->spare_connections;
    worker->spare_connections = connection;
}

const char *connection_address(struct connection *connection)
{
    if (!connection->has_ip)
        return "unix";
    if (connection->address[0] == '\0')
        ip_format(&connection->ip, connection->address);
    return connection->address;
}

void connections_free(struct connection *spare)
{
    while (spare != NULL) {
        struct connection *next = spare->next;
        free(spare);
        spare = next;
    }
}
