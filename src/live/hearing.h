/*
 * hearing.h - how far heartbeats have been heard: the ticker's question to whoever receives them.
 *
 * A receiver that stamps time t says: whatever had arrived by t is in the engine. The ticker judges
 * only what was due before the oldest stamp, so a slow receiver delays a verdict and never makes a
 * false one. A receiver that has nothing to do need not stamp; it does when asked.
 */
#ifndef KAIROS_LIVE_HEARING_H
#define KAIROS_LIVE_HEARING_H

#include <stdint.h>

struct hearing {
    void *context;

    /* The oldest stamp of all receivers, engine time. Must not block. */
    int64_t (*heard_until)(void *context);

    /*
     * Asks every receiver to take in what waits and to stamp, and returns at once. Whoever has
     * stamped after being asked calls ticker_heard. Must not block.
     */
    void (*ask)(void *context);
};

#endif
