#include "third_opinion.h"

#include <math.h>
#include <string.h>

#include <jansson.h>

#include <kairos/timestamp.h>

#include "fuzz.h"

enum answer {
    ANSWER_YES,
    ANSWER_NO,
    ANSWER_ABSTAINS,
};

struct opinion {
    enum answer answer;
    json_t *value; /* if yes */
    size_t good;   /* if it abstains: bytes in which it has found nothing wrong */
};

static bool is_limit(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_stack_overflow:
    case json_error_numeric_overflow:
    case json_error_null_byte_in_key:
        return true;
    default: /* a lone surrogate shares its code with errors proper, but not its words */
        return strncmp(error->text, "invalid Unicode '", strlen("invalid Unicode '")) == 0;
    }
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (unsigned char)c >= 0x80 || c == '+' || c == '-' || c == '.';
}

/*
 * Where the last token of the SIZE bytes at TEXT begins. jansson ended behind it, and may not have
 * come to see whether it may stand there at all.
 */
static size_t last_token(const char *text, size_t size)
{
    size_t begin = 0;
    for (size_t at = 0; at < size;) {
        begin = at;
        char first = text[at++];
        if (first == '"') {
            while (at < size && text[at] != '"')
                at += text[at] == '\\' ? 2 : 1;
            at++;
        } else if (is_word(first)) {
            while (at < size && is_word(text[at]))
                at++;
        }
    }
    return begin;
}

static struct opinion ask(const char *text, size_t size)
{
    struct opinion opinion = {.answer = ANSWER_NO};
    if (memchr(text, '\0', size) != NULL)
        return opinion;
    json_error_t error;
    opinion.value =
        json_loadb(text, size, JSON_ALLOW_NUL | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &error);
    if (opinion.value != NULL) {
        opinion.answer = ANSWER_YES;
    } else if (is_limit(&error)) {
        opinion.answer = ANSWER_ABSTAINS;
        opinion.good = last_token(text, (size_t)error.position);
    }
    return opinion;
}

/* A blank around a service's name. */
static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* What is wrong with a service, if anything; *BEGIN and *LENGTH say where its name stands. */
static enum kairos_reason judge_service(const json_t *value, const char **begin, size_t *length)
{
    if (json_is_null(value))
        return KAIROS_EMPTY_SERVICE;
    if (!json_is_string(value))
        return KAIROS_INVALID_SERVICE_FORMAT;
    const char *text = json_string_value(value), *end = text + json_string_length(value);
    while (text < end && is_blank(*text))
        text++;
    while (text < end && is_blank(end[-1]))
        end--;
    if (text == end)
        return KAIROS_EMPTY_SERVICE;

    *begin = text;
    *length = (size_t)(end - text);
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    for (; text < end; text++) {
        if (*text == '\0' || strchr(letters, *text) == NULL)
            return KAIROS_INVALID_SERVICE_FORMAT;
    }
    return *length <= KAIROS_SERVICE_MAX ? KAIROS_VALID : KAIROS_INVALID_SERVICE_FORMAT;
}

static bool is_empty_timestamp(const json_t *value)
{
    return json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0);
}

/* What jansson has left of a number is a double, so this holds but roughly. */
static void check_number(double number, const struct kairos_event *event)
{
    const double seconds_max = 2e10;
    if (fabs(fabs(number) - seconds_max) < 1)
        return; /* it could be either seconds or milliseconds */
    double micros = number * (fabs(number) > seconds_max ? 1e3 : 1e6);
    double slack = 1 + fabs(micros) * 1e-15;
    if (micros < (double)KAIROS_TIME_MIN - slack || micros > (double)KAIROS_TIME_MAX + slack) {
        EXPECT(event->reason == KAIROS_INVALID_TIMESTAMP_FORMAT);
    } else if (micros > (double)KAIROS_TIME_MIN + slack &&
               micros < (double)KAIROS_TIME_MAX - slack) {
        EXPECT(event->reason == KAIROS_VALID);
        EXPECT(fabs((double)event->time - micros) <= slack);
    }
}

/* The timestamp is there, and the reasons that come before it do not hold. */
static void check_timestamp(const json_t *value, const struct kairos_event *event)
{
    int64_t time;
    if (json_is_number(value)) {
        check_number(json_number_value(value), event);
    } else if (json_is_string(value) &&
               kairos_timestamp_parse(json_string_value(value), json_string_length(value), &time)) {
        EXPECT(event->reason == KAIROS_VALID);
        EXPECT(event->time == time);
    } else {
        EXPECT(event->reason == KAIROS_INVALID_TIMESTAMP_FORMAT);
    }
}

