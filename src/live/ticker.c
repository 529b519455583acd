#include "ticker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* It ticks no more often than this, however much is due, */
#define PERIOD_MIN KAIROS_MILLISECOND

/*
 * and no less often. Stamps of receivers that have nothing to do are renewed as often: `alive_at`
 * is not to be older, since what a killed process has heard after it does not count as listening.
 */
#define PERIOD_MAX (50 * KAIROS_MILLISECOND)

/* A receiver that has not answered is not asked again for so long. */
#define ASK_AGAIN (10 * KAIROS_MILLISECOND)

struct ticker {
    struct engine *engine;
    struct registry *registry;
    struct clock *clock;
    struct hearing hearing;
    int wake; /* eventfd: a receiver has stamped, or the thread is to end */
    pthread_t thread;
    _Atomic bool ready;
    _Atomic bool stopping;
    _Atomic uint64_t rounds;
    _Atomic uint64_t stalls;
    _Atomic int64_t lag;

    /* The thread's own. */
    int64_t heard;     /* up to when Kairós has heard, or could hear before it was deaf */
    bool deaf;         /* it cannot be said yet that it hears again */
    int64_t deaf_from; /* a stamp later than this says so */
    enum gap_reason reason;
    bool first_start;
    int64_t asked_at;
    bool stalled;
    int64_t suspended; /* for how long the machine slept since the boot */
};

/* ---- Being deaf ---- */

/* Kairós was deaf from its last hearing on: a stamp later than NOW will end that. */
static void fall_deaf(struct ticker *ticker, enum gap_reason reason, int64_t now)
{
    ticker->deaf = true;
    ticker->deaf_from = now;
    ticker->reason = reason;
}

/* It hears again, up to HEARD. */
static void hear_again(struct ticker *ticker, int64_t heard)
{
    struct gap gap = {.from = ticker->heard, .to = heard, .reason = ticker->reason};
    ticker->deaf = false;
    if (!ticker->first_start && gap.from < gap.to)
        engine_record_gap(ticker->engine, &gap);
    ticker->first_start = false;
    atomic_store(&ticker->ready, true);
}

/* The machine slept: what was sent meanwhile and not sent again is lost. */
static void look_for_suspend(struct ticker *ticker, const struct clock_reading *reading,
                             int64_t now)
{
    int64_t suspended = reading->boottime - reading->monotonic;
    if (suspended - ticker->suspended >= SUSPEND_MIN)
        fall_deaf(ticker, ticker->deaf ? ticker->reason : GAP_SUSPEND, now);
    ticker->suspended = suspended;
}

/* ---- Ticking ---- */

static void ask(struct ticker *ticker, int64_t now, int64_t heard)
{
    if (heard < ticker->asked_at && now - ticker->asked_at < ASK_AGAIN)
        return;
    ticker->asked_at = now;
    ticker->hearing.ask(ticker->hearing.context);
}

static void check_clock(struct ticker *ticker, const struct clock_reading *reading)
{
    if (!clock_check(ticker->clock, reading))
        return;
    struct clock_memory memory = clock_memory(ticker->clock);
    registry_keep_clock(ticker->registry, &memory);
    if (!atomic_load(&ticker->ready)) /* the wall clock has become sane: time begins here */
        ticker->deaf_from = clock_at(ticker->clock, reading);
}

/*
 * Counts a round in which all is heard up to HEARD. A stall shows as a stamp that is old, or as one
 * that comes late: after SIGCONT receivers may have stamped before this thread runs.
 */
static void count(struct ticker *ticker, int64_t now, int64_t heard)
{
    bool stalled =
        !ticker->deaf && (now - heard >= STALL_COUNTED || heard - ticker->heard >= STALL_COUNTED);
    ticker->rounds++;
    ticker->stalls += stalled && !ticker->stalled;
    ticker->lag = heard == TIME_NEVER ? 0 : now - heard;
    ticker->stalled = stalled;
}

