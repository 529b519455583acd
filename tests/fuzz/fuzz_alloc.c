/*
 * fuzz_alloc.c - an analysis in which an allocation fails: it says so, frees all that it has, and
 * never makes up a result. Timelines must stay usable on top of that.
 *
 * The first bytes: which allocation fails, whether all behind it do, policy, generated heartbeats,
 * where the log is cut. The rest is a log; behind the generated part it goes on as NDJSON.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kairos/analysis.h>
#include <kairos/timeline.h>

#include "alloc_fail.h"
#include "findings.h"
#include "fuzz.h"
#include "outcome.h"

/* Room for a generated line. */
#define LINE_MAX 160

struct plan {
    unsigned failing; /* allocation; 0 for none */
    bool for_good;
    struct kairos_analysis_options options;
    size_t generated; /* heartbeats in front of the log */
    uint8_t cut;      /* of 256 parts of the log, those that the first analysis gets */
};

static struct plan take_plan(const uint8_t **data, size_t *size)
{
    struct plan plan = {.failing = fuzz_take(data, size)};
    uint8_t flags = fuzz_take(data, size);
    plan.for_good = (flags & 1) != 0;
    plan.options = findings_options(fuzz_take(data, size));
    plan.generated = (size_t)fuzz_take(data, size) * 4;
    plan.cut = fuzz_take(data, size);
    return plan;
}

/*
 * The log of PLAN: as many lines as it generates, four of five for new services with long names,
 * the others for one that beats in no order, to make roster and timelines grow; then the SIZE bytes
 * at DATA.
 */
static char *make_log(const struct plan *plan, const uint8_t *data, size_t size, size_t *log_size)
{
    char *log = fuzz_allocate(plan->generated * LINE_MAX + size + 1, 1), *end = log;
    struct fuzz_random random = {.state = plan->generated};
    for (size_t i = 0; i < plan->generated; i++) {
        size_t time = fuzz_below(&random, 1000000000), service = i % 5 == 0 ? 0 : i;
        end += sprintf(end, "{\"service\":\"%080zu\",\"timestamp\":%zu}\n", service, time);
    }
    if (size > 0)
        memcpy(end, data, size);
    *log_size = (size_t)(end - log) + size;
    return log;
}

/* The same status comes back from every further call. */
static void check_stays(struct kairos_analysis *analysis, enum kairos_analysis_status status)
{
    if (status == KAIROS_ANALYSIS_OK)
        return;
    EXPECT(kairos_analysis_feed(analysis, "[]", 2) == status);
    EXPECT(kairos_analysis_finish(analysis) == status);
}

/* The analysis of the log in two parts, where memory may run out; NULL if it did at the start. */
static struct kairos_analysis *analyse(const char *log, size_t size, enum kairos_format format,
                                       const struct plan *plan, enum kairos_analysis_status *status)
{
    size_t cut = format == KAIROS_FORMAT_UNKNOWN ? size : size * plan->cut / 256;
    cut += kairos_parser_guess_border(format, log + cut, size - cut);
    struct kairos_analysis *analysis = kairos_analysis_create(&plan->options);
    struct kairos_analysis *rest = kairos_analysis_create_at(&plan->options, format, cut);
    bool joined = false;
    *status = KAIROS_ANALYSIS_NO_MEMORY;
    if (analysis == NULL)
        goto out;
    *status = kairos_analysis_feed(analysis, log, cut);
    if (*status == KAIROS_ANALYSIS_OK && rest != NULL && cut < size) {
        kairos_analysis_feed(rest, log + cut, size - cut);
        *status = kairos_analysis_join(analysis, rest, &joined);
    }
    if (*status == KAIROS_ANALYSIS_OK && !joined)
        *status = kairos_analysis_feed(analysis, log + cut, size - cut);
    if (*status == KAIROS_ANALYSIS_OK)
        *status = kairos_analysis_finish(analysis);

out:
    kairos_analysis_destroy(rest);
    return analysis;
}

/* A result that comes out although an allocation failed must be the right one. */
static void check_analysis(const char *log, size_t size, enum kairos_format format,
                           const struct plan *plan)
{
    enum kairos_analysis_status status;
    alloc_fail_arm(plan->failing, plan->for_good);
    struct kairos_analysis *analysis = analyse(log, size, format, plan, &status);
    if (analysis != NULL)
        check_stays(analysis, status);
    bool failed = alloc_fail_disarm();
    if (status == KAIROS_ANALYSIS_NO_MEMORY) {
        EXPECT(failed);
    } else {
        struct kairos_analysis *undisturbed = kairos_analysis_create(&plan->options);
        EXPECT(undisturbed != NULL);
        kairos_analysis_feed(undisturbed, log, size);
        EXPECT(kairos_analysis_finish(undisturbed) == status);
        findings_expect_same(analysis, undisturbed, status);
        kairos_analysis_destroy(undisturbed);
    }
    kairos_analysis_destroy(analysis);
}

/* All heartbeats of the log in one timeline. */

static int compare_times(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;
    return (first > second) - (first < second);
}

/* The silences of TIMELINE must be those between the COUNT heartbeats at TIMES, which this sorts.
 */
static void check_silences(const struct kairos_timeline *timeline, int64_t reach, int64_t *times,
                           size_t count)
{
    size_t position = 0;
    struct kairos_silence silence;
    qsort(times, count, sizeof(times[0]), compare_times);
    for (size_t i = 1; i < count; i++) {
        if (times[i] - times[i - 1] <= reach)
            continue;
        EXPECT(kairos_timeline_next_silence(timeline, &position, &silence));
        EXPECT(silence.from == times[i - 1] && silence.to == times[i]);
    }
    EXPECT(!kairos_timeline_next_silence(timeline, &position, &silence));
}

/* A timeline that ran out of memory lacks the heartbeat that it was about to take, and no other. */
static void check_timeline(const struct outcome *outcome, const struct plan *plan)
{
    int64_t reach = kairos_policy_reach(&plan->options.policy);
    int64_t *times = fuzz_allocate(outcome->count, sizeof(*times));
    size_t count = 0;
    struct kairos_timeline timeline;
    kairos_timeline_init(&timeline);
    alloc_fail_arm(plan->failing, plan->for_good);
    for (size_t i = 0; i < outcome->count; i++) {
        const struct kairos_event *event = &outcome->events[i];
        if (event->reason == KAIROS_VALID && kairos_timeline_add(&timeline, reach, event->time))
            times[count++] = event->time;
    }
    alloc_fail_disarm();
    kairos_timeline_settle(&timeline, reach);
    check_silences(&timeline, reach, times, count);
    kairos_timeline_finish(&timeline);
    free(times);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct cutting whole = {.batch = 64};
    struct plan plan = take_plan(&data, &size);
    char *log = make_log(&plan, data, size, &size);
    struct outcome outcome;
    outcome_read(&outcome, log, size, true, &whole);
    check_analysis(log, size, outcome.format, &plan);
    check_timeline(&outcome, &plan);
    outcome_finish(&outcome);
    free(log);
    return 0;
}
