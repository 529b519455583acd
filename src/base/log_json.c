#include "log_json.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

/* Keys that are told apart in one line; those beyond are text. */
#define KEYS_MAX 32

/* Digits of numbers that are one: longer ones do not fit everywhere, and are texts. */
#define NUMBER_MAX 18

static const char key_characters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
static const char digits[] = "0123456789";

struct piece {
    const char *text;
    size_t length;
};

/* Reads words from left to right. */
struct reader {
    const char *at, *end;
    struct piece keys[KEYS_MAX];
    size_t key_count;
};

struct word {
    bool pair;
    bool quoted;        /* the value is; it stands without its quotes, and is escaped still */
    struct piece whole; /* as it stands */
    struct piece key, value;
};

/* ---- Reading ---- */

static bool is(struct piece piece, const char *text)
{
    return piece.length == strlen(text) && memcmp(piece.text, text, piece.length) == 0;
}

/* Whether any of COUNT names is PIECE. */
static bool is_any(struct piece piece, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is(piece, names[i]))
            return true;
    }
    return false;
}

/* Keys that the object has itself; as a word's key they get a '_', which no other one ends in. */
static bool is_reserved(struct piece key)
{
    static const char *const names[] = {"time", "level", "event", "text"};
    return is_any(key, names, sizeof(names) / sizeof(names[0]));
}

/* Keys whose values are names, which may look like numbers. */
static bool is_name(struct piece key)
{
    static const char *const names[] = {"service", "id", "request_id", "tag", "key", "version"};
    return is_any(key, names, sizeof(names) / sizeof(names[0]));
}

static bool is_known(const struct reader *reader, struct piece key)
{
    for (size_t i = 0; i < reader->key_count; i++) {
        const struct piece *known = &reader->keys[i];
        if (known->length == key.length && memcmp(known->text, key.text, key.length) == 0)
            return true;
    }
    return false;
}

static size_t span(const char *at, const char *end, const char *characters)
{
    size_t length = 0;
    while (at + length < end && at[length] != '\0' && strchr(characters, at[length]) != NULL)
        length++;
    return length;
}

/* Where the blank behind a word is, or the end. */
static const char *end_of_word(const char *at, const char *end)
{
    const char *blank = memchr(at, ' ', (size_t)(end - at));
    return blank != NULL ? blank : end;
}

/* Where the closing quote of a text is, or the end: a line that was cut may lack it. */
static const char *end_of_quoted(const char *at, const char *end)
{
    while (at < end && *at != '"')
        at += *at == '\\' && end - at > 1 ? 2 : 1;
    return at;
}

/* Reads KEY=VALUE at BEGIN, unless there is none; returns where it ends. */
static const char *read_pair(const char *begin, const char *end, struct word *word)
{
    size_t length = span(begin, end, key_characters);
    const char *value = begin + length + 1;
    if (length == 0 || begin + length == end || begin[length] != '=' || begin[length - 1] == '_')
        return NULL;
    word->key = (struct piece){begin, length};
    word->quoted = value < end && *value == '"';
    if (!word->quoted) {
        end = end_of_word(value, end);
        word->value = (struct piece){value, (size_t)(end - value)};
        return end;
    }
    const char *quote = end_of_quoted(value + 1, end);
    word->value = (struct piece){value + 1, (size_t)(quote - value - 1)};
    return quote < end ? quote + 1 : end;
}

static bool next_word(struct reader *reader, struct word *word)
{
    while (reader->at < reader->end && *reader->at == ' ')
        reader->at++;
    if (reader->at == reader->end)
        return false;
    const char *begin = reader->at;
    const char *end = read_pair(begin, reader->end, word);
    word->pair = end != NULL && reader->key_count < KEYS_MAX && !is_known(reader, word->key);
    if (word->pair)
        reader->keys[reader->key_count++] = word->key;
    reader->at = end != NULL ? end : end_of_word(begin, reader->end);
    word->whole = (struct piece){begin, (size_t)(reader->at - begin)};
    return true;
}

/* ---- Writing ---- */

static char *put(char *json, const char *text, size_t length)
{
    memcpy(json, text, length);
    return json + length;
}

