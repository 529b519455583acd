/*
 * output_file.h - a file that is written whole or not at all.
 *
 * What is written goes to a new file beside the target, which takes the target's name only when all
 * of it has reached the disk, with the mode and (where that is allowed) the owner of the file that
 * it replaces. Whatever fails before, the file that was there stays as it was. A
 * target that is no regular file (a terminal, a pipe, /dev/null) is written to directly.
 */
#ifndef KAIROS_CLI_OUTPUT_FILE_H
#define KAIROS_CLI_OUTPUT_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "failure.h"

struct output_file {
    FILE *stream; /* to write to */
    bool direct;
    char target[PATH_MAX]; /* symbolic links followed */
    char temporary[PATH_MAX + 16];
};

bool output_file_open(struct output_file *file, const char *path, struct failure *failure);

/* Ends the writing: the target is complete, or nothing has changed and the failure is described. */
bool output_file_commit(struct output_file *file, struct failure *failure);

/* Ends the writing without a result: the target stays as it was, unless it is no regular file. */
void output_file_discard(struct output_file *file);

#endif
