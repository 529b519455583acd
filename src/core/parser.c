/*
 * parser.c - the complete path: a streaming tokenizer for RFC 8259, and the events it finds.
 *
 * The state says what the next byte may be; between two calls nothing else is needed but the kinds
 * of the open brackets, one bit each. Nothing is kept of what is skipped. The fast path (layout.h)
 * is tried at every border and falls back to here.
 */
#include <kairos/parser.h>

#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "decimal.h"
#include "layout.h"

enum state {
    STATE_BEGIN, /* a byte-order mark, or anything else */
    STATE_OPEN,  /* white space, then what tells the format */

    STATE_ARRAY_FIRST, /* after the log's '[': an event or ']' */
    STATE_ARRAY_EVENT, /* after ',': an event */
    STATE_ARRAY_NEXT,  /* after an event: ',' or ']'; a border */
    STATE_ARRAY_DONE,  /* after the log's ']': white space alone */

    STATE_LINE_START, /* an event, or a blank line; a border */
    STATE_LINE_REST,  /* after an event: white space and the newline */
    STATE_LINE_SKIP,  /* the line is bad: all up to the newline is passed over */

    STATE_KEY_FIRST,   /* after '{': a key or '}' */
    STATE_KEY,         /* after ',': a key */
    STATE_COLON,       /* after a key */
    STATE_VALUE,       /* after ':', or after ',' in an array */
    STATE_MEMBER_NEXT, /* after a member: ',' or '}' */
    STATE_ITEM_FIRST,  /* after '[': an item or ']' */
    STATE_ITEM_NEXT,   /* after an item: ',' or ']' */

    STATE_STRING,
    STATE_ESCAPE, /* after a backslash */
    STATE_HEX,    /* in the four digits of \uXXXX */
    STATE_UTF8,   /* in the further bytes of a character */
    STATE_NUMBER,
    STATE_LITERAL, /* in true, false or null */

    STATE_FAILED, /* an array is not well-formed */
};

/* The members of an event that count. */
enum field {
    FIELD_SERVICE,
    FIELD_TIMESTAMP,
    FIELD_COUNT,
    FIELD_OTHER = FIELD_COUNT,
};

enum member_kind {
    MEMBER_MISSING,
    MEMBER_NULL,
    MEMBER_STRING,
    MEMBER_NUMBER,
    MEMBER_OTHER,
};

/* What is known of a member of the event under way. */
struct member {
    enum member_kind kind;
    uint64_t begin, end;  /* where its value stands in the log, without quotes */
    struct capture value; /* of a string */
};

struct kairos_parser {
    enum kairos_format format;
    enum state state;
    bool fast;
    struct kairos_parse_error error;

    /* The block under way. */
    const char *block;
    uint64_t block_offset; /* its place in the log */

    /* The event under way. */
    bool ready; /* it has just become complete */
    bool is_object;
    bool invalid;          /* its line is no JSON */
    uint64_t event_offset; /* its first byte */
    const char *record;    /* the border before it, if that lies in this block; else NULL */
    enum field field;      /* whose value comes next, or is being read */
    struct member members[FIELD_COUNT];
    bool time_valid; /* the timestamp is a number, and a moment */
    int64_t time;

    /* The token under way. */
    unsigned bom; /* bytes of a byte-order mark seen */
    bool string_is_key;
    struct capture key;
    struct capture *capture; /* where the string goes; NULL for nowhere */
    unsigned escape_code;
    unsigned escape_left;   /* digits of \uXXXX to come */
    unsigned utf8_left;     /* bytes of a character to come */
    unsigned char utf8_low; /* and what the next of them may be */
    unsigned char utf8_high;
    struct decimal number;
    const char *literal; /* the rest of true, false or null */

    struct layout layout;
    struct kairos_date_memo memo;

    uint32_t depth;                                /* open brackets of the event */
    unsigned char nesting[KAIROS_NESTING_MAX / 8]; /* bit n: bracket n is a '{' */
};

static const char byte_order_mark[] = "\xef\xbb\xbf";

static struct kairos_parser *create(enum kairos_format format, enum state state, uint64_t offset)
{
    /* Nesting bits are written before they are read, so they need no clearing. */
    struct kairos_parser *parser = malloc(sizeof(*parser));
    if (parser == NULL)
        return NULL;
    memset(parser, 0, offsetof(struct kairos_parser, nesting));
    parser->format = format;
    parser->state = state;
    parser->fast = true;
    parser->block_offset = offset;
    return parser;
}

