#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* What is passed on. Others either stop and go on, as a whole group does, or cannot be caught. */
static const int passed[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH};

static bool is_ignored(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* What we want to hear of; what is ignored stays so. */
static sigset_t signals_to_hear(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
        if (!is_ignored(passed[i]))
            sigaddset(&set, passed[i]);
    }
    return set;
}

bool child_init(struct child *child, struct failure *failure)
{
    *child =
        (struct child){.pid = -1, .sigpipe = is_ignored(SIGPIPE), .sigxfsz = is_ignored(SIGXFSZ)};
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGCHLD, SIG_DFL); /* ignored, there would be no exit status */
    sigset_t set = signals_to_hear();
    child->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (child->signals < 0)
        return failure_set(failure, "cannot wait for signals: %s", strerror(errno));
    sigprocmask(SIG_BLOCK, &set, &child->mask);
    return true;
}

void child_finish(struct child *child)
{
    if (child->signals >= 0)
        close(child->signals);
    child->signals = -1;
}

/* ---- The start ---- */

/* In the child: becomes the command, or tells errno to REPORT. Other threads may have held locks
 * when it was forked: nothing here takes one. */
static _Noreturn void become(const struct child *child, char **argv, int out, int err, int report)
{
    if (!child->sigpipe)
        signal(SIGPIPE, SIG_DFL);
    if (!child->sigxfsz)
        signal(SIGXFSZ, SIG_DFL);
    sigprocmask(SIG_SETMASK, &child->mask, NULL);
    if ((out < 0 || dup2(out, STDOUT_FILENO) >= 0) && (err < 0 || dup2(err, STDERR_FILENO) >= 0))
        execvp(argv[0], argv);
    int error = errno;
    (void)!write(report, &error, sizeof(error));
    _exit(CHILD_EXIT_NOT_FOUND);
}

/* What the child has told: nothing if it is the command now. */
static int read_report(int report)
{
    int error = 0;
    ssize_t size;
    do
        size = read(report, &error, sizeof(error));
    while (size < 0 && errno == EINTR);
    return size == (ssize_t)sizeof(error) ? error : 0;
}

int child_start(struct child *child, char **argv, int out, int err)
{
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0)
        return errno;
    child->pid = fork();
    int error = child->pid < 0 ? errno : 0;
    if (child->pid == 0)
        become(child, argv, out, err, report[1]);
    close(report[1]);
    if (error == 0 && (error = read_report(report[0])) != 0)
        waitpid(child->pid, NULL, 0);
    close(report[0]);
    if (error != 0)
        child->pid = -1;
    return error;
}

/* ---- While it runs ---- */

/* Passes on what waits. */
static void pass_signals(const struct child *child)
{
    struct signalfd_siginfo info;
    while (read(child->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo != SIGCHLD && info.ssi_code != SI_KERNEL)
            kill(child->pid, (int)info.ssi_signo);
    }
}

static bool has_ended(struct child *child)
{
    if (child->pid >= 0 && waitpid(child->pid, &child->status, WNOHANG) == child->pid)
        child->pid = -1;
    return child->pid < 0;
}

bool child_interrupted(struct child *child)
{
    struct signalfd_siginfo info;
    bool interrupted = false;
    while (read(child->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
        interrupted = interrupted || (info.ssi_signo != SIGCHLD && info.ssi_signo != SIGWINCH);
    return interrupted;
}

void child_wait(struct child *child)
{
    struct pollfd polled = {.fd = child->signals, .events = POLLIN};
    while (!has_ended(child)) {
        if (poll(&polled, 1, -1) > 0)
            pass_signals(child);
    }
    child_interrupted(child); /* what came up to now was meant for the command */
}

/* ---- The end ---- */

unsigned child_exit_status(const struct child *child)
{
    return WIFSIGNALED(child->status) ? CHILD_EXIT_SIGNAL + (unsigned)WTERMSIG(child->status)
                                      : (unsigned)WEXITSTATUS(child->status);
}

void child_end_alike(const struct child *child)
{
    if (!WIFSIGNALED(child->status))
        return;
    int number = WTERMSIG(child->status);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    prctl(PR_SET_DUMPABLE,
          0); /* a core file of ours would tell nothing, and replace the command's */
    signal(number, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
}
