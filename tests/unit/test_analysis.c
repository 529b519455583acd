/*
 * test_analysis.c - logs through the whole library: the rules by example and by a naive model, and
 * the same result however a log is cut.
 */
#include <kairos/analysis.h>

#include <stdio.h>
#include <stdlib.h>

#include <kairos/timestamp.h>

#include "generator.h"
#include "outcome.h"
#include "support.h"

/* An analysis as text, so that two can be compared at a glance. */
static void describe(struct text *text, const struct kairos_analysis *analysis,
                     enum kairos_analysis_status status)
{
    text_print(text, "status %d\n", (int)status);
    if (status == KAIROS_ANALYSIS_MALFORMED) {
        struct kairos_parse_error error = kairos_analysis_error(analysis);
        text_print(text, "error %d at %ju\n", (int)error.code, (uintmax_t)error.offset);
        return;
    }
    text_print(text, "total %ju\n", (uintmax_t)kairos_analysis_total(analysis));
    for (int reason = 0; reason < KAIROS_REASON_COUNT; reason++)
        text_print(text, "%s %ju\n", kairos_reason_name((enum kairos_reason)reason),
                   (uintmax_t)kairos_analysis_count(analysis, (enum kairos_reason)reason));

    size_t count;
    const struct kairos_bad_event *bad = kairos_analysis_bad_events(analysis, &count);
    for (size_t i = 0; i < count; i++)
        text_print(text, "bad event %ju at %ju: %s \"%s\"\n", (uintmax_t)bad[i].number,
                   (uintmax_t)bad[i].event.offset, kairos_reason_name(bad[i].event.reason),
                   shown(bad[i].event.text, bad[i].event.length));

    struct kairos_service_cursor services = {0};
    text_print(text, "services %zu\n", kairos_analysis_services(analysis));
    while (kairos_analysis_next_service(analysis, &services))
        text_print(text, "service %s\n", services.service);

    struct kairos_alert_cursor cursor = {0};
    text_print(text, "alerts %ju\n", (uintmax_t)kairos_analysis_alerts(analysis));
    while (kairos_analysis_next_alert(analysis, &cursor))
        text_print(text, "alert %s %jd %u %jd\n", cursor.service, (intmax_t)cursor.alert.alert_at,
                   cursor.alert.missed_count, (intmax_t)cursor.alert.last_seen);
}

static struct kairos_analysis *create(const struct kairos_analysis_options *options)
{
    struct kairos_analysis *analysis = kairos_analysis_create(options);
    assert_non_null(analysis);
    return analysis;
}

static void finish(struct kairos_analysis *analysis, struct text *text)
{
    text->length = 0;
    describe(text, analysis, kairos_analysis_finish(analysis));
    kairos_analysis_destroy(analysis);
}

/* What becomes of a log read by one analysis from its beginning to its end. */
static void analyse(const struct kairos_analysis_options *options, const char *log, size_t length,
                    struct text *text)
{
    struct kairos_analysis *analysis = create(options);
    kairos_analysis_feed(analysis, log, length);
    finish(analysis, text);
}

/*
 * The rules by example. Times are written as minutes, and "10:05" stands for that time of a day; an
 * alert is the service, when it was raised, and when the service was last seen.
 */
struct example {
    const char *name;
    int interval; /* seconds; 0 for a minute */
    int misses;   /* 0 for 3 */
    int tolerance;
    const char *heartbeats; /* "push 10:00, push 10:01" */
    const char *until;      /* NULL for none */
    const char *alerts;     /* "push 10:05 since 10:02, " */
};