struct kairos_parser *kairos_parser_create(void)
{
    return create(KAIROS_FORMAT_UNKNOWN, STATE_BEGIN, 0);
}

struct kairos_parser *kairos_parser_create_at(enum kairos_format format, uint64_t offset)
{
    return create(format, format == KAIROS_FORMAT_ARRAY ? STATE_ARRAY_NEXT : STATE_LINE_START,
                  offset);
}

void kairos_parser_destroy(struct kairos_parser *parser)
{
    free(parser);
}

void kairos_parser_set_fast(struct kairos_parser *parser, bool fast)
{
    parser->fast = fast;
}

bool kairos_parser_error(const struct kairos_parser *parser, struct kairos_parse_error *error)
{
    if (parser->state != STATE_FAILED)
        return false;
    *error = parser->error;
    return true;
}

bool kairos_parser_at_border(const struct kairos_parser *parser)
{
    return parser->state == STATE_ARRAY_NEXT || parser->state == STATE_LINE_START;
}

enum kairos_format kairos_parser_format(const struct kairos_parser *parser)
{
    return parser->format;
}

static uint64_t offset_of(const struct kairos_parser *parser, const char *c)
{
    return parser->block_offset + (uint64_t)(c - parser->block);
}

/* The log is in error at byte OFFSET; in NDJSON that is one bad line. */
static void fail_at(struct kairos_parser *parser, enum kairos_parse_error_code code,
                    uint64_t offset)
{
    if (parser->format == KAIROS_FORMAT_NDJSON) {
        parser->invalid = true;
        parser->state = STATE_LINE_SKIP;
        return;
    }
    parser->error = (struct kairos_parse_error){.code = code, .offset = offset};
    parser->state = STATE_FAILED;
}

static void fail(struct kairos_parser *parser, enum kairos_parse_error_code code, const char *c)
{
    fail_at(parser, code, offset_of(parser, c));
}

/* In NDJSON the newline is no white space: it ends the line, wherever it stands. */
static bool is_space(const struct kairos_parser *parser, char c)
{
    return c == ' ' || c == '\t' || c == '\r' ||
           (c == '\n' && parser->format != KAIROS_FORMAT_NDJSON);
}

/* Events. */

static void event_begin(struct kairos_parser *parser, const char *c)
{
    parser->is_object = *c == '{';
    parser->invalid = false;
    parser->event_offset = offset_of(parser, c);
    parser->field = FIELD_OTHER;
    parser->depth = 0;
    for (int i = 0; i < FIELD_COUNT; i++)
        parser->members[i].kind = MEMBER_MISSING;
}

static bool is_empty(const struct member *member)
{
    return member->kind == MEMBER_NULL ||
           (member->kind == MEMBER_STRING && member->value.length == 0);
}

static bool read_service(const struct member *service, struct kairos_event *event)
{
    size_t length;
    if (service->kind != MEMBER_STRING || service->value.cut ||
        kairos_service_parse(service->value.text, service->value.length, event->text, &length) !=
            KAIROS_SERVICE_OK)
        return false;
    event->length = (uint8_t)length;
    return true;
}

static bool read_timestamp(struct kairos_parser *parser, struct kairos_event *event)
{
    const struct member *timestamp = &parser->members[FIELD_TIMESTAMP];
    if (timestamp->kind == MEMBER_NUMBER) {
        event->time = parser->time;
        return parser->time_valid;
    }
    return timestamp->kind == MEMBER_STRING && !timestamp->value.cut &&
           kairos_timestamp_parse_memo(timestamp->value.text, timestamp->value.length,
                                       &parser->memo, &event->time);
}

/* Keeps the text that was refused, for messages. */
static void quote(const struct member *member, struct kairos_event *event)
{
    event->length = member->kind == MEMBER_STRING ? member->value.length : 0;
    memcpy(event->text, member->value.text, event->length);
}

