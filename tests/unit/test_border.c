/*
 * test_border.c - logs cut in two at a border: both halves give what the whole gives.
 */
#include <kairos/parser.h>

#include "generator.h"
#include "outcome.h"
#include "support.h"

static const struct bytes logs[] = {
    BYTES("[]"),
    BYTES("[{}]"),
    BYTES(" [ {} , {} ] "),
    BYTES("\xef\xbb\xbf[1,2,3]"),
    BYTES("[{\"service\":\"a\",\"timestamp\":1},\n {\"service\":\"b\",\"timestamp\":2}\n,null , "
          "{\"service\":\"},{\",\"timestamp\":[{},{}]}, \"},{\", "
          "{\"timestamp\":3,\"service\":\"c\"} ] \n"),
    BYTES("[{\"service\":\"a\",\"timestamp\":1},{\"service\":\"a\",\"timestamp\":2},"
          "{\"service\":\"a\",\"timestamp\":3},{\"service\":\"a\",\"timestamp\":4}]"),
    BYTES("[{\"service\":\"a\",\"timestamp\":1} , {\"service\":\"a\",\"timestamp\":2} x"),
    BYTES("[{\"service\":\"a\",\"timestamp\":1} , {\"service\":\"a\",\"timestamp\":2},]"),
    BYTES("[{},{}] []"),
    BYTES("[{},{}"),
    BYTES("{\"service\":\"a\",\"timestamp\":1}\n\n{\"service\":\"b\",\"timestamp\":2}\r\n nope\n \n"
          "{\"timestamp\":3,\"service\":\"c\"}"),
    BYTES("\n \n{}\n"),
    BYTES("\xef\xbb\xbf{}\n{}\n"),
    BYTES("x\n{\"a\":\"}\\n{\"}\ny"),
};

/*
 * Reads TEXT to byte AT, and if that is a border goes on with a parser that begins there. Returns
 * whether it was one.
 */
static bool cut(const char *text, size_t length, size_t at, const struct reading *reading,
                const struct outcome *whole)
{
    struct kairos_parser *first = kairos_parser_create();
    struct kairos_event events[64];
    const char *cursor = text;
    size_t before = 0, count;
    assert_non_null(first);
    kairos_parser_set_fast(first, !reading->complete_path);
    while ((count = kairos_parser_read(first, &cursor, text + at, events, COUNT_OF(events))) > 0) {
        for (size_t i = 0; i < count; i++)
            check_same_event(&events[i], &whole->events[before + i]);
        before += count;
    }
    bool border = cursor == text + at && kairos_parser_at_border(first);
    if (border) {
        struct outcome rest;
        struct kairos_parser *second = kairos_parser_create_at(kairos_parser_format(first), at);
        assert_non_null(second);
        assert_true(kairos_parser_at_border(second));
        outcome_read_on(&rest, reading, second, text + at, length - at);
        check_same_outcome(&rest, whole, before);
        outcome_finish(&rest);
        kairos_parser_destroy(second);
    }
    kairos_parser_destroy(first);
    return border;
}

static void both_halves_give_what_the_whole_gives(void **state)
{
    for (size_t i = 0; i < COUNT_OF(logs); i++) {
        struct outcome whole;
        outcome_read(&whole, &(struct reading){.complete_path = true}, logs[i].text,
                     logs[i].length);
        for (size_t at = 0; at <= logs[i].length; at++) {
            cut(logs[i].text, logs[i].length, at, &(struct reading){0}, &whole);
            cut(logs[i].text, logs[i].length, at, &(struct reading){.complete_path = true}, &whole);
        }
        outcome_finish(&whole);
    }
}

static void borders_are_where_they_should_be(void **state)
{
    static const struct {
        const char *log;
        const char *borders; /* '|' under each byte before which there is one, and at the end */
    } rows[] = {
        {"[{}, {\"a\":[{},{}]} ]", //
         "   |              || "},
        {"[]", "   "},
        {"[1,\"},{\"]", //
         "        |"},
        {"{}\n\n{}\r\nx\n", //
         "   ||   | |"},
        {" {}\n {}", //
         "    || "},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t length = strlen(rows[i].log);
        struct outcome whole;
        outcome_read(&whole, &(struct reading){0}, rows[i].log, length);
        for (size_t at = 0; at <= length && rows[i].borders[at] != '\0'; at++) {
            bool border = cut(rows[i].log, length, at, &(struct reading){0}, &whole);
            check(border == (rows[i].borders[at] == '|'), "%s: byte %zu is %s border",
                  shown(rows[i].log, length), at, border ? "a" : "no");
        }
        outcome_finish(&whole);
    }
}

