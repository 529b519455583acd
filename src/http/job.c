#include "job.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "request.h"

/* How much the threads give way to others: a third of the share of one that does not. */
#define NICE 5

struct job_pool {
    pthread_mutex_t lock;
    pthread_cond_t submitted;
    struct job *first, *last; /* those that wait for a thread */
    bool stopping;
    bool stopped; /* there are no threads */
    unsigned running;
    size_t queued, stepping;
    uint64_t steps;
    pthread_t threads[];
};

/* ---- The queue, under the lock ---- */

static void enqueue(struct job_pool *pool, struct job *job)
{
    job->place = JOB_QUEUED;
    job->next = NULL;
    if (pool->first == NULL)
        pool->first = job;
    else
        pool->last->next = job;
    pool->last = job;
    pool->queued++;
}

static struct job *dequeue(struct job_pool *pool)
{
    struct job *job = pool->first;
    if (job == NULL)
        return NULL;
    pool->first = job->next;
    pool->queued--;
    return job;
}

/* ---- The threads ---- */

/* Runs a step of JOB, or releases it. Called with the lock, which is not held meanwhile. */
static void step(struct job_pool *pool, struct job *job)
{
    bool more = false;
    job->place = JOB_RUNNING;
    job->again = false;
    if (!job->abandoned) {
        pool->stepping++;
        pthread_mutex_unlock(&pool->lock);
        more = job->run(job);
        pthread_mutex_lock(&pool->lock);
        pool->stepping--;
        pool->steps++;
    }
    job->place = JOB_IDLE;
    if (job->abandoned) {
        pthread_mutex_unlock(&pool->lock);
        job->drop(job);
        pthread_mutex_lock(&pool->lock);
    } else if (more || job->again) {
        enqueue(pool, job); /* this thread looks at the queue next: nobody need be woken */
    }
}

static void *run(void *argument)
{
    struct job_pool *pool = argument;
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* should it fail, all is merely slower */
    pthread_mutex_lock(&pool->lock);
    while (!pool->stopping) {
        struct job *job = dequeue(pool);
        if (job != NULL)
            step(pool, job);
        else
            pthread_cond_wait(&pool->submitted, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* ---- Lifecycle ---- */

struct job_pool *job_pool_create(unsigned threads, struct failure *failure)
{
    struct job_pool *pool = calloc(1, sizeof(*pool) + threads * sizeof(pool->threads[0]));
    if (pool == NULL) {
        failure_set(failure, "out of memory");
        return NULL;
    }
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->submitted, NULL);
    for (; pool->running < threads; pool->running++) {
        char name[16];
        int error = pthread_create(&pool->threads[pool->running], NULL, run, pool);
        if (error != 0) {
            failure_set(failure, "cannot start a thread: %s", strerror(error));
            job_pool_destroy(pool);
            return NULL;
        }
        snprintf(name, sizeof(name), "job-%u", pool->running);
        pthread_setname_np(pool->threads[pool->running], name);
    }
    return pool;
}

/* Releases those that were abandoned while they waited for a thread. The others are idle then. */
static void drop_abandoned(struct job_pool *pool)
{
    struct job *job;
    do {
        pthread_mutex_lock(&pool->lock);
        pool->stopped = true;
        job = dequeue(pool);
        if (job != NULL)
            job->place = JOB_IDLE;
        bool drop = job != NULL && job->abandoned;
        pthread_mutex_unlock(&pool->lock);
        if (drop)
            job->drop(job);
    } while (job != NULL);
}

void job_pool_stop(struct job_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->submitted);
    pthread_mutex_unlock(&pool->lock);
    for (; pool->running > 0; pool->running--)
        pthread_join(pool->threads[pool->running - 1], NULL);
    drop_abandoned(pool);
}

void job_pool_destroy(struct job_pool *pool)
{
    if (pool == NULL)
        return;
    job_pool_stop(pool);
    pthread_cond_destroy(&pool->submitted);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

struct job_figures job_pool_figures(struct job_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    struct job_figures figures = {
        .threads = pool->running,
        .queued = pool->queued,
        .running = pool->stepping,
        .steps = pool->steps,
    };
    pthread_mutex_unlock(&pool->lock);
    return figures;
}

/* ---- Jobs ---- */

/* Under the lock. */
static void submit(struct job_pool *pool, struct job *job)
{
    enqueue(pool, job);
    pthread_cond_signal(&pool->submitted);
}

void job_init(struct job *job, struct request *request, bool (*run_step)(struct job *),
              void (*drop)(struct job *))
{
    *job = (struct job){
        .run = run_step, .drop = drop, .pool = request->context->jobs, .request = request};
}

void job_submit(struct job *job)
{
    struct job_pool *pool = job->pool;
    pthread_mutex_lock(&pool->lock);
    if (job->place == JOB_RUNNING)
        job->again = true;
    else if (job->place == JOB_IDLE && !pool->stopped)
        submit(pool, job);
    pthread_mutex_unlock(&pool->lock);
}

void job_park(struct job *job)
{
    pthread_mutex_lock(&job->pool->lock);
    job->parked = true;
    pthread_mutex_unlock(&job->pool->lock);
    request_park(job->request);
}

void job_wake(struct job *job)
{
    pthread_mutex_lock(&job->pool->lock);
    if (job->parked && !job->abandoned)
        request_wake(job->request);
    job->parked = false;
    pthread_mutex_unlock(&job->pool->lock);
}

void job_abandon(struct job *job)
{
    struct job_pool *pool = job->pool;
    pthread_mutex_lock(&pool->lock);
    job->abandoned = true;
    bool drop = pool->stopped && job->place == JOB_IDLE;
    if (!drop && job->place == JOB_IDLE)
        submit(pool, job); /* to be released by a thread: that may take long */
    pthread_mutex_unlock(&pool->lock);
    if (drop)
        job->drop(job);
}

bool job_is_unwanted(struct job *job)
{
    pthread_mutex_lock(&job->pool->lock);
    bool unwanted = job->abandoned || job->pool->stopping;
    pthread_mutex_unlock(&job->pool->lock);
    return unwanted;
}
