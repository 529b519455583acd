/*
 * listeners PORT COUNT PATH: opens COUNT connections to a port of this machine, asks for PATH on
 * each, and listens to what comes.
 *
 * When "retry:" has come over all of them it prints "open". When "event: alert" has too, it prints
 * when it came over the first and over the last one, in microseconds of Unix time, and ends.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#define EVENTS_AT_A_TIME 1024

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        perror("listeners: cannot connect");
        exit(1);
    }
    return fd;
}

static void open_all(int epoll, uint16_t port, unsigned count, const char *path)
{
    char request[512];
    int length =
        snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path);
    for (unsigned i = 0; i < count; i++) {
        int fd = connect_to(port);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (send(fd, request, (size_t)length, 0) != length ||
            epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
            perror("listeners: cannot ask");
            exit(1);
        }
    }
}

/* Whether TEXT is among what comes over FD now. */
static bool has_come(int fd, const char *text)
{
    char received[16384];
    ssize_t length = recv(fd, received, sizeof(received), MSG_DONTWAIT);
    if (length == 0) {
        fprintf(stderr, "listeners: a connection was closed\n");
        exit(1);
    }
    return length > 0 && memmem(received, (size_t)length, text, strlen(text)) != NULL;
}

/* Waits until TEXT has come COUNT times, over one connection each; tells when for the first time.
 */
static int64_t wait_for(int epoll, unsigned count, const char *text)
{
    struct epoll_event events[EVENTS_AT_A_TIME];
    int64_t first = 0;
    for (unsigned came = 0; came < count;) {
        int ready = epoll_wait(epoll, events, EVENTS_AT_A_TIME, -1);
        for (int i = 0; i < ready; i++) {
            if (!has_come(events[i].data.fd, text))
                continue;
            if (came++ == 0)
                first = now();
        }
    }
    return first;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: listeners PORT COUNT PATH\n");
        return 2;
    }
    unsigned count = (unsigned)strtoul(argv[2], NULL, 10);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    open_all(epoll, (uint16_t)strtoul(argv[1], NULL, 10), count, argv[3]);
    wait_for(epoll, count, "retry:");
    printf("open\n");
    fflush(stdout);
    int64_t first = wait_for(epoll, count, "event: alert");
    printf("%" PRIi64 " %" PRIi64 "\n", first, now());
    return 0;
}