static void generated_logs_at_every_byte(void **state)
{
    struct text log = {0};
    struct dice dice = {1};
    for (int round = 0; round < 60; round++) {
        struct generator generator = {
            .dice = {dice_roll(&dice)}, .odd = 20, .bad = 20, .services = 20, .step = 1000000};
        enum kairos_format format = round % 2 == 0 ? KAIROS_FORMAT_ARRAY : KAIROS_FORMAT_NDJSON;
        struct outcome whole;
        log.length = 0;
        generate_log(&generator, format, 1 + dice_below(&dice, 8), &log);
        if (dice_chance(&dice, 20))
            damage(&dice, &log);
        outcome_read(&whole, &(struct reading){.complete_path = true}, log.bytes, log.length);
        size_t borders = 0;
        for (size_t at = 0; at <= log.length; at++)
            borders += cut(log.bytes, log.length, at, &(struct reading){0}, &whole);
        assert_true(borders > 0 || whole.count < 2);
        outcome_finish(&whole);
    }
    text_finish(&log);
}

/* The guess: offsets of what looks like a border, or the length. */
static void guessed_borders(void **state)
{
    static const struct {
        enum kairos_format format;
        const char *text;
        size_t border;
    } rows[] = {
        {KAIROS_FORMAT_ARRAY, "", 0},
        {KAIROS_FORMAT_ARRAY, "}", 1},
        {KAIROS_FORMAT_ARRAY, "},", 2},
        {KAIROS_FORMAT_ARRAY, "},{", 1},
        {KAIROS_FORMAT_ARRAY, "},{\"a\"", 1},
        {KAIROS_FORMAT_ARRAY, "\"x\"},{\"a\"", 4},
        {KAIROS_FORMAT_ARRAY, "\"x\"} \r\n,\n\t {\"a\"", 4},
        {KAIROS_FORMAT_ARRAY, "}}},{", 3},
        {KAIROS_FORMAT_ARRAY, "} , } , { , {", 5},
        {KAIROS_FORMAT_ARRAY, "}},}},{{", 5},
        {KAIROS_FORMAT_ARRAY, "},\"a\":{},{", 8},
        {KAIROS_FORMAT_ARRAY, "}],[{", 5},
        {KAIROS_FORMAT_ARRAY, "} {", 3},
        {KAIROS_FORMAT_ARRAY, "no brackets", 11},
        {KAIROS_FORMAT_NDJSON, "", 0},
        {KAIROS_FORMAT_NDJSON, "\n", 1},
        {KAIROS_FORMAT_NDJSON, "no newline", 10},
        {KAIROS_FORMAT_NDJSON, "vice\":1}\n{\"a\":2}\n", 9},
        {KAIROS_FORMAT_NDJSON, "},{", 3},
    };
    struct fence fence;
    fence_init(&fence, 64);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t length = strlen(rows[i].text);
        size_t border = kairos_parser_guess_border(
            rows[i].format, fence_place(&fence, rows[i].text, length), length);
        check(border == rows[i].border, "%s: %zu", shown(rows[i].text, length), border);
    }
    fence_finish(&fence);
}

/* In NDJSON a guess is a border; in a log of objects nearly always, and then the halves agree. */
static void guesses_in_generated_logs(void **state)
{
    struct text log = {0};
    struct dice dice = {2};
    for (int round = 0; round < 200; round++) {
        struct generator generator = {
            .dice = {dice_roll(&dice)}, .odd = 5, .bad = 5, .services = 20, .step = 1000000};
        enum kairos_format format = round % 2 == 0 ? KAIROS_FORMAT_ARRAY : KAIROS_FORMAT_NDJSON;
        struct outcome whole;
        log.length = 0;
        generate_log(&generator, format, 40, &log);
        outcome_read(&whole, &(struct reading){.complete_path = true}, log.bytes, log.length);
        for (int guess = 0; guess < 10; guess++) {
            size_t from = dice_below(&dice, log.length);
            size_t at =
                from + kairos_parser_guess_border(format, log.bytes + from, log.length - from);
            bool border = cut(log.bytes, log.length, at, &(struct reading){0}, &whole);
            assert_true(border || format == KAIROS_FORMAT_ARRAY || at == log.length);
        }
        outcome_finish(&whole);
    }
    text_finish(&log);
}

/* Offsets of events and errors are those in the log. */
static void offsets_count_from_the_beginning_of_the_log(void **state)
{
    static const char text[] = " , null, x";
    struct outcome outcome;
    struct kairos_parser *parser = kairos_parser_create_at(KAIROS_FORMAT_ARRAY, UINT64_C(1) << 40);
    assert_non_null(parser);
    outcome_read_on(&outcome, &(struct reading){.block_max = 1, .dice = &(struct dice){1}}, parser,
                    text, strlen(text));
    assert_int_equal(outcome.count, 1);
    assert_int_equal(outcome.events[0].offset, (UINT64_C(1) << 40) + 3);
    assert_true(outcome.failed);
    assert_int_equal(outcome.error.offset, (UINT64_C(1) << 40) + 9);
    outcome_finish(&outcome);
    kairos_parser_destroy(parser);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_halves_give_what_the_whole_gives),
        cmocka_unit_test(borders_are_where_they_should_be),
        cmocka_unit_test(generated_logs_at_every_byte),
        cmocka_unit_test(guessed_borders),
        cmocka_unit_test(guesses_in_generated_logs),
        cmocka_unit_test(offsets_count_from_the_beginning_of_the_log),
    };
    return cmocka_run_group_tests_name("border", tests, NULL, NULL);
}
