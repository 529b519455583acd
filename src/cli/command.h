/*
 * command.h - what every command does around its work: the log is opened, a failure is told, on
 * stderr and in a log file, and the log is closed. On stderr a failure is a sentence for whoever
 * started the command, unless the log of objects goes there too: then it is one of them.
 */
#ifndef KAIROS_CLI_COMMAND_H
#define KAIROS_CLI_COMMAND_H

#include <stdbool.h>

#include "failure.h"
#include "log.h"

/* The work itself, on what the command has passed; describes the failure. */
typedef bool command_work(void *context, struct log *log, struct failure *failure);

/* Runs WORK with a log as OPTIONS say. Returns its result. */
bool command_run(const struct log_options *options, command_work *work, void *context);

#endif
