/*
 * command.h - what every command does around its work: the log is opened, a failure is told, on
 * stderr and in a log file, and the log is closed.
 */
#ifndef KAIROS_CLI_COMMAND_H
#define KAIROS_CLI_COMMAND_H

#include <stdbool.h>

#include "failure.h"
#include "log.h"

/* The work itself, on what the command has passed; describes the failure. */
typedef bool command_work(void *context, struct log *log, struct failure *failure);

/* Runs WORK with a log of LEVEL, in LOG_FILE or, if that is NULL, on stderr. Returns its result. */
bool command_run(const char *log_file, enum log_level level, command_work *work, void *context);

#endif