/* The first reason that holds, in the order of the rules. */
static enum kairos_reason judge(struct kairos_parser *parser, struct kairos_event *event)
{
    const struct member *service = &parser->members[FIELD_SERVICE];
    const struct member *timestamp = &parser->members[FIELD_TIMESTAMP];
    event->length = 0;
    if (parser->invalid)
        return KAIROS_INVALID_JSON;
    if (!parser->is_object)
        return KAIROS_NOT_AN_OBJECT;
    if (service->kind == MEMBER_MISSING)
        return KAIROS_MISSING_SERVICE;
    if (timestamp->kind == MEMBER_MISSING)
        return KAIROS_MISSING_TIMESTAMP;
    if (is_empty(service))
        return KAIROS_EMPTY_SERVICE;
    if (is_empty(timestamp))
        return KAIROS_EMPTY_TIMESTAMP;
    if (!read_service(service, event)) {
        quote(service, event);
        return KAIROS_INVALID_SERVICE_FORMAT;
    }
    if (!read_timestamp(parser, event)) {
        quote(timestamp, event);
        return KAIROS_INVALID_TIMESTAMP_FORMAT;
    }
    return KAIROS_VALID;
}

static struct slice member_slice(const struct kairos_parser *parser, enum field field)
{
    const struct member *member = &parser->members[field];
    return (struct slice){
        .begin = parser->block + (member->begin - parser->block_offset),
        .end = parser->block + (member->end - parser->block_offset),
    };
}

/* Hands out the event that ends before END, and learns its layout. */
static void event_end(struct kairos_parser *parser, const char *end, struct kairos_event *event)
{
    parser->ready = false;
    event->reason = judge(parser, event);
    event->offset = parser->event_offset;
    if (event->reason == KAIROS_VALID && parser->record != NULL && parser->fast)
        layout_learn(&parser->layout, (struct slice){parser->record, end},
                     member_slice(parser, FIELD_SERVICE), member_slice(parser, FIELD_TIMESTAMP),
                     parser->members[FIELD_TIMESTAMP].kind == MEMBER_NUMBER);
    parser->record = NULL;
}

/* Values. */

static bool in_object(const struct kairos_parser *parser)
{
    uint32_t top = parser->depth - 1;
    return (parser->nesting[top / 8] >> (top % 8) & 1) != 0;
}

static void bracket_open(struct kairos_parser *parser, const char *c)
{
    if (parser->depth == KAIROS_NESTING_MAX) {
        fail(parser, KAIROS_PARSE_NESTING, c);
        return;
    }
    unsigned char *bits = &parser->nesting[parser->depth / 8];
    unsigned char bit = (unsigned char)(1 << parser->depth % 8);
    *bits = (unsigned char)(*c == '{' ? *bits | bit : *bits & ~bit);
    parser->depth++;
    parser->state = *c == '{' ? STATE_KEY_FIRST : STATE_ITEM_FIRST;
}

/* A value is complete: what may follow it? */
static void value_end(struct kairos_parser *parser)
{
    if (parser->depth > 0) {
        parser->state = in_object(parser) ? STATE_MEMBER_NEXT : STATE_ITEM_NEXT;
    } else if (parser->format == KAIROS_FORMAT_ARRAY) {
        parser->state = STATE_ARRAY_NEXT;
        parser->ready = true;
    } else {
        parser->state = STATE_LINE_REST;
    }
}

static void bracket_close(struct kairos_parser *parser)
{
    parser->depth--;
    value_end(parser);
}

static void string_begin(struct kairos_parser *parser, struct capture *capture,
                         enum capture_kind kind)
{
    parser->state = STATE_STRING;
    parser->capture = capture;
    if (capture != NULL)
        capture_begin(capture, kind);
}

static enum member_kind kind_of(char c)
{
    switch (c) {
    case '"':
        return MEMBER_STRING;
    case 'n':
        return MEMBER_NULL;
    case '-':
    case '0' ... '9':
        return MEMBER_NUMBER;
    default:
        return MEMBER_OTHER;
    }
}

/* The member whose value is read now, if it is one that counts; else NULL. */
static struct member *current_member(struct kairos_parser *parser)
{
    bool counts = parser->depth == 1 && parser->field != FIELD_OTHER;
    return counts ? &parser->members[parser->field] : NULL;
}

static void value_begin(struct kairos_parser *parser, const char *c)
{
    struct member *member = current_member(parser);
    if (member != NULL) {
        member->kind = kind_of(*c);
        member->value.length = 0;
        member->begin = offset_of(parser, c) + (*c == '"');
    }
    switch (*c) {
    case '{':
    case '[':
        bracket_open(parser, c);
        return;
    case '"':
        parser->string_is_key = false;
        string_begin(parser, member != NULL ? &member->value : NULL,
                     parser->field == FIELD_SERVICE ? CAPTURE_SERVICE : CAPTURE_TIMESTAMP);
        return;
    case '-':
    case '0' ... '9':
        decimal_init(&parser->number);
        decimal_feed(&parser->number, *c);
        parser->state = STATE_NUMBER;
        return;
    case 't':
        parser->literal = "rue";
        break;
    case 'f':
        parser->literal = "alse";
        break;
    case 'n':
        parser->literal = "ull";
        break;
    default:
        fail(parser, KAIROS_PARSE_VALUE, c);
        return;
    }
    parser->state = STATE_LITERAL;
}

