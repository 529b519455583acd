/*
 * fuzz_log.c - words of log lines, one a line, as a JSON object: jansson has to understand it.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "log_json.h"

static void check_words(const char *words, size_t length)
{
    char *copy = fuzz_copy(words, length);
    size_t size = LOG_JSON_SIZE(length);
    char *json = fuzz_allocate(size + 2, 1);
    json[0] = '{';
    size_t used = log_json(json + 1, copy == NULL ? "" : copy, length);
    EXPECT(used <= size);
    json[used + 1] = '}';
    json_t *object = json_loadb(json, used + 2, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    EXPECT(object != NULL && json_is_string(json_object_get(object, "event")));
    json_decref(object);
    free(json);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *line = (const char *)data, *end = line + size;
    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *line_end = newline == NULL ? end : newline;
        check_words(line, (size_t)(line_end - line));
        line = line_end + 1;
    }
    return 0;
}
