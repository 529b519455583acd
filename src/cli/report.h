/*
 * report.h - the results, as people and programs read them.
 *
 * Writing errors stay in the stream: the caller looks at ferror once, at the end.
 */
#ifndef KAIROS_CLI_REPORT_H
#define KAIROS_CLI_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include <kairos/analysis.h>

/* The summary for people; MILLISECONDS is the processing time. */
void report_summary(FILE *out, const struct kairos_analysis *analysis, double milliseconds);

/* The alerts as a JSON array: service and alert_at of each; with FULL all that is known. */
void report_json(FILE *out, const struct kairos_analysis *analysis, bool full);

#endif
