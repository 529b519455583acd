/*
 * skipped.h - the events of a log that are no valid heartbeats, in the log of what happens: the
 * first ones one by one, and the number of the others.
 */
#ifndef KAIROS_CLI_SKIPPED_H
#define KAIROS_CLI_SKIPPED_H

#include <stdint.h>

#include <kairos/analysis.h>

#include "log.h"

/* So many are logged one by one. */
#define SKIPPED_LOGGED 20

/* Logs COUNT skipped events; the first ones, SKIPPED_LOGGED at most, are at BAD. */
void skipped_log(struct log *log, const struct kairos_bad_event *bad, uint64_t count);

#endif
