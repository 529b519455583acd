/*
 * test_layout.c - the fast path gives what the complete path gives, on whatever log.
 */
#include "layout.h"

#include <stdlib.h>

#include "generator.h"
#include "outcome.h"
#include "support.h"

/* With no time for events without a timestamp, and with one. */
static const int64_t *const default_times[] = {NULL, &(const int64_t){1754301900123456}};

/* Compares LOG as each of the COUNT READINGS reads it with what the complete path makes of it. */
static void compare_readings(const struct reading *readings, size_t count, const struct text *log)
{
    for (size_t t = 0; t < COUNT_OF(default_times); t++) {
        struct outcome expected, outcome;
        outcome_read(&expected,
                     &(struct reading){.complete_path = true, .default_time = default_times[t]},
                     log->bytes, log->length);
        for (size_t i = 0; i < count; i++) {
            struct reading reading = readings[i];
            reading.default_time = default_times[t];
            outcome_read(&outcome, &reading, log->bytes, log->length);
            check_same_outcome(&outcome, &expected, 0);
            outcome_finish(&outcome);
        }
        outcome_finish(&expected);
    }
}

/* Compares both paths on LOG: as one block, and in random blocks that end at a forbidden page. */
static void compare(struct dice *dice, struct fence *fence, const struct text *log)
{
    const struct reading readings[] = {
        {.fence = fence},
        {.fence = fence, .dice = dice, .block_max = 1 + dice_below(dice, 3000)},
        {.fence = fence, .dice = dice, .block_max = 1 + dice_below(dice, 600), .events_max = 5},
        {.fence = fence, .dice = dice, .block_max = 40, .complete_path = true},
    };
    compare_readings(readings, COUNT_OF(readings), log);
}

static struct generator random_generator(struct dice *dice, unsigned odd, unsigned bad)
{
    return (struct generator){
        .dice = {dice_roll(dice)},
        .odd = (unsigned)dice_below(dice, odd + 1),
        .bad = (unsigned)dice_below(dice, bad + 1),
        .services = 1 + dice_below(dice, 300),
        .step = 60000000,
    };
}

static void compare_generated(unsigned seed, unsigned odd, unsigned bad, int damages, int rounds)
{
    struct dice dice = {seed};
    struct fence fence;
    struct text log = {0};
    fence_init(&fence, 1 << 20);
    for (int round = 0; round < rounds; round++) {
        struct generator generator = random_generator(&dice, odd, bad);
        enum kairos_format format = round % 2 == 0 ? KAIROS_FORMAT_ARRAY : KAIROS_FORMAT_NDJSON;
        log.length = 0;
        generate_log(&generator, format, 5 + dice_below(&dice, 150), &log);
        for (int i = 0; i < damages; i++)
            damage(&dice, &log);
        compare(&dice, &fence, &log);
    }
    text_finish(&log);
    fence_finish(&fence);
}

static void regular_logs(void **state)
{
    compare_generated(1, 0, 0, 0, 400);
}

static void logs_with_odd_records(void **state)
{
    compare_generated(2, 40, 0, 0, 400);
}

static void logs_with_bad_events(void **state)
{
    compare_generated(3, 10, 40, 0, 400);
}

static void damaged_logs(void **state)
{
    compare_generated(4, 10, 0, 1, 1500);
    compare_generated(5, 10, 10, 4, 300);
}

/*
 * Every byte of a record that follows its layout is damaged in turn. The records are long enough
 * apart from the end of the block for the fast path to try the damaged one.
 */
static void compare_record(const char *begin, const char *record, const char *comma,
                           const char *end)
{
    static const char replacements[] = "{}[]:,\"\\ \n\t0159.-+eEzZTapx_/\x01\x7f\x80\xc3\xff";
    struct dice dice = {6};
    struct fence fence;
    struct text log = {0};
    fence_init(&fence, 1 << 16);
    text_print(&log, "%s", begin);
    for (int i = 0; i < 4; i++)
        text_print(&log, "%s%s", record, comma);
    size_t target = log.length;
    for (int i = 0; i < 12; i++)
        text_print(&log, "%s%s", record, comma);
    text_print(&log, "%s%s", record, end);
    for (size_t at = target; at < target + strlen(record) + strlen(comma); at++) {
        char kept = log.bytes[at];
        for (size_t r = 0; r < strlen(replacements); r++) {
            log.bytes[at] = replacements[r];
            compare_readings(&(struct reading){.fence = &fence}, 1, &log);
        }
        log.bytes[at] = kept;
    }
    compare(&dice, &fence, &log);
    text_finish(&log);
    fence_finish(&fence);
}

