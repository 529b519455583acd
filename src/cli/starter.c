#include "starter.h"

#include <string.h>
#include <time.h>

#include <kairos/timestamp.h>

/* A server that is slower misses the start. */
#define START_TIMEOUT (2 * KAIROS_SECOND)

/* How long the end waits for a start: the timeout should have ended it. */
#define PATIENCE_SECONDS 3

/* Whether something that happens now may be sent: unless the run has ended. Then sending begins. */
static bool may_send(struct starter *starter)
{
    pthread_mutex_lock(&starter->lock);
    bool may = !starter->ended;
    if (may)
        starter->state = STARTER_SENDING;
    pthread_mutex_unlock(&starter->lock);
    return may;
}

/* Others may fail whenever it is found in the spool. */
static bool may_fail(void *context, const char *service)
{
    struct starter *starter = context;
    return strcmp(service, starter->beat.service) != 0 || may_send(starter);
}

static void send_start(struct starter *starter)
{
    struct courier courier;
    struct failure failure;
    if (!courier_init(&courier, &starter->options, &failure)) {
        failure_print(&failure);
        return;
    }
    courier.may_fail = may_fail;
    courier.context = starter;
    courier_empty(&courier);
    if (may_send(starter))
        courier_bring(&courier, &starter->beat);
    courier_finish(&courier);
}

static void *run(void *argument)
{
    struct starter *starter = argument;
    send_start(starter);
    pthread_mutex_lock(&starter->lock);
    starter->state = STARTER_DONE;
    pthread_cond_signal(&starter->changed);
    pthread_mutex_unlock(&starter->lock);
    return NULL;
}

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

void starter_begin(struct starter *starter, const struct courier_options *options,
                   const struct beat *beat)
{
    struct failure failure;
    *starter = (struct starter){.options = *options, .beat = *beat, .state = STARTER_EMPTYING};
    starter->options.client.retry_for = 0;
    starter->options.client.timeout = START_TIMEOUT;
    pthread_mutex_init(&starter->lock, NULL);
    init_condition(&starter->changed);
    int error = pthread_create(&starter->thread, NULL, run, starter);
    starter->running = error == 0;
    if (starter->running)
        return;
    failure_set(&failure, "cannot start a thread, the start is not told: %s", strerror(error));
    failure_print(&failure);
}

/* Waits while the thread is in a state from FIRST to LAST, and for SECONDS at most. */
static void wait_while(struct starter *starter, enum starter_state first, enum starter_state last,
                       double seconds)
{
    struct timespec deadline;
    int result = 0;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += (time_t)seconds;
    while (starter->state >= first && starter->state <= last && result == 0)
        result = pthread_cond_timedwait(&starter->changed, &starter->lock, &deadline);
}

void starter_end(struct starter *starter)
{
    if (!starter->running)
        return;
    pthread_mutex_lock(&starter->lock);
    starter->ended = true;
    wait_while(starter, STARTER_SENDING, STARTER_SENDING, PATIENCE_SECONDS);
    pthread_mutex_unlock(&starter->lock);
}

bool starter_finish(struct starter *starter, double patience)
{
    if (!starter->running)
        return true;
    pthread_mutex_lock(&starter->lock);
    wait_while(starter, STARTER_EMPTYING, STARTER_SENDING, patience);
    bool ended = starter->state == STARTER_DONE;
    pthread_mutex_unlock(&starter->lock);
    if (!ended)
        return false;
    pthread_join(starter->thread, NULL);
    pthread_cond_destroy(&starter->changed);
    pthread_mutex_destroy(&starter->lock);
    starter->running = false;
    return true;
}
