/*
 * fuzz_ping.c - paths of pings, one a line, as they stand behind "/ping/". Each is read once more
 * by a reader that is slow and plain.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "ping_path.h"

#define ALPHABET "abcdefghijklmnopqrstuvwxyz0123456789_-"

/* A segment decoded; the text is from malloc. */
struct decoded {
    char *text;
    size_t length;
    bool valid;
};

static int digit_value(char c)
{
    static const char digits[] = "00112233445566778899aAbBcCdDeEfF";
    const char *place = c == '\0' ? NULL : strchr(digits, c);
    return place == NULL ? -1 : (int)(place - digits) / 2;
}

static struct decoded decode(struct slice segment)
{
    struct decoded decoded = {.text = fuzz_allocate(segment.length, 1), .valid = true};
    for (size_t i = 0; i < segment.length; i++) {
        char c = segment.text[i];
        if (c == '%') {
            int high = i + 1 < segment.length ? digit_value(segment.text[i + 1]) : -1;
            int low = i + 2 < segment.length ? digit_value(segment.text[i + 2]) : -1;
            decoded.valid = decoded.valid && high >= 0 && low >= 0 && high + low > 0;
            c = decoded.valid ? (char)(high * 16 + low) : '%';
            i += decoded.valid ? 2 : 0;
        }
        decoded.text[decoded.length++] = c;
    }
    return decoded;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The name in TEXT: its length, 0 if it is empty, -1 if it is none. */
static int read_name(struct decoded text, char name[KAIROS_SERVICE_SIZE])
{
    size_t begin = 0, end = text.length;
    while (begin < end && is_blank(text.text[begin]))
        begin++;
    while (end > begin && is_blank(text.text[end - 1]))
        end--;
    if (end - begin > KAIROS_SERVICE_MAX)
        return -1;
    memset(name, 0, KAIROS_SERVICE_SIZE);
    for (size_t i = begin; i < end; i++) {
        char c = text.text[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c == '\0' || strchr(ALPHABET, c) == NULL)
            return -1;
        name[i - begin] = c;
    }
    return (int)(end - begin);
}

static bool is_text(struct decoded text, const char *word)
{
    return text.length == strlen(word) && memcmp(text.text, word, text.length) == 0;
}

static bool read_action(struct decoded text, enum engine_action *action)
{
    int number = 0;
    *action = ENGINE_HEARTBEAT;
    if (is_text(text, "fail"))
        *action = ENGINE_FAIL;
    else if (is_text(text, "start"))
        *action = ENGINE_START;
    else if (is_text(text, "log"))
        *action = ENGINE_LOG;
    if (*action != ENGINE_HEARTBEAT)
        return true;
    if (text.length < 1 || text.length > 3)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (text.text[i] < '0' || text.text[i] > '9')
            return false;
        number = number * 10 + text.text[i] - '0';
    }
    *action = number == 0 ? ENGINE_HEARTBEAT : ENGINE_FAIL;
    return number < 256;
}

static enum ping_result read_decoded(const struct decoded *segments, size_t count,
                                     struct ping *ping)
{
    ping->action = ENGINE_HEARTBEAT;
    if (!segments[0].valid)
        return PING_BAD_ESCAPE;
    if (memchr(segments[0].text, '.', segments[0].length) != NULL)
        return PING_KEY;
    if (count == 3)
        return PING_UNKNOWN;
    int length = read_name(segments[0], ping->name);
    if (length <= 0)
        return length == 0 ? PING_EMPTY_NAME : PING_BAD_NAME;
    ping->length = (size_t)length;
    if (count == 1)
        return PING_OK;
    if (!segments[1].valid)
        return PING_BAD_ESCAPE;
    return read_action(segments[1], &ping->action) ? PING_OK : PING_BAD_ACTION;
}

/*
 * What is too long for any name is not decoded: whether it has bad escapes is then not known, and
 * neither whether a dot is hidden in one.
 */
static bool may_differ(const struct slice *segments, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (segments[i].length > 300)
            return true;
    }
    return false;
}

static void check_segments(const struct slice *segments, size_t count)
{
    struct ping ping, expected;
    struct decoded decoded[PING_SEGMENTS_MAX] = {0};
    for (size_t i = 0; i < count; i++)
        decoded[i] = decode(segments[i]);
    enum ping_result result = ping_path_parse(segments, count, &ping);
    enum ping_result should_be = read_decoded(decoded, count, &expected);
    for (size_t i = 0; i < count; i++)
        free(decoded[i].text);

    EXPECT(result == should_be || may_differ(segments, count));
    EXPECT(result == PING_OK || strlen(ping_result_text(result)) > 0);
    if (result != PING_OK)
        return;
    EXPECT(should_be == PING_OK && ping.action == expected.action);
    EXPECT(ping.length == expected.length);
    EXPECT(memcmp(ping.name, expected.name, KAIROS_SERVICE_SIZE) == 0);
}

/* Cuts PATH at its slashes; what has more segments than a ping can have is the router's. */
static void check_path(const char *path, size_t length)
{
    struct slice segments[PING_SEGMENTS_MAX];
    size_t count = 0;
    char *copy = fuzz_copy(path, length);
    for (size_t begin = 0, at = 0; at <= length; at++) {
        if (at < length && path[at] != '/')
            continue;
        if (count == PING_SEGMENTS_MAX) {
            count = 0;
            break;
        }
        segments[count++] = (struct slice){copy == NULL ? "" : copy + begin, at - begin};
        begin = at + 1;
    }
    if (count > 0)
        check_segments(segments, count);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *line = (const char *)data, *end = line + size;
    check_path(line, size);
    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *line_end = newline == NULL ? end : newline;
        check_path(line, (size_t)(line_end - line));
        line = line_end + 1;
    }
    return 0;
}
