#include "sink.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

/* What a buffer has used beyond this goes back to the system. */
#define BUFFER_KEPT ((size_t)1024 * 1024)

struct buffer {
    char *bytes;
    size_t used;
    uint64_t lost; /* entries that found no room */
};

struct sink {
    struct sink_options options;
    pthread_t thread;
    pthread_mutex_t lock; /* over all that follows */
    pthread_cond_t told;
    struct buffer buffers[2];
    unsigned filling; /* the number of the buffer that takes entries; the thread has the other */
    bool stopping;
    bool ended; /* all is taken */
    pthread_cond_t end;
};

static bool is_empty(const struct buffer *buffer)
{
    return buffer->used == 0 && buffer->lost == 0;
}

/* ---- Telling ---- */

void sink_tell(struct sink *sink, const struct iovec *parts, int count, uint64_t entries)
{
    size_t size = 0;
    for (int i = 0; i < count; i++)
        size += parts[i].iov_len;
    pthread_mutex_lock(&sink->lock);
    struct buffer *buffer = &sink->buffers[sink->filling];
    if (is_empty(buffer)) /* else it was told already */
        pthread_cond_signal(&sink->told);
    if (size > sink->options.capacity - buffer->used) {
        buffer->lost += entries;
    } else {
        for (int i = 0; i < count; i++) {
            memcpy(buffer->bytes + buffer->used, parts[i].iov_base, parts[i].iov_len);
            buffer->used += parts[i].iov_len;
        }
    }
    pthread_mutex_unlock(&sink->lock);
}

/* ---- Taking ---- */

/* Takes all that is in BUFFER, which is empty then. */
static void take(struct sink *sink, struct buffer *buffer)
{
    sink->options.take(sink->options.context, buffer->bytes, buffer->used, buffer->lost);
    if (buffer->used > BUFFER_KEPT)
        madvise(buffer->bytes + BUFFER_KEPT, sink->options.capacity - BUFFER_KEPT, MADV_DONTNEED);
    buffer->used = 0;
    buffer->lost = 0;
}

/* Waits for more to come, unless there is none to wait for; the lock is held. */
static void linger(struct sink *sink)
{
    struct timespec time = {.tv_nsec = (long)sink->options.linger * 1000000};
    if (sink->options.linger == 0 || sink->stopping)
        return;
    pthread_mutex_unlock(&sink->lock);
    nanosleep(&time, NULL);
    pthread_mutex_lock(&sink->lock);
}

static void *run(void *argument)
{
    struct sink *sink = argument;
    pthread_mutex_lock(&sink->lock);
    for (;;) {
        struct buffer *buffer = &sink->buffers[sink->filling];
        if (is_empty(buffer) && sink->stopping)
            break;
        if (is_empty(buffer)) {
            pthread_cond_wait(&sink->told, &sink->lock);
            continue;
        }
        linger(sink);
        sink->filling ^= 1;
        pthread_mutex_unlock(&sink->lock);
        take(sink, buffer);
        pthread_mutex_lock(&sink->lock);
    }
    sink->ended = true;
    pthread_cond_signal(&sink->end);
    pthread_mutex_unlock(&sink->lock);
    return NULL;
}

/* ---- Life ---- */

static bool reserve(struct buffer *buffer, size_t capacity)
{
    void *bytes = mmap(NULL, capacity, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    buffer->bytes = bytes == MAP_FAILED ? NULL : bytes;
    return buffer->bytes != NULL;
}

static void release(struct sink *sink)
{
    for (int i = 0; i < 2; i++) {
        if (sink->buffers[i].bytes != NULL)
            munmap(sink->buffers[i].bytes, sink->options.capacity);
    }
    pthread_cond_destroy(&sink->told);
    pthread_cond_destroy(&sink->end);
    pthread_mutex_destroy(&sink->lock);
    free(sink);
}

static void init_conditions(struct sink *sink)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&sink->told, NULL);
    pthread_cond_init(&sink->end, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct sink *sink_create(const struct sink_options *options, struct failure *failure)
{
    struct sink *sink = calloc(1, sizeof(*sink));
    if (sink == NULL) {
        failure_set(failure, "out of memory");
        return NULL;
    }
    sink->options = *options;
    pthread_mutex_init(&sink->lock, NULL);
    init_conditions(sink);
    int error = ENOMEM;
    if (reserve(&sink->buffers[0], options->capacity) &&
        reserve(&sink->buffers[1], options->capacity))
        error = pthread_create(&sink->thread, NULL, run, sink);
    if (error == 0) {
        pthread_setname_np(sink->thread, options->name);
        return sink;
    }
    failure_set(failure, "cannot start a thread: %s", strerror(error));
    release(sink);
    return NULL;
}

/* Waits until the thread has taken all, and not for ever; the lock is held. */
static bool wait_for_end(struct sink *sink)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += SINK_PATIENCE;
    int result = 0;
    while (!sink->ended && result == 0)
        result = pthread_cond_timedwait(&sink->end, &sink->lock, &deadline);
    return sink->ended;
}

bool sink_destroy(struct sink *sink)
{
    if (sink == NULL)
        return true;
    pthread_mutex_lock(&sink->lock);
    sink->stopping = true;
    pthread_cond_signal(&sink->told);
    bool ended = wait_for_end(sink);
    pthread_mutex_unlock(&sink->lock);
    if (!ended)
        return false;
    pthread_join(sink->thread, NULL);
    release(sink);
    return true;
}
