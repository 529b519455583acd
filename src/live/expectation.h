/*
 * expectation.h - when heartbeats of one service are expected, and which were missed: the rule of
 * the core (policy.h), for a service that is watched live.
 *
 * Without anything special, e(k) = last_seen + k·I, as in a file. Three things let expectation
 * start anew at an anchor, e(k) = anchor + k·I: a time in which Kairós could not hear, a new
 * policy, and a resume. Misses that were counted before the anchor stay counted (unless a resume
 * clears them). A heartbeat later than the anchor puts all of that out of effect, which is why it
 * costs no more than storing its time.
 *
 *   last_seen        anchor (Kairós hears again)
 *   |---- I ----|-- deaf --|---- I ----|---- I ----|
 *             missed     e(0)        e(1)        e(2)
 *
 * So that being deaf again and again cannot hide a dead service, an alert is raised at the latest
 * when Kairós has listened for 2·(A·I + T) in all since the last heartbeat.
 *
 * All functions are pure; times are engine times in microseconds.
 */
#ifndef KAIROS_LIVE_EXPECTATION_H
#define KAIROS_LIVE_EXPECTATION_H

#include <stdbool.h>
#include <stdint.h>

#include <kairos/policy.h>

#include "gap.h"

struct expectation {
    struct kairos_policy policy;
    int64_t anchor;          /* in effect while no heartbeat is later */
    int64_t listening_since; /* the last heartbeat, or what counts as it, later by the time in which
                                Kairós was deaf since */
    uint32_t misses_before;  /* counted before the anchor */
};

/* Starts anew at TIME, with no misses. */
void expectation_restart(struct expectation *expectation, int64_t time);

/*
 * A heartbeat at TIME. One older than the anchor (its sender kept it, and delivers it late) only
 * clears the misses. Returns whether it is newer, so that gaps which it precedes have to be taken
 * into account again.
 */
bool expectation_heartbeat(struct expectation *expectation, int64_t time);

/* Misses since the last heartbeat that are counted: e(k) + T < NOW, and those before the anchor. */
uint64_t expectation_misses(const struct expectation *expectation, int64_t last_seen, int64_t now);

/*
 * When the service becomes late: as soon as the time is later than this; INT64_MIN if misses were
 * counted already.
 */
int64_t expectation_late_after(const struct expectation *expectation, int64_t last_seen);

/*
 * Since when Kairós has listened, were it in one piece: the last heartbeat, or what counts as it,
 * later by the time in which it was deaf.
 */
int64_t expectation_listening_since(const struct expectation *expectation, int64_t last_seen);

/* When an alert is raised: as soon as the time is later than this. */
int64_t expectation_alert_after(const struct expectation *expectation, int64_t last_seen);

/* The alert_at of that alert: when the heartbeat was expected whose miss raises it. */
int64_t expectation_alert_at(const struct expectation *expectation, int64_t last_seen);

/*
 * Takes a gap into account. With REPEATS, alerts were raised in this silence and are counted: then
 * misses in excess of the policy's allowed ones are turned into alerts, and their number returned;
 * else 0.
 */
uint64_t expectation_gap(struct expectation *expectation, int64_t last_seen, const struct gap *gap,
                         bool repeats);

/*
 * Takes a gap into account that may have hidden the end of a run that began at RUN_STARTED:
 * heartbeats are expected again from its end on. During the run none was listened for.
 */
void expectation_gap_in_run(struct expectation *expectation, int64_t last_seen,
                            const struct gap *gap, int64_t run_started);

/* Expects heartbeats by POLICY from NOW on; the same for REPEATS. */
uint64_t expectation_change(struct expectation *expectation, int64_t last_seen,
                            const struct kairos_policy *policy, int64_t now, bool repeats);

/* Expects heartbeats again from NOW on, after a pause; earlier misses are cleared. */
void expectation_resume(struct expectation *expectation, int64_t last_seen, int64_t now);

/*
 * Whether the next alert is raised by counted misses alone. Then the misses and alerts that follow
 * go on from the same anchor. Otherwise expectation_alerted starts the count again.
 */
bool expectation_is_plain(const struct expectation *expectation, int64_t last_seen);

/* An alert was raised at ALERT_AT without the misses for it: the count starts again there. */
void expectation_alerted(struct expectation *expectation, int64_t last_seen, int64_t alert_at);

/*
 * How many alerts the misses by NOW raise since the anchor; *NEWEST_AT becomes the alert_at of the
 * newest, if there is any. They lie A·I apart.
 */
uint64_t expectation_alerts(const struct expectation *expectation, int64_t last_seen, int64_t now,
                            int64_t *newest_at);

#endif
