/*
 * test_beat.c - paths of pings, and beats as JSON and back.
 */
#include "beat.h"

#include <locale.h>
#include <stdlib.h>

#include <kairos/timestamp.h>

#include "support.h"

static void paths(void **state)
{
    static const struct {
        struct beat beat;
        const char *path;
    } rows[] = {
        {{.service = "a", .kind = BEAT_SUCCESS}, "/ping/a"},
        {{.service = "a", .kind = BEAT_FAIL}, "/ping/a/fail"},
        {{.service = "a", .kind = BEAT_FAIL, .exit_status = 3}, "/ping/a/3"},
        {{.service = "a", .kind = BEAT_FAIL, .exit_status = 255}, "/ping/a/255"},
        {{.service = "a-b_9", .kind = BEAT_START}, "/ping/a-b_9/start"},
        {{.service = "a", .kind = BEAT_LOG}, "/ping/a/log"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char path[BEAT_PATH_SIZE];
        beat_path(&rows[i].beat, path);
        assert_string_equal(path, rows[i].path);
    }
}

/* By way of text, as a file has it. */
static json_t *written_and_read(const struct beat *beat)
{
    json_t *json = beat_to_json(beat);
    assert_non_null(json);
    char *text = json_dumps(json, 0);
    json_decref(json);
    assert_non_null(text);
    json = json_loads(text, JSON_ALLOW_NUL, NULL);
    free(text);
    assert_non_null(json);
    return json;
}

static void there_and_back(void **state)
{
    struct dice dice = {1};
    for (int i = 0; i < 2000; i++) {
        char output[BEAT_OUTPUT_MAX];
        struct beat read, beat = {
                              .service = "backup",
                              .kind = dice_chance(&dice, 50) ? BEAT_FAIL : BEAT_SUCCESS,
                              .time = dice_between(&dice, KAIROS_TIME_MIN, KAIROS_TIME_MAX),
                              .output = output,
                              .size = dice_below(&dice, 100),
                          };
        if (beat.kind == BEAT_FAIL)
            beat.exit_status = (unsigned)dice_below(&dice, 256);
        for (size_t j = 0; j < beat.size; j++)
            output[j] = (char)dice_below(&dice, 128);
        json_t *json = written_and_read(&beat);
        assert_true(beat_from_json(json, &read));
        assert_string_equal(read.service, "backup");
        assert_int_equal(read.kind, beat.kind);
        assert_int_equal(read.exit_status, beat.exit_status);
        assert_int_equal(read.time, beat.time);
        assert_int_equal(read.size, beat.size);
        assert_memory_equal(beat.size > 0 ? read.output : "", output, beat.size);
        json_decref(json);
    }
}

/* What is no text becomes one. */
static void foreign_output(void **state)
{
    static const struct {
        struct bytes output;
        const char *text;
    } rows[] = {
        {BYTES("\xff"), "\xef\xbf\xbd"},
        {BYTES("a\xc3"), "a\xef\xbf\xbd"},
        {BYTES("\xc3\xa9\xf0\x9f\x98\x80"), "\xc3\xa9\xf0\x9f\x98\x80"},
        {BYTES("\xc0\x80"), "\xef\xbf\xbd\xef\xbf\xbd"},
        {BYTES("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {BYTES("\xf4\x90\x80\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {BYTES("\xc3(x"), "\xef\xbf\xbd(x"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct beat read,
            beat = {.service = "a", .output = rows[i].output.text, .size = rows[i].output.length};
        json_t *json = written_and_read(&beat);
        assert_true(beat_from_json(json, &read));
        check(read.size == strlen(rows[i].text) && strcmp(read.output, rows[i].text) == 0,
              "row %zu: %s", i, shown(read.output, read.size));
        json_decref(json);
    }
}

/* The longest output, of which each byte triples, is read again. */
static void longest_output(void **state)
{
    char output[BEAT_OUTPUT_MAX];
    struct beat read, beat = {.service = "a", .output = output, .size = sizeof(output)};
    memset(output, 0xff, sizeof(output));
    json_t *json = written_and_read(&beat);
    assert_true(beat_from_json(json, &read));
    assert_int_equal(read.size, 3 * sizeof(output));
    json_decref(json);
}

static void what_is_none(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "{\"service\": \"a\"}",
        "{\"time\": \"2025-08-04T10:00Z\"}",
        "{\"service\": \"\", \"time\": \"2025-08-04T10:00Z\"}",
        "{\"service\": \"A\", \"time\": \"2025-08-04T10:00Z\"}",
        "{\"service\": \" a\", \"time\": \"2025-08-04T10:00Z\"}",
        "{\"service\": \"a\\u0000\", \"time\": \"2025-08-04T10:00Z\"}",
        "{\"service\": \"a\", \"time\": 0}",
        "{\"service\": \"a\", \"time\": \"2025-08-04\"}",
        "{\"service\": \"a\", \"time\": \"2025-08-04T10:00Z\", \"exit_status\": 0}",
        "{\"service\": \"a\", \"time\": \"2025-08-04T10:00Z\", \"exit_status\": -1}",
        "{\"service\": \"a\", \"time\": \"2025-08-04T10:00Z\", \"exit_status\": 256}",
        "{\"service\": \"a\", \"time\": \"2025-08-04T10:00Z\", \"exit_status\": 1.0}",
        "{\"service\": \"a\", \"time\": \"2025-08-04T10:00Z\", \"output\": null}",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct beat beat;
        json_t *json = json_loads(texts[i], JSON_ALLOW_NUL, NULL);
        assert_non_null(json);
        check(!beat_from_json(json, &beat), "%s", texts[i]);
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),          cmocka_unit_test(there_and_back),
        cmocka_unit_test(foreign_output), cmocka_unit_test(longest_output),
        cmocka_unit_test(what_is_none),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