static const struct example examples[] = {
    {"recovery after an alert", 0, 0, 0,
     "push 10:00, push 10:01, push 10:02, push 10:06, push 10:07", NULL,
     "push 10:05 since 10:02, "},
    {"near miss", 0, 0, 0, "push 10:00, push 10:01, push 10:02, push 10:05", NULL, ""},
    {"exact threshold boundary", 0, 0, 0, "push 10:00, push 10:03", NULL, ""},
    {"just beyond the threshold", 0, 0, 0, "push 10:00, push 10:03:01", NULL,
     "push 10:03 since 10:00, "},
    {"single event", 0, 0, 0, "push 10:00", NULL, ""},
    {"unordered events", 0, 0, 0, "push 10:06, push 10:01, push 10:00, push 10:02", NULL,
     "push 10:05 since 10:02, "},
    {"unordered events that fill a silence", 0, 0, 0, "push 10:00, push 10:06, push 10:03", NULL,
     ""},
    {"equal timestamps", 0, 0, 0, "push 10:00, push 10:00, push 10:00, push 10:04, push 10:04",
     NULL, "push 10:03 since 10:00, "},
    {"upper-case names", 0, 0, 0, "PUSH 10:00, push 10:02, Push 10:04", NULL, ""},
    {"several services", 0, 0, 0, "a 10:00, b 10:00, a 10:04, b 10:03, c 10:00, c 10:09", NULL,
     "a 10:03 since 10:00, c 10:03 since 10:00, c 10:06 since 10:00, "},
    {"alerts by service in order of appearance", 0, 0, 0, "b 11:00, a 10:00, a 10:04, b 11:04",
     NULL, "b 11:03 since 11:00, a 10:03 since 10:00, "},
    {"several alerts in one silence", 0, 0, 0, "push 10:00, push 10:10", NULL,
     "push 10:03 since 10:00, push 10:06 since 10:00, push 10:09 since 10:00, "},
    {"several silences", 0, 0, 0, "push 10:00, push 10:04, push 10:05, push 10:09", NULL,
     "push 10:03 since 10:00, push 10:08 since 10:05, "},
    {"a miss in each of three silences", 0, 0, 0, "push 10:00, push 10:02, push 10:04, push 10:06",
     NULL, ""},
    {"late within the tolerance", 0, 1, 30, "push 10:00, push 10:01:30", NULL, ""},
    {"late beyond the tolerance", 0, 1, 30, "push 10:00, push 10:01:31", NULL,
     "push 10:01 since 10:00, "},
    {"one miss is enough", 0, 1, 0, "push 10:00, push 10:02", NULL, "push 10:01 since 10:00, "},
    {"a short interval", 10, 3, 0, "push 10:00, push 10:00:40", NULL,
     "push 10:00:30 since 10:00, "},
    {"a long interval", 3600, 3, 0, "push 10:00, push 13:00, push 16:00:01", NULL,
     "push 16:00 since 13:00, "},
    {"the end of the log is no silence", 0, 0, 0, "push 10:00, other 23:00", NULL, ""},
    {"until a moment", 0, 0, 0, "push 10:00, other 10:05", "10:07",
     "push 10:03 since 10:00, push 10:06 since 10:00, "},
    {"until the threshold", 0, 0, 0, "push 10:00", "10:03", ""},
    {"until just beyond", 0, 0, 0, "push 10:00", "10:03:01", "push 10:03 since 10:00, "},
    {"until before the last heartbeat", 0, 0, 0, "push 10:00, push 10:30", "10:04",
     "push 10:03 since 10:00, "},
    {"until the last heartbeat", 0, 0, 0, "push 10:00, push 10:04", "10:04",
     "push 10:03 since 10:00, "},
    {"until before all heartbeats", 0, 0, 0, "push 10:00, push 10:30", "09:00", ""},
    {"until, with a silence before", 0, 0, 0, "push 10:00, push 10:04", "10:08",
     "push 10:03 since 10:00, push 10:07 since 10:04, "},
};

#define DAY "2025-08-04T"

static int64_t moment(const char *clock)
{
    struct text text = {0};
    int64_t time;
    text_print(&text, DAY "%s", clock);
    assert_true(kairos_timestamp_parse(text.bytes, text.length, &time));
    text_finish(&text);
    return time;
}

/* "10:05", or "10:05:30" where there are seconds. */
static const char *clock_of(int64_t time, char text[KAIROS_TIMESTAMP_SIZE])
{
    kairos_timestamp_format(time, text);
    text[strcmp(text + 17, "00Z") == 0 ? 16 : 19] = '\0';
    return text + strlen(DAY);
}

static struct kairos_analysis_options options_of(const struct example *example)
{
    struct kairos_analysis_options options = kairos_analysis_options_default();
    if (example->interval > 0)
        options.policy.interval = example->interval * KAIROS_SECOND;
    if (example->misses > 0)
        options.policy.allowed_misses = (uint32_t)example->misses;
    options.policy.tolerance = example->tolerance * KAIROS_SECOND;
    options.has_until = example->until != NULL;
    if (options.has_until)
        options.until = moment(example->until);
    return options;
}

/* The heartbeats as an array or as NDJSON. */
static void write_log(const struct example *example, bool array, struct text *log)
{
    const char *c = example->heartbeats;
    log->length = 0;
    text_print(log, "%s", array ? "[" : "");
    while (*c != '\0') {
        int service = (int)strcspn(c, " "), clock = (int)strcspn(c + service + 1, ",");
        text_print(log, "{\"service\":\"%.*s\",\"timestamp\":\"" DAY "%.*s\"}", service, c, clock,
                   c + service + 1);
        c += service + 1 + clock;
        c += strspn(c, ", ");
        text_print(log, "%s", array ? (*c == '\0' ? "]" : ",") : "\n");
    }
}

