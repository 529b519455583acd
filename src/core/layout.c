#include "layout.h"

#include "name.h"

/* What a timestamp may need at most: a text with nine digits of fraction and an offset is 35. */
#define TIME_MAX 40

static bool literal_learn(struct literal *literal, const char *begin, const char *end)
{
    size_t length = (size_t)(end - begin);
    if (length > LITERAL_MAX)
        return false;
    memset(literal->text, 0, sizeof(literal->text));
    memcpy(literal->text, begin, length);
    literal->length = length;
    return true;
}

/* Whether TEXT begins with the literal. Reads whole words. */
static inline bool literal_matches(const struct literal *literal, const char *text)
{
    size_t at = 0;
    for (; at + WORD_SIZE <= literal->length; at += WORD_SIZE) {
        if (word_load(literal->text + at) != word_load(text + at))
            return false;
    }
    uint64_t differ = word_load(literal->text + at) ^ word_load(text + at);
    return (differ & word_mask(literal->length - at)) == 0;
}

void layout_learn(struct layout *layout, struct slice record, struct slice service,
                  struct slice time, bool time_is_number)
{
    bool service_first = service.begin < time.begin;
    struct slice first = service_first ? service : time;
    struct slice second = service_first ? time : service;

    layout->span = 0;
    layout->time_length = (size_t)(time.end - time.begin);
    if (layout->time_length > TIME_MAX ||
        !literal_learn(&layout->lead, record.begin, first.begin) ||
        !literal_learn(&layout->middle, first.end, second.begin) ||
        !literal_learn(&layout->tail, second.end, record.end))
        return;
    layout->service_first = service_first;
    layout->time_is_number = time_is_number;
    layout->span = layout->lead.length + KAIROS_SERVICE_SIZE + layout->middle.length + TIME_MAX +
                   layout->tail.length + WORD_SIZE;
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

static inline bool is_number_char(char c)
{
    return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E';
}

/* The length of the timestamp at TEXT, which is tried at the last one's length first. */
static inline size_t time_length(const struct layout *layout, const char *text)
{
    size_t length = layout->time_length;
    if (layout->time_is_number) {
        for (length = 0; length < TIME_MAX && is_number_char(text[length]);)
            length++;
    } else if (text[length] != '"') {
        for (length = 0; length < TIME_MAX && text[length] != '"';)
            length++;
    }
    return length;
}

/* Reads a timestamp at TEXT; returns what follows it, or NULL. */
static inline const char *read_time(struct layout *layout, struct kairos_date_memo *memo,
                                    const char *text, struct kairos_event *event)
{
    size_t length = time_length(layout, text);
    bool valid = layout->time_is_number
                     ? kairos_timestamp_parse_number(text, length, &event->time)
                     : kairos_timestamp_parse_memo(text, length, memo, &event->time);
    if (!valid)
        return NULL;
    layout->time_length = length;
    return text + length;
}

/* Reads the record at TEXT; returns what follows it, or NULL when it is laid out otherwise. */
static inline const char *read_record(struct layout *layout, struct kairos_date_memo *memo,
                                      const char *text, struct kairos_event *event)
{
    if (!literal_matches(&layout->lead, text))
        return NULL;
    text += layout->lead.length;
    text = layout->service_first ? read_service(text, event) : read_time(layout, memo, text, event);
    if (text == NULL || !literal_matches(&layout->middle, text))
        return NULL;
    text += layout->middle.length;
    text = layout->service_first ? read_time(layout, memo, text, event) : read_service(text, event);
    if (text == NULL || !literal_matches(&layout->tail, text))
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
