/*
 * ticker.h - the thread that makes the engine's time pass.
 *
 * It sleeps until something is due, asks how far has been heard (hearing.h), and lets the engine
 * judge up to there. It stamps the registry's `alive_at`, looks after the wall clock, and records
 * the gaps in which Kairós could not hear: the restart it begins with, stalls of STALL_MIN and
 * more, suspends of SUSPEND_MIN and more.
 */
#ifndef KAIROS_LIVE_TICKER_H
#define KAIROS_LIVE_TICKER_H

#include <stdbool.h>

#include "clock.h"
#include "engine.h"
#include "failure.h"
#include "hearing.h"
#include "registry.h"

/* A shorter stall is made up for by hearing what waits. */
#define STALL_MIN (10 * KAIROS_SECOND)

/* One that is as long is counted. */
#define STALL_COUNTED KAIROS_SECOND

/* What senders try again for this long is not lost. */
#define SUSPEND_MIN KAIROS_SECOND

struct ticker;

/*
 * Starts the thread. DEAF_SINCE is up to when Kairós could hear before it started, or TIME_NEVER if
 * this is the first start. What is passed stays the caller's and must outlive the ticker. Returns
 * NULL and describes the failure.
 */
struct ticker *ticker_create(struct engine *engine, struct registry *registry, struct clock *clock,
                             const struct hearing *hearing, int64_t deaf_since,
                             struct failure *failure);

/*
 * Ends the thread, after it has stamped up to when was heard; a ticker that was deaf until the end
 * stamps nothing, so that the gap goes on to the next start. Accepts NULL.
 */
void ticker_destroy(struct ticker *ticker);

/* A receiver that was asked has stamped. From any thread. */
void ticker_heard(struct ticker *ticker);

struct ticker_figures {
    uint64_t rounds; /* that it has made: many a second, unless it hangs */
    uint64_t stalls; /* times that what had arrived was not heard for STALL_COUNTED or more */
    int64_t lag;     /* how far behind the present all is heard, microseconds */
};

/* From any thread. */
struct ticker_figures ticker_figures(const struct ticker *ticker);

/* Whether it has heard all that waited at the start, and judges. From any thread. */
bool ticker_is_ready(const struct ticker *ticker);

#endif