static void the_rules_by_example(void **state)
{
    struct text log = {0}, alerts = {0};
    for (size_t i = 0; i < 2 * COUNT_OF(examples); i++) {
        const struct example *example = &examples[i / 2];
        struct kairos_analysis_options options = options_of(example);
        struct kairos_analysis *analysis = create(&options);
        write_log(example, i % 2 == 0, &log);
        assert_int_equal(kairos_analysis_feed(analysis, log.bytes, log.length), KAIROS_ANALYSIS_OK);
        assert_int_equal(kairos_analysis_finish(analysis), KAIROS_ANALYSIS_OK);
        assert_int_equal(kairos_analysis_total(analysis),
                         kairos_analysis_count(analysis, KAIROS_VALID));

        uint64_t count = 0;
        struct kairos_alert_cursor cursor = {0};
        alerts.length = 0;
        text_print(&alerts, "%s", "");
        for (; kairos_analysis_next_alert(analysis, &cursor); count++) {
            char at[KAIROS_TIMESTAMP_SIZE], since[KAIROS_TIMESTAMP_SIZE];
            text_print(&alerts, "%s %s since %s, ", cursor.service,
                       clock_of(cursor.alert.alert_at, at),
                       clock_of(cursor.alert.last_seen, since));
            assert_int_equal(cursor.alert.missed_count, options.policy.allowed_misses);
        }
        check(strcmp(alerts.bytes, example->alerts) == 0, "%s: %s", example->name, alerts.bytes);
        assert_int_equal(kairos_analysis_alerts(analysis), count);
        assert_false(kairos_analysis_next_alert(analysis, &cursor));
        kairos_analysis_destroy(analysis);
    }
    text_finish(&log);
    text_finish(&alerts);
}

static void an_empty_array_is_an_empty_result(void **state)
{
    struct kairos_analysis_options options = kairos_analysis_options_default();
    struct kairos_analysis *analysis = create(&options);
    assert_int_equal(kairos_analysis_feed(analysis, "[]", 2), KAIROS_ANALYSIS_OK);
    assert_int_equal(kairos_analysis_finish(analysis), KAIROS_ANALYSIS_OK);
    assert_int_equal(kairos_analysis_total(analysis), 0);
    assert_int_equal(kairos_analysis_services(analysis), 0);
    assert_int_equal(kairos_analysis_alerts(analysis), 0);
    assert_int_equal(kairos_analysis_error(analysis).code, KAIROS_PARSE_OK);
    kairos_analysis_destroy(analysis);
    kairos_analysis_destroy(NULL);
}

static void an_empty_log_is_an_error(void **state)
{
    struct kairos_analysis_options options = kairos_analysis_options_default();
    struct kairos_analysis *analysis = create(&options);
    assert_int_equal(kairos_analysis_feed(analysis, " \n", 2), KAIROS_ANALYSIS_OK);
    assert_int_equal(kairos_analysis_finish(analysis), KAIROS_ANALYSIS_MALFORMED);
    assert_int_equal(kairos_analysis_error(analysis).code, KAIROS_PARSE_EMPTY);
    kairos_analysis_destroy(analysis);
}

static void every_bad_event_is_counted_under_its_reason(void **state)
{
    static const char log[] = "{\"service\":\"push\",\"timestamp\":0}\n"
                              "null\n"
                              "{}\n"
                              "{\"service\":\"push\"}\n"
                              "{\"service\":null,\"timestamp\":0}\n"
                              "{\"service\":\"push\",\"timestamp\":\"\"}\n"
                              "{\"service\":\"no name\",\"timestamp\":0}\n"
                              "{\"service\":\"push\",\"timestamp\":\"2025-02-30T00:00:00Z\"}\n"
                              "nope\n";
    struct kairos_analysis_options options = kairos_analysis_options_default();
    struct text text = {0};
    analyse(&options, log, strlen(log), &text);
    assert_string_equal(text.bytes, "status 0\n"
                                    "total 9\n"
                                    "valid 1\n"
                                    "not_an_object 1\n"
                                    "missing_service 1\n"
                                    "missing_timestamp 1\n"
                                    "empty_service 1\n"
                                    "empty_timestamp 1\n"
                                    "invalid_service_format 1\n"
                                    "invalid_timestamp_format 1\n"
                                    "invalid_json 1\n"
                                    "bad event 2 at 33: not_an_object \"\"\n"
                                    "bad event 3 at 38: missing_service \"\"\n"
                                    "bad event 4 at 41: missing_timestamp \"\"\n"
                                    "bad event 5 at 60: empty_service \"\"\n"
                                    "bad event 6 at 91: empty_timestamp \"\"\n"
                                    "bad event 7 at 125: invalid_service_format \"no name\"\n"
                                    "bad event 8 at 161: invalid_timestamp_format "
                                    "\"2025-02-30T00:00:00Z\"\n"
                                    "bad event 9 at 215: invalid_json \"\"\n"
                                    "services 1\n"
                                    "service push\n"
                                    "alerts 0\n");
    text_finish(&text);
}

