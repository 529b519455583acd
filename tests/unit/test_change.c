/*
 * test_change.c - the body of a request that declares or changes a service.
 */
#include "change.h"

#include <stdio.h>

#include "support.h"

static enum change_result parse(const char *text, struct service_change *change,
                                struct failure *failure)
{
    *change = (struct service_change){0};
    return change_parse(text, strlen(text), change, failure);
}

static void nothing_is_said(void **state)
{
    static const char *const rows[] = {"", "{}", " { } \n"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct service_change change;
        struct failure failure;
        assert_int_equal(parse(rows[i], &change, &failure), CHANGE_OK);
        assert_false(change.has_interval || change.has_allowed_misses || change.has_tolerance ||
                     change.has_max_runtime);
    }
}

static void durations(void **state)
{
    static const struct {
        const char *text;
        int64_t duration;
    } rows[] = {
        {"60", 60 * KAIROS_SECOND},
        {"1", KAIROS_SECOND},
        {"1.5", 1500000},
        {"1.001", 1001000},
        {"1e3", 1000 * KAIROS_SECOND},
        {"\"90s\"", 90 * KAIROS_SECOND},
        {"\"1500ms\"", 1500000},
        {"\"5m\"", 5 * KAIROS_MINUTE},
        {"\"60\"", 60 * KAIROS_SECOND},
        {"\"366d\"", 366 * KAIROS_DAY},
        {"31622400", 366 * KAIROS_DAY},
        {"31622399.999", 366 * KAIROS_DAY - 1000},
        {"1.1", 1100000},
        {"4.35", 4350000},
        {"1234567.891", 1234567891000},
        {"1.0000000001", KAIROS_SECOND},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[100];
        struct service_change change;
        struct failure failure;
        snprintf(text, sizeof(text), "{\"interval\":%s}", rows[i].text);
        check(parse(text, &change, &failure) == CHANGE_OK, "%s", text);
        assert_true(change.has_interval);
        assert_int_equal(change.policy.interval, rows[i].duration);
    }
}

static void all_members(void **state)
{
    struct service_change change;
    struct failure failure;
    assert_int_equal(parse("{\"interval\":60,\"allowed_misses\":1000000,\"tolerance\":0.25,"
                           "\"max_runtime\":\"2h\"}",
                           &change, &failure),
                     CHANGE_OK);
    assert_true(change.has_interval && change.has_allowed_misses && change.has_tolerance &&
                change.has_max_runtime);
    assert_int_equal(change.policy.allowed_misses, 1000000);
    assert_int_equal(change.policy.tolerance, 250000);
    assert_int_equal(change.max_runtime, 2 * KAIROS_HOUR);

    assert_int_equal(parse("{\"max_runtime\":null}", &change, &failure), CHANGE_OK);
    assert_true(change.has_max_runtime);
    assert_int_equal(change.max_runtime, 0);
}

static void labels(void **state)
{
    struct service_change change;
    struct failure failure;
    assert_int_equal(
        parse("{\"description\":\"\\u00fc\\n\",\"tags\":[\"B\",\"a\",\"b\"]}", &change, &failure),
        CHANGE_OK);
    assert_true(change.has_description && change.has_tags);
    assert_false(change.has_interval || change.has_paused);
    assert_string_equal(change.label.description, "\xc3\xbc\n");
    assert_int_equal(change.label.length, 3);
    assert_string_equal(change.label.tags.text, "a,b");
    assert_int_equal(parse("{\"description\":\"\",\"tags\":[]}", &change, &failure), CHANGE_OK);
    assert_true(change.has_description && change.has_tags);
    assert_true(label_is_empty(&change.label));
}

static bool read_entry(const char *text, struct service_name *name, struct service_change *change,
                       struct failure *failure)
{
    enum change_result result;
    *change = (struct service_change){0};
    json_t *object = change_load(text, strlen(text), &result, failure);
    assert_non_null(object);
    bool read = change_read_entry(object, name, change, failure);
    json_decref(object);
    return read;
}

static void entries(void **state)
{
    static const struct {
        const char *text, *failure;
    } rows[] = {
        {"{}", "service: it is missing"},
        {"7", "it is no object"},
        {"{\"service\":7}", "service: it is no name"},
        {"{\"service\":\"\"}", "service: it is no name"},
        {"{\"service\":\"a b\"}", "service: it is no name"},
        {"{\"service\":\"a\",\"paused\":0}", "paused: it may be true or false"},
        {"{\"service\":\"a\",\"status\":\"up\"}", "unknown key 'status'; known are service, "},
        {"{\"service\":\"a\",\"interval\":0}", "interval: "},
    };
    struct service_name name;
    struct service_change change;
    struct failure failure;
    assert_true(read_entry("{\"service\":\" Push \",\"paused\":true,\"tolerance\":1}", &name,
                           &change, &failure));
    assert_string_equal(name.text, "push");
    assert_int_equal(name.length, 4);
    assert_true(change.has_paused && change.paused && change.has_tolerance);
    assert_true(read_entry("{\"service\":\"push\"}", &name, &change, &failure));
    assert_false(change.has_paused || change.has_interval || change.has_tags);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_false(read_entry(rows[i].text, &name, &change, &failure));
        check(strstr(failure.text, rows[i].failure) == failure.text, "%s", failure.text);
    }
}

