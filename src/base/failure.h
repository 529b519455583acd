/*
 * failure.h - why something could not be done, in one line for the user.
 *
 * Whoever fails first describes it: what, where, and the mend. Callers pass it on untouched up to
 * the command, which prints it.
 */
#ifndef KAIROS_BASE_FAILURE_H
#define KAIROS_BASE_FAILURE_H

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>

struct failure {
    char text[PATH_MAX + 512]; /* a path, and what is wrong with it */
};

/*
 * Describes the failure; what does not fit is cut, and what is not printable (a file may be named
 * with a newline) becomes '?'. Returns false, to be returned by the caller.
 */
bool failure_set(struct failure *failure, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

bool failure_vset(struct failure *failure, const char *format, va_list arguments);

/*
 * The same for errno as it stands after writing to WHAT. A reader that has gone away (EPIPE) wants
 * to hear no more: that is a failure without words.
 */
bool failure_set_write(struct failure *failure, const char *what);

/* Prints the failure to stderr, if it has words. */
void failure_print(const struct failure *failure);

#endif
