#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "log.h"

/* Connections that wait to be accepted; the system may allow fewer (net.core.somaxconn). */
#define BACKLOG      4096

#define SOCKET_FLAGS (SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)

/* ---- At an address ---- */

bool listener_open(struct listener *listener, const struct address *address,
                   struct failure *failure)
{
    int on = 1;
    char text[ADDRESS_TEXT_SIZE];
    *listener = (struct listener){.address = *address};
    struct sockaddr *name = (struct sockaddr *)&listener->address.socket;
    listener->fd = socket(name->sa_family, SOCKET_FLAGS, 0);
    if (listener->fd >= 0 &&
        setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        bind(listener->fd, name, listener->address.length) == 0 &&
        listen(listener->fd, BACKLOG) == 0 &&
        getsockname(listener->fd, name, &listener->address.length) == 0)
        return true;
    int error = errno;
    listener_close(listener);
    address_format(address, text);
    return failure_set(failure, "cannot listen at %s port %u: %s%s", text, address_port(address),
                       strerror(error),
                       error == EADDRINUSE ? "; another program does, or try another --port" : "");
}

/* ---- At a path ---- */

static bool set_name(struct sockaddr_un *name, const char *path)
{
    size_t length = strlen(path);
    *name = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (length == 0 || length >= sizeof(name->sun_path))
        return false;
    memcpy(name->sun_path, path, length);
    return true;
}

/* Whether nobody listens at NAME, where a socket's file is; false also if that cannot be told. */
static bool is_deserted(const struct sockaddr_un *name)
{
    int fd = socket(AF_UNIX, SOCKET_FLAGS, 0);
    bool deserted = fd >= 0 && connect(fd, (const struct sockaddr *)name, sizeof(*name)) != 0 &&
                    errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return deserted;
}

/* Removes what a process that was killed has left at NAME. Returns what stands in the way, or NULL.
 */
static const char *make_way(const struct sockaddr_un *name)
{
    struct stat found;
    if (lstat(name->sun_path, &found) != 0)
        return errno == ENOENT ? NULL : strerror(errno);
    if (!S_ISSOCK(found.st_mode))
        return "there is a file that is no socket; remove it, or choose another --unix-socket";
    if (!is_deserted(name))
        return "another program listens there";
    return unlink(name->sun_path) == 0 || errno == ENOENT ? NULL : strerror(errno);
}

/*
 * Binds with no more permissions than MODE from the first moment: those of the file are what those
 * of the socket leave after the umask.
 */
static bool bind_with_mode(struct listener *listener, const struct sockaddr_un *name, mode_t mode)
{
    struct stat made;
    if (fchmod(listener->fd, mode) != 0 ||
        bind(listener->fd, (const struct sockaddr *)name, sizeof(*name)) != 0)
        return false;
    if (lstat(name->sun_path, &made) != 0)
        return false;
    listener->own = true;
    listener->device = made.st_dev;
    listener->inode = made.st_ino;
    return chmod(name->sun_path, mode) == 0 && listen(listener->fd, BACKLOG) == 0;
}

bool listener_open_unix(struct listener *listener, const char *path, mode_t mode,
                        struct failure *failure)
{
    struct sockaddr_un name;
    char quoted[4 * LISTENER_PATH_SIZE + 3];
    *listener = (struct listener){.fd = -1, .local = true};
    if (!set_name(&name, path))
        return failure_set(failure, "--unix-socket: the path has to have 1 to %zu bytes",
                           LISTENER_PATH_SIZE - 1);
    memcpy(listener->path, name.sun_path, LISTENER_PATH_SIZE);
    const char *obstacle = make_way(&name);
    if (obstacle == NULL) {
        listener->fd = socket(AF_UNIX, SOCKET_FLAGS, 0);
        if (listener->fd >= 0 && bind_with_mode(listener, &name, mode))
            return true;
        obstacle = strerror(errno);
    }
    listener_close(listener);
    log_quote(quoted, path, strlen(path));
    return failure_set(failure, "cannot listen at %s: %s", quoted, obstacle);
}

/* ---- From the service manager ---- */

/* Finds out where FD listens. */
static bool adopt(struct listener *listener, int fd)
{
    struct address *address = &listener->address;
    *listener = (struct listener){.fd = fd, .address.length = sizeof(address->socket)};
    if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0 ||
        getsockname(fd, (struct sockaddr *)&address->socket, &address->length) != 0)
        return false;
    int family = address->socket.ss_family, flags = fcntl(fd, F_GETFL);
    if (family == AF_UNIX) {
        const struct sockaddr_un *name = (const struct sockaddr_un *)&address->socket;
        size_t length = address->length - offsetof(struct sockaddr_un, sun_path);
        /* The end of the longest path is told behind the room that there is for it (unix(7)). */
        length = length < LISTENER_PATH_SIZE ? length : LISTENER_PATH_SIZE - 1;
        listener->local = true;
        memcpy(listener->path, name->sun_path, length);
    } else if (family != AF_INET && family != AF_INET6)
        return false;
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

bool listeners_adopt(struct listener *listeners, size_t max, size_t *count, struct failure *failure)
{
    int passed = sd_listen_fds(1);
    *count = 0;
    if (passed < 0)
        return failure_set(failure, "the sockets that the service manager has passed: %s",
                           strerror(-passed));
    if ((size_t)passed > max)
        return failure_set(failure,
                           "the service manager has passed %d sockets; at most %zu are "
                           "taken",
                           passed, max);
    for (; *count < (size_t)passed; (*count)++) {
        int fd = SD_LISTEN_FDS_START + (int)*count;
        if (!adopt(&listeners[*count], fd))
            return failure_set(failure,
                               "descriptor %d, which the service manager has passed, is "
                               "no listening TCP or Unix stream socket",
                               fd);
    }
    return true;
}

/* ---- End ---- */

/* By then another one may have replaced it. */
static void remove_file(const struct listener *listener)
{
    struct stat found;
    if (lstat(listener->path, &found) == 0 && found.st_dev == listener->device &&
        found.st_ino == listener->inode)
        unlink(listener->path);
}

void listener_close(struct listener *listener)
{
    if (listener->own)
        remove_file(listener);
    listener->own = false;
    if (listener->fd >= 0)
        close(listener->fd);
    listener->fd = -1;
}
