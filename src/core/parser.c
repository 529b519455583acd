/*
 * parser.c - events: where they begin and end in a log, and what they say.
 *
 * Each event takes the complete path through the tokenizer (json.h). At every border the fast path
 * (layout.h) is tried first; it reads on as long as records are laid out like the one before.
 */
#include <kairos/parser.h>

#include <stdlib.h>
#include <string.h>

#include "draft.h"
#include "json.h"
#include "layout.h"

enum state {
    STATE_BEGIN, /* a byte-order mark, or anything else */
    STATE_OPEN,  /* white space, then what tells the format */

    STATE_ARRAY_FIRST, /* after '[': an event or ']' */
    STATE_ARRAY_EVENT, /* after ',': an event */
    STATE_ARRAY_NEXT,  /* after an event: ',' or ']'; a border */
    STATE_ARRAY_DONE,  /* after ']': white space alone */

    STATE_LINE_START, /* an event, or a blank line; a border */
    STATE_LINE_REST,  /* after an event: white space and the newline */
    STATE_LINE_SKIP,  /* the line is bad: all up to the newline is passed over */

    STATE_EVENT,  /* inside an event */
    STATE_FAILED, /* the array is not well-formed */
};

struct kairos_parser {
    enum kairos_format format;
    enum state state;
    bool fast;
    struct kairos_parse_error error;
    unsigned bom; /* bytes of a byte-order mark seen */

    /* The block under way. */
    const char *block;
    uint64_t block_offset; /* its place in the log */

    /* The event under way. */
    struct draft draft;
    bool ready;         /* it has just become complete */
    const char *record; /* the border before it, if that lies in this block; else NULL */

    struct layout layout;
    struct kairos_date_memo memo;
    struct json json; /* large, and not to be cleared: the last one */
};

static const char byte_order_mark[] = "\xef\xbb\xbf";

