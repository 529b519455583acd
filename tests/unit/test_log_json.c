/*
 * test_log_json.c - lines of the log as JSON, whatever stands in them. Jansson says what the result
 * means.
 */
#include "log_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "log.h"
#include "support.h"

static json_t *object_of(const char *words, size_t length)
{
    size_t size = LOG_JSON_SIZE(length);
    char *json = malloc(size + 3);
    json_error_t error;
    assert_non_null(json);
    json[0] = '{';
    size_t used = log_json(json + 1, words, length);
    assert_true(used <= size);
    strcpy(json + 1 + used, "}");
    json_t *object = json_loads(json, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    check(object != NULL, "%s: %s: %s", shown(words, length), error.text, json);
    free(json);
    return object;
}

static void what_words_become(void **state)
{
    static const struct {
        const char *words;
        const char *object;
    } rows[] = {
        {"stopping", "{'event': 'stopping'}"},
        {"", "{'event': ''}"},
        {"  stopped  ", "{'event': 'stopped'}"},
        {"alert service=push missed_count=3 last_seen=never",
         "{'event': 'alert', 'service': 'push', 'missed_count': 3, 'last_seen': 'never'}"},
        {"gap seconds=12.500 n=-7 zero=0", "{'event': 'gap', 'seconds': 12.5, 'n': -7, 'zero': 0}"},
        {"a big=123456789012345678 bigger=1234567890123456789",
         "{'event': 'a', 'big': 123456789012345678, 'bigger': '1234567890123456789'}"},
        /* No numbers: as JSON has none of these. */
        {"a b=007 c=1. d=.5 e=- f=+1 g=0x1 h=1e5 i=nan j=1.2.3 k=-01",
         "{'event': 'a', 'b': '007', 'c': '1.', 'd': '.5', 'e': '-', 'f': '+1', 'g': '0x1', "
         "'h': '1e5', 'i': 'nan', 'j': '1.2.3', 'k': '-01'}"},
        /* Names stay texts. */
        {"alert service=7 id=12 tag=5 count=5",
         "{'event': 'alert', 'service': '7', 'id': '12', 'tag': '5', 'count': 5}"},
        {"a b=\"7\" c=\"\" d=", "{'event': 'a', 'b': '7', 'c': '', 'd': ''}"},
        {"a b=\"x y=1 z\" c=2", "{'event': 'a', 'b': 'x y=1 z', 'c': 2}"},
        {"a b=\"\\xc3\\xa4\\x0a\\\\\\\" \" c=\"\\xff\\xc3\"",
         "{'event': 'a', 'b': '\\u00e4\\n\\\\\\\" ', 'c': '\\ufffd\\ufffd'}"},
        {"a b=\xc3\xa4 c=\xff d=\x01\x7f",
         "{'event': 'a', 'b': '\\u00e4', 'c': '\\ufffd', 'd': '\\u0001\\u007f'}"},
        {"a b=\"\\x4 \\", "{'event': 'a', 'b': 'x4 \\\\'}"}, /* cut */
        {"skipped event=11 level=2 time=3 text=4",
         "{'event': 'skipped', 'event_': 11, 'level_': 2, 'time_': 3, 'text_': 4}"},
        {"a event_=1 event=2", "{'event': 'a', 'text': 'event_=1', 'event_': 2}"},
        {"a b=1 b=2 c=3", "{'event': 'a', 'b': 1, 'text': 'b=2', 'c': 3}"},
        {"failed no such \"thing\" a=1 B=2 =3 x", "{'event': 'failed', 'a': 1, "
                                                  "'text': 'no such \\\"thing\\\" B=2 =3 x'}"},
        {"a=b c=\"d\"e=f", "{'event': 'a=b', 'c': 'd', 'e': 'f'}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[512];
        strcpy(text, rows[i].object);
        for (char *quote = text; (quote = strchr(quote, '\'')) != NULL;)
            *quote = '"';
        json_t *expected = json_loads(text, 0, NULL);
        check(expected != NULL, "%s", text);
        json_t *object = object_of(rows[i].words, strlen(rows[i].words));
        char *found = json_dumps(object, JSON_ENSURE_ASCII);
        check(json_equal(object, expected), "%s: %s", rows[i].words, found);
        free(found);
        json_decref(object);
        json_decref(expected);
    }
}

/* A line with more keys than are told apart. */
static void many_keys(void **state)
{
    struct text words = {0};
    text_print(&words, "many");
    for (int i = 0; i < 100; i++)
        text_print(&words, " key%d=%d", i, i);
    json_t *object = object_of(words.bytes, words.length);
    const char *rest = json_string_value(json_object_get(object, "text"));
    assert_non_null(rest);
    for (int i = 0; i < 100; i++) {
        char key[16], pair[32];
        sprintf(key, "key%d", i);
        sprintf(pair, "key%d=%d", i, i);
        if (json_object_get(object, key) != NULL)
            assert_int_equal(json_integer_value(json_object_get(object, key)), i);
        else
            assert_non_null(strstr(rest, pair));
    }
    json_decref(object);
    text_finish(&words);
}

/* Any bytes make an object, within the room that was promised. */
static void any_words_make_an_object(void **state)
{
    struct dice dice = {1};
    struct fence fence;
    fence_init(&fence, 256);
    for (int i = 0; i < 100000; i++) {
        char words[200];
        size_t length = dice_below(&dice, sizeof(words) + 1);
        for (size_t at = 0; at < length; at++)
            words[at] = dice_chance(&dice, 85) ? dice_char(&dice, "ab=\"\\ x0=1 .-_e\xc3\xa4")
                                               : (char)dice_below(&dice, 256);
        json_decref(object_of(fence_place(&fence, words, length), length));
    }
    fence_finish(&fence);
}

/* Nothing that a terminal obeys, or that somebody may take for the end of a line. */
static void controls_are_escaped(void **state)
{
    static const char words[] =
        "a b=\x1b[31m c=\xc2\x9b d=\"\\xe2\\x80\\xa8\\xc2\\x85\" e=\xe2\x80\xaa";
    static const char expected[] = "\"event\": \"a\", \"b\": \"\\u001b[31m\", \"c\": \"\\u009b\", "
                                   "\"d\": \"\\u2028\\u0085\", \"e\": \"\xe2\x80\xaa\"";
    char json[LOG_JSON_SIZE(sizeof(words))];
    json[log_json(json, words, strlen(words))] = '\0';
    assert_string_equal(json, expected);
}

/* What was quoted is what the object says, if it is UTF-8 at all. */
static void quoted_text_comes_back(void **state)
{
    static const char *const characters[] = {
        "a", " ", "\"", "\\",       "\n",           "\x7f",
        "=", "x", "1",  "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x9a\xa8"};
    struct dice dice = {7};
    for (int i = 0; i < 20000; i++) {
        char text[128] = "", quoted[4 * sizeof(text) + 3], words[sizeof(quoted) + 8];
        for (size_t count = dice_below(&dice, 20); count > 0; count--)
            strcat(text, characters[dice_below(&dice, COUNT_OF(characters))]);
        log_quote(quoted, text, strlen(text));
        sprintf(words, "a b=%s c=1", quoted);
        json_t *object = object_of(words, strlen(words));
        assert_string_equal(json_string_value(json_object_get(object, "b")), text);
        assert_int_equal(json_integer_value(json_object_get(object, "c")), 1);
        json_decref(object);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_words_become),        cmocka_unit_test(many_keys),
        cmocka_unit_test(any_words_make_an_object), cmocka_unit_test(controls_are_escaped),
        cmocka_unit_test(quoted_text_comes_back),
    };
    return cmocka_run_group_tests_name("log_json", tests, NULL, NULL);
}
