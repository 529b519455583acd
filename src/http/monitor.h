/*
 * monitor.h - what /monitor may use: how long a log may be that is sent, and how much memory all
 * that are being analysed may take together.
 */
#ifndef KAIROS_HTTP_MONITOR_H
#define KAIROS_HTTP_MONITOR_H

#include <stdint.h>

#include "budget.h"

/* How long a log may be: unless configured, and the bounds of that. */
#define MONITOR_BODY_DEFAULT (INT64_C(512) * 1024 * 1024)
#define MONITOR_BODY_MIN     INT64_C(1024)
#define MONITOR_BODY_MAX     (INT64_C(1) << 40)

struct monitor {
    uint64_t body_max; /* bytes of a body */
    struct budget budget;
};

/* For bodies of up to BODY_MAX bytes (MONITOR_BODY_MIN to MONITOR_BODY_MAX). */
void monitor_init(struct monitor *monitor, uint64_t body_max);

#endif