static void key_begin(struct kairos_parser *parser, const char *c)
{
    if (*c != '"') {
        fail(parser, KAIROS_PARSE_KEY, c);
        return;
    }
    parser->string_is_key = true;
    string_begin(parser, parser->depth == 1 ? &parser->key : NULL, CAPTURE_KEY);
}

static void string_end(struct kairos_parser *parser, const char *c)
{
    struct member *member = current_member(parser);
    if (!parser->string_is_key) {
        if (member != NULL)
            member->end = offset_of(parser, c);
        value_end(parser);
        return;
    }
    parser->state = STATE_COLON;
    if (parser->depth == 1)
        parser->field = capture_is(&parser->key, "service")     ? FIELD_SERVICE
                        : capture_is(&parser->key, "timestamp") ? FIELD_TIMESTAMP
                                                                : FIELD_OTHER;
}

/* Strings. Each reads from C on, END at most, and returns where it stopped. */

static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* The first byte of a character beyond ASCII. Source: RFC 3629, section 4. */
static bool utf8_begin(struct kairos_parser *parser, unsigned char c)
{
    if (c < 0xc2 || c > 0xf4)
        return false;
    parser->utf8_left = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    parser->utf8_low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    parser->utf8_high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    parser->state = STATE_UTF8;
    return true;
}

static const char *read_string(struct kairos_parser *parser, const char *c, const char *end)
{
    if (parser->capture == NULL) {
        while (c < end && is_plain(*c))
            c++;
    } else {
        for (; c < end && is_plain(*c); c++)
            capture_byte(parser->capture, *c);
    }
    if (c == end)
        return c;
    if (*c == '"') {
        string_end(parser, c);
    } else if (*c == '\\') {
        parser->state = STATE_ESCAPE;
    } else if ((unsigned char)*c < 0x20) {
        fail(parser, KAIROS_PARSE_CONTROL, c);
        return c;
    } else if (utf8_begin(parser, (unsigned char)*c)) {
        if (parser->capture != NULL)
            capture_byte(parser->capture, *c);
    } else {
        fail(parser, KAIROS_PARSE_UTF8, c);
        return c;
    }
    return c + 1;
}

static const char *read_utf8(struct kairos_parser *parser, const char *c)
{
    unsigned char byte = (unsigned char)*c;
    if (byte < parser->utf8_low || byte > parser->utf8_high) {
        fail(parser, KAIROS_PARSE_UTF8, c);
        return c;
    }
    if (parser->capture != NULL)
        capture_byte(parser->capture, *c);
    parser->utf8_low = 0x80;
    parser->utf8_high = 0xbf;
    if (--parser->utf8_left == 0)
        parser->state = STATE_STRING;
    return c + 1;
}

static const char *read_escape(struct kairos_parser *parser, const char *c)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (*c == 'u') {
        parser->escape_left = 4;
        parser->escape_code = 0;
        parser->state = STATE_HEX;
        return c + 1;
    }
    const char *found = *c == '\0' ? NULL : strchr(from, *c);
    if (found == NULL) {
        fail(parser, KAIROS_PARSE_ESCAPE, c);
        return c;
    }
    if (parser->capture != NULL)
        capture_byte(parser->capture, to[found - from]);
    parser->state = STATE_STRING;
    return c + 1;
}

static const char *read_hex(struct kairos_parser *parser, const char *c)
{
    unsigned digit;
    switch (*c) {
    case '0' ... '9':
        digit = (unsigned)(*c - '0');
        break;
    case 'a' ... 'f':
    case 'A' ... 'F':
        digit = (unsigned)((*c | 0x20) - 'a' + 10);
        break;
    default:
        fail(parser, KAIROS_PARSE_ESCAPE, c);
        return c;
    }
    parser->escape_code = parser->escape_code << 4 | digit;
    if (--parser->escape_left == 0) {
        if (parser->capture != NULL)
            capture_code(parser->capture, parser->escape_code);
        parser->state = STATE_STRING;
    }
    return c + 1;
}

