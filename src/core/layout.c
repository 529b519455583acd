#include "layout.h"

#include "decimal.h"
#include "name.h"
#include "plain.h"

/* What a timestamp may need at most: a text with nine digits of fraction and an offset is 35. */
#define TIME_MAX 40

/* Ignored values may be longer; then the complete path reads the record. */
#define IGNORED_MAX 128

static bool literal_learn(struct literal *literal, const char *begin, const char *end)
{
    size_t length = (size_t)(end - begin);
    if (length > LITERAL_MAX)
        return false;
    memset(literal->text, 0, sizeof(literal->text));
    memcpy(literal->text, begin, length);
    literal->length = length;
    literal->last = word_mask(length % WORD_SIZE);
    return true;
}

/* Whether TEXT begins with the literal. Reads whole words, and all of them: they seldom differ. */
static inline bool literal_matches(const struct literal *literal, const char *text)
{
    uint64_t differ = 0;
    size_t at = 0;
    for (; at + WORD_SIZE <= literal->length; at += WORD_SIZE)
        differ |= word_load(literal->text + at) ^ word_load(text + at);
    differ |= (word_load(literal->text + at) ^ word_load(text + at)) & literal->last;
    return differ == 0;
}

/* How many bytes are looked at, at most, to read a value. */
static size_t slot_span(enum slot_kind kind)
{
    switch (kind) {
    case SLOT_SERVICE:
        return KAIROS_SERVICE_SIZE;
    case SLOT_TIME_TEXT:
    case SLOT_TIME_NUMBER:
        return TIME_MAX;
    default:
        return IGNORED_MAX;
    }
}

void layout_learn(struct layout *layout, const char *begin, const char *end,
                  const struct slot *slots, size_t count)
{
    size_t span = WORD_SIZE;
    layout->span = 0;
    layout->count = count;
    layout->timed = false;
    for (size_t i = 0; i < count; i++) {
        struct piece *piece = &layout->pieces[i];
        size_t length = (size_t)(slots[i].end - slots[i].begin);
        piece->kind = slots[i].kind;
        if (length > slot_span(piece->kind) ||
            !literal_learn(&piece->before, begin, slots[i].begin))
            return;
        if (piece->kind == SLOT_TIME_TEXT)
            layout->time_length = length;
        layout->timed |= piece->kind == SLOT_TIME_TEXT || piece->kind == SLOT_TIME_NUMBER;
        span += piece->before.length + slot_span(piece->kind);
        begin = slots[i].end;
    }
    if (literal_learn(&layout->tail, begin, end))
        layout->span = span + layout->tail.length;
}

/* Reads a name at TEXT; returns what follows it, or NULL. */
static inline const char *read_service(const char *text, struct kairos_event *event)
{
    size_t length = name_scan(text, event->text);
    if (length == 0 || length > KAIROS_SERVICE_MAX)
        return NULL;
    event->length = (uint8_t)length;
    return text + length;
}

/* Reads a timestamp in quotes at TEXT; the last one's length is tried first. */
static inline const char *read_time_text(struct layout *layout, struct kairos_date_memo *memo,
                                         const char *text, struct kairos_event *event)
{
    size_t length = layout->time_length;
    if (text[length] != '"') {
        const char *quote = memchr(text, '"', TIME_MAX);
        if (quote == NULL)
            return NULL;
        length = (size_t)(quote - text);
    }
    if (!kairos_timestamp_parse_memo(text, length, memo, &event->time))
        return NULL;
    layout->time_length = length;
    return text + length;
}

/* Reads a number at TEXT, MAX bytes at most; returns what follows it, or NULL. */
static const char *read_number(const char *text, size_t max, struct decimal *number)
{
    size_t length = 0;
    decimal_init(number);
    while (length < max && decimal_feed(number, text[length]))
        length++;
    return decimal_complete(number) ? text + length : NULL;
}

/* Reads a value of the rarer kinds at TEXT; returns what follows it, or NULL. */
static __attribute__((noinline)) const char *read_rare(enum slot_kind kind, const char *text,
                                                       struct kairos_event *event)
{
    struct decimal number;
    const char *next;
    switch (kind) {
    case SLOT_TIME_NUMBER:
        next = read_number(text, TIME_MAX, &number);
        return next != NULL && decimal_time(&number, &event->time) ? next : NULL;
    case SLOT_NUMBER:
        return read_number(text, IGNORED_MAX, &number);
    default: /* SLOT_TEXT */
        return plain_end(text, text + IGNORED_MAX);
    }
}

/* Reads the record at TEXT; returns what follows it, or NULL when it is laid out otherwise. */
static inline const char *read_record(struct layout *layout, struct kairos_date_memo *memo,
                                      const char *text, struct kairos_event *event)
{
    for (size_t i = 0; i < layout->count; i++) {
        const struct piece *piece = &layout->pieces[i];
        if (!literal_matches(&piece->before, text))
            return NULL;
        text += piece->before.length;
        if (piece->kind == SLOT_SERVICE)
            text = read_service(text, event);
        else if (piece->kind == SLOT_TIME_TEXT)
            text = read_time_text(layout, memo, text, event);
        else
            text = read_rare(piece->kind, text, event);
        if (text == NULL)
            return NULL;
    }
    if (!literal_matches(&layout->tail, text))
        return NULL;
    event->reason = KAIROS_VALID;
    return text + layout->tail.length;
}

size_t layout_read(struct layout *layout, struct kairos_date_memo *memo, const char **cursor,
                   const char *end, struct kairos_event *events, size_t max)
{
    size_t count = 0;
    const char *text = *cursor;
    if (layout->span == 0)
        return 0;
    while (count < max && (size_t)(end - text) >= layout->span) {
        const char *next = read_record(layout, memo, text, &events[count]);
        if (next == NULL)
            break;
        text = next;
        count++;
    }
    *cursor = text;
    return count;
}