static struct kairos_parser *create(enum kairos_format format, enum state state, uint64_t offset)
{
    struct kairos_parser *parser = malloc(sizeof(*parser));
    if (parser == NULL)
        return NULL;
    memset(parser, 0, offsetof(struct kairos_parser, json));
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

void kairos_parser_set_default_time(struct kairos_parser *parser, int64_t time)
{
    parser->draft.has_default = true;
    parser->draft.default_time = time;
}

size_t kairos_parser_memory(const struct kairos_parser *parser)
{
    return sizeof(*parser);
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

/* The byte at C may not stand there. An array ends with that; in NDJSON it is one bad line. */
static void fail(struct kairos_parser *parser, enum kairos_parse_error_code code, const char *c)
{
    if (parser->format == KAIROS_FORMAT_NDJSON) {
        parser->draft.invalid = true;
        parser->state = STATE_LINE_SKIP;
        return;
    }
    parser->error = (struct kairos_parse_error){.code = code, .offset = offset_of(parser, c)};
    parser->state = STATE_FAILED;
}

static void event_begin(struct kairos_parser *parser, const char *c)
{
    draft_begin(&parser->draft, *c, offset_of(parser, c));
    json_begin(&parser->json, parser->format == KAIROS_FORMAT_NDJSON);
    parser->state = STATE_EVENT;
}

static enum slot_kind slot_kind(const struct draft *draft, const struct value_place *place)
{
    if (place->kind == JSON_IS_NUMBER)
        return place->member == &draft->timestamp ? SLOT_TIME_NUMBER : SLOT_NUMBER;
    if (place->member == NULL)
        return SLOT_TEXT;
    return place->member == &draft->service ? SLOT_SERVICE : SLOT_TIME_TEXT;
}

/* Learns the layout of the record that ends before END. It lies in this block as a whole. */
static void learn(struct kairos_parser *parser, const char *end)
{
    const struct draft *draft = &parser->draft;
    struct slot slots[SLOTS_MAX];
    for (size_t i = 0; i < draft->place_count; i++) {
        const struct value_place *place = &draft->places[i];
        slots[i] = (struct slot){
            .kind = slot_kind(draft, place),
            .begin = parser->block + (place->begin - parser->block_offset),
            .end = parser->block + (place->end - parser->block_offset),
        };
    }
    if (!draft->place_lost)
        layout_learn(&parser->layout, parser->record, end, slots, draft->place_count);
}

/* Hands out the event that ends before END. */
static void event_end(struct kairos_parser *parser, const char *end, struct kairos_event *event)
{
    parser->ready = false;
    draft_judge(&parser->draft, &parser->memo, event);
    if (event->reason == KAIROS_VALID && parser->record != NULL && parser->fast)
        learn(parser, end);
    parser->record = NULL;
}

/* Reads on in the event from C to END at most; returns where it stopped. */
static const char *read_event(struct kairos_parser *parser, const char *c, const char *end)
{
    for (;;) {
        switch (json_read(&parser->json, &c, end)) {
        case JSON_MORE:
            return c;
        case JSON_KEY:
            draft_key(&parser->draft, &parser->json);
            break;
        case JSON_MEMBER:
            draft_member(&parser->draft, &parser->json, offset_of(parser, c));
            break;
        case JSON_MEMBER_END:
            draft_member_end(&parser->draft, &parser->json, offset_of(parser, c));
            break;
        case JSON_END:
            parser->ready = parser->format == KAIROS_FORMAT_ARRAY;
            parser->state = parser->ready ? STATE_ARRAY_NEXT : STATE_LINE_REST;
            return c;
        case JSON_BAD:
            fail(parser, parser->json.error, c);
            return c;
        }
    }
}

/* Between events. */

static bool is_space(const struct kairos_parser *parser, char c)
{
    return c == ' ' || c == '\t' || c == '\r' ||
           (c == '\n' && parser->format != KAIROS_FORMAT_NDJSON);
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
        event_begin(parser, c);
        parser->draft.offset = 0;
        fail(parser, KAIROS_PARSE_VALUE, c);
    }
    return c;
}

static void read_array(struct kairos_parser *parser, const char *c)
{
    bool first = parser->state == STATE_ARRAY_FIRST, next = parser->state == STATE_ARRAY_NEXT;
    if (parser->state == STATE_ARRAY_DONE)
        fail(parser, KAIROS_PARSE_TRAILING, c);
    else if (*c == ']' && (first || next))
        parser->state = STATE_ARRAY_DONE;
    else if (*c == ',' && next)
        parser->state = STATE_ARRAY_EVENT;
    else
        fail(parser, KAIROS_PARSE_SEPARATOR, c);
}

static const char *read_line_rest(struct kairos_parser *parser, const char *c)
{
    if (*c != '\n') {
        fail(parser, KAIROS_PARSE_TRAILING, c);
        return c;
    }
    parser->state = STATE_LINE_START;
    parser->ready = true;
    return c + 1;
}

static const char *skip_line(struct kairos_parser *parser, const char *c, const char *end)
{
    const char *newline = memchr(c, '\n', (size_t)(end - c));
    return newline == NULL ? end : read_line_rest(parser, newline);
}

/* The first byte that is no white space tells the format. */
static const char *read_open(struct kairos_parser *parser, const char *c)
{
    bool array = *c == '[';
    parser->format = array ? KAIROS_FORMAT_ARRAY : KAIROS_FORMAT_NDJSON;
    parser->state = array ? STATE_ARRAY_FIRST : STATE_LINE_START;
    return array ? c + 1 : c;
}

/* Reads the byte at C, which stands between events; returns where to read on. */
static const char *read_between(struct kairos_parser *parser, const char *c)
{
    if (is_space(parser, *c))
        return c + 1;
    switch (parser->state) {
    case STATE_OPEN:
        return read_open(parser, c);
    case STATE_LINE_REST:
        return read_line_rest(parser, c);
    case STATE_LINE_START:
        if (*c == '\n') /* a blank line */
            return c + 1;
        event_begin(parser, c);
        return c;
    case STATE_ARRAY_FIRST:
    case STATE_ARRAY_EVENT:
        if (*c == ']' && parser->state == STATE_ARRAY_FIRST)
            break;
        event_begin(parser, c);
        return c;
    default:
        break;
    }
    read_array(parser, c);
    return c + 1;
}

/* Reads on from C by a piece of the log; returns where it stopped. */
static const char *read_some(struct kairos_parser *parser, const char *c, const char *end)
{
    switch (parser->state) {
    case STATE_EVENT:
        return read_event(parser, c, end);
    case STATE_LINE_SKIP:
        return skip_line(parser, c, end);
    case STATE_BEGIN:
        return read_begin(parser, c);
    default:
        return read_between(parser, c);
    }
}

/* The fast path: reads the records that are laid out like the one before. */
static size_t read_alike(struct kairos_parser *parser, const char **cursor, const char *end,
                         struct kairos_event *events, size_t max)
{
    size_t count = layout_read(&parser->layout, &parser->memo, cursor, end, events, max);
    if (!parser->layout.timed) { /* it was learnt from a heartbeat, so there is a default */
        for (size_t i = 0; i < count; i++)
            events[i].time = parser->draft.default_time;
    }
    return count;
}

size_t kairos_parser_read(struct kairos_parser *parser, const char **cursor, const char *end,
                          struct kairos_event *events, size_t max)
{
    const char *c = *cursor;
    size_t count = 0;
    parser->block = c;
    while (c < end && count < max && parser->state != STATE_FAILED) {
        if (parser->fast && kairos_parser_at_border(parser)) {
            count += read_alike(parser, &c, end, events + count, max - count);
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

/* The end of NDJSON: a last line without a newline is as good as one with it. */
static size_t finish_line(struct kairos_parser *parser, struct kairos_event *event)
{
    if (parser->state == STATE_LINE_START)
        return 0;
    if (parser->state == STATE_EVENT && json_finish(&parser->json) == JSON_END)
        parser->state = STATE_LINE_REST;
    if (parser->state != STATE_LINE_REST)
        parser->draft.invalid = true;
    parser->state = STATE_LINE_START;
    event_end(parser, parser->block, event);
    return 1;
}

size_t kairos_parser_finish(struct kairos_parser *parser, struct kairos_event *event)
{
    parser->block = "";
    if (parser->state == STATE_BEGIN && parser->bom > 0)
        read_begin(parser, parser->block);
    if (parser->format == KAIROS_FORMAT_NDJSON)
        return finish_line(parser, event);
    if (parser->format == KAIROS_FORMAT_UNKNOWN)
        fail(parser, KAIROS_PARSE_EMPTY, parser->block);
    else if (parser->state != STATE_ARRAY_DONE && parser->state != STATE_FAILED)
        fail(parser, KAIROS_PARSE_TRUNCATED, parser->block);
    return 0;
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
