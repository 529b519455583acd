/*
 * operations.h - what the operator's side of the program does, counted for /metrics.
 *
 * All zero is the beginning. The program's main thread and that of the self-heartbeats write, any
 * thread reads.
 */
#ifndef KAIROS_HTTP_OPERATIONS_H
#define KAIROS_HTTP_OPERATIONS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct operations {
    _Atomic uint64_t reloads;         /* of the configuration, that were applied */
    _Atomic uint64_t reloads_refused; /* that changed nothing, since something was wrong */
    _Atomic bool last_refused;        /* whether the last one was */
    _Atomic int64_t configured;       /* when the configuration in use was read; wall time */
    _Atomic bool stuck;               /* a thread does not go on */
    _Atomic uint64_t self_heartbeats; /* that were taken by those who watch this Kairós */
    _Atomic uint64_t self_failed;     /* that were not */
};

#endif
