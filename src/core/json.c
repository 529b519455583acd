#include "json.h"

#include <string.h>

#include "plain.h"

static enum json_stop bad(struct json *json, enum kairos_parse_error_code error)
{
    json->error = error;
    return JSON_BAD;
}

/* Whether the innermost bracket is a '{'; there is one. */
static bool in_object(const struct json *json)
{
    uint32_t top = json->depth - 1;
    return (json->nesting[top / 8] >> (top % 8) & 1) != 0;
}

/* Whether what is read now is a member of the outermost object, and not inside one. */
static bool at_member(const struct json *json)
{
    return json->depth == 1 && in_object(json);
}

void json_begin(struct json *json, bool one_line)
{
    json->state = JSON_VALUE_NEXT;
    json->one_line = one_line;
    json->depth = 0;
}

/* A value is complete: what may follow it? */
static enum json_stop value_end(struct json *json)
{
    if (json->depth == 0)
        return JSON_END;
    json->state = in_object(json) ? JSON_MEMBER_NEXT : JSON_ITEM_NEXT;
    return at_member(json) ? JSON_MEMBER_END : JSON_MORE;
}

static bool bracket_open(struct json *json, bool object)
{
    if (json->depth == KAIROS_NESTING_MAX)
        return false;
    unsigned char *bits = &json->nesting[json->depth / 8];
    unsigned char bit = (unsigned char)(1 << json->depth % 8);
    *bits = (unsigned char)(object ? *bits | bit : *bits & ~bit);
    json->depth++;
    json->state = object ? JSON_KEY_FIRST : JSON_ITEM_FIRST;
    return true;
}

static enum json_stop bracket_close(struct json *json)
{
    json->depth--;
    return value_end(json);
}

static void literal_begin(struct json *json, enum json_kind kind, const char *rest)
{
    json->kind = kind;
    json->literal = rest;
    json->state = JSON_LITERAL;
}

/* Begins the value whose first byte is C. */
static enum json_stop value_begin(struct json *json, char c)
{
    enum json_stop stop = json->depth > 0 && at_member(json) ? JSON_MEMBER : JSON_MORE;
    switch (c) {
    case '{':
    case '[':
        json->kind = c == '{' ? JSON_IS_OBJECT : JSON_IS_ARRAY;
        return bracket_open(json, c == '{') ? stop : bad(json, KAIROS_PARSE_NESTING);
    case '"':
        json->kind = JSON_IS_STRING;
        json->string_is_key = false;
        json->capture = NULL;
        json->state = JSON_STRING;
        return stop;
    case '-':
    case '0' ... '9':
        json->kind = JSON_IS_NUMBER;
        decimal_init(&json->number);
        decimal_feed(&json->number, c);
        json->state = JSON_NUMBER;
        return stop;
    case 't':
        literal_begin(json, JSON_IS_BOOLEAN, "rue");
        return stop;
    case 'f':
        literal_begin(json, JSON_IS_BOOLEAN, "alse");
        return stop;
    case 'n':
        literal_begin(json, JSON_IS_NULL, "ull");
        return stop;
    default:
        return bad(json, KAIROS_PARSE_VALUE);
    }
}

static enum json_stop key_begin(struct json *json, char c)
{
    if (c != '"')
        return bad(json, KAIROS_PARSE_KEY);
    json->string_is_key = true;
    json->capture = json->depth == 1 ? &json->key : NULL;
    if (json->capture != NULL)
        capture_begin(json->capture, CAPTURE_KEY);
    json->state = JSON_STRING;
    return JSON_MORE;
}

static enum json_stop string_end(struct json *json)
{
    if (!json->string_is_key)
        return value_end(json);
    json->state = JSON_COLON;
    return json->depth == 1 ? JSON_KEY : JSON_MORE;
}

static void keep(struct json *json, char byte)
{
    if (json->capture != NULL)
        capture_bytes(json->capture, &byte, 1);
}

/* The first byte of a character beyond ASCII. Source: RFC 3629, section 4. */
static bool utf8_begin(struct json *json, unsigned char c)
{
    if (c < 0xc2 || c > 0xf4)
        return false;
    json->utf8_left = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    json->utf8_low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    json->utf8_high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    json->state = JSON_UTF8;
    return true;
}

/* The byte C of a string, which is not plain. */
static enum json_stop string_byte(struct json *json, char c)
{
    if (c == '"')
        return string_end(json);
    if (c == '\\') {
        json->state = JSON_ESCAPE;
        return JSON_MORE;
    }
    if ((unsigned char)c < 0x20)
        return bad(json, KAIROS_PARSE_CONTROL);
    if (!utf8_begin(json, (unsigned char)c))
        return bad(json, KAIROS_PARSE_UTF8);
    keep(json, c);
    return JSON_MORE;
}

static enum json_stop utf8_byte(struct json *json, char c)
{
    if ((unsigned char)c < json->utf8_low || (unsigned char)c > json->utf8_high)
        return bad(json, KAIROS_PARSE_UTF8);
    keep(json, c);
    json->utf8_low = 0x80;
    json->utf8_high = 0xbf;
    if (--json->utf8_left == 0)
        json->state = JSON_STRING;
    return JSON_MORE;
}

