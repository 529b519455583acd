/*
 * test_analysis.c - logs through the whole library: examples of the rules, cuts at every border,
 * and memory that runs out at every allocation.
 */
#include "support.h"

#include <stdio.h>

#include <kairos/analysis.h>
#include <kairos/timestamp.h>

/* Allocation that fails from the n-th call on; see the link arguments. */

static long allocations_left = -1; /* negative: as many as it likes */

static bool may_allocate(void)
{
    if (allocations_left == 0)
        return false;
    if (allocations_left > 0)
        allocations_left--;
    return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_malloc(size_t size)
{
    return may_allocate() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return may_allocate() ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *memory, size_t size)
{
    return may_allocate() ? __real_realloc(memory, size) : NULL;
}

/* An analysis as text, so that two can be compared at a glance. */
static void describe(struct text *text, const struct kairos_analysis *analysis,
                     enum kairos_analysis_status status)
{
    text_print(text, "status %d total %llu\n", (int)status,
               (unsigned long long)kairos_analysis_total(analysis));
    if (status == KAIROS_ANALYSIS_MALFORMED) {
        struct kairos_parse_error error = kairos_analysis_error(analysis);
        text_print(text, "error %d at %llu\n", (int)error.code, (unsigned long long)error.offset);
        return;
    }
    for (int reason = 0; reason < KAIROS_REASON_COUNT; reason++)
        text_print(text, "%s %llu\n", kairos_reason_name((enum kairos_reason)reason),
                   (unsigned long long)kairos_analysis_count(analysis, (enum kairos_reason)reason));

    size_t count;
    const struct kairos_bad_event *bad = kairos_analysis_bad_events(analysis, &count);
    for (size_t i = 0; i < count; i++)
        text_print(text, "bad event %llu at %llu: %s\n", (unsigned long long)bad[i].number,
                   (unsigned long long)bad[i].event.offset,
                   kairos_reason_name(bad[i].event.reason));

    struct kairos_service_cursor services = {0};
    while (kairos_analysis_next_service(analysis, &services))
        text_print(text, "service %s\n", services.service);

    struct kairos_alert_cursor cursor = {0};
    text_print(text, "alerts %llu\n", (unsigned long long)kairos_analysis_alerts(analysis));
    while (kairos_analysis_next_alert(analysis, &cursor)) {
        char alert_at[KAIROS_TIMESTAMP_SIZE], last_seen[KAIROS_TIMESTAMP_SIZE];
        kairos_timestamp_format(cursor.alert.alert_at, alert_at);
        kairos_timestamp_format(cursor.alert.last_seen, last_seen);
        text_print(text, "alert %s %s %u %s\n", cursor.service, alert_at, cursor.alert.missed_count,
                   last_seen);
    }
}

static struct kairos_analysis *create(void)
{
    struct kairos_analysis_options options = kairos_analysis_options_default();
    struct kairos_analysis *analysis = kairos_analysis_create(&options);
    assert_non_null(analysis);
    return analysis;
}

/* What becomes of a log read by one analysis from its beginning to its end. */
static struct text analysed(const char *log, size_t length)
{
    struct text text = {0};
    struct kairos_analysis *analysis = create();
    kairos_analysis_feed(analysis, log, length);
    describe(&text, analysis, kairos_analysis_finish(analysis));
    kairos_analysis_destroy(analysis);
    return text;
}

/* The worked example of the rules: 10:00, 10:01, 10:02, then AGAIN. */
static uint64_t alerts_of_example(const char *again, struct kairos_alert_cursor *cursor,
                                  struct kairos_analysis **analysis)
{
    char log[512];
    int length = snprintf(log, sizeof(log),
                          "{\"service\":\"push\",\"timestamp\":\"2025-08-04T10:00:00Z\"}\n"
                          "{\"service\":\"push\",\"timestamp\":\"2025-08-04T10:01:00Z\"}\n"
                          "{\"service\":\"push\",\"timestamp\":\"2025-08-04T10:02:00Z\"}\n"
                          "{\"service\":\"push\",\"timestamp\":\"%s\"}",
                          again);
    *analysis = create();
    assert_int_equal(kairos_analysis_feed(*analysis, log, (size_t)length), KAIROS_ANALYSIS_OK);
    assert_int_equal(kairos_analysis_finish(*analysis), KAIROS_ANALYSIS_OK);
    kairos_analysis_next_alert(*analysis, cursor);
    return kairos_analysis_alerts(*analysis);
}

static void test_worked_example(void **state)
{
    struct kairos_analysis *analysis;
    struct kairos_alert_cursor cursor = {0};
    int64_t expected;

    assert_int_equal(alerts_of_example("2025-08-04T10:06:00Z", &cursor, &analysis), 1);
    assert_string_equal(cursor.service, "push");
    assert_int_equal(cursor.alert.missed_count, 3);
    kairos_timestamp_parse("2025-08-04T10:05:00Z", 20, &expected);
    assert_int_equal(cursor.alert.alert_at, expected);
    kairos_timestamp_parse("2025-08-04T10:02:00Z", 20, &expected);
    assert_int_equal(cursor.alert.last_seen, expected);
    kairos_analysis_destroy(analysis);

    struct kairos_alert_cursor none = {0};
    assert_int_equal(alerts_of_example("2025-08-04T10:05:00Z", &none, &analysis), 0);
    kairos_analysis_destroy(analysis);
}

static void test_until_leaves_out_what_is_later(void **state)
{
    static const char log[] = "{\"service\":\"a\",\"timestamp\":0}\n"
                              "{\"service\":\"a\",\"timestamp\":1000}\n"
                              "{\"service\":\"later\",\"timestamp\":1000}\n";
    struct kairos_analysis_options options = kairos_analysis_options_default();
    options.has_until = true;
    options.until = 180 * KAIROS_SECOND; /* the third miss, at 180 s, is not yet one */
    for (int step = 0; step < 2; step++) {
        struct kairos_analysis *analysis = kairos_analysis_create(&options);
        kairos_analysis_feed(analysis, log, sizeof(log) - 1);
        assert_int_equal(kairos_analysis_finish(analysis), KAIROS_ANALYSIS_OK);
        assert_int_equal(kairos_analysis_count(analysis, KAIROS_VALID), 3);
        assert_int_equal(kairos_analysis_services(analysis), 2);
        assert_int_equal(kairos_analysis_alerts(analysis), step);
        kairos_analysis_destroy(analysis);
        options.until++;
    }
}

static void test_bad_events_are_kept_up_to_a_hundred(void **state)
{
    struct kairos_analysis *analysis = create();
    for (int i = 0; i < 250; i++)
        kairos_analysis_feed(analysis, "7\n", 2);
    assert_int_equal(kairos_analysis_finish(analysis), KAIROS_ANALYSIS_OK);
    size_t kept;
    const struct kairos_bad_event *bad = kairos_analysis_bad_events(analysis, &kept);
    assert_int_equal(kept, KAIROS_BAD_EVENTS_KEPT);
    assert_int_equal(bad[99].number, 100);
    assert_int_equal(bad[99].event.offset, 198);
    assert_int_equal(kairos_analysis_count(analysis, KAIROS_NOT_AN_OBJECT), 250);
    kairos_analysis_destroy(analysis);
}

static void test_more_alerts_than_can_be_counted(void **state)
{
    struct kairos_analysis_options options = kairos_analysis_options_default();
    options.policy.interval = KAIROS_INTERVAL_MIN;
    options.policy.allowed_misses = 1;
    struct kairos_analysis *analysis = kairos_analysis_create(&options);
    struct text log = {0};
    for (int i = 0; i < 70000; i++) /* 70,000 times 3.2·10^14 is beyond 2^64 */
        text_print(&log,
                   "{\"service\":\"s%d\",\"timestamp\":\"0001-01-01T00:00Z\"}\n"
                   "{\"service\":\"s%d\",\"timestamp\":\"9999-12-31T23:59Z\"}\n",
                   i, i);
    kairos_analysis_feed(analysis, log.bytes, log.length);
    assert_int_equal(kairos_analysis_finish(analysis), KAIROS_ANALYSIS_OK);
    assert_true(kairos_analysis_alerts(analysis) == UINT64_MAX);
    text_finish(&log);
    kairos_analysis_destroy(analysis);
}

static void test_an_error_stays(void **state)
{
    struct kairos_analysis *analysis = create();
    assert_int_equal(kairos_analysis_feed(analysis, "[1;", 3), KAIROS_ANALYSIS_MALFORMED);
    assert_int_equal(kairos_analysis_feed(analysis, "]", 1), KAIROS_ANALYSIS_MALFORMED);
    assert_int_equal(kairos_analysis_finish(analysis), KAIROS_ANALYSIS_MALFORMED);
    assert_int_equal(kairos_analysis_error(analysis).code, KAIROS_PARSE_SEPARATOR);
    assert_int_equal(kairos_analysis_error(analysis).offset, 2);
    kairos_analysis_destroy(analysis);
}

/* Logs with all that a cut may meet: bad events, nesting, borders that are none, late heartbeats.
 */
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

/* Cuts LOG at byte AT; returns whether the parts could be joined there. */
static bool analysed_in_two(const char *log, size_t length, size_t at, struct text *text)
{
    struct kairos_analysis_options options = kairos_analysis_options_default();
    struct kairos_analysis *first = create();
    kairos_analysis_feed(first, log, at);
    struct kairos_analysis *second = kairos_analysis_create_at(
        &options, log[0] == '[' ? KAIROS_FORMAT_ARRAY : KAIROS_FORMAT_NDJSON, at);
    assert_non_null(second);
    kairos_analysis_feed(second, log + at, length - at);

    bool joined;
    kairos_analysis_join(first, second, &joined);
    if (!joined) /* as if the second had never been */
        kairos_analysis_feed(first, log + at, length - at);
    kairos_analysis_destroy(second);
    describe(text, first, kairos_analysis_finish(first));
    kairos_analysis_destroy(first);
    return joined;
}

static void test_a_cut_anywhere_changes_nothing(void **state)
{
    for (size_t i = 0; i < COUNT_OF(logs); i++) {
        size_t length = strlen(logs[i]), joined = 0;
        struct text whole = analysed(logs[i], length);
        for (size_t at = 0; at <= length; at++) {
            struct text parts = {0};
            joined += analysed_in_two(logs[i], length, at, &parts);
            check(strcmp(whole.bytes, parts.bytes) == 0, "log %zu cut at %zu:\n%s\nnot\n%s", i, at,
                  parts.bytes, whole.bytes);
            text_finish(&parts);
        }
        check(joined >= 2 && joined < length, "log %zu was joined at %zu places", i, joined);
        text_finish(&whole);
    }
}

static void test_joined_timelines_are_one(void **state)
{
    /* Silences that only both parts together fill, or only one of them has. */
    struct dice dice = {.state = 7};
    for (int round = 0; round < 200; round++) {
        struct text log = {0};
        size_t events = 2 + dice_below(&dice, 200), cut = 0;
        size_t half = dice_below(&dice, events);
        for (size_t i = 0; i < events; i++) {
            if (i == half)
                cut = log.length;
            text_print(&log, "{\"service\":\"s%zu\",\"timestamp\":%zu}\n", dice_below(&dice, 5),
                       dice_below(&dice, 20) * 100 + dice_below(&dice, 5));
        }
        struct text whole = analysed(log.bytes, log.length), parts = {0};
        assert_true(analysed_in_two(log.bytes, log.length, cut, &parts) || cut == 0);
        assert_string_equal(whole.bytes, parts.bytes);
        text_finish(&log);
        text_finish(&whole);
        text_finish(&parts);
    }
}

/* A log that needs every kind of memory: names, slots, records, marks. */
static struct text large_log(void)
{
    struct text log = {0};
    for (int i = 0; i < 3000; i++)
        text_print(&log, "{\"service\":\"service-%d\",\"timestamp\":%d}\n", i, i % 7 * 1000);
    for (int i = 0; i < 300; i++)
        text_print(&log, "{\"service\":\"a\",\"timestamp\":%d}\n", i * 7919 % 300 * 1000);
    return log;
}

/* Analyses LOG in two parts and joins them; returns what became of it, if it could begin at all. */
static enum kairos_analysis_status analyse_carefully(const struct text *log, struct text *text)
{
    struct kairos_analysis_options options = kairos_analysis_options_default();
    struct kairos_analysis *first = kairos_analysis_create(&options);
    struct kairos_analysis *second = kairos_analysis_create_at(&options, KAIROS_FORMAT_NDJSON, 0);
    enum kairos_analysis_status status = KAIROS_ANALYSIS_NO_MEMORY;
    bool joined;
    if (first != NULL && second != NULL) {
        kairos_analysis_feed(first, log->bytes, log->length);
        kairos_analysis_feed(second, log->bytes, log->length);
        kairos_analysis_join(first, second, &joined);
        status = kairos_analysis_finish(first);
    }
    if (status == KAIROS_ANALYSIS_OK && text != NULL)
        describe(text, first, status);
    kairos_analysis_destroy(first);
    kairos_analysis_destroy(second);
    return status;
}

static void test_memory_may_run_out_anywhere(void **state)
{
    struct text log = large_log();
    long failures = 0;
    for (long allowed = 0;; allowed++) {
        allocations_left = allowed;
        enum kairos_analysis_status status = analyse_carefully(&log, NULL);
        allocations_left = -1;
        if (status == KAIROS_ANALYSIS_OK)
            break;
        assert_int_equal(status, KAIROS_ANALYSIS_NO_MEMORY);
        failures++;
    }
    assert_true(failures > 10);

    struct text text = {0};
    assert_int_equal(analyse_carefully(&log, &text), KAIROS_ANALYSIS_OK);
    assert_true(text.length > 3000);
    text_finish(&text);
    text_finish(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worked_example),
        cmocka_unit_test(test_until_leaves_out_what_is_later),
        cmocka_unit_test(test_bad_events_are_kept_up_to_a_hundred),
        cmocka_unit_test(test_more_alerts_than_can_be_counted),
        cmocka_unit_test(test_an_error_stays),
        cmocka_unit_test(test_a_cut_anywhere_changes_nothing),
        cmocka_unit_test(test_joined_timelines_are_one),
        cmocka_unit_test(test_memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
