/*
 * test_json.c - the tokenizer: RFC 8259 to the letter, whatever the blocks.
 */
#include "json.h"

#include <stdlib.h>

#include "json_texts.h"
#include "support.h"

/* What the tokenizer said of a text. */
struct verdict {
    bool allowed;
    enum kairos_parse_error_code code;
    size_t offset;
    struct text stops; /* where it stopped, and what it knew then */
};

struct reader {
    struct json json;
    struct fence fence;
    enum json_kind kind; /* of the member under way */
    struct capture capture;
    struct verdict verdict;
    bool done; /* the text is complete, or bad */
};

static struct reader reader;

static void reader_begin(bool one_line)
{
    json_begin(&reader.json, one_line);
    reader.done = false;
    reader.verdict.stops.length = 0;
    text_print(&reader.verdict.stops, "%s", "");
    reader.verdict.offset = 0;
}

static void reader_forbid(enum kairos_parse_error_code code)
{
    reader.done = true;
    reader.verdict.allowed = false;
    reader.verdict.code = code;
}

static const char *const kinds[] = {
    [JSON_IS_OBJECT] = "object", [JSON_IS_ARRAY] = "array",     [JSON_IS_STRING] = "string",
    [JSON_IS_NUMBER] = "number", [JSON_IS_BOOLEAN] = "boolean", [JSON_IS_NULL] = "null",
};

