/*
 * test_job.c - work in steps by a pool of threads: turns, waking, and requests that go away.
 *
 * The requests are stand-ins: parking and waking are counted here.
 */
#include "job.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "request.h"
#include "support.h"

#define THREADS 4
#define JOBS    64

static atomic_uint parkings, wakings;

void __wrap_request_park(struct request *request);
void __wrap_request_wake(struct request *request);

void __wrap_request_park(struct request *request)
{
    parkings++;
}

void __wrap_request_wake(struct request *request)
{
    wakings++;
}

/* A job whose steps can be watched and held up. */
struct work {
    struct job job;
    char name;
    unsigned steps;      /* that it takes each time that it is submitted */
    atomic_uint done;    /* of them */
    atomic_bool inside;  /* a thread is in a step */
    atomic_bool crowded; /* two were */
    bool wakes;          /* at the end */
    sem_t *entered, *go; /* each step tells, and waits; or NULL */
    sem_t *dropped;
    atomic_uint *drops;
    char *trace; /* the names of those whose step it was, in order; or NULL */
    size_t *traced;
};

struct rig {
    struct job_pool *pool;
    struct context context;
    struct request request;
    sem_t entered, go, dropped;
    atomic_uint drops;
};

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        assert_int_equal(errno, EINTR);
}

static bool run(struct job *job)
{
    struct work *work = (struct work *)job;
    if (atomic_exchange(&work->inside, true))
        work->crowded = true;
    if (work->trace != NULL)
        work->trace[(*work->traced)++] = work->name;
    if (work->entered != NULL) {
        sem_post(work->entered);
        wait_for(work->go);
    }
    bool more = ++work->done % work->steps != 0;
    work->inside = false;
    if (!more && work->wakes)
        job_wake(job);
    return more;
}

static void drop(struct job *job)
{
    struct work *work = (struct work *)job;
    sem_t *dropped = work->dropped;
    (*work->drops)++;
    free(work);
    sem_post(dropped);
}

static void init(struct rig *rig, unsigned threads)
{
    struct failure failure;
    parkings = wakings = 0;
    *rig = (struct rig){.pool = job_pool_create(threads, &failure)};
    assert_non_null(rig->pool);
    rig->context.jobs = rig->pool;
    rig->request.context = &rig->context;
    sem_init(&rig->entered, 0, 0);
    sem_init(&rig->go, 0, 0);
    sem_init(&rig->dropped, 0, 0);
}

static void finish(struct rig *rig)
{
    job_pool_destroy(rig->pool);
    sem_destroy(&rig->entered);
    sem_destroy(&rig->go);
    sem_destroy(&rig->dropped);
}

static struct work *make(struct rig *rig, char name, unsigned steps)
{
    struct work *work = calloc(1, sizeof(*work));
    assert_non_null(work);
    work->name = name;
    work->steps = steps;
    work->dropped = &rig->dropped;
    work->drops = &rig->drops;
    job_init(&work->job, &rig->request, run, drop);
    return work;
}

static struct work *make_held(struct rig *rig, unsigned steps)
{
    struct work *work = make(rig, 'h', steps);
    work->entered = &rig->entered;
    work->go = &rig->go;
    return work;
}

static void let_go(struct rig *rig, struct work *work)
{
    job_abandon(&work->job);
    wait_for(&rig->dropped);
}

static void jobs_take_turns(void **state)
{
    struct rig rig;
    char trace[16] = "";
    size_t traced = 0;
    init(&rig, 1);
    struct work *held = make_held(&rig, 1);
    job_submit(&held->job);
    wait_for(&rig.entered);
    struct work *works[3];
    for (size_t i = 0; i < COUNT_OF(works); i++) {
        works[i] = make(&rig, (char)('a' + i), 3 - (unsigned)i);
        works[i]->trace = trace;
        works[i]->traced = &traced;
        job_submit(&works[i]->job);
        job_submit(&works[i]->job); /* waits already: changes nothing */
    }
    sem_post(&rig.go);
    /* One thread: what is submitted last runs when all others have ended. */
    struct work *last = make_held(&rig, 4);
    job_submit(&last->job);
    for (int i = 0; i < 4; i++) {
        wait_for(&rig.entered);
        sem_post(&rig.go);
    }
    assert_string_equal(trace, "abcaba");
    for (size_t i = 0; i < COUNT_OF(works); i++)
        let_go(&rig, works[i]);
    let_go(&rig, held);
    let_go(&rig, last);
    finish(&rig);
}

static void submitted_while_it_runs_it_runs_once_more(void **state)
{
    struct rig rig;
    init(&rig, THREADS);
    struct work *work = make_held(&rig, 1);
    job_submit(&work->job);
    wait_for(&rig.entered);
    job_submit(&work->job);
    job_submit(&work->job);
    sem_post(&rig.go);
    wait_for(&rig.entered);
    sem_post(&rig.go);
    let_go(&rig, work);
    assert_int_equal(sem_trywait(&rig.entered), -1);
    finish(&rig);
}

