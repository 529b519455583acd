/*
 * test_expectation.c - when heartbeats are expected and which were missed: each rule at its edges,
 * and against an oracle that counts one expected heartbeat after the other.
 */
#include "expectation.h"

#include <kairos/timestamp.h>

#include "clock.h"
#include "support.h"

#define MINUTE KAIROS_MINUTE
#define HOUR   KAIROS_HOUR
#define DAY    KAIROS_DAY

static struct kairos_policy policy_of(int64_t interval, uint32_t allowed_misses, int64_t tolerance)
{
    return (struct kairos_policy){
        .interval = interval, .allowed_misses = allowed_misses, .tolerance = tolerance};
}

/* A service with this policy that was last seen at 0, with nothing special. */
static struct expectation seen_at_zero(int64_t interval, uint32_t allowed_misses, int64_t tolerance)
{
    struct expectation expectation = {.policy = policy_of(interval, allowed_misses, tolerance)};
    expectation_restart(&expectation, 0);
    return expectation;
}

static void check_is(const struct expectation *expectation, int64_t anchor, uint32_t misses_before,
                     int64_t listening_since)
{
    check(expectation->anchor == anchor && expectation->misses_before == misses_before &&
              expectation->listening_since == listening_since,
          "anchor %jd, %u misses before, listening since %jd; not %jd, %u, %jd",
          (intmax_t)expectation->anchor, expectation->misses_before,
          (intmax_t)expectation->listening_since, (intmax_t)anchor, misses_before,
          (intmax_t)listening_since);
}

/* An alert for ALERT_AT is due as soon as the time is later than AFTER. */
static void check_alert(const struct expectation *expectation, int64_t last_seen, int64_t after,
                        int64_t alert_at)
{
    int64_t found_after = expectation_alert_after(expectation, last_seen);
    int64_t found_at = expectation_alert_at(expectation, last_seen);
    check(found_after == after && found_at == alert_at, "after %jd for %jd; not %jd for %jd",
          (intmax_t)found_after, (intmax_t)found_at, (intmax_t)after, (intmax_t)alert_at);
}

/* ---- Without anything special ---- */

/* Heartbeats at 10:00, 10:01, 10:02, and then none: late after 10:03, an alert for 10:05. */
static void the_example_of_the_design(void **state)
{
    struct expectation expectation = seen_at_zero(MINUTE, 3, 0);
    int64_t ten = 10 * HOUR, last_seen = ten + 2 * MINUTE;
    for (int64_t time = ten; time <= last_seen; time += MINUTE)
        assert_true(expectation_heartbeat(&expectation, time));
    check_is(&expectation, last_seen, 0, last_seen);
    assert_int_equal(expectation_late_after(&expectation, last_seen), ten + 3 * MINUTE);
    check_alert(&expectation, last_seen, ten + 5 * MINUTE, ten + 5 * MINUTE);
    assert_int_equal(expectation_misses(&expectation, last_seen, ten + 5 * MINUTE), 2);
    assert_int_equal(expectation_misses(&expectation, last_seen, ten + 5 * MINUTE + 1), 3);
    assert_true(expectation_is_plain(&expectation, last_seen));
}

static void misses_are_strict_to_the_microsecond(void **state)
{
    static const struct kairos_policy policies[] = {
        {.interval = KAIROS_SECOND, .allowed_misses = 1},
        {.interval = MINUTE, .allowed_misses = 3},
        {.interval = MINUTE, .allowed_misses = 3, .tolerance = 10 * KAIROS_SECOND},
        {.interval = MINUTE, .allowed_misses = 2, .tolerance = 5 * MINUTE},
        {.interval = DAY, .allowed_misses = 1, .tolerance = HOUR},
        {.interval = 366 * DAY, .allowed_misses = 7, .tolerance = 366 * DAY},
    };
    static const int64_t begins[] = {0, -1, KAIROS_TIME_MIN, INT64_C(1754301600123456)};
    for (size_t p = 0; p < COUNT_OF(policies); p++) {
        for (size_t b = 0; b < COUNT_OF(begins); b++) {
            const struct kairos_policy *policy = &policies[p];
            struct expectation expectation = {.policy = *policy};
            int64_t last_seen = begins[b], interval = policy->interval, late = policy->tolerance;
            uint32_t allowed = policy->allowed_misses;
            expectation_restart(&expectation, last_seen);
            assert_int_equal(expectation_misses(&expectation, last_seen, last_seen), 0);
            assert_int_equal(expectation_misses(&expectation, last_seen, last_seen - DAY), 0);
            for (int64_t k = 1; k <= 20; k++) {
                int64_t deadline = last_seen + k * interval + late;
                assert_int_equal(expectation_misses(&expectation, last_seen, deadline), k - 1);
                assert_int_equal(expectation_misses(&expectation, last_seen, deadline + 1), k);
            }
            assert_int_equal(expectation_late_after(&expectation, last_seen),
                             last_seen + interval + late);
            check_alert(&expectation, last_seen, last_seen + allowed * interval + late,
                        last_seen + allowed * interval);
        }
    }
}

