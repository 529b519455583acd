#include "syncer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A sync that took so long is followed by a pause nine times as long. */
#define PAUSE_FACTOR 9

struct syncer {
    struct engine *engine;
    struct registry *registry;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping; /* under the lock */
};

static int64_t monotonic(void)
{
    return clock_read().monotonic;
}

/* Waits for PAUSE microseconds; returns false when the thread is to end. */
static bool rest(struct syncer *syncer, int64_t pause)
{
    int64_t until = monotonic() + pause;
    struct timespec deadline = {
        .tv_sec = until / KAIROS_SECOND,
        .tv_nsec = until % KAIROS_SECOND * 1000,
    };
    pthread_mutex_lock(&syncer->lock);
    while (!syncer->stopping &&
           pthread_cond_timedwait(&syncer->wake, &syncer->lock, &deadline) == 0)
        ;
    bool stopping = syncer->stopping;
    pthread_mutex_unlock(&syncer->lock);
    return !stopping;
}

static void *run(void *argument)
{
    struct syncer *syncer = argument;
    int64_t pause = SYNC_PERIOD;
    while (rest(syncer, pause)) {
        int64_t begin = monotonic();
        engine_make_room(syncer->engine);
        /* Up to there all has been heard, and is in the registry. A failure stays to be seen. */
        registry_sync(syncer->registry, registry_alive_at(syncer->registry));
        pause = (monotonic() - begin) * PAUSE_FACTOR;
        pause = pause < SYNC_PERIOD ? SYNC_PERIOD : pause;
    }
    return NULL;
}

static void init_wake(struct syncer *syncer)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&syncer->wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct syncer *syncer_create(struct engine *engine, struct registry *registry,
                             struct failure *failure)
{
    struct syncer *syncer = malloc(sizeof(*syncer));
    if (syncer == NULL) {
        failure_set(failure, "out of memory");
        return NULL;
    }
    *syncer = (struct syncer){.engine = engine, .registry = registry};
    pthread_mutex_init(&syncer->lock, NULL);
    init_wake(syncer);
    int error = pthread_create(&syncer->thread, NULL, run, syncer);
    if (error == 0) {
        pthread_setname_np(syncer->thread, "syncer");
        return syncer;
    }
    failure_set(failure, "cannot start a thread: %s", strerror(error));
    pthread_cond_destroy(&syncer->wake);
    pthread_mutex_destroy(&syncer->lock);
    free(syncer);
    return NULL;
}

void syncer_destroy(struct syncer *syncer)
{
    if (syncer == NULL)
        return;
    pthread_mutex_lock(&syncer->lock);
    syncer->stopping = true;
    pthread_cond_signal(&syncer->wake);
    pthread_mutex_unlock(&syncer->lock);
    pthread_join(syncer->thread, NULL);
    pthread_cond_destroy(&syncer->wake);
    pthread_mutex_destroy(&syncer->lock);
    free(syncer);
}