static void every_byte_of_a_record_damaged(void **state)
{
    static const char *const records[] = {
        "{\"service\":\"push\",\"timestamp\":\"2025-08-04T10:05:00Z\"}",
        "{\"timestamp\":1754301900.25,\"service\":\"push\"}",
        "{\"id\": 17, \"service\": \"push\", \"note\": \"a b\", \"timestamp\": \"2025-08-04 "
        "10:05\" }",
        "{\"service\":\"a\",\"service\":\"push\",\"timestamp\":\"x\",\"timestamp\":0}",
        "{\"service\":7,\"service\":\"push\",\"timestamp\":1,\"timestamp\":\"2025-08-04T10:05:"
        "00Z\"}",
        "{\"service\":-1.5e3,\"timestamp\":null,\"service\":\"push\",\"timestamp\":0}",
        "{\"service\":{\"a\":1},\"service\":\"\\u0050ush\",\"tags\":[1,\"x\"],\"timestamp\":0}",
        "{\"n\":null,\"t\":true,\"service\":\"push\",\"timestamp\":-0}",
        "{\"service\":\"push\"}",
        "{\"service\":\"push\",\"timestamps\":0,\"id\":\"17\"}",
        "{\"service\":{\"timestamp\":0},\"service\":\"push\",\"TIMESTAMP\":[0]}",
        /* More values than a layout holds; the last ones may be those that count. */
        "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"service\":\"push\","
        "\"timestamp\":8}",
        "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":\"\",\"h\":\"\",\"timestamp\":8,"
        "\"service\":\"push\"}",
        "{\"timestamp\":8,\"service\":\"push\",\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,"
        "\"g\":7}",
    };
    for (size_t i = 0; i < COUNT_OF(records); i++) {
        compare_record("[", records[i], ",", "]");
        compare_record("", records[i], "\n", "");
    }
}

/* The later of two members with one name counts; the earlier may hold any JSON, but JSON it is. */
static void values_that_do_not_count_must_still_be_json(void **state)
{
    static const char *const values[] = {
        "7",
        "abc",
        "-",
        "7e",
        "007",
        "1.",
        "\"abc\"",
        "\"a b\"",
        "null",
        "nul",
        "1e5",
        "a1",
        "_",
        "\"\"",
        "2025-08-04T10:05:00Z",
        "\"2025-08-04T10:05:00Z\"",
        "",
        "[]",
        "[",
        "0x7",
    };
    static const char *const forms[] = {
        "{\"service\":%s,\"service\":\"push\",\"timestamp\":0}",
        "{\"service\":\"push\",\"timestamp\":%s,\"timestamp\":0}",
        "{\"service\":\"push\",\"other\":%s,\"timestamp\":0}",
        "{\"service\":%s,\"timestamp\":0,\"service\":\"push\"}",
        "{\"timestamp\":%s,\"service\":\"push\",\"timestamp\":\"2025-08-04T10:05:00Z\"}",
        "{\"service\":%s,\"service\":\"push\"}",
        "{\"service\":\"push\",\"other\":%s}",
        "{\"service\":\"push\",\"timestamp\":%s}",
    };
    struct dice dice = {7};
    struct fence fence;
    struct text log = {0};
    fence_init(&fence, 1 << 16);
    for (size_t form = 0; form < COUNT_OF(forms); form++) {
        for (size_t learnt = 0; learnt < COUNT_OF(values); learnt++) {
            for (size_t met = 0; met < COUNT_OF(values); met++) {
                log.length = 0;
                for (int record = 0; record < 20; record++) {
                    const char *value = values[record == 9 ? met : learnt];
                    const char *hole = strstr(forms[form], "%s");
                    text_add(&log, forms[form], (size_t)(hole - forms[form]));
                    text_print(&log, "%s%s\n", value, hole + 2);
                }
                compare(&dice, &fence, &log);
            }
        }
    }
    text_finish(&log);
    fence_finish(&fence);
}

/* A record of the plain kind, taken apart. */
static const char plain[] = ",\n{\"service\": \"svc-1\", \"timestamp\": \"2025-08-04T10:00:00Z\"}";

static void learn_plain(struct layout *layout)
{
    const char *service = strstr(plain, "svc-1"), *time = strstr(plain, "2025");
    const struct slot slots[] = {
        {.kind = SLOT_SERVICE, .begin = service, .end = service + 5},
        {.kind = SLOT_TIME_TEXT, .begin = time, .end = time + 20},
    };
    *layout = (struct layout){0};
    layout_learn(layout, plain, plain + strlen(plain), slots, COUNT_OF(slots));
    assert_true(layout->span > 0);
}

