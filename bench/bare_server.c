/*
 * bare-server PORT: the least that libmicrohttpd needs to answer GET with "200 OK", run as a worker
 * of `kairos serve` runs it: one thread, its own epoll loop. What any server built on the library
 * costs per request.
 */
#include <arpa/inet.h>
#include <limits.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "lateness.h"

/* As the workers of `kairos serve`: see src/http/worker.c. */
#define CONNECTION_MEMORY  (32 * 1024)
#define INACTIVITY_TIMEOUT 30

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *piece,
                              size_t *size, void **state)
{
    struct MHD_Response *response = context;
    (void)path;
    (void)method;
    (void)version;
    (void)piece;
    if (*state == NULL) { /* an answer at the first call would close the connection */
        *state = response;
        return MHD_YES;
    }
    *size = 0;
    return MHD_queue_response(connection, MHD_HTTP_OK, response);
}

static struct MHD_Response *create_response(void)
{
    static char text[] = "OK";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof(text) - 1, text, MHD_RESPMEM_PERSISTENT);
    if (response != NULL) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    }
    return response;
}

static struct MHD_Daemon *start(uint16_t port, struct MHD_Response *response)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG, port, NULL, NULL, handle, response,
                            MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned)INACTIVITY_TIMEOUT, MHD_OPTION_END);
}

/* Milliseconds to wait at most; -1 if there is nothing to wait for but requests. */
static int time_to_wait(struct MHD_Daemon *daemon)
{
    MHD_UNSIGNED_LONG_LONG timeout;
    if (MHD_get_timeout(daemon, &timeout) != MHD_YES)
        return -1;
    return timeout < INT_MAX ? (int)timeout : INT_MAX;
}

static int serve(struct MHD_Daemon *daemon)
{
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int inner = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, inner, &event) != 0) {
        perror("bare-server: epoll");
        return 1;
    }
    for (;;) { /* until a signal ends it */
        epoll_wait(epoll, &event, 1, time_to_wait(daemon));
        MHD_run(daemon);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "Usage: bare-server PORT\n");
        return 2;
    }
    uint16_t port = (uint16_t)number_argument("PORT", argv[1], UINT16_MAX);
    struct MHD_Response *response = create_response();
    struct MHD_Daemon *daemon = response == NULL ? NULL : start(port, response);
    if (daemon == NULL) {
        fprintf(stderr, "bare-server: cannot listen at port %u\n", port);
        return 1;
    }
    return serve(daemon);
}
