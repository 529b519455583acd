/*
 * scan.h - reads an input through an analysis, on several threads where it can be cut.
 */
#ifndef KAIROS_CLI_SCAN_H
#define KAIROS_CLI_SCAN_H

#include <kairos/analysis.h>

#include "failure.h"
#include "input.h"
#include "progress.h"

#define SCAN_THREADS_MAX 256

/*
 * Reads all of INPUT on up to THREADS threads (1 to SCAN_THREADS_MAX) and returns the finished
 * analysis, which the caller destroys; or NULL, and describes the failure. The result does not
 * depend on the number of threads. PROGRESS counts and is shown.
 */
struct kairos_analysis *scan_input(struct input *input,
                                   const struct kairos_analysis_options *options, unsigned threads,
                                   struct progress *progress, struct failure *failure);

#endif
