#include "findings.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* With an interval of 1 ms an input can have billions of alerts: so many are looked at. */
#define ALERTS_COMPARED 300

struct kairos_analysis_options findings_options(uint8_t choice)
{
    static const struct kairos_policy policies[] = {
        {KAIROS_MINUTE, 0, 3},
        {KAIROS_INTERVAL_MIN, 0, 1},
        {KAIROS_SECOND, 0, 1},
        {KAIROS_MINUTE, 5 * KAIROS_SECOND, 2},
        {KAIROS_INTERVAL_MAX, KAIROS_TOLERANCE_MAX, KAIROS_ALLOWED_MISSES_MAX},
        {KAIROS_INTERVAL_MIN, KAIROS_DAY, KAIROS_ALLOWED_MISSES_MAX},
        {KAIROS_DAY, 1, 3},
        {KAIROS_HOUR, KAIROS_TOLERANCE_MAX, 1},
    };
    static const int64_t ends[] = {
        0,
        INT64_C(1754301600) * KAIROS_SECOND, /* 2025-08-04T10:00:00Z */
        KAIROS_TIME_MIN,
        KAIROS_TIME_MAX,
    };
    return (struct kairos_analysis_options){
        .policy = policies[choice & 7],
        .has_until = (choice & 8) != 0,
        .until = ends[choice >> 4 & 3],
    };
}

static void expect_same_bad_events(const struct kairos_analysis *a, const struct kairos_analysis *b)
{
    size_t count, other_count;
    const struct kairos_bad_event *bad = kairos_analysis_bad_events(a, &count);
    const struct kairos_bad_event *other = kairos_analysis_bad_events(b, &other_count);
    EXPECT(count == other_count);
    for (size_t i = 0; i < count; i++) {
        EXPECT(bad[i].number == other[i].number);
        event_expect_same(&bad[i].event, &other[i].event);
    }
}

static void expect_same_services(const struct kairos_analysis *a, const struct kairos_analysis *b)
{
    struct kairos_service_cursor cursor = {0}, other = {0};
    EXPECT(kairos_analysis_services(a) == kairos_analysis_services(b));
    while (kairos_analysis_next_service(a, &cursor)) {
        EXPECT(kairos_analysis_next_service(b, &other));
        EXPECT(strcmp(cursor.service, other.service) == 0);
    }
    EXPECT(!kairos_analysis_next_service(b, &other));
}

static void expect_same_alerts(const struct kairos_analysis *a, const struct kairos_analysis *b)
{
    struct kairos_alert_cursor cursor = {0}, other = {0};
    uint64_t alerts = kairos_analysis_alerts(a);
    EXPECT(kairos_analysis_alerts(b) == alerts);
    for (uint64_t i = 0; i < alerts && i < ALERTS_COMPARED; i++) {
        EXPECT(kairos_analysis_next_alert(a, &cursor));
        EXPECT(kairos_analysis_next_alert(b, &other));
        EXPECT(strcmp(cursor.service, other.service) == 0);
        EXPECT(cursor.alert.alert_at == other.alert.alert_at);
        EXPECT(cursor.alert.last_seen == other.alert.last_seen);
        EXPECT(cursor.alert.missed_count == other.alert.missed_count);
    }
    EXPECT(alerts > ALERTS_COMPARED || !kairos_analysis_next_alert(a, &cursor));
    EXPECT(alerts > ALERTS_COMPARED || !kairos_analysis_next_alert(b, &other));
}

void findings_expect_same(const struct kairos_analysis *a, const struct kairos_analysis *b,
                          enum kairos_analysis_status status)
{
    struct kairos_parse_error error = kairos_analysis_error(a), other = kairos_analysis_error(b);
    EXPECT(error.code == other.code && error.offset == other.offset);
    EXPECT((error.code != KAIROS_PARSE_OK) == (status == KAIROS_ANALYSIS_MALFORMED));
    if (status != KAIROS_ANALYSIS_OK)
        return;
    EXPECT(kairos_analysis_total(a) == kairos_analysis_total(b));
    for (int reason = 0; reason < KAIROS_REASON_COUNT; reason++)
        EXPECT(kairos_analysis_count(a, (enum kairos_reason)reason) ==
               kairos_analysis_count(b, (enum kairos_reason)reason));
    expect_same_bad_events(a, b);
    expect_same_services(a, b);
    expect_same_alerts(a, b);
}

/* The plain rules: slow, and as they are written. */

struct heartbeats {
    int64_t *times;
    size_t count;
};

/* The walk over an analysis's alerts, held against those that the rules raise. */
struct walk {
    const struct kairos_analysis *analysis;
    const struct kairos_analysis_options *options;
    struct kairos_alert_cursor cursor;
    uint64_t alerts;
};

static bool same_service(const struct kairos_event *event, const char *service)
{
    return event->reason == KAIROS_VALID && strlen(service) == event->length &&
           memcmp(event->text, service, event->length) == 0;
}

static int compare_times(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;
    return (first > second) - (first < second);
}

