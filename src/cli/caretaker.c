#include "caretaker.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "readiness.h"

/* How often it is looked whether all is ready, at the start, */
#define PERIOD_START (20 * KAIROS_MILLISECOND)

/* and how often at all; more often where the manager's watchdog wants it, */
#define PERIOD_MAX (10 * KAIROS_SECOND)

/* but no more often than threads go on without fail: they are asked to every 50 ms. */
#define PERIOD_MIN (200 * KAIROS_MILLISECOND)

/* So many signs of life are given in the time in which the manager wants one. */
#define SIGNS_OF_LIFE 3

/* ---- How all is going ---- */

struct first_reason {
    char text[256]; /* empty while there is none */
};

static void keep_first(void *target, const char *text)
{
    struct first_reason *first = target;
    if (first->text[0] == '\0')
        snprintf(first->text, sizeof(first->text), "%s", text);
}

static void tell_status(struct caretaker *caretaker)
{
    const struct caretaker_charge *charge = &caretaker->charge;
    struct first_reason first = {0};
    if (readiness_find(charge->context, charge->server, keep_first, &first) == READINESS_READY) {
        struct engine_figures figures = engine_figures(charge->context->engine);
        uint64_t services = 0;
        for (size_t i = 0; i < SERVICE_STATUS_COUNT; i++)
            services += figures.services[i];
        snprintf(first.text, sizeof(first.text), "Watching %" PRIu64 " services, %" PRIu64 " down",
                 services, figures.services[SERVICE_DOWN]);
    }
    manager_status(&caretaker->manager, first.text);
}

/*
 * Whether it has heard all that waited at the start. A wall clock that is wrong keeps it from
 * judging, but a restart would not mend that.
 */
static bool has_started(const struct caretaker_charge *charge)
{
    struct ticker *ticker = server_ticker(charge->server);
    return (ticker != NULL && ticker_is_ready(ticker)) || !clock_is_sane(charge->context->clock);
}

/* Whether all threads that may not stop have gone on since this was asked last. */
static bool all_go_on(struct caretaker *caretaker)
{
    struct ticker *ticker = server_ticker(caretaker->charge.server);
    uint64_t rounds = ticker != NULL ? ticker_figures(ticker).rounds : 0;
    bool ticking = rounds != caretaker->rounds;
    caretaker->rounds = rounds;
    return server_has_progressed(caretaker->charge.server) && ticking;
}

static void look_at_threads(struct caretaker *caretaker)
{
    struct operations *operations = caretaker->charge.operations;
    bool stuck = !all_go_on(caretaker);
    if (stuck && !operations->stuck)
        journal_note(caretaker->charge.journal, LOG_ERROR,
                     "stuck detail=\"a thread does not go on; the service manager is given no "
                     "sign of life\"");
    operations->stuck = stuck;
    if (!stuck)
        manager_alive(&caretaker->manager);
}

/* ---- The timer ---- */

static void set_timer(const struct caretaker *caretaker, int64_t period)
{
    const struct timespec time = {
        .tv_sec = period / KAIROS_SECOND,
        .tv_nsec = period % KAIROS_SECOND * 1000,
    };
    timerfd_settime(caretaker->timer, 0, &(struct itimerspec){time, time}, NULL);
}

static int64_t usual_period(const struct caretaker *caretaker)
{
    int64_t period = PERIOD_MAX, watchdog = caretaker->manager.watchdog;
    if (watchdog > 0 && watchdog / SIGNS_OF_LIFE < period)
        period = watchdog / SIGNS_OF_LIFE;
    return period > PERIOD_MIN ? period : PERIOD_MIN;
}

static void look_round(struct caretaker *caretaker)
{
    uint64_t expirations;
    if (read(caretaker->timer, &expirations, sizeof(expirations)) != sizeof(expirations))
        return;
    if (caretaker->manager.ready) {
        look_at_threads(caretaker);
        tell_status(caretaker);
    } else if (has_started(&caretaker->charge)) {
        tell_status(caretaker);
        manager_ready(&caretaker->manager);
        all_go_on(caretaker); /* from now on */
        set_timer(caretaker, usual_period(caretaker));
    }
}

/* ---- Reloading ---- */

static void count_reload(const struct caretaker_charge *charge, bool applied)
{
    struct operations *operations = charge->operations;
    operations->last_refused = !applied;
    if (applied) {
        operations->reloads++;
        operations->configured = clock_read().wall;
    } else {
        operations->reloads_refused++;
    }
}

static void tell_refusal(struct caretaker *caretaker, const struct failure *failure)
{
    char quoted[4 * sizeof(failure->text) + 3], status[256];
    log_quote(quoted, failure->text, strlen(failure->text));
    journal_note(caretaker->charge.journal, LOG_ERROR, "reload_refused error=%s", quoted);
    snprintf(status, sizeof(status), "Reload refused: %.200s", failure->text);
    manager_status(&caretaker->manager, status);
}

/* However many SIGHUPs wait, the configuration is as it is now. */
static void reload(struct caretaker *caretaker)
{
    const struct caretaker_charge *charge = &caretaker->charge;
    struct signalfd_siginfo info;
    struct failure failure;
    while (read(caretaker->hangup, &info, sizeof(info)) == (ssize_t)sizeof(info))
        ;
    manager_reloading(&caretaker->manager);
    bool applied = charge->reload(charge->target, &failure);
    count_reload(charge, applied);
    if (applied)
        journal_note(charge->journal, LOG_INFO, "reloaded");
    else
        tell_refusal(caretaker, &failure);
    if (caretaker->manager.ready)
        manager_ready(&caretaker->manager);
}

/* ---- Life ---- */

bool caretaker_init(struct caretaker *caretaker, struct failure *failure)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    *caretaker = (struct caretaker){
        .hangup = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC),
        .timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC),
    };
    if (caretaker->hangup < 0 || caretaker->timer < 0)
        return failure_set(failure, "cannot wait for signals: %s", strerror(errno));
    sigprocmask(SIG_BLOCK, &set, NULL);
    manager_init(&caretaker->manager);
    return true;
}

void caretaker_run(struct caretaker *caretaker, const struct caretaker_charge *charge)
{
    caretaker->charge = *charge;
    charge->operations->configured = charge->context->started.wall;
    set_timer(caretaker, PERIOD_START);
    struct pollfd pollers[] = {
        {.fd = charge->interrupt->fd, .events = POLLIN},
        {.fd = caretaker->hangup, .events = POLLIN},
        {.fd = caretaker->timer, .events = POLLIN},
    };
    while (interrupt_count(charge->interrupt) == 0) {
        poll(pollers, sizeof(pollers) / sizeof(pollers[0]), -1);
        if (pollers[1].revents != 0)
            reload(caretaker);
        if (pollers[2].revents != 0)
            look_round(caretaker);
    }
    manager_stopping(&caretaker->manager);
}

void caretaker_finish(struct caretaker *caretaker)
{
    if (caretaker->hangup >= 0)
        close(caretaker->hangup);
    if (caretaker->timer >= 0)
        close(caretaker->timer);
}