static void records_laid_out_alike_are_read(void **state)
{
    struct layout layout;
    struct kairos_date_memo memo = {0};
    struct kairos_event events[8];
    struct text log = {0};
    learn_plain(&layout);
    for (int i = 0; i < 6; i++)
        text_print(&log,
                   ",\n{\"service\": \"Other-%d\", \"timestamp\": \"2025-08-04T10:00:0%d.5Z\"}", i,
                   i);
    size_t records = log.length;
    text_print(&log, "%*s", (int)layout.span, "");

    const char *cursor = log.bytes, *end = log.bytes + log.length;
    assert_int_equal(layout_read(&layout, &memo, &cursor, end, events, 2), 2);
    assert_int_equal(layout_read(&layout, &memo, &cursor, end, events + 2, 6), 4);
    assert_int_equal(cursor - log.bytes, records);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(events[i].reason, KAIROS_VALID);
        assert_int_equal(events[i].time, INT64_C(1754301600500000) + i * KAIROS_SECOND);
        assert_int_equal(events[i].length, 7);
        assert_int_equal(events[i].text[6], '0' + i);
        assert_memory_equal(events[i].text, "other-", 6);
    }
    text_finish(&log);
}

/* A record too near the end is left alone, so that nothing beyond it is read. */
static void nothing_is_read_beyond_the_end(void **state)
{
    struct layout layout;
    struct kairos_date_memo memo = {0};
    struct kairos_event events[64];
    struct fence fence;
    struct text log = {0};
    fence_init(&fence, 1 << 16);
    learn_plain(&layout);
    for (int i = 0; i < 20; i++)
        text_print(&log, "%s", plain);
    for (size_t length = 0; length <= log.length; length++) {
        const char *begin = fence_place(&fence, log.bytes, length), *cursor = begin;
        size_t count = layout_read(&layout, &memo, &cursor, begin + length, events, 64);
        assert_int_equal(cursor - begin, count * strlen(plain));
        assert_true((size_t)(begin + length - cursor) < layout.span);
    }
    text_finish(&log);
    fence_finish(&fence);
}

/* Neither where the values are as long as any: the words at the very end are not looked at. */
static void the_longest_record_at_the_end(void **state)
{
    const char *const format = ",{\"service\":\"%0*d\",\"timestamp\":\"%s\",\"x\":\"%0*d\"}";
    const char *const time = "2025-08-04T10:00:00.12345678901234+05:30"; /* 40 characters */
    struct layout layout = {0};
    struct kairos_date_memo memo = {0};
    struct kairos_event event;
    struct fence fence;
    struct text record = {0};
    fence_init(&fence, 1 << 16);
    text_print(&record, format, KAIROS_SERVICE_MAX, 0, time, 128, 0);
    const char *service = strstr(record.bytes, "000"), *moment = strstr(record.bytes, "2025");
    const char *other = strstr(record.bytes, "x\":\"") + 4;
    const struct slot slots[] = {
        {.kind = SLOT_SERVICE, .begin = service, .end = service + KAIROS_SERVICE_MAX},
        {.kind = SLOT_TIME_TEXT, .begin = moment, .end = moment + strlen(time)},
        {.kind = SLOT_TEXT, .begin = other, .end = other + 128},
    };
    layout_learn(&layout, record.bytes, record.bytes + record.length, slots, COUNT_OF(slots));
    assert_true(layout.span > record.length);
    size_t length = record.length;
    text_print(&record, "%*s", 64, "");
    for (; length <= record.length; length++) {
        const char *begin = fence_place(&fence, record.bytes, length), *cursor = begin;
        size_t count = layout_read(&layout, &memo, &cursor, begin + length, &event, 1);
        assert_int_equal(count, length >= layout.span);
    }
    text_finish(&record);
    fence_finish(&fence);
}

/*
 * A layout is learnt from one block alone. The second block takes the first one's place in memory,
 * and what it would teach together with the beginning of the first is no JSON.
 */
static void a_record_in_two_blocks_teaches_nothing(void **state)
{
    static const char *const blocks[] = {
        "[0 ,",
        "{\"service\":\"svc-1\",\"timestamp\":1000}service\":\"svc-2\",\"timestamp\":1000}",
    };
    char buffer[1024];
    struct kairos_event events[8];
    struct kairos_parse_error error;
    struct kairos_parser *parser = kairos_parser_create();
    size_t count = 0;
    assert_non_null(parser);
    for (size_t i = 0; i < COUNT_OF(blocks); i++) {
        const char *cursor = buffer;
        size_t length = strlen(blocks[i]), padding = i == 0 ? 0 : sizeof(buffer) - length;
        memcpy(buffer, blocks[i], length);
        memset(buffer + length, ' ', padding);
        count += kairos_parser_read(parser, &cursor, buffer + length + padding, events + count, 4);
    }
    assert_int_equal(count, 2);
    assert_int_equal(events[1].time, 1000 * KAIROS_SECOND);
    assert_true(kairos_parser_error(parser, &error));
    assert_int_equal(error.code, KAIROS_PARSE_SEPARATOR);
    kairos_parser_destroy(parser);
}