/* One round. Returns when the next one is due. */
static int64_t tick(struct ticker *ticker)
{
    struct clock_reading reading = clock_read();
    check_clock(ticker, &reading);
    int64_t now = clock_at(ticker->clock, &reading);
    look_for_suspend(ticker, &reading, now);
    int64_t heard = ticker->hearing.heard_until(ticker->hearing.context);
    heard = heard < now ? heard : now;
    count(ticker, now, heard);

    if (!clock_is_sane(ticker->clock) || (ticker->deaf && heard <= ticker->deaf_from)) {
        ask(ticker, now, heard);
        return now + ASK_AGAIN;
    }
    if (!ticker->deaf && heard - ticker->heard >= STALL_MIN)
        fall_deaf(ticker, GAP_STALL, now);
    if (ticker->deaf)
        hear_again(ticker, heard);
    ticker->heard = heard;
    registry_stamp_alive(ticker->registry, heard);

    struct engine_wake wake = engine_tick(ticker->engine, now, heard);
    if (wake.wants_hearing || now - heard >= PERIOD_MAX)
        ask(ticker, now, heard);
    if (wake.more)
        return now;
    int64_t next = wake.wants_hearing ? now + ASK_AGAIN : wake.next;
    next = next > now + PERIOD_MIN ? next : now + PERIOD_MIN;
    return next < now + PERIOD_MAX ? next : now + PERIOD_MAX;
}

/* Sleeps until TIME, or until it is woken. */
static void rest(struct ticker *ticker, int64_t time)
{
    int64_t pause = time - clock_now(ticker->clock);
    if (!clock_is_sane(ticker->clock)) /* engine time stands still */
        pause = ASK_AGAIN;
    pause = pause > 0 ? pause : 0;
    pause = pause < PERIOD_MAX ? pause : PERIOD_MAX;
    struct timespec timeout = {
        .tv_sec = pause / KAIROS_SECOND,
        .tv_nsec = pause % KAIROS_SECOND * 1000,
    };
    struct pollfd poller = {.fd = ticker->wake, .events = POLLIN};
    uint64_t count;
    if (pause == 0)
        return;
    if (ppoll(&poller, 1, &timeout, NULL) > 0)
        (void)!read(ticker->wake, &count, sizeof(count));
}

static void *run(void *argument)
{
    struct ticker *ticker = argument;
    while (!atomic_load(&ticker->stopping))
        rest(ticker, tick(ticker));
    tick(ticker); /* up to the receivers' last stamps */
    return NULL;
}

/* ---- Life ---- */

static void init(struct ticker *ticker, int64_t deaf_since)
{
    struct clock_reading reading = clock_read();
    int64_t now = clock_at(ticker->clock, &reading);
    ticker->first_start = deaf_since == TIME_NEVER;
    ticker->heard = ticker->first_start ? now : deaf_since;
    ticker->asked_at = TIME_NEVER / 2;
    ticker->suspended = reading.boottime - reading.monotonic;
    fall_deaf(ticker, GAP_RESTART, now);
}

struct ticker *ticker_create(struct engine *engine, struct registry *registry, struct clock *clock,
                             const struct hearing *hearing, int64_t deaf_since,
                             struct failure *failure)
{
    struct ticker *ticker = malloc(sizeof(*ticker));
    if (ticker == NULL) {
        failure_set(failure, "out of memory");
        return NULL;
    }
    *ticker = (struct ticker){
        .engine = engine, .registry = registry, .clock = clock, .hearing = *hearing};
    init(ticker, deaf_since);
    ticker->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int error = ticker->wake < 0 ? errno : pthread_create(&ticker->thread, NULL, run, ticker);
    if (error == 0) {
        pthread_setname_np(ticker->thread, "ticker");
        return ticker;
    }
    failure_set(failure, "cannot start a thread: %s", strerror(error));
    if (ticker->wake >= 0)
        close(ticker->wake);
    free(ticker);
    return NULL;
}

void ticker_destroy(struct ticker *ticker)
{
    if (ticker == NULL)
        return;
    atomic_store(&ticker->stopping, true);
    ticker_heard(ticker);
    pthread_join(ticker->thread, NULL);
    close(ticker->wake);
    free(ticker);
}

void ticker_heard(struct ticker *ticker)
{
    uint64_t one = 1;
    (void)!write(ticker->wake, &one, sizeof(one)); /* full only if it is awake anyway */
}

struct ticker_figures ticker_figures(const struct ticker *ticker)
{
    return (struct ticker_figures){
        .rounds = atomic_load(&ticker->rounds),
        .stalls = atomic_load(&ticker->stalls),
        .lag = atomic_load(&ticker->lag),
    };
}

bool ticker_is_ready(const struct ticker *ticker)
{
    return atomic_load(&ticker->ready);
}