static const char *read_literal(struct kairos_parser *parser, const char *c)
{
    if (*c != *parser->literal) {
        fail(parser, KAIROS_PARSE_LITERAL, c);
        return c;
    }
    if (*++parser->literal == '\0')
        value_end(parser);
    return c + 1;
}

/* The number ends before byte OFFSET. */
static void number_end(struct kairos_parser *parser, uint64_t offset)
{
    if (!decimal_complete(&parser->number)) {
        fail_at(parser, KAIROS_PARSE_NUMBER, offset);
        return;
    }
    struct member *member = current_member(parser);
    if (member != NULL && parser->field == FIELD_TIMESTAMP) {
        member->end = offset;
        parser->time_valid = decimal_time(&parser->number, &parser->time);
    }
    value_end(parser);
}

static const char *read_number(struct kairos_parser *parser, const char *c, const char *end)
{
    while (c < end && decimal_feed(&parser->number, *c))
        c++;
    if (c < end)
        number_end(parser, offset_of(parser, c));
    return c;
}

/* Between tokens. */

/* The first byte that is no white space tells the format. */
static const char *read_open(struct kairos_parser *parser, const char *c)
{
    if (*c == '[') {
        parser->format = KAIROS_FORMAT_ARRAY;
        parser->state = STATE_ARRAY_FIRST;
        return c + 1;
    }
    parser->format = KAIROS_FORMAT_NDJSON;
    parser->state = STATE_LINE_START;
    return c;
}

static const char *read_begin(struct kairos_parser *parser, const char *c)
{
    if (*c == byte_order_mark[parser->bom]) {
        if (++parser->bom == strlen(byte_order_mark))
            parser->state = STATE_OPEN;
        return c + 1;
    }
    parser->state = STATE_OPEN;
    if (parser->bom > 0) { /* the bytes before were no mark, and nothing that JSON begins with */
        parser->format = KAIROS_FORMAT_NDJSON;
        event_begin(parser, parser->block);
        parser->event_offset = 0;
        fail(parser, KAIROS_PARSE_VALUE, c);
    }
    return c;
}

static const char *read_rest_of_bad_line(struct kairos_parser *parser, const char *c,
                                         const char *end)
{
    const char *newline = memchr(c, '\n', (size_t)(end - c));
    if (newline == NULL)
        return end;
    parser->state = STATE_LINE_START;
    parser->ready = true;
    return newline + 1;
}

static void read_line_rest(struct kairos_parser *parser, const char *c)
{
    if (*c == '\n') {
        parser->state = STATE_LINE_START;
        parser->ready = true;
    } else {
        fail(parser, KAIROS_PARSE_TRAILING, c);
    }
}

/* After a value inside brackets: ',' or CLOSE. */
static void read_next(struct kairos_parser *parser, const char *c, char close, enum state next,
                      enum kairos_parse_error_code error)
{
    if (*c == ',')
        parser->state = next;
    else if (*c == close)
        bracket_close(parser);
    else
        fail(parser, error, c);
}

/* Reads the byte at C, which is no white space, where a token begins. */
static void read_token(struct kairos_parser *parser, const char *c)
{
    switch (parser->state) {
    case STATE_ARRAY_FIRST:
    case STATE_ARRAY_EVENT:
        if (*c == ']' && parser->state == STATE_ARRAY_FIRST) {
            parser->state = STATE_ARRAY_DONE;
            return;
        }
        event_begin(parser, c);
        value_begin(parser, c);
        return;
    case STATE_ARRAY_NEXT:
        if (*c == ',')
            parser->state = STATE_ARRAY_EVENT;
        else if (*c == ']')
            parser->state = STATE_ARRAY_DONE;
        else
            fail(parser, KAIROS_PARSE_SEPARATOR, c);
        return;
    case STATE_ARRAY_DONE:
        fail(parser, KAIROS_PARSE_TRAILING, c);
        return;
    case STATE_LINE_START:
        if (*c != '\n') { /* else the line is blank */
            event_begin(parser, c);
            value_begin(parser, c);
        }
        return;
    case STATE_LINE_REST:
        read_line_rest(parser, c);
        return;
    case STATE_KEY_FIRST:
        if (*c == '}')
            bracket_close(parser);
        else
            key_begin(parser, c);
        return;
    case STATE_KEY:
        key_begin(parser, c);
        return;
    case STATE_COLON:
        if (*c == ':')
            parser->state = STATE_VALUE;
        else
            fail(parser, KAIROS_PARSE_COLON, c);
        return;
    case STATE_ITEM_FIRST:
        if (*c == ']')
            bracket_close(parser);
        else
            value_begin(parser, c);
        return;
    case STATE_VALUE:
        value_begin(parser, c);
        return;
    case STATE_MEMBER_NEXT:
        read_next(parser, c, '}', STATE_KEY, KAIROS_PARSE_MEMBER);
        return;
    default: /* STATE_ITEM_NEXT; the others are inside a token */
        read_next(parser, c, ']', STATE_VALUE, KAIROS_PARSE_ITEM);
        return;
    }
}