static void records_that_differ_are_left_alone(void **state)
{
    static const char *const records[] = {
        ",\n{\"service\": \"svc-1\",  \"timestamp\": \"2025-08-04T10:00:00Z\"}",
        ",\n{\"service\": \"svc 1\", \"timestamp\": \"2025-08-04T10:00:00Z\"}",
        ",\n{\"service\": \"\", \"timestamp\": \"2025-08-04T10:00:00Z\"}",
        ",\n{\"service\": \"svc\\u0031\", \"timestamp\": \"2025-08-04T10:00:00Z\"}",
        ",\n{\"service\": \"svc-1\", \"timestamp\": \"2025-08-04T10:00:60Z\"}",
        ",\n{\"service\": \"svc-1\", \"timestamp\": \"\"}",
        ",\n{\"service\": \"svc-1\", \"timestamp\": 1754301900}",
        ",\n{\"service\": \"svc-1\", \"timestamp\": \"2025-08-04T10:00:00Z\" }",
        ",\n{\"service\": \"svc-1\", \"timestamp\": \"2025-08-04T10:00:00Z\",\"a\":1}",
        ", {\"service\": \"svc-1\", \"timestamp\": \"2025-08-04T10:00:00Z\"}",
        "]",
    };
    for (size_t i = 0; i < COUNT_OF(records); i++) {
        struct layout layout;
        struct kairos_date_memo memo = {0};
        struct kairos_event event;
        struct text log = {0};
        learn_plain(&layout);
        text_print(&log, "%s%*s", records[i], (int)layout.span, "");
        const char *cursor = log.bytes;
        check(layout_read(&layout, &memo, &cursor, log.bytes + log.length, &event, 1) == 0 &&
                  cursor == log.bytes,
              "%s", records[i]);
        text_finish(&log);
    }
}

static void an_unknown_layout_reads_nothing(void **state)
{
    struct layout layout = {0};
    struct kairos_date_memo memo = {0};
    struct kairos_event event;
    const char *cursor = plain;
    assert_int_equal(layout_read(&layout, &memo, &cursor, plain + strlen(plain), &event, 1), 0);
    assert_ptr_equal(cursor, plain);
}

/* What is too long to be learnt makes the layout unknown. */
static void long_literals_and_values_are_not_learnt(void **state)
{
    char text[600];
    memset(text, 'x', sizeof(text));
    const struct {
        size_t before, value, after;
        enum slot_kind kind;
        bool learnt;
    } rows[] = {
        {LITERAL_MAX, 5, LITERAL_MAX, SLOT_SERVICE, true},
        {LITERAL_MAX + 1, 5, 1, SLOT_SERVICE, false},
        {1, 5, LITERAL_MAX + 1, SLOT_SERVICE, false},
        {1, 40, 1, SLOT_TIME_TEXT, true},
        {1, 41, 1, SLOT_TIME_TEXT, false},
        {1, 128, 1, SLOT_TEXT, true},
        {1, 129, 1, SLOT_TEXT, false},
        {1, 129, 1, SLOT_NUMBER, false},
        {1, 41, 1, SLOT_TIME_NUMBER, false},
        {1, 105, 1, SLOT_SERVICE, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct layout layout;
        learn_plain(&layout);
        const struct slot slot = {
            .kind = rows[i].kind,
            .begin = text + rows[i].before,
            .end = text + rows[i].before + rows[i].value,
        };
        layout_learn(&layout, text, slot.end + rows[i].after, &slot, 1);
        check((layout.span > 0) == rows[i].learnt, "row %zu", i);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(regular_logs),
        cmocka_unit_test(logs_with_odd_records),
        cmocka_unit_test(logs_with_bad_events),
        cmocka_unit_test(damaged_logs),
        cmocka_unit_test(every_byte_of_a_record_damaged),
        cmocka_unit_test(values_that_do_not_count_must_still_be_json),
        cmocka_unit_test(records_laid_out_alike_are_read),
        cmocka_unit_test(nothing_is_read_beyond_the_end),
        cmocka_unit_test(the_longest_record_at_the_end),
        cmocka_unit_test(a_record_in_two_blocks_teaches_nothing),
        cmocka_unit_test(records_that_differ_are_left_alone),
        cmocka_unit_test(an_unknown_layout_reads_nothing),
        cmocka_unit_test(long_literals_and_values_are_not_learnt),
    };
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
