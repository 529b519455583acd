/*
 * test_writer.c - the text of an answer, and how JSON is written.
 */
#include "writer.h"

#include <kairos/timestamp.h>

#include "support.h"

static void check_text(struct writer *writer, const char *text)
{
    assert_false(writer->failed);
    assert_int_equal(writer->length, strlen(text));
    if (writer->length > 0)
        assert_memory_equal(writer->text, text, writer->length);
    writer_finish(writer);
}

static void text_grows(void **state)
{
    struct writer writer = {0};
    check_text(&writer, "");
    writer_print(&writer, "%s-%d", "a", 7);
    writer_print(&writer, "%s", "");
    writer_print(&writer, "!");
    check_text(&writer, "a-7!");

    char long_text[5000];
    memset(long_text, 'x', sizeof(long_text));
    for (int i = 0; i < 100; i++)
        writer_print(&writer, "%.*s", (int)sizeof(long_text), long_text);
    assert_int_equal(writer.length, 100 * sizeof(long_text));
    assert_int_equal(writer.text[writer.length - 1], 'x');
    writer_finish(&writer);
    assert_null(writer.text);
}

static void strings(void **state)
{
    static const struct {
        struct bytes text;
        const char *json;
    } rows[] = {
        {BYTES(""), "\"\""},
        {BYTES("push"), "\"push\""},
        {BYTES("a\"b\\c/"), "\"a\\\"b\\\\c/\""},
        {BYTES("\n\t\0\x1f\x7f"), "\"\\u000a\\u0009\\u0000\\u001f\\u007f\""},
        {BYTES("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\xa8"),
         "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\xa8\""},
        {BYTES("cut\xc3"), "\"cut?\""},
        {BYTES("cut\xe2\x82"), "\"cut??\""},
        {BYTES("\x80\xff"), "\"??\""},
        {BYTES("\xc0\xaf"), "\"??\""},           /* longer than need be */
        {BYTES("\xe0\x80\xaf"), "\"???\""},      /* the same */
        {BYTES("\xed\xa0\x80"), "\"???\""},      /* a surrogate */
        {BYTES("\xf4\x90\x80\x80"), "\"????\""}, /* beyond Unicode */
        {BYTES("\xe2\x28\xa1"), "\"?(?\""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct writer writer = {0};
        writer_string(&writer, rows[i].text.text, rows[i].text.length);
        check_text(&writer, rows[i].json);
    }
}

static void seconds(void **state)
{
    static const struct {
        int64_t microseconds;
        const char *text;
    } rows[] = {
        {0, "0"},
        {KAIROS_SECOND, "1"},
        {60 * KAIROS_SECOND, "60"},
        {100 * KAIROS_SECOND, "100"},
        {1500000, "1.5"},
        {1, "0.000001"},
        {KAIROS_MILLISECOND, "0.001"},
        {366 * KAIROS_DAY + 1, "31622400.000001"},
        {-1500000, "-1.5"},
        {-1, "-0.000001"},
        {INT64_MIN, "-9223372036854.775808"},
        {INT64_MAX, "9223372036854.775807"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct writer writer = {0};
        writer_seconds(&writer, rows[i].microseconds);
        check_text(&writer, rows[i].text);
    }
}

static void times(void **state)
{
    static const struct {
        int64_t time;
        const char *text;
    } rows[] = {
        {0, "\"1970-01-01T00:00:00Z\""},
        {1500000, "\"1970-01-01T00:00:01.500000Z\""},
        {TIME_NEVER, "null"},
        {KAIROS_TIME_MAX + 1, "null"},
        {KAIROS_TIME_MIN - 1, "null"},
    };
    const struct clock_reading reading = {.wall = 0, .boottime = 0, .monotonic = 0};
    struct clock clock;
    clock_init(&clock, &reading, (const char[BOOT_ID_SIZE]){0}, NULL, TIME_NEVER);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct writer writer = {0};
        writer_time(&writer, &clock, rows[i].time);
        check_text(&writer, rows[i].text);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_grows),
        cmocka_unit_test(strings),
        cmocka_unit_test(seconds),
        cmocka_unit_test(times),
    };
    return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
