/*
 * test_memory.c - memory that runs out, at each allocation in turn: no crash, no leak, and whoever
 * asked is told.
 *
 * The program is linked with --wrap for malloc, calloc and realloc.
 */
#include <stdlib.h>

#include <kairos/analysis.h>
#include <kairos/timeline.h>

#include "alloc_fail.h"
#include "roster.h"
#include "support.h"

/* A try succeeds or says that memory ran out; it asserts what must hold either way. */
typedef bool attempt(const void *subject);

/* Fails the n-th allocation, for n = 1, 2, … until there are fewer; returns how many there were. */
static unsigned fail_each(attempt *try, const void *subject)
{
    for (unsigned number = 1;; number++) {
        bool failed = false;
        for (int for_good = 0; for_good < 2; for_good++) {
            alloc_fail_arm(number, for_good != 0);
            bool done = try(subject);
            failed = alloc_fail_disarm();
            assert_int_equal(done, !failed);
        }
        if (!failed)
            return number - 1;
    }
}

/* A log that needs memory of every kind: names, slots, records, marks. */
static void write_log(struct text *log)
{
    for (int i = 0; i < 2500; i++)
        text_print(log, "{\"service\":\"service-%d\",\"timestamp\":%d}\n", i, i % 7 * 1000);
    for (int i = 0; i < 300; i++)
        text_print(log, "{\"service\":\"a\",\"timestamp\":%d}\n", i * 7919 % 300 * 1000);
}

static bool analyse(const void *subject)
{
    const struct text *log = subject;
    struct kairos_analysis_options options = kairos_analysis_options_default();
    struct kairos_analysis *analysis = kairos_analysis_create(&options);
    if (analysis == NULL)
        return false;
    enum kairos_analysis_status status = kairos_analysis_feed(analysis, log->bytes, log->length);
    if (status != KAIROS_ANALYSIS_OK) {
        assert_int_equal(status, KAIROS_ANALYSIS_NO_MEMORY);
        assert_int_equal(kairos_analysis_feed(analysis, "{}\n", 3), KAIROS_ANALYSIS_NO_MEMORY);
        assert_int_equal(kairos_analysis_error(analysis).code, KAIROS_PARSE_OK);
    }
    assert_int_equal(kairos_analysis_finish(analysis), status);
    if (status == KAIROS_ANALYSIS_OK)
        assert_int_equal(kairos_analysis_services(analysis), 2501);
    kairos_analysis_destroy(analysis);
    return status == KAIROS_ANALYSIS_OK;
}

static void an_analysis_says_so(void **state)
{
    struct text log = {0};
    write_log(&log);
    assert_true(fail_each(analyse, &log) > 10);
    text_finish(&log);
}

/* The two parts of the log differ in services and silences, so that joining needs memory too. */
static bool analyse_in_two(const void *subject)
{
    const struct text *log = subject;
    struct kairos_analysis_options options = kairos_analysis_options_default();
    struct kairos_analysis *first = kairos_analysis_create(&options);
    struct kairos_analysis *second =
        kairos_analysis_create_at(&options, KAIROS_FORMAT_NDJSON, log->length);
    enum kairos_analysis_status status = KAIROS_ANALYSIS_NO_MEMORY;
    bool joined;
    if (first != NULL && second != NULL) {
        static const char before[] = "{\"service\":\"a\",\"timestamp\":-1000000}\n";
        kairos_analysis_feed(first, before, strlen(before));
        kairos_analysis_feed(second, log->bytes, log->length);
        status = kairos_analysis_join(first, second, &joined);
        assert_int_equal(kairos_analysis_finish(first), status);
    }
    kairos_analysis_destroy(first);
    kairos_analysis_destroy(second);
    return status == KAIROS_ANALYSIS_OK;
}

static void a_join_says_so(void **state)
{
    struct text log = {0};
    write_log(&log);
    assert_true(fail_each(analyse_in_two, &log) > 20);
    text_finish(&log);
}