static void only_who_is_parked_is_woken(void **state)
{
    struct rig rig;
    init(&rig, 1);
    struct work *work = make(&rig, 'w', 1);
    job_wake(&work->job);
    assert_int_equal(wakings, 0);
    job_park(&work->job);
    job_park(&work->job);
    assert_int_equal(parkings, 2);
    job_wake(&work->job);
    job_wake(&work->job);
    assert_int_equal(wakings, 1);
    job_park(&work->job);
    job_wake(&work->job);
    assert_int_equal(wakings, 2);
    let_go(&rig, work);
    finish(&rig);
}

static void one_that_is_abandoned_while_it_runs_outlives_its_request(void **state)
{
    struct rig rig;
    init(&rig, 1);
    struct work *work = make_held(&rig, 2);
    work->steps = 2;
    work->wakes = true;
    job_park(&work->job);
    job_submit(&work->job);
    wait_for(&rig.entered);
    assert_false(job_is_unwanted(&work->job));
    job_abandon(&work->job);
    assert_true(job_is_unwanted(&work->job));
    assert_int_equal(rig.drops, 0);
    sem_post(&rig.go);
    wait_for(&rig.dropped);
    assert_int_equal(rig.drops, 1);
    assert_int_equal(wakings, 0);
    assert_int_equal(sem_trywait(&rig.entered), -1); /* its second step */
    finish(&rig);
}

static void one_that_is_abandoned_while_it_waits_is_not_run(void **state)
{
    struct rig rig;
    init(&rig, 1);
    struct work *held = make_held(&rig, 1);
    job_submit(&held->job);
    wait_for(&rig.entered);
    struct work *waiting = make_held(&rig, 1);
    job_submit(&waiting->job);
    job_abandon(&waiting->job);
    assert_int_equal(rig.drops, 0);
    sem_post(&rig.go);
    wait_for(&rig.dropped);
    assert_int_equal(sem_trywait(&rig.entered), -1);
    let_go(&rig, held);
    finish(&rig);
}

static void *stop(void *pool)
{
    job_pool_stop(pool);
    return NULL;
}

static void a_stopped_pool_runs_nothing(void **state)
{
    struct rig rig;
    init(&rig, 1);
    struct work *held = make_held(&rig, 2);
    struct work *waiting = make_held(&rig, 1), *gone = make_held(&rig, 1);
    job_submit(&held->job);
    wait_for(&rig.entered);
    job_submit(&waiting->job);
    job_submit(&gone->job);
    job_abandon(&gone->job);
    pthread_t stopper;
    assert_int_equal(pthread_create(&stopper, NULL, stop, rig.pool), 0);
    while (!job_is_unwanted(&held->job))
        sched_yield();
    sem_post(&rig.go);
    pthread_join(stopper, NULL);
    assert_int_equal(rig.drops, 1);
    job_submit(&waiting->job);
    job_submit(&held->job);
    assert_int_equal(waiting->done, 0);
    assert_int_equal(held->done, 1); /* and not its second step */
    job_abandon(&waiting->job);
    job_abandon(&held->job);
    assert_int_equal(rig.drops, 3);
    finish(&rig);
}

/* Submits, parks and wakes jobs at random, and abandons each in the end. */
struct hammer {
    struct rig *rig;
    struct dice dice;
    bool crowded;
};

static void *strike(void *argument)
{
    struct hammer *hammer = argument;
    struct work *works[JOBS];
    for (size_t i = 0; i < JOBS; i++) {
        works[i] = make(hammer->rig, 'x', 1 + (unsigned)dice_below(&hammer->dice, 5));
        works[i]->wakes = true;
    }
    for (size_t i = 0; i < 40 * JOBS; i++) {
        struct work *work = works[dice_below(&hammer->dice, JOBS)];
        if (dice_chance(&hammer->dice, 30))
            job_park(&work->job);
        job_submit(&work->job);
        if (dice_chance(&hammer->dice, 10))
            job_wake(&work->job);
    }
    for (size_t i = 0; i < JOBS; i++) {
        hammer->crowded |= works[i]->crowded;
        job_abandon(&works[i]->job);
    }
    return NULL;
}

static void many_at_once(void **state)
{
    struct rig rig;
    pthread_t threads[THREADS];
    struct hammer hammers[THREADS];
    init(&rig, THREADS);
    for (size_t i = 0; i < THREADS; i++) {
        hammers[i] = (struct hammer){.rig = &rig, .dice = {i}};
        assert_int_equal(pthread_create(&threads[i], NULL, strike, &hammers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_false(hammers[i].crowded);
    }
    finish(&rig);
    assert_int_equal(rig.drops, THREADS * JOBS);
    assert_true(wakings <= parkings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_take_turns),
        cmocka_unit_test(submitted_while_it_runs_it_runs_once_more),
        cmocka_unit_test(only_who_is_parked_is_woken),
        cmocka_unit_test(one_that_is_abandoned_while_it_runs_outlives_its_request),
        cmocka_unit_test(one_that_is_abandoned_while_it_waits_is_not_run),
        cmocka_unit_test(a_stopped_pool_runs_nothing),
        cmocka_unit_test(many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