static enum json_stop escape_byte(struct json *json, char c)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (c == 'u') {
        json->escape_left = 4;
        json->escape_code = 0;
        json->state = JSON_HEX;
        return JSON_MORE;
    }
    const char *found = c == '\0' ? NULL : strchr(from, c);
    if (found == NULL)
        return bad(json, KAIROS_PARSE_ESCAPE);
    keep(json, to[found - from]);
    json->state = JSON_STRING;
    return JSON_MORE;
}

static enum json_stop hex_byte(struct json *json, char c)
{
    unsigned digit;
    switch (c) {
    case '0' ... '9':
        digit = (unsigned)(c - '0');
        break;
    case 'a' ... 'f':
    case 'A' ... 'F':
        digit = (unsigned)((c | 0x20) - 'a' + 10);
        break;
    default:
        return bad(json, KAIROS_PARSE_ESCAPE);
    }
    json->escape_code = json->escape_code << 4 | digit;
    if (--json->escape_left == 0) {
        if (json->capture != NULL)
            capture_code(json->capture, json->escape_code);
        json->state = JSON_STRING;
    }
    return JSON_MORE;
}

static enum json_stop literal_byte(struct json *json, char c)
{
    if (c != *json->literal)
        return bad(json, KAIROS_PARSE_LITERAL);
    return *++json->literal == '\0' ? value_end(json) : JSON_MORE;
}

/* The byte C after a value inside brackets: ',' or the closing one. */
static enum json_stop separator(struct json *json, char c, char close, enum json_state next,
                                enum kairos_parse_error_code error)
{
    if (c == close)
        return bracket_close(json);
    if (c != ',')
        return bad(json, error);
    json->state = next;
    return JSON_MORE;
}

/* The byte C between tokens, where it is no white space. */
static enum json_stop token_byte(struct json *json, char c)
{
    switch (json->state) {
    case JSON_KEY_FIRST:
        return c == '}' ? bracket_close(json) : key_begin(json, c);
    case JSON_KEY_NEXT:
        return key_begin(json, c);
    case JSON_COLON:
        if (c != ':')
            return bad(json, KAIROS_PARSE_COLON);
        json->state = JSON_VALUE_NEXT;
        return JSON_MORE;
    case JSON_MEMBER_NEXT:
        return separator(json, c, '}', JSON_KEY_NEXT, KAIROS_PARSE_MEMBER);
    case JSON_ITEM_FIRST:
        return c == ']' ? bracket_close(json) : value_begin(json, c);
    case JSON_ITEM_NEXT:
        return separator(json, c, ']', JSON_VALUE_NEXT, KAIROS_PARSE_ITEM);
    default: /* JSON_VALUE_NEXT: the others are inside a token */
        return value_begin(json, c);
    }
}

static bool is_space(const struct json *json, char c)
{
    return c == ' ' || c == '\t' || c == '\r' || (c == '\n' && !json->one_line);
}

/* Takes the byte C. If it is bad it was not taken. */
static enum json_stop take(struct json *json, char c)
{
    switch (json->state) {
    case JSON_STRING:
        return string_byte(json, c);
    case JSON_ESCAPE:
        return escape_byte(json, c);
    case JSON_HEX:
        return hex_byte(json, c);
    case JSON_UTF8:
        return utf8_byte(json, c);
    case JSON_LITERAL:
        return literal_byte(json, c);
    default:
        return is_space(json, c) ? JSON_MORE : token_byte(json, c);
    }
}

static enum json_stop number_end(struct json *json)
{
    return decimal_complete(&json->number) ? value_end(json) : bad(json, KAIROS_PARSE_NUMBER);
}

/* Passes over the bytes that a string or number simply goes on with. */
static const char *skip(struct json *json, const char *c, const char *end)
{
    if (json->state == JSON_NUMBER) {
        while (c < end && decimal_feed(&json->number, *c))
            c++;
        return c;
    }
    const char *stop = plain_end(c, end);
    if (json->capture != NULL)
        capture_bytes(json->capture, c, (size_t)(stop - c));
    return stop;
}

enum json_stop json_read(struct json *json, const char **cursor, const char *end)
{
    enum json_stop stop = JSON_MORE;
    const char *c = *cursor;
    while (c < end && stop == JSON_MORE) {
        if (json->state == JSON_STRING || json->state == JSON_NUMBER) {
            c = skip(json, c, end);
            if (c == end)
                break;
        }
        if (json->state == JSON_NUMBER) { /* the byte behind it is none of its own */
            stop = number_end(json);
            continue;
        }
        stop = take(json, *c);
        c += stop != JSON_BAD;
    }
    *cursor = c;
    return stop;
}

enum json_stop json_finish(struct json *json)
{
    bool number = json->state == JSON_NUMBER && json->depth == 0;
    return number ? number_end(json) : bad(json, KAIROS_PARSE_TRUNCATED);
}