static void bad_events_are_kept_up_to_a_hundred(void **state)
{
    struct kairos_analysis_options options = kairos_analysis_options_default();
    struct kairos_analysis *analysis = create(&options);
    for (int i = 0; i < 250; i++)
        kairos_analysis_feed(analysis, "7\n", 2);
    assert_int_equal(kairos_analysis_finish(analysis), KAIROS_ANALYSIS_OK);
    size_t kept;
    const struct kairos_bad_event *bad = kairos_analysis_bad_events(analysis, &kept);
    assert_int_equal(kept, KAIROS_BAD_EVENTS_KEPT);
    for (size_t i = 0; i < kept; i++) {
        assert_int_equal(bad[i].number, i + 1);
        assert_int_equal(bad[i].event.offset, 2 * i);
    }
    assert_int_equal(kairos_analysis_count(analysis, KAIROS_NOT_AN_OBJECT), 250);
    kairos_analysis_destroy(analysis);
}

/* A heartbeat later than the moment is valid, and its service is one, but no silence. */
static void until_leaves_out_what_is_later(void **state)
{
    static const char log[] = "{\"service\":\"a\",\"timestamp\":0}\n"
                              "{\"service\":\"a\",\"timestamp\":1000}\n"
                              "{\"service\":\"later\",\"timestamp\":1000}\n";
    struct kairos_analysis_options options = kairos_analysis_options_default();
    options.has_until = true;
    options.until = 180 * KAIROS_SECOND; /* the third miss, at 180 s, is not yet one */
    for (unsigned alerts = 0; alerts < 2; alerts++) {
        struct kairos_analysis *analysis = create(&options);
        kairos_analysis_feed(analysis, log, strlen(log));
        assert_int_equal(kairos_analysis_finish(analysis), KAIROS_ANALYSIS_OK);
        assert_int_equal(kairos_analysis_count(analysis, KAIROS_VALID), 3);
        assert_int_equal(kairos_analysis_services(analysis), 2);
        assert_int_equal(kairos_analysis_alerts(analysis), alerts);
        kairos_analysis_destroy(analysis);
        options.until++;
    }
}

/* Also where the moment lies before 1970. */
static void until_before_all_heartbeats(void **state)
{
    static const char log[] = "[{\"service\":\"a\",\"timestamp\":0}]";
    struct kairos_analysis_options options = kairos_analysis_options_default();
    options.has_until = true;
    for (options.until = -1; options.until >= KAIROS_TIME_MIN; options.until *= 1000) {
        struct kairos_analysis *analysis = create(&options);
        kairos_analysis_feed(analysis, log, strlen(log));
        assert_int_equal(kairos_analysis_finish(analysis), KAIROS_ANALYSIS_OK);
        assert_int_equal(kairos_analysis_services(analysis), 1);
        assert_int_equal(kairos_analysis_alerts(analysis), 0);
        kairos_analysis_destroy(analysis);
    }
}

/* 8,000 years at a millisecond, times 70,000: beyond 2^64. */
static void more_alerts_than_can_be_counted(void **state)
{
    struct kairos_analysis_options options = kairos_analysis_options_default();
    struct text log = {0};
    options.policy.interval = KAIROS_INTERVAL_MIN;
    options.policy.allowed_misses = 1;
    for (int i = 0; i < 70000; i++) {
        struct kairos_analysis *analysis = NULL;
        text_print(&log,
                   "{\"service\":\"s%d\",\"timestamp\":\"0001-01-01T00:00Z\"}\n"
                   "{\"service\":\"s%d\",\"timestamp\":\"9999-12-31T23:59Z\"}\n",
                   i, i);
        if (i != 1 && i != 69999)
            continue;
        analysis = create(&options);
        kairos_analysis_feed(analysis, log.bytes, log.length);
        assert_int_equal(kairos_analysis_finish(analysis), KAIROS_ANALYSIS_OK);
        assert_int_equal(kairos_analysis_alerts(analysis),
                         i == 1 ? 2 * UINT64_C(315537897539999) : UINT64_MAX);
        kairos_analysis_destroy(analysis);
    }
    text_finish(&log);
}

static void an_error_stays(void **state)
{
    struct kairos_analysis_options options = kairos_analysis_options_default();
    struct kairos_analysis *analysis = create(&options);
    struct kairos_analysis *next = kairos_analysis_create_at(&options, KAIROS_FORMAT_ARRAY, 4);
    bool joined = true;
    assert_int_equal(kairos_analysis_feed(analysis, "[1;", 3), KAIROS_ANALYSIS_MALFORMED);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(kairos_analysis_feed(analysis, "]", 1), KAIROS_ANALYSIS_MALFORMED);
        assert_int_equal(kairos_analysis_join(analysis, next, &joined), KAIROS_ANALYSIS_MALFORMED);
        assert_false(joined);
        assert_int_equal(kairos_analysis_finish(analysis), KAIROS_ANALYSIS_MALFORMED);
        assert_int_equal(kairos_analysis_error(analysis).code, KAIROS_PARSE_SEPARATOR);
        assert_int_equal(kairos_analysis_error(analysis).offset, 2);
    }
    kairos_analysis_destroy(analysis);
    kairos_analysis_destroy(next);
}

