/*
 * problems.h - all that is wrong with a configuration, a line each:
 *
 *   kairos.yaml:12: port: '80000' is not a whole number from 0 to 65535
 */
#ifndef KAIROS_CONFIG_PROBLEMS_H
#define KAIROS_CONFIG_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Further ones are counted only. */
#define PROBLEMS_MAX 100

/* All zero is none. */
struct problems {
    char *texts[PROBLEMS_MAX];
    size_t count;
    size_t more; /* beyond those, or what memory ran out for */
    bool usage;  /* one of them is of the command line */
};

/* Adds one; what is not printable in it becomes '?'. */
void problems_add(struct problems *problems, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

bool problems_exist(const struct problems *problems);

/* Prints each as a line, with PREFIX before it. */
void problems_print(const struct problems *problems, FILE *stream, const char *prefix);

void problems_finish(struct problems *problems);

#endif