static char *put_text(char *json, const char *text)
{
    return put(json, text, strlen(text));
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes the next byte of a piece that is not empty; of a QUOTED one, what log_quote was given. */
static char take_byte(struct piece *piece, bool quoted)
{
    const char *c = piece->text;
    size_t size = 1;
    char byte = *c;
    if (quoted && *c == '\\' && piece->length > 1) {
        bool hex = piece->length > 3 && c[1] == 'x' && hex_digit(c[2]) >= 0 && hex_digit(c[3]) >= 0;
        byte = hex ? (char)(hex_digit(c[2]) * 16 + hex_digit(c[3])) : c[1];
        size = hex ? 4 : 2;
    }
    piece->text += size;
    piece->length -= size;
    return byte;
}

/* Takes one character of UTF-8, or one byte that is none; returns its length, and 0 then. */
static size_t take_character(struct piece *piece, bool quoted, char character[4])
{
    struct piece ahead = *piece;
    size_t count = 0;
    while (count < 4 && ahead.length > 0)
        character[count++] = take_byte(&ahead, quoted);
    size_t length = utf8_length(character, count);
    for (size_t i = 0; i < (length == 0 ? 1 : length); i++)
        take_byte(piece, quoted);
    return length;
}

/*
 * The number of a character that programs may take for the end of a line, or a terminal for a
 * command: C0, DEL, C1, and Unicode's two separators; 0 of any other.
 */
static unsigned control_of(const char *character, size_t length)
{
    const unsigned char *c = (const unsigned char *)character;
    if (length == 1 && (c[0] < 0x20 || c[0] == 0x7f))
        return c[0];
    if (length == 2 && c[0] == 0xc2 && c[1] < 0xa0)
        return c[1];
    if (length == 3 && c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9))
        return 0x2000u + c[2] - 0x80;
    return 0;
}

/* What a JSON string says for a piece, which may be any bytes. */
static char *put_string(char *json, struct piece piece, bool quoted)
{
    while (piece.length > 0) {
        char character[4];
        size_t length = take_character(&piece, quoted, character);
        unsigned control = control_of(character, length);
        bool nul = length == 1 && character[0] == '\0';
        if (length == 0)
            json = put_text(json, "\xef\xbf\xbd");
        else if (control != 0 || nul)
            json += sprintf(json, "\\u%04x", control);
        else if (character[0] == '"' || character[0] == '\\')
            json += sprintf(json, "\\%c", character[0]);
        else
            json = put(json, character, length);
    }
    return json;
}

/* Whether VALUE is a number as JSON writes it. Source: RFC 8259, section 6. */
static bool is_number(struct piece value)
{
    const char *at = value.text, *end = at + value.length;
    at += at < end && *at == '-';
    size_t whole = span(at, end, digits);
    if (value.length > NUMBER_MAX || whole == 0 || (whole > 1 && *at == '0'))
        return false;
    at += whole;
    if (at < end && *at == '.') {
        size_t fraction = span(++at, end, digits);
        if (fraction == 0)
            return false;
        at += fraction;
    }
    return at == end;
}

static char *put_pair(char *json, const struct word *word)
{
    json = put_text(json, ", \"");
    json = put(json, word->key.text, word->key.length);
    json = put_text(json, is_reserved(word->key) ? "_\": " : "\": ");
    if (!word->quoted && !is_name(word->key) && is_number(word->value))
        return put(json, word->value.text, word->value.length);
    json = put_text(json, "\"");
    json = put_string(json, word->value, word->quoted);
    return put_text(json, "\"");
}

static char *put_event(char *json, struct reader *reader)
{
    while (reader->at < reader->end && *reader->at == ' ')
        reader->at++;
    const char *end = end_of_word(reader->at, reader->end);
    json = put_text(json, "\"event\": \"");
    json = put_string(json, (struct piece){reader->at, (size_t)(end - reader->at)}, false);
    reader->at = end;
    return put_text(json, "\"");
}

/* All words that are no pairs. */
static char *put_rest(char *json, struct reader reader)
{
    struct word word;
    bool first = true;
    while (next_word(&reader, &word)) {
        if (word.pair)
            continue;
        json = put_text(json, first ? ", \"text\": \"" : " ");
        json = put_string(json, word.whole, false);
        first = false;
    }
    return first ? json : put_text(json, "\"");
}

size_t log_json(char *json, const char *words, size_t length)
{
    struct reader reader = {.at = words, .end = words + length};
    struct word word;
    bool all_pairs = true;
    char *end = put_event(json, &reader);
    const struct reader behind_event = reader;
    while (next_word(&reader, &word)) {
        if (word.pair)
            end = put_pair(end, &word);
        all_pairs &= word.pair;
    }
    if (!all_pairs)
        end = put_rest(end, behind_event);
    return (size_t)(end - json);
}
