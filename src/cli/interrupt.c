#include "interrupt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static sigset_t signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

bool interrupt_init(struct interrupt *interrupt, struct failure *failure)
{
    sigset_t set = signals();
    *interrupt = (struct interrupt){.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)};
    if (interrupt->fd < 0)
        return failure_set(failure, "cannot wait for signals: %s", strerror(errno));
    sigprocmask(SIG_BLOCK, &set, NULL);
    return true;
}

void interrupt_finish(struct interrupt *interrupt)
{
    sigset_t set = signals();
    interrupt_count(interrupt); /* those that wait were seen, and need not end the program */
    close(interrupt->fd);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

unsigned interrupt_count(struct interrupt *interrupt)
{
    struct signalfd_siginfo info;
    while (read(interrupt->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        interrupt->count++;
    return interrupt->count;
}

bool interrupt_sleep(struct interrupt *interrupt, double seconds)
{
    struct pollfd poller = {.fd = interrupt->fd, .events = POLLIN};
    time_t whole = (time_t)seconds;
    struct timespec time = {.tv_sec = whole, .tv_nsec = (long)((seconds - (double)whole) * 1e9)};
    if (interrupt_count(interrupt) > 0)
        return true;
    ppoll(&poller, 1, &time, NULL);
    return interrupt_count(interrupt) > 0;
}