/* Reads on from C by one token or less; returns where it stopped. */
static const char *read_some(struct kairos_parser *parser, const char *c, const char *end)
{
    switch (parser->state) {
    case STATE_STRING:
        return read_string(parser, c, end);
    case STATE_ESCAPE:
        return read_escape(parser, c);
    case STATE_HEX:
        return read_hex(parser, c);
    case STATE_UTF8:
        return read_utf8(parser, c);
    case STATE_NUMBER:
        return read_number(parser, c, end);
    case STATE_LITERAL:
        return read_literal(parser, c);
    case STATE_LINE_SKIP:
        return read_rest_of_bad_line(parser, c, end);
    case STATE_BEGIN:
        return read_begin(parser, c);
    default:
        if (is_space(parser, *c))
            return c + 1;
        if (parser->state == STATE_OPEN)
            return read_open(parser, c);
        read_token(parser, c);
        /* A byte that made a line bad is read again: it may be the newline. */
        return parser->state == STATE_LINE_SKIP ? c : c + 1;
    }
}

size_t kairos_parser_read(struct kairos_parser *parser, const char **cursor, const char *end,
                          struct kairos_event *events, size_t max)
{
    const char *c = *cursor;
    size_t count = 0;
    parser->block = c;
    while (c < end && count < max && parser->state != STATE_FAILED) {
        if (parser->fast && kairos_parser_at_border(parser)) {
            count +=
                layout_read(&parser->layout, &parser->memo, &c, end, events + count, max - count);
            if (count == max)
                break;
            parser->record = c;
        }
        while (c < end && !parser->ready && parser->state != STATE_FAILED)
            c = read_some(parser, c, end);
        if (parser->ready)
            event_end(parser, c, &events[count++]);
    }
    parser->record = NULL;
    parser->block_offset = offset_of(parser, c);
    *cursor = c;
    return count;
}

size_t kairos_parser_finish(struct kairos_parser *parser, struct kairos_event *event)
{
    parser->block = "";
    if (parser->state == STATE_BEGIN && parser->bom > 0)
        read_begin(parser, parser->block);
    if (parser->format == KAIROS_FORMAT_UNKNOWN) {
        fail_at(parser, KAIROS_PARSE_EMPTY, parser->block_offset);
        return 0;
    }
    if (parser->format == KAIROS_FORMAT_ARRAY) {
        if (parser->state != STATE_ARRAY_DONE && parser->state != STATE_FAILED)
            fail_at(parser, KAIROS_PARSE_TRUNCATED, parser->block_offset);
        return 0;
    }

    if (parser->state == STATE_LINE_START)
        return 0;
    if (parser->state == STATE_NUMBER)
        number_end(parser, parser->block_offset);
    if (parser->state != STATE_LINE_REST)
        parser->invalid = true;
    parser->state = STATE_LINE_START;
    event_end(parser, parser->block, event);
    return 1;
}

size_t kairos_parser_guess_border(enum kairos_format format, const char *text, size_t length)
{
    const char *end = text + length;
    if (format == KAIROS_FORMAT_NDJSON) {
        const char *newline = memchr(text, '\n', length);
        return newline == NULL ? length : (size_t)(newline + 1 - text);
    }
    /* A '}' with ',' and '{' behind it. */
    static const char pattern[] = "},{";
    for (const char *c = text; (c = memchr(c, '}', (size_t)(end - c))) != NULL; c++) {
        const char *next = c;
        for (size_t found = 0; next < end && *next == pattern[found];) {
            if (++found == strlen(pattern))
                return (size_t)(c + 1 - text);
            next++;
            while (next < end && (*next == ' ' || (*next >= '\t' && *next <= '\r')))
                next++;
        }
    }
    return length;
}