/* Whether EVENT is what the rules make of VALUE. */
static void check_event(const json_t *value, const struct kairos_event *event)
{
    if (!json_is_object(value)) {
        EXPECT(event->reason == KAIROS_NOT_AN_OBJECT);
        return;
    }
    const json_t *service = json_object_get(value, "service");
    const json_t *timestamp = json_object_get(value, "timestamp");
    if (service == NULL || timestamp == NULL) {
        EXPECT(event->reason ==
               (service == NULL ? KAIROS_MISSING_SERVICE : KAIROS_MISSING_TIMESTAMP));
        return;
    }

    const char *name = NULL;
    size_t length = 0;
    enum kairos_reason reason = judge_service(service, &name, &length);
    if (reason != KAIROS_EMPTY_SERVICE && is_empty_timestamp(timestamp))
        reason = KAIROS_EMPTY_TIMESTAMP;
    if (reason != KAIROS_VALID) {
        EXPECT(event->reason == reason);
        return;
    }
    check_timestamp(timestamp, event);
    if (event->reason == KAIROS_VALID) {
        EXPECT(event->length == length);
        EXPECT(strncasecmp(event->text, name, length) == 0);
    }
}

static void check_array(const char *text, size_t size, size_t base, const struct outcome *outcome)
{
    struct opinion opinion = ask(text, size);
    switch (opinion.answer) {
    case ANSWER_YES:
        EXPECT(!outcome->failed);
        EXPECT(outcome->count == json_array_size(opinion.value));
        for (size_t i = 0; i < outcome->count; i++)
            check_event(json_array_get(opinion.value, i), &outcome->events[i]);
        break;
    case ANSWER_NO:
        EXPECT(outcome->failed);
        break;
    case ANSWER_ABSTAINS:
        EXPECT(!outcome->failed || outcome->error.offset >= base + opinion.good);
        break;
    }
    json_decref(opinion.value);
}

static void check_line(const char *text, size_t size, size_t offset,
                       const struct kairos_event *event)
{
    struct opinion opinion = ask(text, size);
    if (opinion.answer == ANSWER_YES)
        check_event(opinion.value, event);
    else if (opinion.answer == ANSWER_NO)
        EXPECT(event->reason == KAIROS_INVALID_JSON);
    if (event->reason != KAIROS_VALID)
        EXPECT(event->offset == offset);
    json_decref(opinion.value);
}

/* How many of the bytes at TEXT are white space as JSON has it, up to the first that is none. */
static size_t skip_space(const char *text, size_t size)
{
    size_t at = 0;
    while (at < size && memchr(" \t\r\n", text[at], 4) != NULL)
        at++;
    return at;
}

static void check_lines(const char *text, size_t size, size_t base, const struct outcome *outcome)
{
    size_t lines = 0;
    for (size_t at = 0, length; at < size; at += length + 1) {
        const char *newline = memchr(text + at, '\n', size - at);
        length = newline == NULL ? size - at : (size_t)(newline - (text + at));
        size_t blank = skip_space(text + at, length);
        if (blank == length)
            continue;
        EXPECT(lines < outcome->count);
        check_line(text + at, length, base + at + blank, &outcome->events[lines++]);
    }
    EXPECT(lines == outcome->count);
    EXPECT(!outcome->failed);
}

void third_opinion_check(const char *log, size_t size, const struct outcome *outcome)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    size_t base = strlen(byte_order_mark);
    if (size < base || memcmp(log, byte_order_mark, base) != 0)
        base = 0;
    const char *text = log + base;
    size_t blank = skip_space(text, size - base);

    if (blank == size - base) {
        EXPECT(outcome->format == KAIROS_FORMAT_UNKNOWN && outcome->count == 0);
        EXPECT(outcome->failed && outcome->error.code == KAIROS_PARSE_EMPTY);
        EXPECT(outcome->error.offset == size);
    } else if (text[blank] == '[') {
        EXPECT(outcome->format == KAIROS_FORMAT_ARRAY);
        check_array(text, size - base, base, outcome);
    } else {
        EXPECT(outcome->format == KAIROS_FORMAT_NDJSON);
        check_lines(text, size - base, base, outcome);
    }
}
