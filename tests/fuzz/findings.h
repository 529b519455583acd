/*
 * findings.h - what a finished analysis says, compared with another one or with the plain rules.
 */
#ifndef KAIROS_FUZZ_FINDINGS_H
#define KAIROS_FUZZ_FINDINGS_H

#include <stdint.h>

#include <kairos/analysis.h>

#include "outcome.h"

/* One of some policies between the extremes, with or without an end: every CHOICE is good. */
struct kairos_analysis_options findings_options(uint8_t choice);

/*
 * Ends the process unless both, finished with STATUS, say the same: the error, or else counts, bad
 * events, services and alerts.
 */
void findings_expect_same(const struct kairos_analysis *a, const struct kairos_analysis *b,
                          enum kairos_analysis_status status);

/* Ends the process unless the finished ANALYSIS says what the rules make of the events in OUTCOME.
 */
void findings_expect_true(const struct kairos_analysis *analysis,
                          const struct kairos_analysis_options *options,
                          const struct outcome *outcome);

#endif
