#include "pump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stopwatch.h"

/* What a pipe holds, if the system allows: the fewer changes between processes, the faster. */
#define PIPE_SIZE (1024 * 1024)

/* What is read at a time: it stays in the cache between reading and writing. */
#define BLOCK_SIZE ((size_t)64 * 1024)

/* ---- Passing on ---- */

/* Waits until FD, which somebody has set not to block, can be written to. */
static void wait_writable(int fd)
{
    poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
}

/* Writes all. Returns 0 or errno. */
static int write_all(int fd, const char *bytes, size_t size)
{
    for (ssize_t written; size > 0; bytes += written, size -= (size_t)written) {
        written = write(fd, bytes, size);
        if (written >= 0)
            continue;
        if (errno != EINTR && errno != EAGAIN)
            return errno;
        if (errno == EAGAIN)
            wait_writable(fd);
        written = 0;
    }
    return 0;
}

static void tell_write_failed(const struct stream *stream, int error)
{
    struct failure failure;
    failure_set(&failure, "cannot write standard %s: %s",
                stream->to == STDERR_FILENO ? "error" : "output", strerror(error));
    failure_print(&failure);
}

static void keep(struct pump *pump, const char *bytes, size_t size)
{
    pthread_mutex_lock(&pump->lock);
    tail_add(&pump->tail, bytes, size);
    pthread_mutex_unlock(&pump->lock);
}

/*
 * Passes on MOST bytes at most. Returns how many there were; 0 at the end, which also comes when
 * nobody reads any more: then the command learns of it by its pipe, as it would without us.
 */
static size_t pass(struct stream *stream, size_t most, bool *failed)
{
    ssize_t size;
    do
        size = read(stream->from, stream->block, most < BLOCK_SIZE ? most : BLOCK_SIZE);
    while (size < 0 && errno == EINTR);
    if (size <= 0)
        return 0;
    keep(stream->pump, stream->block, (size_t)size);
    int error = *failed ? 0 : write_all(stream->to, stream->block, (size_t)size);
    if (error == EPIPE)
        return 0;
    if (error != 0) { /* the command has better things to do than to fail for that */
        tell_write_failed(stream, error);
        *failed = true;
    }
    return (size_t)size;
}

/* Passes on what is in the pipe now, and no more. */
static void pass_rest(struct stream *stream, bool *failed)
{
    int waiting = 0;
    if (ioctl(stream->from, FIONREAD, &waiting) != 0)
        return;
    for (size_t left = (size_t)waiting, size; left > 0; left -= size) {
        size = pass(stream, left, failed);
        if (size == 0)
            return;
    }
}

static void *run(void *argument)
{
    struct stream *stream = argument;
    struct pump *pump = stream->pump;
    struct pollfd polled[] = {{.fd = stream->from, .events = POLLIN},
                              {.fd = pump->stop, .events = POLLIN}};
    bool failed = false;
    for (;;) {
        if (poll(polled, 2, -1) < 0)
            continue;
        if (polled[1].revents != 0) {
            pass_rest(stream, &failed);
            break;
        }
        if (pass(stream, BLOCK_SIZE, &failed) == 0)
            break;
    }
    close(stream->from);
    stream->from = -1;
    pthread_mutex_lock(&pump->lock);
    pump->ended++;
    pthread_mutex_unlock(&pump->lock);
    eventfd_write(pump->done, 1);
    return NULL;
}

/* ---- Life ---- */

/* Whether two descriptors lead to the same place. */
static bool is_same(int a, int b)
{
    struct stat left, right;
    return fstat(a, &left) == 0 && fstat(b, &right) == 0 && left.st_dev == right.st_dev &&
           left.st_ino == right.st_ino;
}

static void close_end(int *end)
{
    if (*end >= 0)
        close(*end);
    *end = -1;
}

/* Makes a pipe to TO, and a thread that empties it; *END is the command's. */
static bool add_stream(struct pump *pump, int to, int *end)
{
    struct stream *stream = &pump->streams[pump->count];
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE); /* or what it is by default */
    *stream = (struct stream){.pump = pump, .from = ends[0], .to = to, .block = malloc(BLOCK_SIZE)};
    *end = ends[1];
    pump->count++;
    errno = stream->block == NULL ? ENOMEM : pthread_create(&stream->thread, NULL, run, stream);
    stream->running = errno == 0;
    return stream->running;
}

static bool add_streams(struct pump *pump)
{
    bool out = !isatty(STDOUT_FILENO), err = !isatty(STDERR_FILENO);
    if (out && !add_stream(pump, STDOUT_FILENO, &pump->out))
        return false;
    if (out && err && is_same(STDOUT_FILENO, STDERR_FILENO)) {
        pump->err = fcntl(pump->out, F_DUPFD_CLOEXEC, 0);
        return pump->err >= 0;
    }
    return !err || add_stream(pump, STDERR_FILENO, &pump->err);
}

/* Ends the streams, which are at their end, or begin only. */
static void end_streams(struct pump *pump)
{
    for (unsigned i = 0; i < pump->count; i++) {
        struct stream *stream = &pump->streams[i];
        if (stream->running)
            pthread_join(stream->thread, NULL);
        close_end(&stream->from);
        free(stream->block);
    }
    pump->count = pump->ended = 0;
}

bool pump_init(struct pump *pump, bool capture, struct failure *failure)
{
    *pump = (struct pump){.out = -1, .err = -1};
    pthread_mutex_init(&pump->lock, NULL);
    pump->stop = eventfd(0, EFD_CLOEXEC);
    pump->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!capture || (pump->stop >= 0 && pump->done >= 0 && add_streams(pump)))
        return true;
    failure_set(failure, "cannot make a pipe: %s", strerror(errno));
    pump_release(pump);
    end_streams(pump);
    close_end(&pump->stop);
    close_end(&pump->done);
    return false;
}

void pump_release(struct pump *pump)
{
    close_end(&pump->out);
    close_end(&pump->err);
}

static bool has_ended(struct pump *pump)
{
    pthread_mutex_lock(&pump->lock);
    bool ended = pump->ended == pump->count;
    pthread_mutex_unlock(&pump->lock);
    return ended;
}

bool pump_wait(struct pump *pump, int grace, int signals)
{
    struct pollfd polled[] = {{.fd = pump->done, .events = POLLIN},
                              {.fd = signals, .events = POLLIN}};
    double end = stopwatch_seconds() + grace / 1000.0;
    eventfd_t ignored;
    for (bool stopped = false; !has_ended(pump);) {
        int left = (int)((end - stopwatch_seconds()) * 1000);
        int ready = poll(polled, 2, stopped ? -1 : left > 0 ? left : 0);
        if (ready > 0 && polled[1].revents != 0)
            return false;
        if (ready > 0)
            eventfd_read(pump->done, &ignored);
        if (ready == 0) {
            eventfd_write(pump->stop, 1);
            stopped = true;
        }
    }
    return true;
}

size_t pump_tail(struct pump *pump, char copy[TAIL_MAX])
{
    pthread_mutex_lock(&pump->lock);
    size_t size = tail_copy(&pump->tail, copy);
    pthread_mutex_unlock(&pump->lock);
    return size;
}

void pump_finish(struct pump *pump)
{
    end_streams(pump);
    close_end(&pump->stop);
    close_end(&pump->done);
    pthread_mutex_destroy(&pump->lock);
}
