#include "expectation.h"

/*
 * A heartbeat that is expected behind a gap may have come early, and been lost in it: by minutes,
 * by the tolerance or a quarter of the interval. Where the anchor is no heartbeat, nothing is known
 * of when the service beats: it may come early by the whole interval.
 */
#define EARLY_MIN (5 * KAIROS_MINUTE)

static int64_t min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* A + B, or INT64_MAX where that is larger. B is not negative. */
static int64_t add(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* e(k), or INT64_MAX where that is larger. */
static int64_t expected(const struct expectation *expectation, uint64_t k)
{
    int64_t span;
    if (__builtin_mul_overflow(expectation->policy.interval, (int64_t)k, &span) ||
        add(expectation->anchor, span) == INT64_MAX)
        return INT64_MAX;
    return kairos_policy_expected(&expectation->policy, expectation->anchor, k);
}

/* The expectation with an anchor that is in effect, whatever heartbeats have come since. */
static struct expectation effective(const struct expectation *expectation, int64_t last_seen)
{
    struct expectation now = *expectation;
    if (last_seen > now.anchor)
        expectation_restart(&now, last_seen);
    return now;
}

/* The misses that the next alert still needs; 0 if there are enough. */
static uint64_t misses_needed(const struct expectation *effective)
{
    uint32_t allowed = effective->policy.allowed_misses;
    return effective->misses_before < allowed ? allowed - effective->misses_before : 0;
}

/* When Kairós has listened for so long that nothing excuses the service any more. */
static int64_t listening_bound(const struct expectation *effective)
{
    int64_t reach = kairos_policy_reach(&effective->policy);
    return add(effective->listening_since, add(reach, reach));
}

static int64_t misses_bound(const struct expectation *effective)
{
    uint64_t needed = misses_needed(effective);
    if (needed == 0)
        return effective->anchor;
    return add(expected(effective, needed), effective->policy.tolerance);
}

void expectation_restart(struct expectation *expectation, int64_t time)
{
    expectation->anchor = time;
    expectation->listening_since = time;
    expectation->misses_before = 0;
}

bool expectation_heartbeat(struct expectation *expectation, int64_t time)
{
    bool newer = time > expectation->anchor;
    expectation_restart(expectation, max(time, expectation->anchor));
    return newer;
}

uint64_t expectation_misses(const struct expectation *expectation, int64_t last_seen, int64_t now)
{
    struct expectation current = effective(expectation, last_seen);
    return current.misses_before + kairos_policy_misses(&current.policy, current.anchor, now);
}

int64_t expectation_late_after(const struct expectation *expectation, int64_t last_seen)
{
    struct expectation current = effective(expectation, last_seen);
    if (current.misses_before > 0)
        return INT64_MIN;
    return add(expected(&current, 1), current.policy.tolerance);
}

int64_t expectation_listening_since(const struct expectation *expectation, int64_t last_seen)
{
    return effective(expectation, last_seen).listening_since;
}

int64_t expectation_alert_after(const struct expectation *expectation, int64_t last_seen)
{
    struct expectation current = effective(expectation, last_seen);
    return min(misses_bound(&current), listening_bound(&current));
}

bool expectation_is_plain(const struct expectation *expectation, int64_t last_seen)
{
    struct expectation current = effective(expectation, last_seen);
    return misses_needed(&current) > 0 && misses_bound(&current) <= listening_bound(&current);
}

int64_t expectation_alert_at(const struct expectation *expectation, int64_t last_seen)
{
    struct expectation current = effective(expectation, last_seen);
    if (misses_bound(&current) > listening_bound(&current))
        return listening_bound(&current);
    return expected(&current, misses_needed(&current));
}

/*
 * Counts the misses by NOW as those before the anchor, turned into alerts where those are counted.
 * Returns how many alerts.
 */
static uint64_t fold(struct expectation *current, int64_t now, bool repeats)
{
    uint64_t misses =
        current->misses_before + kairos_policy_misses(&current->policy, current->anchor, now);
    uint64_t alerts = repeats ? misses / current->policy.allowed_misses : 0;
    misses -= alerts * current->policy.allowed_misses;
    current->misses_before =
        (uint32_t)min((int64_t)misses, KAIROS_ALLOWED_MISSES_MAX); /* more change nothing */
    return alerts;
}

uint64_t expectation_gap(struct expectation *expectation, int64_t last_seen, const struct gap *gap,
                         bool repeats)
{
    struct expectation current = effective(expectation, last_seen);
    const struct kairos_policy *policy = &current.policy;
    uint64_t alerts = 0;

    int64_t early = max(EARLY_MIN, max(policy->tolerance, policy->interval / 4));
    if (current.anchor > last_seen || early > policy->interval)
        early = policy->interval;
    uint64_t judged = kairos_policy_misses(policy, current.anchor, gap->from);
    if (expected(&current, judged + 1) <= add(gap->to, early)) {
        alerts = fold(&current, gap->from, repeats);
        current.anchor = gap->to;
    }
    current.listening_since += max(0, gap->to - max(gap->from, current.listening_since));
    *expectation = current;
    return alerts;
}

void expectation_gap_in_run(struct expectation *expectation, int64_t last_seen,
                            const struct gap *gap, int64_t run_started)
{
    struct expectation current = effective(expectation, last_seen);
    int64_t unheard_from = max(min(gap->from, run_started), current.listening_since);
    current.listening_since += max(0, gap->to - unheard_from);
    current.anchor = gap->to;
    current.misses_before = 0;
    *expectation = current;
}

/* The anchor from which a heartbeat is expected one interval after the last one, or at NOW. */
static int64_t anchor_for(const struct kairos_policy *policy, int64_t last_seen, int64_t now)
{
    return max(last_seen + policy->interval, now) - policy->interval;
}

uint64_t expectation_change(struct expectation *expectation, int64_t last_seen,
                            const struct kairos_policy *policy, int64_t now, bool repeats)
{
    struct expectation current = effective(expectation, last_seen);
    uint64_t alerts = fold(&current, now, repeats);
    current.policy = *policy;
    current.anchor = anchor_for(policy, last_seen, now);
    current.listening_since = now;
    *expectation = current;
    return alerts;
}

void expectation_resume(struct expectation *expectation, int64_t last_seen, int64_t now)
{
    expectation->anchor = anchor_for(&expectation->policy, last_seen, now);
    expectation->listening_since = now;
    expectation->misses_before = 0;
}

void expectation_alerted(struct expectation *expectation, int64_t last_seen, int64_t alert_at)
{
    *expectation = effective(expectation, last_seen);
    expectation->anchor = max(alert_at, expectation->anchor);
    expectation->misses_before = 0;
}

uint64_t expectation_alerts(const struct expectation *expectation, int64_t last_seen, int64_t now,
                            int64_t *newest_at)
{
    struct expectation current = effective(expectation, last_seen);
    uint64_t allowed = current.policy.allowed_misses;
    uint64_t alerts = expectation_misses(&current, last_seen, now) / allowed;
    if (alerts > 0)
        *newest_at = alerts * allowed > current.misses_before
                         ? expected(&current, alerts * allowed - current.misses_before)
                         : current.anchor;
    return alerts;
}
