/*
 * fuzz_query.c - queries of requests, one a line. Each is read once more by a reader that is slow
 * and plain, and its values are read as numbers, times and cursors. A NUL ends a query, as it ends
 * all texts for the library that hands them over.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "query.h"

static const char *const names[] = {"status", "limit", "from", "cursor", NULL};

#define NAMES (sizeof(names) / sizeof(names[0]) - 1)

/* What a query says; texts from malloc. */
struct plain {
    bool given[NAMES];
    char *values[NAMES];
    size_t used;
};

static int digit_value(char c)
{
    static const char digits[] = "00112233445566778899aAbBcCdDeEfF";
    const char *place = c == '\0' ? NULL : strchr(digits, c);
    return place == NULL ? -1 : (int)(place - digits) / 2;
}

/* TEXT decoded, with a NUL behind it; NULL if it has a wrong escape, or more than ROOM bytes. */
static char *decode(struct slice text, size_t room, size_t *length)
{
    char *decoded = fuzz_allocate(text.length + 1, 1);
    *length = 0;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.text[i];
        if (c == '%') {
            int high = i + 1 < text.length ? digit_value(text.text[i + 1]) : -1;
            int low = i + 2 < text.length ? digit_value(text.text[i + 2]) : -1;
            if (high < 0 || low < 0 || high + low == 0) {
                free(decoded);
                return NULL;
            }
            c = (char)(high * 16 + low);
            i += 2;
        }
        decoded[(*length)++] = c;
    }
    decoded[*length] = '\0';
    if (*length < room)
        return decoded;
    free(decoded);
    return NULL;
}

static int place_of(const char *name, size_t length)
{
    for (size_t i = 0; i < NAMES; i++) {
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0)
            return (int)i;
    }
    return -1;
}

/* Takes one parameter; returns whether it may stand there. */
static bool plain_add(struct plain *plain, struct slice key, struct slice value)
{
    size_t length, room = QUERY_TEXT_MAX - plain->used;
    if (key.length == 0 && value.length == 0)
        return true;
    char *name = decode(key, room, &length);
    if (name == NULL)
        return false;
    int place = place_of(name, length);
    free(name);
    if (place < 0 || plain->given[place])
        return false;
    plain->given[place] = true;
    if (value.length == 0)
        return true;
    plain->values[place] = decode(value, room, &length);
    plain->used += length + 1;
    return plain->values[place] != NULL;
}

static bool is_number(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
    if (strspn(text, "0123456789") != strlen(text) || *text == '\0')
        return false;
    errno = 0;
    *number = strtoull(text, NULL, 10);
    return errno == 0 && *number >= min && *number <= max;
}

static void check_value(const struct query *query, const char *name, const char *text)
{
    struct failure failure;
    uint64_t expected = 7, number = 7;
    int64_t time = 7;
    const char *found = query_text(query, name);
    EXPECT((found == NULL) == (text == NULL));
    EXPECT(found == NULL || strcmp(found, text) == 0);

    bool valid = query_number(query, name, 1, 1000, &number, &failure);
    EXPECT(valid == (text == NULL || is_number(text, 1, 1000, &expected)));
    EXPECT(number == (valid && text != NULL ? expected : 7));
    EXPECT(valid || strncmp(failure.text, name, strlen(name)) == 0);

    valid = query_time(query, name, &time, &failure);
    EXPECT(valid || (text != NULL && time == 7));
    EXPECT(valid || strncmp(failure.text, name, strlen(name)) == 0);
}

static void check_cursor(const struct query *query, const char *text)
{
    struct failure failure;
    uint64_t expected = 7, cursor = 7;
    bool valid = query_cursor(query, &cursor, &failure);
    EXPECT(valid == (text == NULL || is_number(text, 0, UINT64_MAX, &expected)));
    EXPECT(cursor == (valid && text != NULL ? expected : 7));
}

/* What is told to the client is one line that shows. */
static void check_failure(const struct failure *failure)
{
    EXPECT(failure->text[0] != '\0');
    for (const char *c = failure->text; *c != '\0'; c++)
        EXPECT((unsigned char)*c >= ' ' && *c != 0x7f);
}

/* Cuts off what stands before the next SEPARATOR; what there is not is empty. */
static struct slice cut(struct slice *rest, char separator)
{
    const char *end = rest->length == 0 ? NULL : memchr(rest->text, separator, rest->length);
    size_t length = end == NULL ? rest->length : (size_t)(end - rest->text);
    size_t gone = end == NULL ? length : length + 1;
    struct slice piece = {rest->text, length};
    *rest = (struct slice){rest->text + gone, rest->length - gone};
    return piece;
}

/* Reads the query both ways, up to the first parameter that is refused. */
static void check_query(const char *text, size_t length)
{
    struct query query;
    struct plain plain = {0};
    struct failure failure;
    bool valid = true;
    char *copy = fuzz_copy(text, length);
    struct slice rest = {copy == NULL ? "" : copy, length};
    query_init(&query, names);
    while (valid && rest.length > 0) {
        struct slice value = cut(&rest, '&'), key = cut(&value, '=');
        valid = query_add(&query, key, value, &failure);
        EXPECT(valid == plain_add(&plain, key, value));
    }
    free(copy);
    if (!valid)
        check_failure(&failure);
    for (size_t i = 0; valid && i < NAMES; i++)
        check_value(&query, names[i], plain.values[i]);
    if (valid)
        check_cursor(&query, plain.values[place_of("cursor", strlen("cursor"))]);
    for (size_t i = 0; i < NAMES; i++)
        free(plain.values[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *line = (const char *)data, *end = line + size;
    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *line_end = newline == NULL ? end : newline;
        check_query(line, strnlen(line, (size_t)(line_end - line)));
        line = line_end + 1;
    }
    return 0;
}
