/*
 * exposition.h - Prometheus's text format.
 *
 *     exposition_head(writer, "kairos_alerts_total", "counter", "Alerts by kind.");
 *     exposition_label(writer, "kairos_alerts_total", "kind", "silence", 3);
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (text format, 0.0.4). Names
 * and texts are the program's own, and need no escapes.
 */
#ifndef KAIROS_HTTP_EXPOSITION_H
#define KAIROS_HTTP_EXPOSITION_H

#include "histogram.h"
#include "writer.h"

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* What the samples that follow mean; TYPE is counter, gauge or histogram. */
void exposition_head(struct writer *writer, const char *name, const char *type, const char *help);

/* A metric of one sample. */
void exposition_counter(struct writer *writer, const char *name, const char *help, uint64_t value);
void exposition_gauge(struct writer *writer, const char *name, const char *help, uint64_t value);

/* The same, of a time: seconds. */
void exposition_seconds(struct writer *writer, const char *name, const char *type, const char *help,
                        int64_t microseconds);

/* A sample with one label. */
void exposition_label(struct writer *writer, const char *name, const char *label, const char *text,
                      uint64_t value);

/*
 * The samples of a histogram, of which each bucket has COUNTS and all durations make MICROSECONDS.
 * LABELS go before "le", as in `route="/",`, and may be empty.
 */
void exposition_histogram(struct writer *writer, const char *name, const char *labels,
                          const struct histogram_scale *scale, const uint64_t *counts,
                          uint64_t microseconds);

#endif
