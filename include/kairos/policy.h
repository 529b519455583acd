/*
 * policy.h - how often a service is expected to beat, and how much silence is borne.
 *
 * Everything that knows when a heartbeat is due stands here: the detector, the timelines and the
 * live engine ask these functions and never use the interval themselves.
 */
#ifndef KAIROS_POLICY_H
#define KAIROS_POLICY_H

#include <stdint.h>

#include <kairos/timestamp.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KAIROS_INTERVAL_MIN       KAIROS_MILLISECOND
#define KAIROS_INTERVAL_MAX       (366 * KAIROS_DAY)
#define KAIROS_ALLOWED_MISSES_MAX 1000000
#define KAIROS_TOLERANCE_MAX      (366 * KAIROS_DAY)

struct kairos_policy {
    int64_t interval;        /* I: microseconds between heartbeats */
    int64_t tolerance;       /* T: microseconds that a heartbeat may come late */
    uint32_t allowed_misses; /* A: an alert is raised at every A-th consecutive miss */
};

enum kairos_policy_result {
    KAIROS_POLICY_OK,
    KAIROS_POLICY_INTERVAL,       /* outside KAIROS_INTERVAL_MIN to KAIROS_INTERVAL_MAX */
    KAIROS_POLICY_ALLOWED_MISSES, /* outside 1 to KAIROS_ALLOWED_MISSES_MAX */
    KAIROS_POLICY_TOLERANCE,      /* outside 0 to KAIROS_TOLERANCE_MAX */
};

/* 60 seconds, 3 misses, no tolerance. */
struct kairos_policy kairos_policy_default(void);

/* The one of the shortest reach within the bounds: 1 millisecond, 1 miss, no tolerance. */
struct kairos_policy kairos_policy_strictest(void);

/* Names the first value of POLICY that is out of bounds. The functions below need none to be. */
enum kairos_policy_result kairos_policy_validate(const struct kairos_policy *policy);

/*
 * e(k): when the K-th heartbeat (K = 1, 2, …) after the one at LAST_SEEN is expected. The caller
 * sees to it that the result is a valid moment, as it is for every K that kairos_policy_misses
 * counts.
 */
int64_t kairos_policy_expected(const struct kairos_policy *policy, int64_t last_seen, uint64_t k);

/* How many k = 1, 2, … have e(k) + T < NOW (strictly): the misses since LAST_SEEN. */
uint64_t kairos_policy_misses(const struct kairos_policy *policy, int64_t last_seen, int64_t now);

/*
 * The longest silence that raises no alert, A·I + T, in microseconds (INT64_MAX when larger): two
 * successive heartbeats at a and b raise an alert exactly when b - a exceeds it.
 */
int64_t kairos_policy_reach(const struct kairos_policy *policy);

#ifdef __cplusplus
}
#endif

#endif