static void an_error_in_the_second_part_is_that_of_the_whole(void **state)
{
    struct kairos_analysis_options options = kairos_analysis_options_default();
    struct kairos_analysis *analysis = create(&options);
    struct kairos_analysis *next = kairos_analysis_create_at(&options, KAIROS_FORMAT_ARRAY, 2);
    bool joined = false;
    assert_int_equal(kairos_analysis_feed(analysis, "[1", 2), KAIROS_ANALYSIS_OK);
    assert_int_equal(kairos_analysis_feed(next, ",2,,", 4), KAIROS_ANALYSIS_MALFORMED);
    /* The number may go on: that is no border yet. */
    assert_int_equal(kairos_analysis_join(analysis, next, &joined), KAIROS_ANALYSIS_OK);
    assert_false(joined);
    assert_int_equal(kairos_analysis_feed(analysis, " ", 1), KAIROS_ANALYSIS_OK);
    assert_int_equal(kairos_analysis_join(analysis, next, &joined), KAIROS_ANALYSIS_MALFORMED);
    assert_true(joined);
    assert_int_equal(kairos_analysis_error(analysis).offset, 5);
    assert_int_equal(kairos_analysis_finish(analysis), KAIROS_ANALYSIS_MALFORMED);
    kairos_analysis_destroy(analysis);
    kairos_analysis_destroy(next);
}

/*
 * The naive model: all heartbeats of a service, sorted; between two of them every expected one is
 * looked at in turn.
 */
struct model_service {
    char name[KAIROS_SERVICE_SIZE];
    int64_t *times;
    size_t count;
};

