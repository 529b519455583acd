/*
 * process.h - what the system knows of this process, as metrics.
 *
 * Source of the names: https://prometheus.io/docs/instrumenting/writing_clientlibs/, "Process
 * metrics".
 */
#ifndef KAIROS_HTTP_PROCESS_H
#define KAIROS_HTTP_PROCESS_H

#include "writer.h"

/* Writes process_…; STARTED is when it started, microseconds of Unix time. */
void process_write(struct writer *writer, int64_t started);

#endif