static void keys_of_a_service(void **state)
{
    static const char *const keys[] = {"interval",    "allowed_misses", "tolerance",
                                       "max_runtime", "description",    "tags"};
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        assert_string_equal(change_key(i), keys[i]);
    assert_null(change_key(COUNT_OF(keys)));
    assert_null(change_key(SIZE_MAX));
}

static void what_is_invalid(void **state)
{
    static const struct {
        const char *text, *found; /* in the failure */
    } rows[] = {
        {"[]", "no JSON object"},
        {"null", "no JSON object"},
        {"\"x\"", "no JSON object"},
        {"7", "no JSON object"},
        {"{\"intervall\":60}", "unknown key 'intervall'"},
        {"{\"\":60}", "unknown key ''"},
        {"{\"interval\":60,\"interval\":60}", "duplicate"},
        {"{\"interval\":null}", "interval: "},
        {"{\"interval\":true}", "interval: "},
        {"{\"interval\":[60]}", "interval: "},
        {"{\"interval\":0}", "1 second to 366 days"},
        {"{\"interval\":-60}", "interval: "},
        {"{\"interval\":0.999}", "interval: "},
        {"{\"interval\":1.0005}", "whole milliseconds"},
        {"{\"interval\":31622400.001}", "interval: "},
        {"{\"interval\":31622401}", "interval: "},
        {"{\"interval\":1e9}", "interval: "},
        {"{\"interval\":1e300}", "interval: "},
        {"{\"interval\":1e400}", "line 1, column "},
        {"{\"interval\":9223372036854775807}", "interval: "},
        {"{\"interval\":\"\"}", "interval: "},
        {"{\"interval\":\"1.5s\"}", "interval: "},
        {"{\"interval\":\"60\\u0000\"}", "interval: "},
        {"{\"interval\":\"999ms\"}", "interval: "},
        {"{\"allowed_misses\":0}", "1 to 1000000"},
        {"{\"allowed_misses\":1000001}", "allowed_misses: "},
        {"{\"allowed_misses\":-1}", "allowed_misses: "},
        {"{\"allowed_misses\":3.0}", "allowed_misses: "},
        {"{\"allowed_misses\":\"3\"}", "allowed_misses: "},
        {"{\"allowed_misses\":4294967297}", "allowed_misses: "},
        {"{\"tolerance\":-1}", "0 to 366 days"},
        {"{\"description\":null}", "description: "},
        {"{\"description\":\"a\\u0000b\"}", "description: "},
        {"{\"tags\":\"prod\"}", "tags: "},
        {"{\"tags\":[\"a\\u0000b\"]}", "tags: "},
        {"{\"tags\":[[]]}", "tags: "},
        {"{\"paused\":true}", "unknown key 'paused'"},
        {"{\"tolerance\":0.0005}", "tolerance: "},
        {"{\"tolerance\":null}", "tolerance: "},
        {"{\"tolerance\":\"367d\"}", "tolerance: "},
        {"{\"max_runtime\":-1}", "max_runtime: "},
        {"{\"max_runtime\":false}", "or null for none"},
        {"{\"max_runtime\":\"367d\"}", "max_runtime: "},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct service_change change;
        struct failure failure;
        check(parse(rows[i].text, &change, &failure) == CHANGE_INVALID, "%s", rows[i].text);
        check(strstr(failure.text, rows[i].found) != NULL, "%s: %s", rows[i].text, failure.text);
    }
}

static void what_is_malformed(void **state)
{
    static const struct {
        const char *text, *place;
    } rows[] = {
        {"{", "line 1, column 1"},       {" ", "line 1, column "},
        {"{\"interval\":60", "line 1"},  {"{\"interval\":60}x", "line 1"},
        {"{\n\"interval\":}", "line 2"}, {"{'interval':1}", "line 1"},
        {"{\"\xff\":1}", "line 1"},      {"interval=60", "line 1"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct service_change change;
        struct failure failure;
        check(parse(rows[i].text, &change, &failure) == CHANGE_MALFORMED, "%s", rows[i].text);
        check(strstr(failure.text, rows[i].place) != NULL, "%s: %s", rows[i].text, failure.text);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_said), cmocka_unit_test(durations),
        cmocka_unit_test(all_members),     cmocka_unit_test(labels),
        cmocka_unit_test(entries),         cmocka_unit_test(keys_of_a_service),
        cmocka_unit_test(what_is_invalid), cmocka_unit_test(what_is_malformed),
    };
    return cmocka_run_group_tests_name("change", tests, NULL, NULL);
}
