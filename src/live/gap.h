/*
 * gap.h - a time in which Kairós itself could not hear: heartbeats may have come and been lost.
 */
#ifndef KAIROS_LIVE_GAP_H
#define KAIROS_LIVE_GAP_H

#include <stdint.h>

/* How many gaps the registry keeps. A service may be behind by as many and no more. */
#define GAPS_KEPT 8

enum gap_reason {
    GAP_RESTART, /* the program was not running, or the machine was off */
    GAP_STALL,   /* it did not get to run, or was stopped */
    GAP_SUSPEND, /* the machine slept */
    GAP_REASON_COUNT,
};

struct gap {
    int64_t from; /* D: heard up to here; engine time, microseconds */
    int64_t to;   /* R: hears again from here on */
    enum gap_reason reason;
};

/* "restart", "stall", "suspend". */
const char *gap_reason_name(enum gap_reason reason);

#endif
