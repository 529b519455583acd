/*
 * test_query.c - the query of a request.
 */
#include "query.h"

#include <kairos/timestamp.h>

#include "support.h"

static const char *const names[] = {"status", "limit", "cursor", "from", NULL};

static bool add(struct query *query, const char *key, const char *value, struct failure *failure)
{
    return query_add(query, (struct slice){key, strlen(key)},
                     (struct slice){value, value == NULL ? 0 : strlen(value)}, failure);
}

static void values_are_decoded_and_found(void **state)
{
    struct query query;
    struct failure failure;
    query_init(&query, names);
    assert_true(add(&query, "status", "down%2Clate", &failure));
    assert_true(add(&query, "l%69mit", "10", &failure));
    assert_true(add(&query, "cursor", "", &failure));
    assert_true(add(&query, "from", NULL, &failure));
    assert_true(add(&query, "", NULL, &failure));
    assert_true(add(&query, "", NULL, &failure));
    assert_string_equal(query_text(&query, "status"), "down,late");
    assert_string_equal(query_text(&query, "limit"), "10");
    assert_null(query_text(&query, "cursor"));
    assert_null(query_text(&query, "from"));
}

static void what_is_unknown_twice_or_wrong(void **state)
{
    static const struct {
        const char *key, *value, *text;
    } rows[] = {
        {"limt", "1", "query: unknown parameter 'limt'; known here: status, limit, cursor, from"},
        {"", "1", "query: unknown parameter ''; known here: status, limit, cursor, from"},
        {"LIMIT", "1", "query: unknown parameter 'LIMIT'; known here: status, limit, cursor, from"},
        {"status", "up", "query: 'status' is given twice"},
        {"limit", "%", "query: a '%' is not followed by two hexadecimal digits, or is %00"},
        {"limit", "%00", "query: a '%' is not followed by two hexadecimal digits, or is %00"},
        {"l%", "1", "query: a '%' is not followed by two hexadecimal digits, or is %00"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct query query;
        struct failure failure;
        query_init(&query, names);
        assert_true(add(&query, "status", "", &failure));
        assert_false(add(&query, rows[i].key, rows[i].value, &failure));
        assert_string_equal(failure.text, rows[i].text);
    }
}

static void too_much_text(void **state)
{
    struct query query;
    struct failure failure;
    char value[QUERY_TEXT_MAX + 1];
    memset(value, 'x', sizeof(value));
    query_init(&query, names);
    struct slice key = {"status", 6}, other = {"limit", 5};
    assert_true(query_add(&query, key, (struct slice){value, QUERY_TEXT_MAX - 10}, &failure));
    assert_true(query_add(&query, other, (struct slice){value, 8}, &failure));
    assert_int_equal(strlen(query_text(&query, "status")), QUERY_TEXT_MAX - 10);
    assert_int_equal(strlen(query_text(&query, "limit")), 8);
    assert_false(query_add(&query, (struct slice){"cursor", 6}, (struct slice){"1", 1}, &failure));
    assert_non_null(strstr(failure.text, "longer than"));
}

static void some_may_be_given_again(void **state)
{
    static const char *const repeated[] = {"*tag", "limit", NULL};
    struct query query;
    struct failure failure;
    query_init(&query, repeated);
    assert_true(add(&query, "tag", "", &failure));
    assert_null(query_text(&query, "tag"));
    assert_true(add(&query, "tag", "a", &failure));
    assert_true(add(&query, "tag", "b%2Cc", &failure)); /* right behind, */
    assert_true(add(&query, "limit", "10", &failure));
    assert_true(add(&query, "tag", "d", &failure)); /* and with another between them */
    assert_true(add(&query, "tag", "", &failure));
    assert_string_equal(query_text(&query, "tag"), "a,b,c,d");
    assert_string_equal(query_text(&query, "limit"), "10");
    assert_false(add(&query, "limit", "10", &failure));
    assert_false(add(&query, "*tag", "x", &failure));
    assert_string_equal(failure.text, "query: unknown parameter '*tag'; known here: tag, limit");
}

/* As long as there is room, and not a byte more. */
static void repeats_fill_the_room(void **state)
{
    static const char *const repeated[] = {"*tag", NULL};
    for (size_t length = 1; length < 20; length++) {
        struct query query;
        struct failure failure;
        char value[] = "xxxxxxxxxxxxxxxxxxxx";
        size_t times = 0;
        query_init(&query, repeated);
        value[length] = '\0';
        while (add(&query, "tag", value, &failure))
            assert_int_equal(strlen(query_text(&query, "tag")), ++times * (length + 1) - 1);
        /* A key needs room for a moment as well. */
        size_t room = QUERY_TEXT_MAX - (length < strlen("tag") ? strlen("tag") - length : 0);
        assert_int_equal(times, room / (length + 1));
        assert_non_null(strstr(failure.text, "longer than"));
    }
}

static void numbers(void **state)
{
    static const struct {
        const char *text;
        uint64_t number; /* 0 if it is refused */
    } rows[] = {
        {"1", 1},  {"1000", 1000}, {"0001", 1}, {"0", 0},  {"1001", 0},
        {"-1", 0}, {"+1", 0},      {" 1", 0},   {"1 ", 0}, {"1.0", 0},
        {"x", 0},  {"1e2", 0},     {"0x1", 0},  {"", 77},  {"18446744073709551617", 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct query query;
        struct failure failure;
        uint64_t number = 77;
        query_init(&query, names);
        assert_true(add(&query, "limit", rows[i].text, &failure));
        bool valid = query_number(&query, "limit", 1, 1000, &number, &failure);
        check(valid == (rows[i].number != 0), "%s", rows[i].text);
        assert_int_equal(number, valid ? rows[i].number : 77);
        if (!valid)
            assert_non_null(strstr(failure.text, "is not a whole number from 1 to 1000"));
    }
}

static void times(void **state)
{
    static const struct {
        const char *text;
        int64_t time; /* -1 if it is refused */
    } rows[] = {
        {"1970-01-01T00:00:01Z", KAIROS_SECOND},
        {"1970-01-01T01:00:01%2B01:00", KAIROS_SECOND},
        {"1.5", 3 * KAIROS_SECOND / 2},
        {"", 77},
        {"now", -1},
        {"1970-01-01", -1},
        {"1970-01-01T01:00:01 01:00", -1}, /* what becomes of a '+' */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct query query;
        struct failure failure;
        int64_t time = 77;
        query_init(&query, names);
        assert_true(add(&query, "from", rows[i].text, &failure));
        bool valid = query_time(&query, "from", &time, &failure);
        check(valid == (rows[i].time != -1), "%s", rows[i].text);
        assert_int_equal(time, valid ? rows[i].time : 77);
    }
}

static void cursors(void **state)
{
    static const struct {
        const char *text;
        bool valid;
        uint64_t cursor;
    } rows[] = {
        {"0", true, 0},   {"18446744073709551615", true, UINT64_MAX}, {"", true, 77},
        {"x", false, 77}, {"18446744073709551616", false, 77},        {"1.2", false, 77},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct query query;
        struct failure failure;
        uint64_t cursor = 77;
        query_init(&query, names);
        assert_true(add(&query, "cursor", rows[i].text, &failure));
        check(query_cursor(&query, &cursor, &failure) == rows[i].valid, "%s", rows[i].text);
        assert_int_equal(cursor, rows[i].cursor);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_decoded_and_found),
        cmocka_unit_test(what_is_unknown_twice_or_wrong),
        cmocka_unit_test(too_much_text),
        cmocka_unit_test(some_may_be_given_again),
        cmocka_unit_test(repeats_fill_the_room),
        cmocka_unit_test(numbers),
        cmocka_unit_test(times),
        cmocka_unit_test(cursors),
    };
    return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