/* Notes why the tokenizer stopped; a string is captured as an owner would. */
static void note(enum json_stop stop)
{
    struct json *json = &reader.json;
    struct text *stops = &reader.verdict.stops;
    int64_t time = 0;
    switch (stop) {
    case JSON_KEY:
        text_print(stops, "%zu key %s; ", reader.verdict.offset,
                   shown(json->key.text, json->key.length));
        break;
    case JSON_MEMBER:
        text_print(stops, "%zu %s; ", reader.verdict.offset, kinds[json->kind]);
        reader.kind = json->kind;
        capture_begin(&reader.capture, CAPTURE_KEY);
        if (json->kind == JSON_IS_STRING)
            json->capture = &reader.capture;
        break;
    case JSON_MEMBER_END:
        if (reader.kind == JSON_IS_NUMBER && decimal_time(&json->number, &time))
            text_print(stops, "%jd ", (intmax_t)time);
        text_print(stops, "%s%zu end; ", shown(reader.capture.text, reader.capture.length),
                   reader.verdict.offset);
        break;
    default:
        break;
    }
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Reads a block that ends at a forbidden page. */
static void reader_read(const char *block, size_t size)
{
    const char *c = fence_place(&reader.fence, block, size), *end = c + size;
    enum json_stop stop = JSON_MORE;
    while (!reader.done) {
        const char *before = c;
        stop = json_read(&reader.json, &c, end);
        assert_true(c >= before && c <= end);
        reader.verdict.offset += (size_t)(c - before);
        note(stop);
        if (stop == JSON_MORE) {
            assert_ptr_equal(c, end);
            return;
        }
        if (stop == JSON_BAD) {
            reader_forbid(reader.json.error);
            return;
        }
        if (stop == JSON_END) {
            reader.done = true;
            reader.verdict.allowed = true;
        }
    }
    while (reader.verdict.allowed && c < end) {
        if (!is_space(*c))
            reader_forbid(KAIROS_PARSE_TRAILING);
        else
            reader.verdict.offset++;
        c++;
    }
}

static void reader_end(void)
{
    if (reader.done)
        return;
    if (json_finish(&reader.json) == JSON_END) {
        reader.done = true;
        reader.verdict.allowed = true;
    } else {
        reader_forbid(reader.json.error);
    }
}

/* A text is cut before AT and before TO. */
static void read_cut(const char *text, size_t length, size_t at, size_t to)
{
    reader_begin(false);
    reader_read(text, at);
    reader_read(text + at, to - at);
    reader_read(text + to, length - to);
    reader_end();
}

static void read_bytes(const char *text, size_t length)
{
    reader_begin(false);
    for (size_t i = 0; i < length; i++)
        reader_read(text + i, 1);
    reader_end();
}

static void check_allowed(const struct bytes *text)
{
    check(reader.verdict.allowed, "refused with %d at %zu: %s", (int)reader.verdict.code,
          reader.verdict.offset, shown(text->text, text->length));
    assert_int_equal(reader.verdict.offset, text->length);
}

static void allowed_texts_are_allowed(void **state)
{
    struct text stops = {0};
    for (size_t i = 0; i < json_allowed_count; i++) {
        const struct bytes *text = &json_allowed[i];
        read_cut(text->text, text->length, 0, text->length);
        check_allowed(text);
        stops.length = 0;
        text_add(&stops, reader.verdict.stops.bytes, reader.verdict.stops.length);
        read_bytes(text->text, text->length);
        check_allowed(text);
        assert_string_equal(reader.verdict.stops.bytes, stops.bytes);
        for (size_t at = 0; at <= text->length; at++) {
            for (size_t to = at; to <= text->length; to++) {
                read_cut(text->text, text->length, at, to);
                check_allowed(text);
                assert_string_equal(reader.verdict.stops.bytes, stops.bytes);
            }
        }
    }
    text_finish(&stops);
}

static void check_forbidden(const struct json_forbidden *row)
{
    check(!reader.verdict.allowed, "allowed: %s|%s", shown(row->begin.text, row->begin.length),
          shown(row->rest.text, row->rest.length));
    check(reader.verdict.code == row->code && reader.verdict.offset == row->begin.length,
          "%s|%s: %d at %zu", shown(row->begin.text, row->begin.length),
          shown(row->rest.text, row->rest.length), (int)reader.verdict.code, reader.verdict.offset);
}

static void forbidden_texts_are_forbidden_at_their_byte(void **state)
{
    struct text text = {0};
    for (size_t i = 0; i < json_forbidden_count; i++) {
        const struct json_forbidden *row = &json_forbidden[i];
        text.length = 0;
        text_add(&text, row->begin.text, row->begin.length);
        text_add(&text, row->rest.text, row->rest.length);
        read_cut(text.bytes, text.length, 0, text.length);
        check_forbidden(row);
        read_bytes(text.bytes, text.length);
        check_forbidden(row);
        for (size_t at = 0; at <= text.length; at++) {
            for (size_t to = at; to <= text.length; to++) {
                read_cut(text.bytes, text.length, at, to);
                check_forbidden(row);
            }
        }
    }
    text_finish(&text);
}

/* Where the tokenizer stops, and what it knows there. */
static void it_stops_at_the_members_of_the_outermost_object(void **state)
{
    static const struct {
        const char *text, *stops;
    } rows[] = {
        {"{\"service\": \"push\", \"tags\": [1, {\"a\": 2}]}",
         "10 key service; 13 string; push18 end; 26 key tags; 29 array; 41 end; "},
        {"{}", ""},
        {"[]", ""},
        {"[{\"a\":1}]", ""},
        {"{\"a\":{\"b\":{\"c\":[]}}}", "4 key a; 6 object; 19 end; "},
        {"{\"a\":1}", "4 key a; 6 number; 1000000 6 end; "},
        {"{\"a\": 1.5 }", "4 key a; 7 number; 1500000 9 end; "},
        {"{\"a\":null,\"b\":true,\"c\":false}",
         "4 key a; 6 null; 9 end; 13 key b; 15 boolean; 18 end; 22 key c; 24 boolean; 28 end; "},
        {"{\"\":\"\"}", "3 key ; 5 string; 6 end; "},
        {"{\"a\\u0041\\n\":\"\\u00e9\\\"x\"}", "12 key aA\\x0a; 14 string; \\xc3\\xa9\"x24 end; "},
        {"{\"a\":\"b\",\"a\":\"c\"}", "4 key a; 6 string; b8 end; 12 key a; 14 string; c16 end; "},
        {"{\"a\":[\"b\"],\"c\":{\"d\":\"e\"}}",
         "4 key a; 6 array; 10 end; 14 key c; 16 object; 24 end; "},
        {"\"service\"", ""},
        {"7", ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t length = strlen(rows[i].text);
        read_cut(rows[i].text, length, 0, length);
        assert_true(reader.verdict.allowed);
        assert_string_equal(reader.verdict.stops.bytes, rows[i].stops);
    }
}

/* In one line a newline is no white space: it may not stand inside a text at all. */
static void in_one_line_a_newline_is_forbidden(void **state)
{
    static const struct {
        const char *text;
        enum kairos_parse_error_code code;
        size_t offset;
    } rows[] = {
        {"{\n}", KAIROS_PARSE_KEY, 1},
        {"{\"a\"\n:1}", KAIROS_PARSE_COLON, 4},
        {"{\"a\":\n1}", KAIROS_PARSE_VALUE, 5},
        {"{\"a\":1\n}", KAIROS_PARSE_MEMBER, 6},
        {"{\"a\":1,\n\"b\":2}", KAIROS_PARSE_KEY, 7},
        {"[\n]", KAIROS_PARSE_VALUE, 1},
        {"[1\n]", KAIROS_PARSE_ITEM, 2},
        {"[1,\n2]", KAIROS_PARSE_VALUE, 3},
        {"\"\n\"", KAIROS_PARSE_CONTROL, 1},
        {"nu\nll", KAIROS_PARSE_LITERAL, 2},
        {"-\n", KAIROS_PARSE_NUMBER, 1},
        {"\n1", KAIROS_PARSE_VALUE, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        reader_begin(true);
        reader_read(rows[i].text, strlen(rows[i].text));
        reader_end();
        check(!reader.verdict.allowed && reader.verdict.code == rows[i].code &&
                  reader.verdict.offset == rows[i].offset,
              "%s: %d at %zu", shown(rows[i].text, strlen(rows[i].text)), (int)reader.verdict.code,
              reader.verdict.offset);
    }
    static const char spaced[] = "{ \"a\" :\t1 ,\r\"b\" : [ ] }";
    reader_begin(true);
    reader_read(spaced, strlen(spaced));
    reader_end();
    assert_true(reader.verdict.allowed);
}

/* Feeds COUNT copies of PIECE. */
static void read_many(const char *piece, size_t count)
{
    struct text block = {0};
    for (size_t i = 0; i < 1024; i++)
        text_add(&block, piece, strlen(piece));
    for (; count >= 1024; count -= 1024)
        reader_read(block.bytes, block.length);
    reader_read(block.bytes, count * strlen(piece));
    text_finish(&block);
}

static void brackets_nest_this_deep_and_no_deeper(void **state)
{
    const size_t depth = KAIROS_NESTING_MAX;
    static const char *const opens[] = {"[", "{\"a\":"};
    static const char *const closes[] = {"]", "}"};
    for (size_t i = 0; i < COUNT_OF(opens); i++) {
        reader_begin(false);
        read_many(opens[i], depth - 1);
        read_many("[", 1);
        read_many("]", 1);
        read_many(closes[i], depth - 1);
        reader_end();
        assert_true(reader.verdict.allowed);

        reader_begin(false);
        read_many(opens[i], depth);
        assert_false(reader.done);
        read_many(i == 0 ? "{" : "[", 1);
        assert_true(reader.done);
        assert_int_equal(reader.verdict.code, KAIROS_PARSE_NESTING);
        assert_int_equal(reader.verdict.offset, depth * strlen(opens[i]));

        reader_begin(false);
        read_many(opens[i], depth);
        reader_end();
        assert_int_equal(reader.verdict.code, KAIROS_PARSE_TRUNCATED);
    }
}

/* A bracket is closed by its own kind, however many lie between. */
static void every_bracket_remembers_its_kind(void **state)
{
    struct dice dice = {1};
    static char opened[5000];
    for (int round = 0; round < 200; round++) {
        size_t depth = 1 + dice_below(&dice, sizeof(opened));
        reader_begin(false);
        for (size_t i = 0; i < depth; i++) {
            opened[i] = dice_char(&dice, "[{");
            reader_read(opened[i] == '[' ? "[1," : "{\"a\":", opened[i] == '[' ? 3 : 5);
        }
        reader_read("null", 4);
        size_t wrong = dice_chance(&dice, 50) ? depth : dice_below(&dice, depth);
        for (size_t i = depth; i > 0 && !reader.done; i--) {
            bool array = (opened[i - 1] == '[') != (i - 1 == wrong);
            reader_read(array ? "]" : "}", 1);
        }
        reader_end();
        assert_int_equal(reader.verdict.allowed, wrong == depth);
        if (wrong < depth)
            assert_int_equal(reader.verdict.code,
                             opened[wrong] == '[' ? KAIROS_PARSE_ITEM : KAIROS_PARSE_MEMBER);
    }
}

static void long_strings_and_numbers_cost_nothing(void **state)
{
    reader_begin(false);
    reader_read("{\"a\":\"", 6);
    for (int i = 0; i < 1000; i++)
        read_many("abcdefgh\\n\xc3\xa9", 1024);
    reader_read("\",\"b\":1", 7);
    read_many("0", 1000000);
    reader_read("e-1", 3);
    read_many("0", 1000000);
    reader_read("}", 1);
    reader_end();
    assert_true(reader.verdict.allowed);
}

/*
 * The oracle: one function per rule of the grammar, each returning where it ends. On the first byte
 * that does not belong, or at the end if bytes are missing, `bad` is set and stays.
 */
struct oracle {
    const char *end;
    const char *bad;
};

static const char *oracle_value(struct oracle *oracle, const char *c);

static const char *oracle_bad(struct oracle *oracle, const char *c)
{
    if (oracle->bad == NULL)
        oracle->bad = c;
    return c;
}

static bool at(const struct oracle *oracle, const char *c, char expected)
{
    return oracle->bad == NULL && c < oracle->end && *c == expected;
}

static const char *oracle_expect(struct oracle *oracle, const char *c, const char *choices)
{
    if (oracle->bad == NULL && c < oracle->end && *c != '\0' && strchr(choices, *c) != NULL)
        return c + 1;
    return oracle_bad(oracle, c);
}

static const char *oracle_space(const struct oracle *oracle, const char *c)
{
    while (c < oracle->end && is_space(*c))
        c++;
    return c;
}

static const char *oracle_digits(struct oracle *oracle, const char *c)
{
    c = oracle_expect(oracle, c, "0123456789");
    while (oracle->bad == NULL && c < oracle->end && *c >= '0' && *c <= '9')
        c++;
    return c;
}

static const char *oracle_number(struct oracle *oracle, const char *c)
{
    if (at(oracle, c, '-'))
        c++;
    c = at(oracle, c, '0') ? c + 1 : oracle_digits(oracle, c);
    if (at(oracle, c, '.'))
        c = oracle_digits(oracle, c + 1);
    if (at(oracle, c, 'e') || at(oracle, c, 'E')) {
        c++;
        if (at(oracle, c, '+') || at(oracle, c, '-'))
            c++;
        c = oracle_digits(oracle, c);
    }
    return c;
}

/* The well-formed byte sequences. Source: The Unicode Standard, table 3-7. */
static const char *oracle_utf8(struct oracle *oracle, const char *c)
{
    static const unsigned char table[][8] = {
        {0xc2, 0xdf, 0x80, 0xbf},
        {0xe0, 0xe0, 0xa0, 0xbf, 0x80, 0xbf},
        {0xe1, 0xec, 0x80, 0xbf, 0x80, 0xbf},
        {0xed, 0xed, 0x80, 0x9f, 0x80, 0xbf},
        {0xee, 0xef, 0x80, 0xbf, 0x80, 0xbf},
        {0xf0, 0xf0, 0x90, 0xbf, 0x80, 0xbf, 0x80, 0xbf},
        {0xf1, 0xf3, 0x80, 0xbf, 0x80, 0xbf, 0x80, 0xbf},
        {0xf4, 0xf4, 0x80, 0x8f, 0x80, 0xbf, 0x80, 0xbf},
    };
    for (size_t row = 0; row < COUNT_OF(table); row++) {
        if ((unsigned char)*c < table[row][0] || (unsigned char)*c > table[row][1])
            continue;
        c++;
        for (size_t i = 2; i < 8 && table[row][i] != 0; i += 2, c++) {
            if (c == oracle->end || (unsigned char)*c < table[row][i] ||
                (unsigned char)*c > table[row][i + 1])
                return oracle_bad(oracle, c);
        }
        return c;
    }
    return oracle_bad(oracle, c);
}

static const char *oracle_string(struct oracle *oracle, const char *c)
{
    c = oracle_expect(oracle, c, "\"");
    while (oracle->bad == NULL) {
        if (c == oracle->end || (unsigned char)*c < 0x20)
            return oracle_bad(oracle, c);
        if (*c == '"')
            return c + 1;
        if ((unsigned char)*c >= 0x80) {
            c = oracle_utf8(oracle, c);
        } else if (*c != '\\') {
            c++;
        } else if (at(oracle, c + 1, 'u')) {
            c += 2;
            for (int i = 0; i < 4; i++)
                c = oracle_expect(oracle, c, "0123456789abcdefABCDEF");
        } else {
            c = oracle_expect(oracle, c + 1, "\"\\/bfnrt");
        }
    }
    return c;
}

static const char *oracle_literal(struct oracle *oracle, const char *c, const char *literal)
{
    for (; *literal != '\0'; literal++) {
        if (!at(oracle, c, *literal))
            return oracle_bad(oracle, c);
        c++;
    }
    return c;
}

static const char *oracle_items(struct oracle *oracle, const char *c, char close)
{
    c = oracle_space(oracle, c + 1);
    if (at(oracle, c, close))
        return c + 1;
    while (oracle->bad == NULL) {
        c = oracle_space(oracle, c);
        if (close == '}') {
            c = oracle_space(oracle, oracle_string(oracle, c));
            c = oracle_expect(oracle, c, ":");
        }
        c = oracle_space(oracle, oracle_value(oracle, c));
        if (at(oracle, c, close))
            return c + 1;
        c = oracle_expect(oracle, c, ",");
    }
    return c;
}

static const char *oracle_value(struct oracle *oracle, const char *c)
{
    c = oracle_space(oracle, c);
    if (oracle->bad != NULL || c == oracle->end)
        return oracle_bad(oracle, c);
    switch (*c) {
    case '{':
        return oracle_items(oracle, c, '}');
    case '[':
        return oracle_items(oracle, c, ']');
    case '"':
        return oracle_string(oracle, c);
    case 't':
        return oracle_literal(oracle, c, "true");
    case 'f':
        return oracle_literal(oracle, c, "false");
    case 'n':
        return oracle_literal(oracle, c, "null");
    case '-':
    case '0' ... '9':
        return oracle_number(oracle, c);
    default:
        return oracle_bad(oracle, c);
    }
}

/* Where TEXT stops being JSON; its length and true if it never does. */
static bool oracle_read(const char *text, size_t length, size_t *offset)
{
    struct oracle oracle = {.end = text + length};
    const char *c = oracle_space(&oracle, oracle_value(&oracle, text));
    if (oracle.bad == NULL && c < oracle.end)
        oracle_bad(&oracle, c);
    *offset = (size_t)((oracle.bad != NULL ? oracle.bad : c) - text);
    return oracle.bad == NULL;
}

static void compare(struct dice *dice, const char *text, size_t length)
{
    size_t offset, at_first = dice_below(dice, length + 1);
    bool allowed = oracle_read(text, length, &offset);
    read_cut(text, length, at_first, at_first + dice_below(dice, length - at_first + 1));
    check(reader.verdict.allowed == allowed && reader.verdict.offset == offset,
          "%s: %s at %zu, not %s at %zu", shown(text, length),
          reader.verdict.allowed ? "allowed" : "forbidden", reader.verdict.offset,
          allowed ? "allowed" : "forbidden", offset);
}

/* Writes a random value, brackets nesting up to DEPTH. */
static void put_value(struct dice *dice, struct text *text, int depth)
{
    static const char *const plain[] = {
        "null",
        "true",
        "false",
        "0",
        "-1.5e+3",
        "12",
        "\"\"",
        "\"abc\"",
        "\"\\u00e9\\n\"",
        "\"\xc3\xa9\xf0\x9f\x9a\xa8\"",
        " 1 ",
        "\t\"x\"\n",
        "[]",
        "{ }",
    };
    if (depth == 0 || dice_chance(dice, 40)) {
        text_print(text, "%s", plain[dice_below(dice, COUNT_OF(plain))]);
        return;
    }
    bool object = dice_chance(dice, 50);
    text_print(text, object ? "{" : "[");
    for (size_t i = 0, count = dice_below(dice, 4); i < count; i++) {
        text_print(text, "%s", i > 0 ? "," : "");
        if (object)
            text_print(text, "\"%c\"%s:", dice_char(dice, "abc"), dice_chance(dice, 20) ? " " : "");
        put_value(dice, text, depth - 1);
    }
    text_print(text, object ? "}" : "]");
}

static void random_texts_agree_with_the_oracle(void **state)
{
    struct dice dice = {2};
    struct text text = {0};
    for (int i = 0; i < 40000; i++) {
        text.length = 0;
        put_value(&dice, &text, 4);
        compare(&dice, text.bytes, text.length);
        size_t at_byte = dice_below(&dice, text.length);
        text.bytes[at_byte] = dice_chance(&dice, 70)
                                  ? dice_char(&dice, "{}[]:,\"\\/ntf0123-+.eEu \n\xc3\xa9\x80")
                                  : (char)dice_below(&dice, 256);
        compare(&dice, text.bytes, text.length);
        compare(&dice, text.bytes, dice_below(&dice, text.length + 1));
    }
    text_finish(&text);
}

/* Every text of up to six bytes, of those that matter most. */
static void all_short_texts_agree_with_the_oracle(void **state)
{
    static const char letters[] = "[]{}:,\"\\1 a";
    struct dice dice = {3};
    size_t texts = 1;
    for (size_t length = 1; length <= 5; length++) {
        texts *= strlen(letters);
        for (size_t index = 0; index < texts; index++) {
            char text[8];
            size_t rest = index;
            for (size_t i = 0; i < length; i++, rest /= strlen(letters))
                text[i] = letters[rest % strlen(letters)];
            compare(&dice, text, length);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(allowed_texts_are_allowed),
        cmocka_unit_test(forbidden_texts_are_forbidden_at_their_byte),
        cmocka_unit_test(it_stops_at_the_members_of_the_outermost_object),
        cmocka_unit_test(in_one_line_a_newline_is_forbidden),
        cmocka_unit_test(brackets_nest_this_deep_and_no_deeper),
        cmocka_unit_test(every_bracket_remembers_its_kind),
        cmocka_unit_test(long_strings_and_numbers_cost_nothing),
        cmocka_unit_test(random_texts_agree_with_the_oracle),
        cmocka_unit_test(all_short_texts_agree_with_the_oracle),
    };
    fence_init(&reader.fence, 65536);
    int failed = cmocka_run_group_tests_name("json", tests, NULL, NULL);
    text_finish(&reader.verdict.stops);
    fence_finish(&reader.fence);
    return failed;
}
