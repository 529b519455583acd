/*
 * test_filter.c - which services a request is about.
 */
#include "filter.h"

#include "support.h"

#define MASK(status) (1u << (status))

static const char *const names[] = {FILTER_NAMES, NULL};

static bool from_query(const char *key, const char *value, struct engine_filter *filter,
                       struct failure *failure)
{
    struct query query;
    query_init(&query, names);
    return query_add(&query, (struct slice){key, strlen(key)}, (struct slice){value, strlen(value)},
                     failure) &&
           filter_from_query(&query, filter, failure);
}

static bool from_json(const char *text, struct engine_filter *filter, struct failure *failure)
{
    json_t *object = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_non_null(object);
    bool read = filter_from_json(object, filter, failure);
    json_decref(object);
    return read;
}

static void nothing_said_is_all(void **state)
{
    struct engine_filter filter, all = engine_filter_all();
    struct failure failure;
    assert_true(from_query("search", "", &filter, &failure));
    assert_memory_equal(&filter, &all, sizeof(all));
    assert_true(from_json("{}", &filter, &failure));
    assert_memory_equal(&filter, &all, sizeof(all));
}

static void both_forms_mean_the_same(void **state)
{
    static const struct {
        const char *key, *value, *json;
        unsigned statuses;
        const char *tags, *search;
    } rows[] = {
        {"status", "up", "{\"status\":\"up\"}", MASK(SERVICE_UP), "", ""},
        {"status", "down,late", "{\"status\":[\"late\",\"down\"]}",
         MASK(SERVICE_DOWN) | MASK(SERVICE_LATE), "", ""},
        {"tag", "b,A", "{\"tag\":[\"a\",\"b\",\"a\"]}", 31, "a,b", ""},
        {"tag", "x", "{\"tag\":\"X\"}", 31, "x", ""},
        {"search", "Mail%2D", "{\"search\":\"MAIL-\"}", 31, "", "mail-"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct engine_filter query, json;
        struct failure failure;
        assert_true(from_query(rows[i].key, rows[i].value, &query, &failure));
        assert_true(from_json(rows[i].json, &json, &failure));
        assert_memory_equal(&query, &json, sizeof(query));
        assert_int_equal(query.statuses, rows[i].statuses);
        assert_string_equal(query.tags.text, rows[i].tags);
        assert_string_equal(query.search, rows[i].search);
        assert_int_equal(query.search_length, strlen(rows[i].search));
    }
}

static void what_is_refused(void **state)
{
    static const struct {
        const char *json, *failure;
    } rows[] = {
        {"[]", "match: it is no object"},
        {"{\"tags\":\"a\"}", "match: unknown key 'tags'"},
        {"{\"status\":\"UP\"}", "status: 'UP' is none of"},
        {"{\"status\":\"up,down\"}", "status: 'up,down' is none of"},
        {"{\"status\":7}", "match: 'status' is neither"},
        {"{\"tag\":[7]}", "match: 'tag' has an element"},
        {"{\"tag\":\"\"}", "tag: '' is none"},
        {"{\"tag\":\"a\\u0000\"}", "tag: 'a' is none"},
        {"{\"search\":[]}", "match: 'search' is no text"},
        {"{\"search\":"
         "\"01234567890123456789012345678901234567890123456789012345678901234567890123456"
         "789012345678901234567890\"}",
         "search: it is longer"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct engine_filter filter;
        struct failure failure;
        assert_false(from_json(rows[i].json, &filter, &failure));
        check(strstr(failure.text, rows[i].failure) == failure.text, "%s", failure.text);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said_is_all),
        cmocka_unit_test(both_forms_mean_the_same),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
