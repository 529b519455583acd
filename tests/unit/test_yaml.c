/*
 * test_yaml.c - YAML read into nodes and JSON values, and written.
 */
#include "yaml_json.h"
#include "yaml_node.h"

#include <stdio.h>
#include <stdlib.h>

#include "support.h"

#define NODES_MAX 1000

/* TEXT is read as what JSON says. */
static void check_means(const char *text, size_t length, const char *json)
{
    struct failure failure;
    json_error_t error;
    json_t *expected = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    json_t *value = yaml_json_read(text, length, NODES_MAX, &failure);
    check(expected != NULL, "%s: %s", json, error.text);
    check(value != NULL, "%s: %s", shown(text, length), failure.text);
    check(json_equal(value, expected), "%s is not %s", shown(text, length), json);
    json_decref(value);
    json_decref(expected);
}

static void meanings(void **state)
{
    static const struct {
        struct bytes text;
        const char *json;
    } rows[] = {
        {BYTES(""), "null"},
        {BYTES("# nothing\n"), "null"},
        {BYTES("---\n"), "null"},
        {BYTES("~"), "null"},
        {BYTES("null"), "null"},
        {BYTES("nUll"), "\"nUll\""},
        {BYTES("true"), "true"},
        {BYTES("True"), "true"},
        {BYTES("FALSE"), "false"},
        {BYTES("yes"), "\"yes\""},
        {BYTES("on"), "\"on\""},
        {BYTES("off"), "\"off\""},
        {BYTES("'true'"), "\"true\""},
        {BYTES("\"60\""), "\"60\""},
        {BYTES("60"), "60"},
        {BYTES("+60"), "60"},
        {BYTES("-0"), "0"},
        {BYTES("0660"), "660"},
        {BYTES("0o660"), "432"},
        {BYTES("0xFf"), "255"},
        {BYTES("0b1"), "\"0b1\""},
        {BYTES("0o8"), "\"0o8\""},
        {BYTES("1_000"), "\"1_000\""},
        {BYTES("12:30"), "\"12:30\""},
        {BYTES("9223372036854775807"), "9223372036854775807"},
        {BYTES("9223372036854775808"), "9223372036854775808.0"},
        {BYTES("-9223372036854775808"), "-9223372036854775808"},
        {BYTES("1.5"), "1.5"},
        {BYTES("1."), "1.0"},
        {BYTES(".5"), "0.5"},
        {BYTES("-.5e1"), "-5.0"},
        {BYTES("1e3"), "1000.0"},
        {BYTES("1e"), "\"1e\""},
        {BYTES("."), "\".\""},
        {BYTES("-"), "[null]"},
        {BYTES("e3"), "\"e3\""},
        {BYTES("90s"), "\"90s\""},
        {BYTES("2025-08-04"), "\"2025-08-04\""},
        {BYTES("!!str 60"), "\"60\""},
        {BYTES("! 60"), "\"60\""},
        {BYTES("!!int \"60\""), "60"},
        {BYTES("!!float 60"), "60.0"},
        {BYTES("!!map {}"), "{}"},
        {BYTES("a: 1\nb:\n- x\n- y\n"), "{\"a\": 1, \"b\": [\"x\", \"y\"]}"},
        {BYTES("{a: [1, {b: }], c: ''}"), "{\"a\": [1, {\"b\": null}], \"c\": \"\"}"},
        {BYTES("a: 1\r\nb: 2\r\n"), "{\"a\": 1, \"b\": 2}"},
        {BYTES("1: a\ntrue: b\n"), "{\"1\": \"a\", \"true\": \"b\"}"},
        {BYTES("a: |\n  x\n  y\n"), "{\"a\": \"x\\ny\\n\"}"},
        {BYTES("a: >-\n  x\n  y\n"), "{\"a\": \"x y\"}"},
        {BYTES("\"a\\0b\""), "\"a\\u0000b\""},
        {BYTES("\xef\xbb\xbf"
               "a: \xc3\xa9\n"),
         "{\"a\": \"\xc3\xa9\"}"},
        {BYTES("%YAML 1.2\n---\na: 1\n...\n"), "{\"a\": 1}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_means(rows[i].text.text, rows[i].text.length, rows[i].json);
}

static void refused(void **state)
{
    static const struct {
        struct bytes text;
        const char *failure; /* how it begins */
    } rows[] = {
        {BYTES("a: &x 1\n"), "line 1, column 4: anchors are not taken"},
        {BYTES("a: &x [1]\n"), "line 1, column 4: anchors are not taken"},
        {BYTES("&x a: 1\n"), "line 1, column 1: a key has to be a text"},
        {BYTES("a: *x\n"), "line 1, column 4: aliases are not taken"},
        {BYTES("a: 1\nb: 2\na: 3\n"),
         "line 3, column 1: the key 'a' stands twice, here and in line 1"},
        {BYTES("a:\n  b: 1\n  'b': 2\n"), "line 3, column 3: the key 'b' stands twice"},
        {BYTES("a: 1\n---\nb: 2\n"), "line 2, column 1: there is a second document"},
        {BYTES("a: !!binary aGk=\n"), "line 1, column 4: the tag is unknown"},
        {BYTES("a: !mine 1\n"), "line 1, column 4: the tag is unknown"},
        {BYTES("a: !!int x\n"), "line 1, column 4: the tag is unknown or does not fit"},
        {BYTES("a: !!set {}\n"), "line 1, column 4: the tag is unknown"},
        {BYTES("a: .inf\n"), "line 1, column 4: the number is too large, or none"},
        {BYTES("a: -.INF\n"), "line 1, column 4: the number is too large, or none"},
        {BYTES("a: .nan\n"), "line 1, column 4: the number is too large, or none"},
        {BYTES("a: 1e999\n"), "line 1, column 4: the number is too large, or none"},
        {BYTES("[a]: 1\n"), "line 1, column 1: a key has to be a text"},
        {BYTES("? \n: 1\n"), "line 1, column 2: a key has to be a text, and not empty"},
        {BYTES("\"a\\0\": 1\n"), "line 1, column 1: a key has to be a text"},
        {BYTES("a:\n\tb: 1\n"), "line 2, column 1: a tab cannot indent; use blanks"},
        {BYTES("a: [1, 2\n"), "line 2, column 1: "},
        {BYTES("a: \"x\n"), "line 2, column 1: "},
        {BYTES("a: b: c\n"), "line 1, column 5: "},
        {BYTES("a: 1\n b: 2\n"), "line 2, column "},
        {BYTES("a: 1\nb\n"), "line 3, column 1: "},
        {BYTES("a: \x01\n"), "line 1, column 4: "},
        {BYTES("x: 1\na: \0\n"), "line 2, column 4: "},
        {BYTES("a: \xff\n"), "line 1, column 4: "},
        {BYTES("a: \xc3"), "line 1, column 4: "},
        {BYTES("\xfe\xff\0a"), "line 1, column 1: "},
        {BYTES("@"), "line 1, column 1: "},
        {BYTES("%NONE\n---\n"), "line 1, column 6: "},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct failure failure;
        const char *text = rows[i].text.text, *expected = rows[i].failure;
        json_t *value = yaml_json_read(text, rows[i].text.length, NODES_MAX, &failure);
        check(value == NULL, "%s", shown(text, rows[i].text.length));
        check(strncmp(failure.text, expected, strlen(expected)) == 0, "%s: %s",
              shown(text, rows[i].text.length), failure.text);
    }
}

static void repeat(struct text *text, const char *piece, size_t count)
{
    for (size_t i = 0; i < count; i++)
        text_print(text, piece, i);
}

static bool is_read(const struct text *text)
{
    struct failure failure;
    json_t *value = yaml_json_read(text->bytes, text->length, NODES_MAX, &failure);
    json_decref(value);
    return value != NULL;
}

static void bounds(void **state)
{
    static const struct {
        const char *head, *piece, *tail;
        size_t most; /* of the pieces */
    } rows[] = {
        {"", "[", "", 0},
        {"", "- ", "x", YAML_DEPTH_MAX},
        {"", "key%zu: 1\n", "", YAML_KEYS_MAX},
        {"", "- 1\n", "", NODES_MAX - 1},
        {"[", "1,", "]", NODES_MAX - 1},
        {"", "%%TAG !t%zu! x\n", "--- 1", 100},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t counts[] = {rows[i].most, rows[i].most + 1, 1000000};
        for (size_t c = rows[i].most == 0; c < COUNT_OF(counts); c++) {
            struct text text = {0};
            text_print(&text, "%s", rows[i].head);
            repeat(&text, rows[i].piece, counts[c]);
            text_print(&text, "%s", rows[i].tail);
            check(is_read(&text) == (c == 0), "%zu times %s", counts[c], rows[i].piece);
            text_finish(&text);
        }
    }
}

static void places(void **state)
{
    static const char text[] =
        "# head\nport: 80\n\nservices:\n  - service: a\n    \xc3\xa9: [1, 2]\n";
    struct place place;
    struct failure failure;
    struct yaml_node *root = yaml_node_read(text, strlen(text), NODES_MAX, &place, &failure);
    assert_non_null(root);
    const struct yaml_node *port = yaml_node_member(root, "port");
    assert_string_equal(port->text, "80");
    assert_int_equal(port->key_place.line, 2);
    assert_int_equal(port->place.column, 7);
    const struct yaml_node *entry = yaml_node_member(root, "services")->first;
    assert_int_equal(entry->place.line, 5);
    assert_int_equal(entry->count, 2);
    const struct yaml_node *list = yaml_node_member(entry, "\xc3\xa9");
    assert_int_equal(list->key_place.line, 6);
    assert_int_equal(list->place.column, 8); /* in characters */
    assert_int_equal(list->first->next->place.column, 12);
    assert_null(yaml_node_member(root, "none"));
    yaml_node_destroy(root);
}

/* ---- Writing ---- */

static void written(void **state)
{
    static const struct {
        const char *json, *yaml;
    } rows[] = {
        {"null", "null\n"},
        {"{}", "{}\n"},
        {"[]", "[]\n"},
        {"[{\"service\": \"a-b_1\", \"interval\": 60, \"tags\": [\"x\"], \"max_runtime\": null}]",
         "- service: a-b_1\n  interval: 60\n  tags:\n  - x\n  max_runtime: null\n"},
        {"[\"no\", \"On\", \"12\", \"1.5s\", \"\", \" a\", \"a b\", \"a: b\", \"2025-08-04\"]",
         "- \"no\"\n- \"On\"\n- \"12\"\n- \"1.5s\"\n- \"\"\n- \" a\"\n- \"a b\"\n- \"a: b\"\n- "
         "\"2025-08-04\"\n"},
        {"[1.5, 1.0, 1e20, -2.5e-7, true, false]",
         "- 1.5\n- 1.0\n- 1.0e+20\n- -2.5e-07\n- true\n- false\n"},
        {"\"a\\nb\\u0000\\u001b\"", "\"a\\nb\\0\\e\"\n"},
        {"\"\xc3\xa9\"", "\"\xc3\xa9\"\n"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t length;
        json_t *value = json_loads(rows[i].json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        char *text = yaml_json_write(value, &length);
        assert_non_null(text);
        assert_int_equal(length, strlen(text));
        assert_string_equal(text, rows[i].yaml);
        check_means(text, length, rows[i].json);
        free(text);
        json_decref(value);
    }
}

static json_t *random_text(struct dice *dice)
{
    static const char *const pieces[] = {"a",
                                         "on",
                                         "null",
                                         "0",
                                         "1.5",
                                         ":",
                                         " ",
                                         "\n",
                                         "#",
                                         "-",
                                         "\xc3\xa9",
                                         "\t",
                                         "\xe2\x80\xa8",
                                         "'",
                                         "\"",
                                         "\\",
                                         "?",
                                         "\xf0\x9f\x9a\xa8",
                                         "\x7f",
                                         "\xc2\x85"};
    char text[64] = "";
    for (size_t count = dice_below(dice, 6); count > 0; count--)
        strcat(text, pieces[dice_below(dice, COUNT_OF(pieces))]);
    return json_string(text);
}

static json_t *random_value(struct dice *dice, unsigned depth)
{
    json_t *value;
    switch (dice_below(dice, depth > 4 ? 5 : 8)) {
    case 0:
        return json_null();
    case 1:
        return json_boolean(dice_chance(dice, 50));
    case 2:
        return json_integer(dice_between(dice, INT64_MIN, INT64_MAX));
    case 3:
        return json_real((double)dice_between(dice, -1000000, 1000000) / 1e3);
    case 4:
    case 5:
        return random_text(dice);
    case 6:
        value = json_array();
        for (size_t count = dice_below(dice, 4); count > 0; count--)
            json_array_append_new(value, random_value(dice, depth + 1));
        return value;
    default:
        value = json_object();
        for (size_t count = dice_below(dice, 4); count > 0; count--) {
            json_t *key = random_text(dice);
            if (json_string_length(key) > 0)
                json_object_set_new(value, json_string_value(key), random_value(dice, depth + 1));
            json_decref(key);
        }
        return value;
    }
}

static void what_is_written_is_read_again(void **state)
{
    struct dice dice = {4};
    for (size_t i = 0; i < 5000; i++) {
        size_t length;
        struct failure failure;
        json_t *value = random_value(&dice, 0);
        char *text = yaml_json_write(value, &length);
        assert_non_null(text);
        json_t *again = yaml_json_read(text, length, NODES_MAX, &failure);
        check(again != NULL, "%s: %s", text, failure.text);
        check(json_equal(value, again), "%s", text);
        free(text);
        json_decref(again);
        json_decref(value);
    }
}

static void arrays_behind_one_another_are_one(void **state)
{
    size_t length;
    struct text text = {0};
    json_t *item = json_loads("[{\"service\": \"a\", \"tags\": [\"x\", \"y\"]}]", 0, NULL);
    char *yaml = yaml_json_write(item, &length);
    text_print(&text, "services:\n%s%s", yaml, yaml);
    check_means(text.bytes, text.length,
                "{\"services\": [{\"service\": \"a\", \"tags\": [\"x\", \"y\"]}, {\"service\": "
                "\"a\", \"tags\": [\"x\", \"y\"]}]}");
    text_finish(&text);
    free(yaml);
    json_decref(item);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meanings),
        cmocka_unit_test(refused),
        cmocka_unit_test(bounds),
        cmocka_unit_test(places),
        cmocka_unit_test(written),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(arrays_behind_one_another_are_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