static bool create_parser(const void *subject)
{
    struct kairos_parser *parser = kairos_parser_create();
    struct kairos_parser *second = kairos_parser_create_at(KAIROS_FORMAT_ARRAY, 7);
    bool done = parser != NULL && second != NULL;
    kairos_parser_destroy(parser);
    kairos_parser_destroy(second);
    return done;
}

/* Reading allocates nothing: whatever a log holds, a parser that exists does not fail. */
static void a_parser_is_all_that_is_allocated(void **state)
{
    static const char log[] =
        "[{\"service\":\"push\",\"timestamp\":0,\"x\":[[[[{\"a\":1e400}]]]]}]";
    assert_int_equal(fail_each(create_parser, NULL), 2);

    struct kairos_parser *parser = kairos_parser_create();
    struct kairos_event event;
    const char *cursor = log;
    alloc_fail_arm(1, true);
    size_t count = kairos_parser_read(parser, &cursor, log + strlen(log), &event, 1);
    assert_false(alloc_fail_disarm());
    assert_int_equal(count, 1);
    assert_int_equal(event.reason, KAIROS_VALID);
    kairos_parser_destroy(parser);
}

/* A heartbeat for which there was no memory is lacking, and nothing else is. */
static bool fill_timeline(const void *subject)
{
    struct kairos_timeline timeline;
    struct kairos_silence silence;
    size_t lacking = 0, position = 0, silences = 0;
    kairos_timeline_init(&timeline);
    for (int64_t i = 0; i < 1000; i++)
        lacking += !kairos_timeline_add(&timeline, 10, i * 7919 % 1000 * 100);
    alloc_fail_disarm();
    assert_true(kairos_timeline_add(&timeline, 10, 1000 * 100));
    kairos_timeline_settle(&timeline, 10);
    while (kairos_timeline_next_silence(&timeline, &position, &silence))
        silences++;
    assert_int_equal(silences, 1000 - lacking);
    kairos_timeline_finish(&timeline);
    return lacking == 0;
}

static void a_timeline_lacks_one_heartbeat_and_stays_usable(void **state)
{
    assert_true(fail_each(fill_timeline, NULL) > 5);
}

/* Of two timelines that could not be joined, both may be finished. */
static bool join_timelines(const void *subject)
{
    struct kairos_timeline timeline, other;
    kairos_timeline_init(&timeline);
    kairos_timeline_init(&other);
    bool done = true;
    for (int64_t i = 0; i < 100; i++) {
        done &= kairos_timeline_add(&timeline, 10, i * 100);
        done &= kairos_timeline_add(&other, 10, i * 100 + 50);
    }
    done &= kairos_timeline_join(&timeline, 10, &other);
    kairos_timeline_finish(&timeline);
    kairos_timeline_finish(&other);
    return done;
}

static void timelines_that_cannot_be_joined(void **state)
{
    assert_true(fail_each(join_timelines, NULL) > 5);
}

/* A name for which there was no memory is not entered, and those before it still are. */
static bool fill_roster(const void *subject)
{
    struct roster roster;
    size_t entered = 0, position = 0;
    if (!roster_init(&roster, 1))
        return false;
    for (size_t i = 0; i < 3000; i++) {
        char name[KAIROS_SERVICE_SIZE] = "service-";
        for (size_t digit = 8, rest = i; digit < 20; digit++, rest /= 10)
            name[digit] = (char)('0' + rest % 10);
        entered += roster_intern(&roster, name, 20, roster_hash(&roster, name, 20)) != NULL;
    }
    assert_int_equal(roster.services, entered);
    while (roster_next(&roster, &position) != NULL)
        entered--;
    assert_int_equal(entered, 0);
    bool done = roster.services == 3000;
    roster_finish(&roster);
    return done;
}

static void a_roster_lacks_one_name_and_stays_usable(void **state)
{
    assert_true(fail_each(fill_roster, NULL) > 5);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_analysis_says_so),
        cmocka_unit_test(a_join_says_so),
        cmocka_unit_test(a_parser_is_all_that_is_allocated),
        cmocka_unit_test(a_timeline_lacks_one_heartbeat_and_stays_usable),
        cmocka_unit_test(timelines_that_cannot_be_joined),
        cmocka_unit_test(a_roster_lacks_one_name_and_stays_usable),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