static int compare_times(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void model_silence(const struct kairos_policy *policy, const char *service, int64_t from,
                          int64_t to, struct text *alerts, size_t *count)
{
    uint32_t misses = 0;
    for (int64_t expected = from + policy->interval; expected + policy->tolerance < to;
         expected += policy->interval) {
        if (++misses < policy->allowed_misses)
            continue;
        text_print(alerts, "alert %s %jd %u %jd\n", service, (intmax_t)expected, misses,
                   (intmax_t)from);
        misses = 0;
        (*count)++;
    }
}

static void model_service(const struct kairos_analysis_options *options,
                          const struct model_service *service, struct text *alerts, size_t *count)
{
    size_t heard = 0;
    for (size_t i = 0; i < service->count; i++) {
        if (!options->has_until || service->times[i] <= options->until)
            service->times[heard++] = service->times[i];
    }
    qsort(service->times, heard, sizeof(service->times[0]), compare_times);
    for (size_t i = 0; i + 1 < heard; i++)
        model_silence(&options->policy, service->name, service->times[i], service->times[i + 1],
                      alerts, count);
    if (options->has_until && heard > 0)
        model_silence(&options->policy, service->name, service->times[heard - 1], options->until,
                      alerts, count);
}

/* What an analysis of a well-formed log has to say, by the model. */
static void model(const struct kairos_analysis_options *options, const struct text *log,
                  struct text *text)
{
    struct outcome outcome;
    size_t counts[KAIROS_REASON_COUNT] = {0}, service_count = 0, bad = 0, alert_count = 0;
    outcome_read(&outcome, &(struct reading){.complete_path = true}, log->bytes, log->length);
    struct model_service *services = calloc(outcome.count + 1, sizeof(services[0]));
    struct text bad_events = {0}, alerts = {0};
    assert_non_null(services);
    assert_false(outcome.failed);
    for (size_t i = 0; i < outcome.count; i++) {
        const struct kairos_event *event = &outcome.events[i];
        counts[event->reason]++;
        if (event->reason != KAIROS_VALID) {
            if (bad++ < KAIROS_BAD_EVENTS_KEPT)
                text_print(&bad_events, "bad event %zu at %ju: %s \"%s\"\n", i + 1,
                           (uintmax_t)event->offset, kairos_reason_name(event->reason),
                           shown(event->text, event->length));
            continue;
        }
        size_t s = 0;
        while (s < service_count && strcmp(services[s].name, event->text) != 0)
            s++;
        if (s == service_count) {
            strcpy(services[service_count++].name, event->text);
            services[s].times = malloc(outcome.count * sizeof(services[s].times[0]));
            assert_non_null(services[s].times);
        }
        services[s].times[services[s].count++] = event->time;
    }

    text->length = 0;
    text_print(text, "status 0\ntotal %zu\n", outcome.count);
    for (int reason = 0; reason < KAIROS_REASON_COUNT; reason++)
        text_print(text, "%s %zu\n", kairos_reason_name((enum kairos_reason)reason),
                   counts[reason]);
    text_add(text, bad_events.bytes, bad_events.length);
    text_print(text, "services %zu\n", service_count);
    for (size_t s = 0; s < service_count; s++) {
        text_print(text, "service %s\n", services[s].name);
        model_service(options, &services[s], &alerts, &alert_count);
        free(services[s].times);
    }
    text_print(text, "alerts %zu\n", alert_count);
    text_add(text, alerts.bytes, alerts.length);
    text_finish(&bad_events);
    text_finish(&alerts);
    free(services);
    outcome_finish(&outcome);
}

static struct kairos_analysis_options random_options(struct dice *dice)
{
    struct kairos_analysis_options options = {
        .policy = {.interval = dice_between(dice, 1, 300) * KAIROS_SECOND,
                   .tolerance = dice_chance(dice, 50) ? 0 : dice_between(dice, 0, 200000000),
                   .allowed_misses = (uint32_t)dice_between(dice, 1, 5)},
        .has_until = dice_chance(dice, 40),
        .seed = dice_roll(dice),
        .until = INT64_C(1754301900000000) + dice_between(dice, -3600, 20000) * KAIROS_SECOND,
    };
    return options;
}

static struct generator random_generator(struct dice *dice)
{
    return (struct generator){
        .dice = {dice_roll(dice)},
        .odd = (unsigned)dice_below(dice, 20),
        .bad = (unsigned)dice_below(dice, 3) * 20,
        .services = 1 + dice_below(dice, 30),
        .step = dice_between(dice, 1, 100) * KAIROS_SECOND,
    };
}

static void compare(const struct text *text, const struct text *expected)
{
    check(strcmp(text->bytes, expected->bytes) == 0, "%s\ninstead of\n%s", text->bytes,
          expected->bytes);
}

/*
 * Odd records may lie centuries apart, where the model would count for ages: a long interval then.
 */
static void generated_logs_agree_with_the_model(void **state)
{
    struct dice dice = {1};
    struct text log = {0}, text = {0}, expected = {0};
    for (int round = 0; round < 600; round++) {
        struct kairos_analysis_options options = random_options(&dice);
        struct generator generator = random_generator(&dice);
        if (dice_chance(&dice, 80))
            generator.odd = 0;
        else
            options.policy.interval = 100 * KAIROS_DAY;
        log.length = 0;
        generate_log(&generator, round % 2 == 0 ? KAIROS_FORMAT_ARRAY : KAIROS_FORMAT_NDJSON,
                     1 + dice_below(&dice, 300), &log);
        model(&options, &log, &expected);
        analyse(&options, log.bytes, log.length, &text);
        compare(&text, &expected);
    }
    text_finish(&log);
    text_finish(&text);
    text_finish(&expected);
}

/* The first policy that a log is read with: one whose reach is no longer than that of OPTIONS. */
static struct kairos_analysis_options stricter(struct dice *dice,
                                               const struct kairos_analysis_options *options)
{
    struct kairos_analysis_options early = {.policy = kairos_policy_strictest()};
    if (dice_chance(dice, 50))
        early.policy.interval = options->policy.interval;
    if (dice_chance(dice, 50))
        early.policy.allowed_misses = options->policy.allowed_misses;
    if (dice_chance(dice, 50))
        early.policy.tolerance = options->policy.tolerance;
    if (options->has_until && dice_chance(dice, 50)) {
        early.has_until = true;
        early.until = options->until;
    }
    return early;
}

static void a_policy_told_at_the_end_is_as_good_as_one_from_the_beginning(void **state)
{
    struct dice dice = {7};
    struct text log = {0}, text = {0}, expected = {0};
    for (int round = 0; round < 600; round++) {
        struct generator generator = random_generator(&dice);
        log.length = 0;
        generator.odd = dice_chance(&dice, 80) ? 0 : generator.odd;
        generate_log(&generator, round % 2 == 0 ? KAIROS_FORMAT_ARRAY : KAIROS_FORMAT_NDJSON,
                     1 + dice_below(&dice, 300), &log);
        struct kairos_analysis_options options = random_options(&dice);
        struct kairos_analysis_options early = stricter(&dice, &options);
        struct kairos_analysis *analysis = create(&early);
        kairos_analysis_feed(analysis, log.bytes, log.length);
        enum kairos_analysis_status status = kairos_analysis_finish(analysis);
        for (int other = 0; other < 4; other++) {
            if (generator.odd > 0)
                options.policy.interval = 100 * KAIROS_DAY;
            kairos_analysis_judge_by(analysis, &options);
            text.length = 0;
            describe(&text, analysis, status);
            analyse(&options, log.bytes, log.length, &expected);
            compare(&text, &expected);
            /* Another one, within the bounds of what was read. */
            options.policy.interval *= 1 + (int64_t)dice_below(&dice, 3);
            options.policy.tolerance += dice_between(&dice, 0, 100 * KAIROS_SECOND);
            if (!early.has_until && options.has_until)
                options.until += dice_between(&dice, -100, 100) * KAIROS_SECOND;
        }
        kairos_analysis_destroy(analysis);
    }
    text_finish(&log);
    text_finish(&text);
    text_finish(&expected);
}

/* Analyses LOG in parts that begin at CUTS, the way a command with several threads does. */
static size_t analyse_parts(const struct kairos_analysis_options *options, const struct text *log,
                            enum kairos_format format, const size_t *cuts, size_t count,
                            struct text *text)
{
    struct kairos_analysis *analysis = create(options);
    size_t joins = 0, first = count > 0 ? cuts[0] : log->length;
    kairos_analysis_feed(analysis, log->bytes, first);
    for (size_t i = 0; i < count; i++) {
        size_t end = i + 1 < count ? cuts[i + 1] : log->length, size = end - cuts[i];
        struct kairos_analysis *next = kairos_analysis_create_at(options, format, cuts[i]);
        bool joined;
        assert_non_null(next);
        kairos_analysis_feed(next, log->bytes + cuts[i], size);
        kairos_analysis_join(analysis, next, &joined);
        if (!joined) /* as if the part had never been */
            kairos_analysis_feed(analysis, log->bytes + cuts[i], size);
        joins += joined;
        kairos_analysis_destroy(next);
    }
    finish(analysis, text);
    return joins;
}

/* Logs with all that a cut may meet: bad events, nesting, borders that are none, errors. */
static const char *const logs[] = {
    "[{\"service\":\"a\",\"timestamp\":0},{\"service\":\"b\",\"timestamp\":60},\n"
    " {\"service\":\"a\",\"timestamp\":900,\"x\":[{\"y\":1},{\"y\":\"},{\"}]}, 7 ,\n"
    " {\"service\":\"b\",\"timestamp\":0},{\"service\":\"c\"},{\"service\":\"A\",\"timestamp\":400}"
    "]\n",

    "{\"service\":\"a\",\"timestamp\":0}\n{\"service\":\"b\",\"timestamp\":60}\n\n"
    "{\"service\":\"a\",\"timestamp\":900,\"x\":[{\"y\":1}]}\nno JSON\r\n  {\"service\":\"b\"}  \n"
    "{\"service\":\"c\",\"timestamp\":1}\n{\"service\":\"a\",\"timestamp\":400}",

    "[{\"service\":\"a\",\"timestamp\":0},{\"service\":\"b\",\"timestamp\":60},{]",
    "[{\"service\":\"a\",\"timestamp\":0},{\"service\":\"b\",\"timestamp\":60}] x",
    "[{\"service\":\"a\",\"timestamp\":0},{\"service\":\"b\",\"timestamp\":60}",
};

static void a_cut_anywhere_changes_nothing(void **state)
{
    struct kairos_analysis_options options = kairos_analysis_options_default();
    struct text whole = {0}, parts = {0};
    for (size_t i = 0; i < COUNT_OF(logs); i++) {
        struct text log = {.bytes = (char *)(uintptr_t)logs[i], .length = strlen(logs[i])};
        enum kairos_format format = logs[i][0] == '[' ? KAIROS_FORMAT_ARRAY : KAIROS_FORMAT_NDJSON;
        size_t joins = 0;
        analyse(&options, log.bytes, log.length, &whole);
        for (size_t at = 0; at <= log.length; at++) {
            joins += analyse_parts(&options, &log, format, &at, 1, &parts);
            compare(&parts, &whole);
        }
        check(joins >= 2 && joins < log.length, "log %zu was joined at %zu places", i, joins);
    }
    text_finish(&whole);
    text_finish(&parts);
}

/* At guessed borders, as a command would, or at any byte; in well-formed logs and damaged ones. */
static void generated_logs_in_several_parts(void **state)
{
    struct dice dice = {2};
    struct text log = {0}, whole = {0}, parts = {0};
    size_t joins = 0;
    for (int round = 0; round < 800; round++) {
        enum kairos_format format = round % 2 == 0 ? KAIROS_FORMAT_ARRAY : KAIROS_FORMAT_NDJSON;
        struct kairos_analysis_options options = random_options(&dice);
        struct generator generator = random_generator(&dice);
        options.policy.interval *= 10000; /* or some rounds had millions of alerts to compare */
        log.length = 0;
        generate_log(&generator, format, 1 + dice_below(&dice, 200), &log);
        if (dice_chance(&dice, 30))
            damage(&dice, &log);
        if ((log.bytes[0] == '[') != (format == KAIROS_FORMAT_ARRAY))
            continue; /* damaged into the other format */

        size_t cuts[5], count = 0, from = 0;
        while (count < COUNT_OF(cuts)) {
            from += dice_below(&dice, log.length / 3 + 1);
            if (from >= log.length)
                break;
            if (dice_chance(&dice, 80))
                from += kairos_parser_guess_border(format, log.bytes + from, log.length - from);
            cuts[count++] = from;
        }
        analyse(&options, log.bytes, log.length, &whole);
        joins += analyse_parts(&options, &log, format, cuts, count, &parts);
        compare(&parts, &whole);
    }
    assert_true(joins > 800);
    text_finish(&log);
    text_finish(&whole);
    text_finish(&parts);
}

/* Bad events are numbered through all parts, and kept up to the limit of the whole. */
static void bad_events_are_numbered_through_all_parts(void **state)
{
    struct kairos_analysis_options options = kairos_analysis_options_default();
    struct text log = {0}, whole = {0}, parts = {0};
    for (int i = 0; i < 300; i++)
        text_print(&log, "%s\n", i % 2 == 0 ? "{\"service\":\"a\",\"timestamp\":0}" : "{}");
    analyse(&options, log.bytes, log.length, &whole);
    for (size_t line = 0; line < 300; line += 7) {
        const char *c = log.bytes;
        for (size_t i = 0; i < line; i++)
            c = strchr(c, '\n') + 1;
        size_t cuts[] = {(size_t)(c - log.bytes), log.length};
        analyse_parts(&options, &log, KAIROS_FORMAT_NDJSON, cuts, COUNT_OF(cuts), &parts);
        compare(&parts, &whole);
    }
    text_finish(&log);
    text_finish(&whole);
    text_finish(&parts);
}

/* However a log is cut into blocks, it is the same log. */
static void blocks_of_any_size(void **state)
{
    struct dice dice = {3};
    struct fence fence;
    struct text log = {0}, whole = {0}, text = {0};
    fence_init(&fence, 4096);
    for (int round = 0; round < 200; round++) {
        struct kairos_analysis_options options = random_options(&dice);
        struct generator generator = random_generator(&dice);
        options.policy.interval *= 10000;
        log.length = 0;
        generate_log(&generator, round % 2 == 0 ? KAIROS_FORMAT_ARRAY : KAIROS_FORMAT_NDJSON, 100,
                     &log);
        analyse(&options, log.bytes, log.length, &whole);
        struct kairos_analysis *analysis = create(&options);
        size_t most = dice_chance(&dice, 20) ? 1 : 4096;
        for (size_t at = 0, size; at < log.length; at += size) {
            size = dice_below(&dice, most + 1);
            size = size < log.length - at ? size : log.length - at;
            kairos_analysis_feed(analysis, fence_place(&fence, log.bytes + at, size), size);
        }
        finish(analysis, &text);
        compare(&text, &whole);
    }
    fence_finish(&fence);
    text_finish(&log);
    text_finish(&whole);
    text_finish(&text);
}

static void many_services(void **state)
{
    struct kairos_analysis_options options = kairos_analysis_options_default();
    struct kairos_analysis *analysis = create(&options);
    struct text log = {0};
    const size_t count = 20000;
    for (size_t i = 0; i < 2 * count; i++)
        text_print(&log, "{\"service\":\"s%zu\",\"timestamp\":%zu}\n", i % count, i / count * 240);
    assert_int_equal(kairos_analysis_feed(analysis, log.bytes, log.length), KAIROS_ANALYSIS_OK);
    assert_int_equal(kairos_analysis_finish(analysis), KAIROS_ANALYSIS_OK);
    assert_int_equal(kairos_analysis_services(analysis), count);
    assert_int_equal(kairos_analysis_alerts(analysis), count);
    struct kairos_alert_cursor cursor = {0};
    for (size_t i = 0; i < count; i++) {
        char expected[16];
        assert_true(kairos_analysis_next_alert(analysis, &cursor));
        snprintf(expected, sizeof(expected), "s%zu", i);
        assert_string_equal(cursor.service, expected);
        assert_int_equal(cursor.alert.alert_at, 180 * KAIROS_SECOND);
        assert_int_equal(cursor.alert.last_seen, 0);
    }
    assert_false(kairos_analysis_next_alert(analysis, &cursor));
    kairos_analysis_destroy(analysis);
    text_finish(&log);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rules_by_example),
        cmocka_unit_test(an_empty_array_is_an_empty_result),
        cmocka_unit_test(an_empty_log_is_an_error),
        cmocka_unit_test(every_bad_event_is_counted_under_its_reason),
        cmocka_unit_test(bad_events_are_kept_up_to_a_hundred),
        cmocka_unit_test(until_leaves_out_what_is_later),
        cmocka_unit_test(until_before_all_heartbeats),
        cmocka_unit_test(more_alerts_than_can_be_counted),
        cmocka_unit_test(an_error_stays),
        cmocka_unit_test(an_error_in_the_second_part_is_that_of_the_whole),
        cmocka_unit_test(generated_logs_agree_with_the_model),
        cmocka_unit_test(a_policy_told_at_the_end_is_as_good_as_one_from_the_beginning),
        cmocka_unit_test(a_cut_anywhere_changes_nothing),
        cmocka_unit_test(generated_logs_in_several_parts),
        cmocka_unit_test(bad_events_are_numbered_through_all_parts),
        cmocka_unit_test(blocks_of_any_size),
        cmocka_unit_test(many_services),
    };
    return cmocka_run_group_tests_name("analysis", tests, NULL, NULL);
}
