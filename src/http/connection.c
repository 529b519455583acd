#include "connection.h"

#include <stdlib.h>

#include "listener.h"
#include "server.h"
#include "tls.h"
#include "worker.h"

struct connection *connection_take(struct worker *worker, const struct listener *listener, int fd)
{
    struct connection *connection = worker->spare_connections;
    if (connection != NULL)
        worker->spare_connections = connection->next;
    else
        connection = malloc(sizeof(*connection));
    if (connection == NULL)
        return NULL;
    *connection = (struct connection){.worker = worker, .fd = fd};
    if (listener->tls)
        connection->identity = tls_take(server_tls(worker->server));
    server_count_connection(worker->server, 1);
    return connection;
}

void connection_give(struct connection *connection)
{
    struct worker *worker = connection->worker;
    identity_give(connection->identity);
    server_count_connection(worker->server, -1);
    connection->next = worker->spare_connections;
    worker->spare_connections = connection;
}

void connections_free(struct connection *spare)
{
    while (spare != NULL) {
        struct connection *next = spare->next;
        free(spare);
        spare = next;
    }
}