/* The heartbeats of SERVICE that count, in order of time. */
static struct heartbeats gather(const struct outcome *outcome, const char *service,
                                const struct kairos_analysis_options *options)
{
    struct heartbeats heartbeats = {fuzz_allocate(outcome->count, sizeof(int64_t)), 0};
    for (size_t i = 0; i < outcome->count; i++) {
        const struct kairos_event *event = &outcome->events[i];
        if (same_service(event, service) && (!options->has_until || event->time <= options->until))
            heartbeats.times[heartbeats.count++] = event->time;
    }
    qsort(heartbeats.times, heartbeats.count, sizeof(int64_t), compare_times);
    return heartbeats;
}

/* The alerts of the silence from A to B: one at each miss whose number the allowed misses divide.
 */
static void walk_silence(struct walk *walk, const char *service, int64_t a, int64_t b)
{
    const struct kairos_policy *policy = &walk->options->policy;
    for (__int128 k = policy->allowed_misses; walk->alerts < ALERTS_COMPARED;
         k += policy->allowed_misses, walk->alerts++) {
        __int128 expected = a + k * policy->interval;
        if (expected + policy->tolerance >= b)
            return;
        EXPECT(kairos_analysis_next_alert(walk->analysis, &walk->cursor));
        EXPECT(strcmp(walk->cursor.service, service) == 0);
        EXPECT(walk->cursor.alert.alert_at == (int64_t)expected);
        EXPECT(walk->cursor.alert.last_seen == a);
        EXPECT(walk->cursor.alert.missed_count == policy->allowed_misses);
    }
}

static void walk_service(struct walk *walk, const char *service, const struct outcome *outcome)
{
    struct heartbeats heartbeats = gather(outcome, service, walk->options);
    for (size_t i = 1; i < heartbeats.count; i++)
        walk_silence(walk, service, heartbeats.times[i - 1], heartbeats.times[i]);
    if (heartbeats.count > 0 && walk->options->has_until)
        walk_silence(walk, service, heartbeats.times[heartbeats.count - 1], walk->options->until);
    free(heartbeats.times);
}

static bool seen_before(const struct outcome *outcome, size_t index, const char *service)
{
    for (size_t i = 0; i < index; i++) {
        if (same_service(&outcome->events[i], service))
            return true;
    }
    return false;
}

/* Services in order of first appearance, and their alerts. */
static void expect_true_services(struct walk *walk, const struct outcome *outcome)
{
    struct kairos_service_cursor cursor = {0};
    for (size_t i = 0; i < outcome->count; i++) {
        char service[KAIROS_SERVICE_SIZE] = {0};
        const struct kairos_event *event = &outcome->events[i];
        if (event->reason != KAIROS_VALID)
            continue;
        memcpy(service, event->text, event->length);
        if (seen_before(outcome, i, service))
            continue;
        EXPECT(kairos_analysis_next_service(walk->analysis, &cursor));
        EXPECT(strcmp(cursor.service, service) == 0);
        walk_service(walk, service, outcome);
    }
    EXPECT(!kairos_analysis_next_service(walk->analysis, &cursor));
    if (walk->alerts < ALERTS_COMPARED) {
        EXPECT(kairos_analysis_alerts(walk->analysis) == walk->alerts);
        EXPECT(!kairos_analysis_next_alert(walk->analysis, &walk->cursor));
    }
}

static void expect_true_bad_events(const struct kairos_analysis *analysis,
                                   const struct outcome *outcome)
{
    size_t kept, count = 0;
    uint64_t reasons[KAIROS_REASON_COUNT] = {0};
    const struct kairos_bad_event *bad = kairos_analysis_bad_events(analysis, &kept);
    for (size_t i = 0; i < outcome->count; i++) {
        const struct kairos_event *event = &outcome->events[i];
        reasons[event->reason]++;
        if (event->reason == KAIROS_VALID || count == KAIROS_BAD_EVENTS_KEPT)
            continue;
        EXPECT(count < kept && bad[count].number == i + 1);
        event_expect_same(&bad[count++].event, event);
    }
    EXPECT(count == kept);
    for (int reason = 0; reason < KAIROS_REASON_COUNT; reason++)
        EXPECT(kairos_analysis_count(analysis, (enum kairos_reason)reason) == reasons[reason]);
    EXPECT(kairos_analysis_total(analysis) == outcome->count);
}

void findings_expect_true(const struct kairos_analysis *analysis,
                          const struct kairos_analysis_options *options,
                          const struct outcome *outcome)
{
    struct kairos_parse_error error = kairos_analysis_error(analysis);
    EXPECT((error.code != KAIROS_PARSE_OK) == outcome->failed);
    if (outcome->failed) {
        EXPECT(error.code == outcome->error.code && error.offset == outcome->error.offset);
        return;
    }
    struct walk walk = {.analysis = analysis, .options = options};
    expect_true_bad_events(analysis, outcome);
    expect_true_services(&walk, outcome);
}
