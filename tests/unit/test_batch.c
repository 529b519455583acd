/*
 * test_batch.c - the heartbeats of one request.
 */
#include "batch.h"

#include <stdlib.h>

#include "support.h"

/* Reads TEXT in pieces of SIZE bytes into BATCH, at NOW. */
static enum batch_status feed(struct batch *batch, const char *text, size_t size, int64_t now)
{
    size_t length = strlen(text);
    batch_begin(batch);
    for (size_t at = 0; at < length; at += size)
        batch_feed(batch, text + at, length - at < size ? length - at : size, now);
    return batch_finish(batch, now);
}

static void events_are_numbered_and_have_a_time(void **state)
{
    static const char *const texts[] = {
        "[{\"service\":\"push\"},{\"service\":\"SMS\",\"timestamp\":7},7,{\"service\":\"a b\"},"
        "{\"service\":\"email\"}]",
        "{\"service\":\"push\"}\n{\"service\":\"SMS\",\"timestamp\":7}\n7\n{\"service\":\"a b\"}\n"
        "{\"service\":\"email\"}",
    };
    struct batch *batch = batch_create();
    assert_non_null(batch);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        for (size_t size = 1; size < 40; size++) {
            assert_int_equal(feed(batch, texts[i], size, 77), BATCH_OK);
            assert_int_equal(batch->total, 5);
            assert_int_equal(batch->count, 3);
            assert_string_equal(batch->events[0].text, "push");
            assert_int_equal(batch->events[0].time, 77);
            assert_int_equal(batch->events[0].offset, 1);
            assert_string_equal(batch->events[1].text, "sms");
            assert_int_equal(batch->events[1].time, 7000000);
            assert_int_equal(batch->events[2].offset, 5);
            assert_int_equal(batch->events[2].time, 77);
            assert_int_equal(batch->error_count, 2);
            assert_int_equal(batch->errors[0].number, 3);
            assert_string_equal(batch->errors[0].reason, "not_an_object");
            assert_int_equal(batch->errors[1].number, 4);
            assert_string_equal(batch->errors[1].reason, "invalid_service_format");
            assert_int_equal(batch->bad[KAIROS_NOT_AN_OBJECT], 1);
            assert_int_equal(batch->bad[KAIROS_INVALID_SERVICE_FORMAT], 1);
        }
    }
    batch_destroy(batch);
    batch_destroy(NULL);
}

static void what_is_malformed(void **state)
{
    static const struct {
        const char *text, *place;
    } rows[] = {
        {"", "line 1, column 1, byte 1: "},
        {" \n ", "line 2, column 2, byte 4: "},
        {"[", "line 1, column 2, byte 2: "},
        {"[{\"service\":\"a\"}", "line 1, column 17, byte 17: "},
        {"[{\"service\":\"a\"}\n,\n {\"service\":\"b\"} x]", "line 3, column 18, byte 37: "},
        {"[{\"service\":\"a\"}] x", "line 1, column 19, byte 19: "},
        {"[tru]", "line 1, column 5, byte 5: "},
    };
    struct batch *batch = batch_create();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t size = 1; size < 45; size++) {
            check(feed(batch, rows[i].text, size, 77) == BATCH_MALFORMED, "%s", rows[i].text);
            check(strncmp(batch->failure.text, rows[i].place, strlen(rows[i].place)) == 0,
                  "%s in pieces of %zu: %s", rows[i].text, size, batch->failure.text);
        }
    }
    batch_destroy(batch);
}

static void the_first_errors_are_kept(void **state)
{
    struct text text = {0};
    struct batch *batch = batch_create();
    for (int i = 0; i < 1000; i++)
        text_print(&text, "%s\n", i % 2 == 0 ? "{\"service\":\"a\"}" : "{}");
    assert_int_equal(feed(batch, text.bytes, 100, 77), BATCH_OK);
    assert_int_equal(batch->total, 1000);
    assert_int_equal(batch->count, 500);
    assert_int_equal(batch->error_count, BATCH_ERRORS_KEPT);
    assert_int_equal(batch->errors[BATCH_ERRORS_KEPT - 1].number, 200);
    assert_int_equal(batch->bad[KAIROS_MISSING_SERVICE], 500);
    assert_int_equal(batch->events[499].offset, 999);
    batch_destroy(batch);
    text_finish(&text);
}

static void no_more_than_so_many(void **state)
{
    static const char event[] = "{\"service\":\"a\"}\n";
    struct batch *batch = batch_create();
    for (int more = 0; more <= 1; more++) {
        batch_begin(batch);
        for (int i = 0; i < BATCH_EVENTS_MAX + more; i++)
            batch_feed(batch, event, strlen(event), 77);
        assert_int_equal(batch_finish(batch, 77), more ? BATCH_TOO_MANY : BATCH_OK);
        assert_true(batch->total >= BATCH_EVENTS_MAX);
        assert_true(batch_memory(batch) < 64 * 1024 * 1024);
    }
    batch_trim(batch);
    assert_int_equal(batch_memory(batch), 0);
    assert_int_equal(feed(batch, event, 100, 77), BATCH_OK);
    assert_int_equal(batch->count, 1);
    size_t memory = batch_memory(batch);
    batch_trim(batch);
    assert_int_equal(batch_memory(batch), memory);
    batch_destroy(batch);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_numbered_and_have_a_time),
        cmocka_unit_test(what_is_malformed),
        cmocka_unit_test(the_first_errors_are_kept),
        cmocka_unit_test(no_more_than_so_many),
    };
    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
