/*
 * bare-sender PORT COUNT: takes COUNT connections and sends all of them an alert of ordinary
 * length, one after the other, as soon as a line comes in. Prints when it began, in microseconds of
 * Unix time. What sending alone costs, beside the event streams of `kairos serve`.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static const char begin[] = "HTTP/1.1 200 OK\r\n\r\nretry: 2000\n\n";

static const char alert[] =
    "id: 661111f4e9a7c-2\nevent: alert\ndata: {\"service\":\"service-00000000\",\"alert_at\":"
    "\"2026-11-25T03:07:10.135247Z\",\"missed_count\":1,\"last_seen\":\"2026-11-25T03:07:09.135247Z"
    "\",\"kind\":\"silence\",\"raised_at\":\"2026-11-25T03:07:10.135422Z\",\"incident\":"
    "\"service-00000000@1795576030135247\",\"ordinal\":1}\n\n";

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int listen_at(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(fd, SOMAXCONN) != 0)
        fail("bare-sender: cannot listen");
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: bare-sender PORT COUNT\n");
        return 2;
    }
    size_t count = strtoul(argv[2], NULL, 10);
    int listener = listen_at((uint16_t)strtoul(argv[1], NULL, 10));
    int *connections = calloc(count, sizeof(connections[0]));
    if (connections == NULL)
        fail("bare-sender");
    printf("listening\n");
    fflush(stdout);
    for (size_t i = 0; i < count; i++) {
        connections[i] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (connections[i] < 0 || send(connections[i], begin, sizeof(begin) - 1, 0) < 0)
            fail("bare-sender: cannot take a connection");
    }
    getchar();
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    for (size_t i = 0; i < count; i++)
        (void)!send(connections[i], alert, sizeof(alert) - 1, MSG_NOSIGNAL);
    printf("%" PRIi64 "\n", (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000);
    fflush(stdout);
    getchar(); /* until it is told to end */
    return 0;
}
