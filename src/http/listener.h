/*
 * listener.h - a socket that clients connect to: at an address, at a path (a Unix socket), or one
 * that the service manager has opened and passed on.
 *
 *     listener_open_unix(&listener, "/run/kairos/socket", 0660, &failure);
 *     ... accept4(listener.fd, …) ...
 *     listener_close(&listener);
 */
#ifndef KAIROS_HTTP_LISTENER_H
#define KAIROS_HTTP_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/un.h>

#include "address.h"
#include "failure.h"

/* As many as a server may have. */
#define LISTENERS_MAX 16

/* Room for the path of a Unix socket; the system sets it. */
#define LISTENER_PATH_SIZE sizeof(((struct sockaddr_un *)0)->sun_path)

struct listener {
    int fd;                        /* does not block; -1 once it is closed */
    bool local;                    /* a Unix socket, which has a path and no address */
    bool tls;                      /* what comes in speaks TLS */
    struct address address;        /* with the port that was picked */
    char path[LISTENER_PATH_SIZE]; /* printable or not; "" for a socket without a file */
    bool own;                      /* the file at the path goes with it */
    dev_t device;                  /* of that file, by which it is known again */
    ino_t inode;
};

/* Binds and listens at ADDRESS; port 0 picks a free one. Returns false and describes the failure.
 */
bool listener_open(struct listener *listener, const struct address *address,
                   struct failure *failure);

/*
 * Binds and listens at PATH, whose file gets the permissions MODE. A socket's file that nobody
 * listens at any more, left behind by a process that was killed, is replaced; any other file is not
 * touched. Returns false and describes the failure.
 */
bool listener_open_unix(struct listener *listener, const char *path, mode_t mode,
                        struct failure *failure);

/*
 * Takes over the sockets that the service manager has passed to this process, MAX at most, and
 * leaves their number in *COUNT: 0 if there are none. Source: sd_listen_fds(3). Returns false and
 * describes the failure.
 */
bool listeners_adopt(struct listener *listeners, size_t max, size_t *count,
                     struct failure *failure);

/* Listens no longer, and removes the file that it has made; does nothing if that was done. */
void listener_close(struct listener *listener);

#endif
