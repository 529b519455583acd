/*
 * verdict.h - what the analysis of a log that was sent has found, as the JSON of its answer.
 *
 * It may have a million alerts, or services: it is written in steps.
 *
 *     struct verdict verdict = {.analysis = analysis};
 *     while (verdict_step(&verdict))
 *         ... verdict.text has grown ...
 *     verdict_end(&verdict, milliseconds, clock, now);
 */
#ifndef KAIROS_HTTP_VERDICT_H
#define KAIROS_HTTP_VERDICT_H

#include <stdbool.h>

#include <kairos/analysis.h>

#include "writer.h"

/* All zero but for the analysis is one that is to be written. */
struct verdict {
    const struct kairos_analysis *analysis;
    struct writer text;

    /* Internal. */
    enum {
        VERDICT_BEGIN,
        VERDICT_ALERTS,
        VERDICT_VALIDATION,
        VERDICT_SERVICES,
        VERDICT_DONE,
    } stage;
    struct kairos_alert_cursor alerts;
    struct kairos_service_cursor services;
    const char *separator;
};

/* Writes on, for some milliseconds at most. Returns whether there is more to write. */
bool verdict_step(struct verdict *verdict);

/* The end, once all steps are done: it took MICROSECONDS, and it is NOW (engine time). */
void verdict_end(struct verdict *verdict, int64_t microseconds, const struct clock *clock,
                 int64_t now);

#endif
