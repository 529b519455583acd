/*
 * child.h - a command that runs in our place: it gets the signals that we get, and we end as it
 * does.
 *
 *   child_init(&child, &failure);            signals wait from here on
 *   child_start(&child, argv, out, err);
 *   child_wait(&child);                      passes signals on, until it has ended
 *   child_finish(&child);
 *   child_end_alike(&child);
 *
 * Signals that the caller wanted ignored stay ignored, by both. What a terminal sends goes to all
 * who sit in front of it, and is not passed on a second time.
 */
#ifndef KAIROS_CLI_CHILD_H
#define KAIROS_CLI_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "failure.h"

/* Exit statuses of env, nohup, timeout and the like. */
enum child_exit {
    CHILD_EXIT_FAILED = 125,     /* we ourselves failed */
    CHILD_EXIT_CANNOT_RUN = 126, /* the command is there, but cannot be run */
    CHILD_EXIT_NOT_FOUND = 127,
    CHILD_EXIT_SIGNAL = 128, /* and the signal's number, for those who want a number */
};

struct child {
    pid_t pid;
    int status;    /* as of waitpid, when it has ended */
    int signals;   /* of ours, to be read from */
    sigset_t mask; /* what was blocked before us */
    bool sigpipe;  /* was ignored before us, */
    bool sigxfsz;  /* and so was that */
};

/* From here on signals of ours wait. Describes the failure. */
bool child_init(struct child *child, struct failure *failure);

/*
 * Runs the command ARGV, found by PATH, a script without "#!" by the shell. Its standard output and
 * error are OUT and ERR; -1 for ours. Returns 0, or errno and nothing runs.
 */
int child_start(struct child *child, char **argv, int out, int err);

/* Waits until the command has ended. */
void child_wait(struct child *child);

/* Whether one of our signals, which would end a program, came behind the end of the command. */
bool child_interrupted(struct child *child);

void child_finish(struct child *child);

/* The exit status of the command that has ended, as a shell says it: 128 and more for a signal. */
unsigned child_exit_status(const struct child *child);

/* Dies of the signal that the command died of. Returns if it did not, or that is impossible. */
void child_end_alike(const struct child *child);

#endif