/* A heartbeat's time alone, stored in its cell, puts all that was before it out of effect. */
static void a_newer_heartbeat_needs_no_word(void **state)
{
    struct expectation expectation = {
        .policy = policy_of(MINUTE, 3, 0),
        .anchor = 100 * MINUTE,
        .listening_since = 40 * MINUTE,
        .misses_before = 2,
    };
    int64_t in_effect = 100 * MINUTE, newer = 100 * MINUTE + 1;
    assert_int_equal(expectation_misses(&expectation, in_effect, 101 * MINUTE + 1), 3);
    assert_int_equal(expectation_late_after(&expectation, in_effect), INT64_MIN);
    check_alert(&expectation, in_effect, 46 * MINUTE, 46 * MINUTE);
    assert_int_equal(expectation_misses(&expectation, newer, 101 * MINUTE + 1), 0);
    assert_int_equal(expectation_late_after(&expectation, newer), 101 * MINUTE + 1);
    check_alert(&expectation, newer, 103 * MINUTE + 1, 103 * MINUTE + 1);
    assert_true(expectation_is_plain(&expectation, newer));
    assert_false(expectation_is_plain(&expectation, in_effect));
}

/* ---- Heartbeats ---- */

static void heartbeats_before_and_after_the_anchor(void **state)
{
    static const struct {
        int64_t time, anchor;
        bool newer;
    } rows[] = {
        {100 * MINUTE + 1, 100 * MINUTE + 1, true}, {100 * MINUTE, 100 * MINUTE, false},
        {100 * MINUTE - 1, 100 * MINUTE, false},    {1, 100 * MINUTE, false},
        {KAIROS_TIME_MAX, KAIROS_TIME_MAX, true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct expectation expectation = {
            .policy = policy_of(MINUTE, 3, 0),
            .anchor = 100 * MINUTE,
            .listening_since = 40 * MINUTE,
            .misses_before = 2,
        };
        assert_int_equal(expectation_heartbeat(&expectation, rows[i].time), rows[i].newer);
        check_is(&expectation, rows[i].anchor, 0, rows[i].anchor);
    }
    struct expectation never = {
        .policy = policy_of(MINUTE, 3, 0), .anchor = TIME_NEVER, .listening_since = TIME_NEVER};
    assert_true(expectation_heartbeat(&never, KAIROS_TIME_MIN));
    check_is(&never, KAIROS_TIME_MIN, 0, KAIROS_TIME_MIN);
}

/* ---- When an alert is due ---- */

/*
 * What makes it due: the misses that are still needed, those that were counted before the anchor,
 * or all the listening. I = 1 min, T = 10 s unless said otherwise; in seconds.
 */
static void what_makes_an_alert_due(void **state)
{
    static const struct {
        uint32_t allowed, misses_before;
        int64_t anchor, listening_since;
        int64_t after, alert_at;
        bool plain;
    } rows[] = {
        /* Misses alone. */
        {3, 0, 0, 0, 190, 180, true},
        {3, 1, 0, 0, 130, 120, true},
        {3, 2, 0, 0, 70, 60, true},
        {1, 0, 0, 0, 70, 60, true},
        /* Enough were counted before the anchor, or more than enough. */
        {3, 3, 100, 100, 100, 100, false},
        {3, 4, 100, 100, 100, 100, false},
        {1, 1000000, 100, 100, 100, 100, false},
        /* Listening: 2·(A·I + T) = 380 s; a tie goes to the misses. */
        {3, 0, 189, 0, 379, 369, true},
        {3, 0, 190, 0, 380, 370, true},
        {3, 0, 191, 0, 380, 380, false},
        {3, 0, 1000, 500, 880, 880, false},
        {3, 3, 380, 0, 380, 380, false},
        {3, 3, 381, 0, 380, 380, false},
        {1, 0, 71, 0, 140, 140, false},
        {1, 0, 70, 0, 140, 130, true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct expectation expectation = {
            .policy = policy_of(MINUTE, rows[i].allowed, 10 * KAIROS_SECOND),
            .anchor = rows[i].anchor * KAIROS_SECOND,
            .listening_since = rows[i].listening_since * KAIROS_SECOND,
            .misses_before = rows[i].misses_before,
        };
        int64_t late = expectation_late_after(&expectation, 0);
        check_alert(&expectation, 0, rows[i].after * KAIROS_SECOND,
                    rows[i].alert_at * KAIROS_SECOND);
        assert_int_equal(expectation_is_plain(&expectation, 0), rows[i].plain);
        assert_int_equal(late, rows[i].misses_before > 0 ? INT64_MIN
                                                         : (rows[i].anchor + 70) * KAIROS_SECOND);
    }
}

/* After an alert for which the misses are not there the count starts again. */
static void the_count_starts_again(void **state)
{
    struct expectation expectation = {
        .policy = policy_of(MINUTE, 3, 0),
        .anchor = 10 * MINUTE,
        .listening_since = 5 * MINUTE,
        .misses_before = 4,
    };
    struct expectation earlier = expectation, newer = expectation;
    expectation_alerted(&expectation, 0, 11 * MINUTE);
    check_is(&expectation, 11 * MINUTE, 0, 5 * MINUTE);
    expectation_alerted(&earlier, 0, 9 * MINUTE);
    check_is(&earlier, 10 * MINUTE, 0, 5 * MINUTE);
    expectation_alerted(&newer, 12 * MINUTE, 11 * MINUTE);
    check_is(&newer, 12 * MINUTE, 0, 12 * MINUTE);
}

/* ---- Alerts that follow ---- */

static void alerts_lie_an_allowance_apart(void **state)
{
    struct expectation expectation = seen_at_zero(MINUTE, 3, 10 * KAIROS_SECOND);
    for (int64_t k = 0; k < 40; k++) {
        int64_t deadline = k * MINUTE + 10 * KAIROS_SECOND, newest = -1;
        assert_int_equal(expectation_alerts(&expectation, 0, deadline + 1, &newest), k / 3);
        assert_int_equal(newest, k < 3 ? -1 : k / 3 * 3 * MINUTE);
        newest = -1;
        int64_t before = k > 0 ? (k - 1) / 3 : 0;
        assert_int_equal(expectation_alerts(&expectation, 0, deadline, &newest), before);
        assert_int_equal(newest, before == 0 ? -1 : before * 3 * MINUTE);
    }
}

/* Those that stand for misses before the anchor are due at it. */
static void alerts_with_misses_before(void **state)
{
    static const struct {
        uint32_t misses_before;
        int64_t minutes; /* behind the anchor */
        uint64_t alerts;
        int64_t newest; /* the same */
    } rows[] = {
        {0, 2, 0, -1}, {1, 1, 0, -1}, {1, 2, 1, 2}, {2, 1, 1, 1}, {2, 3, 1, 1}, {2, 4, 2, 4},
        {3, 0, 1, 0},  {3, 2, 1, 0},  {3, 3, 2, 3}, {7, 0, 2, 0}, {7, 1, 2, 0}, {7, 2, 3, 2},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct expectation expectation = {
            .policy = policy_of(MINUTE, 3, 0),
            .anchor = HOUR,
            .listening_since = HOUR,
            .misses_before = rows[i].misses_before,
        };
        int64_t newest = HOUR - MINUTE;
        uint64_t alerts =
            expectation_alerts(&expectation, 0, HOUR + rows[i].minutes * MINUTE + 1, &newest);
        assert_int_equal(alerts, rows[i].alerts);
        assert_int_equal(newest, HOUR + rows[i].newest * MINUTE);
    }
}

/* ---- Gaps ---- */

/* Whether a gap FROM - TO makes expectation of a service that was last seen at 0 start anew. */
static bool starts_anew(int64_t interval, int64_t tolerance, int64_t from, int64_t to)
{
    struct expectation expectation = seen_at_zero(interval, 3, tolerance);
    struct gap gap = {.from = from, .to = to};
    uint64_t misses = expectation_misses(&expectation, 0, from);
    assert_int_equal(expectation_gap(&expectation, 0, &gap, false), 0);
    bool anew = expectation.anchor == to;
    check_is(&expectation, anew ? to : 0, anew ? (uint32_t)misses : 0, from > 0 ? to - from : to);
    return anew;
}

/* A heartbeat that was expected in [D - T, R + j] may have been lost; both ends to the
 * microsecond. j = min(I, max(5 min, T, I/4)). */
static void which_gaps_matter(void **state)
{
    static const struct {
        int64_t interval, tolerance, early;
    } rows[] = {
        {KAIROS_SECOND, 0, KAIROS_SECOND},     /* I */
        {MINUTE, 0, MINUTE},                   /* I */
        {MINUTE, 10 * MINUTE, MINUTE},         /* I */
        {5 * MINUTE, 0, 5 * MINUTE},           /* I, and 5 min */
        {10 * MINUTE, 0, 5 * MINUTE},          /* 5 min */
        {20 * MINUTE, MINUTE, 5 * MINUTE},     /* 5 min, and I/4 */
        {10 * MINUTE, 6 * MINUTE, 6 * MINUTE}, /* T */
        {HOUR, 0, 15 * MINUTE},                /* I/4 */
        {HOUR, 15 * MINUTE, 15 * MINUTE},      /* I/4, and T */
        {HOUR, 16 * MINUTE, 16 * MINUTE},      /* T */
        {DAY, HOUR, 6 * HOUR},                 /* I/4 */
        {7 * DAY, 3 * DAY, 3 * DAY},           /* T */
        {366 * DAY, 366 * DAY, 366 * DAY},     /* all */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t interval = rows[i].interval, tolerance = rows[i].tolerance, early = rows[i].early;
        for (int64_t k = 1; k <= 3; k++) {
            int64_t expected = k * interval;
            /* It lies at R + j, or just behind. */
            int64_t to = expected - early, from = to - 1;
            if (from >= expected - interval + tolerance + 1) {
                assert_true(starts_anew(interval, tolerance, from, to));
                assert_false(starts_anew(interval, tolerance, from - 1, to - 1));
            }
            /* It lies at D - T, or just before: it is judged, and the next one is far enough. */
            from = expected + tolerance;
            assert_true(starts_anew(interval, tolerance, from, from + 1));
            if (interval - early > tolerance + 2)
                assert_false(starts_anew(interval, tolerance, from + 1, from + 2));
        }
    }
}

/* A gap that lies before anything can have been missed, or that swallows days. */
static void short_and_long_gaps(void **state)
{
    assert_false(starts_anew(HOUR, 0, 1, 2));
    assert_false(starts_anew(HOUR, 0, 10 * MINUTE, 45 * MINUTE - 1));
    assert_true(starts_anew(HOUR, 0, 10 * MINUTE, 45 * MINUTE));
    assert_true(starts_anew(HOUR, 0, 10 * MINUTE, 30 * DAY));
    assert_true(starts_anew(HOUR, 0, -DAY, DAY));
    assert_true(starts_anew(MINUTE, 0, 1, 2));
}

/* Misses that were judged before the gap stay; those in it are excused. */
static void misses_before_a_gap_stay(void **state)
{
    static const struct {
        int64_t from, to; /* in seconds; I = 60 s, T = 5 s */
        uint32_t misses_before;
    } rows[] = {
        {65, 100, 0}, {66, 100, 1}, {125, 500, 1}, {126, 127, 2}, {185, 200, 2}, {186, 200, 3},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct expectation expectation = seen_at_zero(MINUTE, 10, 5 * KAIROS_SECOND);
        struct gap gap = {.from = rows[i].from * KAIROS_SECOND, .to = rows[i].to * KAIROS_SECOND};
        expectation_gap(&expectation, 0, &gap, false);
        check_is(&expectation, gap.to, rows[i].misses_before, gap.to - gap.from);
        assert_int_equal(expectation_misses(&expectation, 0, gap.to + MINUTE + 5 * KAIROS_SECOND),
                         rows[i].misses_before);
    }
}

/* In an open incident misses become alerts, and are not counted twice. */
static void alerts_before_a_gap_are_counted(void **state)
{
    static const struct {
        int64_t minutes;
        uint64_t alerts;
        uint32_t misses_before;
    } rows[] = {{1, 0, 1}, {2, 0, 2}, {3, 1, 0}, {5, 1, 2}, {6, 2, 0}, {3000, 1000, 0}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct expectation expectation = seen_at_zero(MINUTE, 3, 0), kept = expectation;
        struct gap gap = {.from = rows[i].minutes * MINUTE + 1, .to = 4000 * MINUTE};
        assert_int_equal(expectation_gap(&expectation, 0, &gap, true), rows[i].alerts);
        assert_int_equal(expectation.misses_before, rows[i].misses_before);
        assert_int_equal(expectation_gap(&kept, 0, &gap, false), 0);
        assert_int_equal(kept.misses_before, rows[i].minutes);
    }
}

/* Where the base is the end of a gap, or a change, nothing is known of when the service beats. */
static void a_gap_after_a_gap_always_matters(void **state)
{
    /* Twice restarted within an interval: the heartbeat of 01:00 was lost in the second gap. */
    struct expectation expectation = seen_at_zero(HOUR, 1, 0);
    struct gap first = {.from = 50 * MINUTE, .to = 55 * MINUTE};
    struct gap second = {.from = 59 * MINUTE, .to = 61 * MINUTE};
    expectation_gap(&expectation, 0, &first, false);
    check_is(&expectation, 55 * MINUTE, 0, 5 * MINUTE);
    expectation_gap(&expectation, 0, &second, false);
    check_is(&expectation, 61 * MINUTE, 0, 7 * MINUTE);
    assert_true(expectation_alert_after(&expectation, 0) >= 2 * HOUR);

    struct gap shortest = {.from = 62 * MINUTE, .to = 62 * MINUTE + 1};
    expectation_gap(&expectation, 0, &shortest, false);
    check_is(&expectation, 62 * MINUTE + 1, 0, 7 * MINUTE + 1);

    /* The same gap after a heartbeat at the anchor or behind it does not. */
    struct expectation heard = expectation;
    int64_t last_seen = expectation.anchor;
    struct gap next = {.from = 70 * MINUTE, .to = 71 * MINUTE};
    expectation_gap(&heard, last_seen, &next, false);
    assert_int_equal(heard.anchor, last_seen);
    heard = expectation;
    expectation_gap(&heard, last_seen + 1, &next, false);
    assert_int_equal(heard.anchor, last_seen + 1);
}

static void only_listening_counts(void **state)
{
    static const struct {
        int64_t listening_since, from, to, result;
    } rows[] = {
        {0, 10, 15, 5},   {12, 10, 15, 15}, {14, 10, 15, 15}, {15, 10, 15, 15},    {16, 10, 15, 16},
        {10, 10, 15, 15}, {9, 10, 15, 14},  {0, 10, 10, 0},   {-100, 10, 15, -95},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct expectation expectation = seen_at_zero(MINUTE, 3, 0);
        struct gap gap = {.from = rows[i].from, .to = rows[i].to};
        expectation.listening_since = rows[i].listening_since;
        expectation_gap(&expectation, 0, &gap, false);
        assert_int_equal(expectation.listening_since, rows[i].result);
    }
}

/* A run that a gap cuts is forgotten: neither it nor the gap was listened to. */
static void a_gap_in_a_run(void **state)
{
    static const struct {
        int64_t run_started, from, to, listening_since, result; /* minutes */
    } rows[] = {
        {30, 40, 50, 0, 20},  {30, 20, 50, 0, 30},  {30, 40, 50, 35, 50}, {30, 40, 50, 45, 50},
        {30, 40, 50, 60, 60}, {30, 40, 50, 25, 45}, {30, 31, 32, -5, -3},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct expectation expectation = seen_at_zero(MINUTE, 3, 0);
        struct gap gap = {.from = rows[i].from * MINUTE, .to = rows[i].to * MINUTE};
        expectation.listening_since = rows[i].listening_since * MINUTE;
        expectation.misses_before = 2;
        expectation_gap_in_run(&expectation, 0, &gap, rows[i].run_started * MINUTE);
        check_is(&expectation, gap.to, 0, rows[i].result * MINUTE);
    }
}

/*
 * A job that hangs every night, and Kairós that is restarted every night while it does: an alert
 * comes once it has listened for 2·(A·I + T) = 50 h beside the runs.
 */
static void restarts_hide_no_dead_job(void **state)
{
    struct expectation expectation = seen_at_zero(DAY, 1, HOUR);
    int64_t night = 0;
    for (int64_t day = 0; day < 10; day++) {
        int64_t run_started = day * DAY + 3 * HOUR;
        if (expectation_alert_after(&expectation, 0) < run_started)
            break;
        struct gap gap = {.from = run_started + 30 * MINUTE, .to = run_started + 31 * MINUTE};
        expectation_gap_in_run(&expectation, 0, &gap, run_started);
        night++;
    }
    assert_int_equal(night, 3);
    check_alert(&expectation, 0, 50 * HOUR + 3 * 31 * MINUTE, 50 * HOUR + 3 * 31 * MINUTE);
}

/* ---- Changes ---- */

/* e = max(a + I', C), then every I'; misses stay. I = 60 s and A = 3 before. */
static void a_new_policy(void **state)
{
    static const struct {
        int64_t interval, change, anchor; /* minutes */
        uint32_t misses_before;
    } rows[] = {
        {10, 1, 0, 0},   /* longer, before anything was due */
        {10, 2, 0, 1},   /* one miss at 1:00 + 1 µs */
        {10, 10, 0, 9},  /* just at its own end */
        {10, 11, 1, 10}, /* later: expected at once */
        {1, 2, 1, 1},    {2, 1, 0, 0}, {2, 2, 0, 1}, {2, 5, 3, 4},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct expectation expectation = seen_at_zero(MINUTE, 3, 0);
        struct kairos_policy policy = policy_of(rows[i].interval * MINUTE, 5, HOUR);
        int64_t change = rows[i].change * MINUTE;
        assert_int_equal(expectation_change(&expectation, 0, &policy, change, false), 0);
        check_is(&expectation, rows[i].anchor * MINUTE, rows[i].misses_before, change);
        assert_int_equal(expectation.policy.interval, policy.interval);
        assert_int_equal(expectation.policy.tolerance, policy.tolerance);
        assert_int_equal(expectation.policy.allowed_misses, policy.allowed_misses);
    }
}

/* Shortened to 60 s at noon, with a last heartbeat at midnight: expected at noon, not earlier. */
static void a_shorter_interval_blames_nobody_for_the_past(void **state)
{
    struct expectation expectation = seen_at_zero(DAY, 3, 0);
    struct kairos_policy policy = policy_of(MINUTE, 3, 0);
    int64_t noon = 12 * HOUR;
    expectation_change(&expectation, 0, &policy, noon, false);
    check_alert(&expectation, 0, noon + 2 * MINUTE, noon + 2 * MINUTE);
    /* Nor does a heartbeat of the morning that comes late make it worse. */
    assert_false(expectation_heartbeat(&expectation, 6 * HOUR));
    check_is(&expectation, noon - MINUTE, 0, noon - MINUTE);
    check_alert(&expectation, 6 * HOUR, noon + 2 * MINUTE, noon + 2 * MINUTE);
}

/* Fewer allowed misses than were counted: due at the anchor. */
static void a_stricter_policy_is_due_at_once(void **state)
{
    struct expectation expectation = seen_at_zero(MINUTE, 100, 0);
    struct kairos_policy policy = policy_of(MINUTE, 5, 0);
    expectation_change(&expectation, 0, &policy, 20 * MINUTE + 1, false);
    check_is(&expectation, 19 * MINUTE + 1, 20, 20 * MINUTE + 1);
    check_alert(&expectation, 0, 19 * MINUTE + 1, 19 * MINUTE + 1);
    assert_false(expectation_is_plain(&expectation, 0));
}

/* In an open incident the alerts of the old policy are counted, and the rest of its misses stays.
 */
static void a_new_policy_in_an_incident(void **state)
{
    struct expectation expectation = seen_at_zero(MINUTE, 3, 0);
    struct kairos_policy policy = policy_of(HOUR, 2, 0);
    assert_int_equal(expectation_change(&expectation, 0, &policy, 11 * MINUTE + 1, true), 3);
    check_is(&expectation, 0, 2, 11 * MINUTE + 1);
}

static void counts_are_capped(void **state)
{
    struct expectation expectation = seen_at_zero(KAIROS_SECOND, KAIROS_ALLOWED_MISSES_MAX, 0);
    struct expectation changed = expectation;
    struct gap gap = {.from = 3 * KAIROS_ALLOWED_MISSES_MAX * KAIROS_SECOND, .to = 400 * DAY};
    struct kairos_policy policy = policy_of(MINUTE, KAIROS_ALLOWED_MISSES_MAX, 0);
    expectation_gap(&expectation, 0, &gap, false);
    assert_int_equal(expectation.misses_before, KAIROS_ALLOWED_MISSES_MAX);
    expectation_change(&changed, 0, &policy, gap.from, false);
    assert_int_equal(changed.misses_before, KAIROS_ALLOWED_MISSES_MAX);
}

static void a_resume_clears_misses(void **state)
{
    static const struct {
        int64_t last_seen, resume, anchor; /* seconds; I = 60 s */
    } rows[] = {{0, 59, 0}, {0, 60, 0}, {0, 61, 1}, {0, 3600, 3540}, {3590, 3600, 3590}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct expectation expectation = seen_at_zero(MINUTE, 3, 0);
        expectation.misses_before = 2;
        expectation_resume(&expectation, rows[i].last_seen * KAIROS_SECOND,
                           rows[i].resume * KAIROS_SECOND);
        check_is(&expectation, rows[i].anchor * KAIROS_SECOND, 0, rows[i].resume * KAIROS_SECOND);
    }
}

/* ---- The far ends ---- */

/* A million intervals of a year, from the first moment there is to the last. */
static void nothing_overflows(void **state)
{
    static const int64_t times[] = {KAIROS_TIME_MIN, -1, 0, KAIROS_TIME_MAX - 1, KAIROS_TIME_MAX};
    struct kairos_policy largest =
        policy_of(KAIROS_INTERVAL_MAX, KAIROS_ALLOWED_MISSES_MAX, KAIROS_TOLERANCE_MAX);
    struct kairos_policy policies[] = {
        largest,
        policy_of(KAIROS_INTERVAL_MAX, 1, 0),
        policy_of(KAIROS_SECOND, KAIROS_ALLOWED_MISSES_MAX, 0),
        policy_of(KAIROS_SECOND, 1, KAIROS_TOLERANCE_MAX),
        policy_of(KAIROS_MILLISECOND, 1, 0),
    };
    for (size_t p = 0; p < COUNT_OF(policies); p++) {
        for (size_t i = 0; i < COUNT_OF(times); i++) {
            for (size_t j = 0; j < COUNT_OF(times); j++) {
                struct expectation expectation = {.policy = policies[p]};
                int64_t last_seen = times[i], now = times[j], newest;
                expectation_restart(&expectation, last_seen);
                assert_true(expectation_alert_after(&expectation, last_seen) >= last_seen);
                assert_true(expectation_late_after(&expectation, last_seen) >= last_seen);
                expectation_alert_at(&expectation, last_seen);
                expectation_alerts(&expectation, last_seen, now, &newest);
                struct gap gap = {.from = last_seen < now ? last_seen : now,
                                  .to = last_seen < now ? now : last_seen};
                for (int again = 0; again < 8; again++)
                    expectation_gap(&expectation, last_seen, &gap, again % 2 == 0);
                expectation_gap_in_run(&expectation, last_seen, &gap, now);
                expectation_change(&expectation, last_seen, &largest, now, true);
                assert_true(expectation_misses(&expectation, last_seen, now) <=
                            2 * (uint64_t)KAIROS_ALLOWED_MISSES_MAX);
                assert_true(expectation_alert_after(&expectation, last_seen) > KAIROS_TIME_MAX ||
                            expectation.misses_before > 0);
                expectation_resume(&expectation, last_seen, now);
                expectation_heartbeat(&expectation, now);
                assert_true(expectation_alert_after(&expectation, now) > KAIROS_TIME_MAX);
                expectation_alerted(&expectation, last_seen, now);
            }
        }
    }
}

/* ---- The oracle ---- */

/* The same state, and rules that count k = 1, 2, 3, … */
struct oracle {
    int64_t interval, tolerance, last_seen, anchor, listening_since;
    uint64_t allowed, misses_before;
};

static int64_t base_of(const struct oracle *oracle)
{
    return oracle->anchor < oracle->last_seen ? oracle->last_seen : oracle->anchor;
}

/* A heartbeat that is newer than the anchor: nothing from before counts. */
static void oracle_update(struct oracle *oracle)
{
    if (oracle->anchor >= oracle->last_seen)
        return;
    oracle->anchor = oracle->listening_since = oracle->last_seen;
    oracle->misses_before = 0;
}

static uint64_t oracle_misses(const struct oracle *oracle, int64_t now)
{
    uint64_t misses = oracle->misses_before;
    for (int64_t e = oracle->anchor + oracle->interval; e + oracle->tolerance < now;
         e += oracle->interval)
        misses++;
    return misses;
}

/* The first moment at which an alert is due, and its alert_at. */
static int64_t oracle_due(const struct oracle *oracle, int64_t *alert_at)
{
    int64_t reach = (int64_t)oracle->allowed * oracle->interval + oracle->tolerance;
    int64_t bound = oracle->listening_since + 2 * reach, due = oracle->anchor;
    uint64_t misses = oracle->misses_before;
    *alert_at = oracle->anchor;
    for (; misses < oracle->allowed; misses++) {
        *alert_at += oracle->interval;
        due = *alert_at + oracle->tolerance;
    }
    if (bound < due)
        *alert_at = due = bound;
    return due;
}

static void oracle_gap(struct oracle *oracle, int64_t from, int64_t to)
{
    int64_t early = 5 * MINUTE;
    early = early < oracle->tolerance ? oracle->tolerance : early;
    early = early < oracle->interval / 4 ? oracle->interval / 4 : early;
    early = early > oracle->interval ? oracle->interval : early;
    if (oracle->anchor > oracle->last_seen)
        early = oracle->interval;
    for (int64_t e = oracle->anchor + oracle->interval; e <= to + early; e += oracle->interval) {
        if (e < from - oracle->tolerance)
            continue;
        oracle->misses_before = oracle_misses(oracle, from);
        oracle->anchor = to;
        break;
    }
    int64_t deaf_from = from > oracle->listening_since ? from : oracle->listening_since;
    if (to > deaf_from)
        oracle->listening_since += to - deaf_from;
}

static void oracle_change(struct oracle *oracle, const struct kairos_policy *policy, int64_t now)
{
    oracle->misses_before = oracle_misses(oracle, now);
    oracle->interval = policy->interval;
    oracle->tolerance = policy->tolerance;
    oracle->allowed = policy->allowed_misses;
    int64_t first = oracle->last_seen + oracle->interval;
    oracle->anchor = (first > now ? first : now) - oracle->interval;
    oracle->listening_since = now;
}

static void compare(const struct expectation *expectation, const struct oracle *original,
                    int64_t now)
{
    struct oracle oracle = *original;
    int64_t last_seen = oracle.last_seen, alert_at;
    oracle_update(&oracle);
    uint64_t misses = oracle_misses(&oracle, now);
    int64_t due = oracle_due(&oracle, &alert_at);
    check_alert(expectation, last_seen, due, alert_at);
    assert_int_equal(expectation_misses(expectation, last_seen, now), misses);
    int64_t late = expectation_late_after(expectation, last_seen);
    assert_int_equal(late<now, misses> 0);
    if (oracle.misses_before == 0)
        assert_int_equal(late, base_of(&oracle) + oracle.interval + oracle.tolerance);
    int64_t newest = -1, e = oracle.anchor;
    uint64_t alerts = expectation_alerts(expectation, last_seen, now, &newest);
    assert_int_equal(alerts, misses / oracle.allowed);
    for (uint64_t k = oracle.misses_before; k < alerts * oracle.allowed; k++)
        e += oracle.interval;
    if (alerts > 0)
        assert_int_equal(newest, e);
}

static struct kairos_policy random_policy(struct dice *dice)
{
    static const int64_t intervals[] = {1, 7, 60, 300, 301, 1200, 1201, 3600, 86400};
    int64_t interval = intervals[dice_below(dice, COUNT_OF(intervals))] * KAIROS_SECOND;
    int64_t tolerance = dice_chance(dice, 40) ? 0 : dice_between(dice, 0, 3 * interval);
    if (dice_chance(dice, 50))
        tolerance -= tolerance % KAIROS_SECOND;
    return policy_of(interval, 1 + (uint32_t)dice_below(dice, 5), tolerance);
}

/* A span that reaches over a few intervals, often to an edge: a whole number of them, or of
 * tolerances, to the microsecond. */
static int64_t random_span(struct dice *dice, const struct kairos_policy *policy)
{
    int64_t span = dice_between(dice, 0, 4 * policy->interval);
    if (dice_chance(dice, 40))
        span = dice_between(dice, 0, 4) * policy->interval;
    if (dice_chance(dice, 30))
        span += policy->tolerance;
    return span + (dice_chance(dice, 30) ? dice_between(dice, 0, 2) : 0);
}

static void random_gaps_and_changes_agree_with_the_oracle(void **state)
{
    struct dice dice = {1};
    for (int round = 0; round < 20000; round++) {
        struct kairos_policy policy = random_policy(&dice);
        struct expectation expectation = {.policy = policy};
        struct oracle oracle = {.interval = policy.interval,
                                .tolerance = policy.tolerance,
                                .allowed = policy.allowed_misses};
        int64_t now = dice_between(&dice, -DAY, DAY), next;
        oracle.last_seen = oracle.anchor = oracle.listening_since = now;
        expectation_restart(&expectation, now);
        for (int step = 0; step < 12; step++) {
            next = now + random_span(&dice, &policy);
            size_t choice = dice_below(&dice, 10);
            if (choice < 4) {
                struct gap gap = {.from = now, .to = next};
                oracle_update(&oracle);
                oracle_gap(&oracle, now, next);
                expectation_gap(&expectation, oracle.last_seen, &gap, false);
            } else if (choice < 5) {
                policy = random_policy(&dice);
                oracle_update(&oracle);
                oracle_change(&oracle, &policy, next);
                expectation_change(&expectation, oracle.last_seen, &policy, next, false);
            } else if (choice < 6) {
                oracle_update(&oracle);
                oracle_change(&oracle, &policy, next);
                oracle.misses_before = 0;
                expectation_resume(&expectation, oracle.last_seen, next);
            } else if (choice < 8) { /* a heartbeat in between */
                oracle.last_seen = dice_between(&dice, oracle.last_seen, next);
            }
            now = next;
            compare(&expectation, &oracle, now);
            compare(&expectation, &oracle, now + random_span(&dice, &policy));
        }
    }
}

/* ---- What it is all for ---- */

/*
 * A service that beats as it should, and Kairós that is deaf again and again: no alert unless it
 * has listened for 2·(A·I + T) since it heard the last heartbeat; and once the service is dead,
 * one when it has.
 */
static void the_living_are_let_alone_and_the_dead_are_found(void **state)
{
    struct dice dice = {2};
    for (int round = 0; round < 20000; round++) {
        struct kairos_policy policy = random_policy(&dice);
        struct expectation expectation = {.policy = policy};
        int64_t reach = kairos_policy_reach(&policy), interval = policy.interval, now = 0;
        int64_t last_heard = 0, listened = 0, death = dice_between(&dice, 1, 20) * interval;
        expectation_restart(&expectation, 0);
        while (listened <= 2 * reach) {
            int64_t deaf_from = now + random_span(&dice, &policy);
            int64_t deaf_to = deaf_from + random_span(&dice, &policy);
            /* The beats that are heard until then, each at a whole interval. */
            for (int64_t beat = (last_heard / interval + 1) * interval;
                 beat < deaf_from && beat < death; beat += interval) {
                if (beat < now)
                    continue;
                listened += beat - now;
                check(expectation_alert_after(&expectation, last_heard) >= beat ||
                          listened > 2 * reach,
                      "a false alert in round %d", round);
                last_heard = now = beat;
                listened = 0;
                expectation_heartbeat(&expectation, beat);
            }
            listened += deaf_from - now;
            int64_t alert = expectation_alert_after(&expectation, last_heard);
            if (listened > 2 * reach) {
                check(alert < deaf_from, "nobody is told in round %d", round);
                break;
            }
            if (alert < deaf_from) {
                check(death <= deaf_from, "a false alert in round %d", round);
                break;
            }
            struct gap gap = {.from = deaf_from, .to = deaf_to};
            expectation_gap(&expectation, last_heard, &gap, false);
            now = deaf_to;
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_design),
        cmocka_unit_test(misses_are_strict_to_the_microsecond),
        cmocka_unit_test(a_newer_heartbeat_needs_no_word),
        cmocka_unit_test(heartbeats_before_and_after_the_anchor),
        cmocka_unit_test(what_makes_an_alert_due),
        cmocka_unit_test(the_count_starts_again),
        cmocka_unit_test(alerts_lie_an_allowance_apart),
        cmocka_unit_test(alerts_with_misses_before),
        cmocka_unit_test(which_gaps_matter),
        cmocka_unit_test(short_and_long_gaps),
        cmocka_unit_test(misses_before_a_gap_stay),
        cmocka_unit_test(alerts_before_a_gap_are_counted),
        cmocka_unit_test(a_gap_after_a_gap_always_matters),
        cmocka_unit_test(only_listening_counts),
        cmocka_unit_test(a_gap_in_a_run),
        cmocka_unit_test(restarts_hide_no_dead_job),
        cmocka_unit_test(a_new_policy),
        cmocka_unit_test(a_shorter_interval_blames_nobody_for_the_past),
        cmocka_unit_test(a_stricter_policy_is_due_at_once),
        cmocka_unit_test(a_new_policy_in_an_incident),
        cmocka_unit_test(counts_are_capped),
        cmocka_unit_test(a_resume_clears_misses),
        cmocka_unit_test(nothing_overflows),
        cmocka_unit_test(random_gaps_and_changes_agree_with_the_oracle),
        cmocka_unit_test(the_living_are_let_alone_and_the_dead_are_found),
    };
    return cmocka_run_group_tests_name("expectation", tests, NULL, NULL);
}
