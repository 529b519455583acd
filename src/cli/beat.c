#include "beat.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include <kairos/timestamp.h>

/* U+FFFD in UTF-8. */
static const char replacement[] = "\xef\xbf\xbd";

int64_t beat_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * KAIROS_SECOND + now.tv_nsec / 1000;
}

void beat_path(const struct beat *beat, char path[BEAT_PATH_SIZE])
{
    static const char *const actions[] = {
        [BEAT_SUCCESS] = "",
        [BEAT_FAIL] = "/fail",
        [BEAT_START] = "/start",
        [BEAT_LOG] = "/log",
    };
    if (beat->kind == BEAT_FAIL && beat->exit_status > 0)
        snprintf(path, BEAT_PATH_SIZE, "/ping/%s/%u", beat->service, beat->exit_status);
    else
        snprintf(path, BEAT_PATH_SIZE, "/ping/%s%s", beat->service, actions[beat->kind]);
}

/* What UTF-8 may encode, which the C library takes more broadly. */
static bool is_scalar(wchar_t character)
{
    return character <= 0x10ffff && (character < 0xd800 || character > 0xdfff);
}

/*
 * Copies the SIZE bytes at TEXT as UTF-8, of which each may become three. Returns the length.
 * The locale is one of UTF-8, as it is in the whole program.
 */
static size_t copy_text(char *copy, const char *text, size_t size)
{
    size_t length = 0;
    mbstate_t state = {0};
    for (size_t step; size > 0; text += step, size -= step) {
        wchar_t character;
        step = mbrtowc(&character, text, size, &state);
        if (step == 0) /* a NUL is one */
            step = 1;
        if (step <= size && is_scalar(character)) {
            memcpy(copy + length, text, step);
            length += step;
            continue;
        }
        memset(&state, 0, sizeof(state));
        memcpy(copy + length, replacement, strlen(replacement));
        length += strlen(replacement);
        step = 1;
    }
    return length;
}

json_t *beat_to_json(const struct beat *beat)
{
    char time[KAIROS_TIMESTAMP_SIZE], output[BEAT_OUTPUT_MAX * 3];
    kairos_timestamp_format(beat->time, time);
    size_t length = copy_text(output, beat->output,
                              beat->size < BEAT_OUTPUT_MAX ? beat->size : BEAT_OUTPUT_MAX);
    json_t *json = json_pack("{s:s, s:s}", "service", beat->service, "time", time);
    bool made = json != NULL;
    if (made && beat->kind == BEAT_FAIL)
        made = json_object_set_new(json, "exit_status",
                                   beat->exit_status > 0 ? json_integer(beat->exit_status)
                                                         : json_null()) == 0;
    if (made && length > 0)
        made = json_object_set_new(json, "output", json_stringn(output, length)) == 0;
    if (made)
        return json;
    json_decref(json);
    return NULL;
}

/* Whether SERVICE is a name as it is written, and nothing that would have to be mended. */
static bool read_service(const json_t *service, char name[KAIROS_SERVICE_SIZE])
{
    const char *text = json_string_value(service);
    size_t length = json_string_length(service), name_length;
    return text != NULL &&
           kairos_service_parse(text, length, name, &name_length) == KAIROS_SERVICE_OK &&
           name_length == length && memcmp(name, text, length) == 0;
}

static bool read_time(const json_t *time, int64_t *value)
{
    return json_is_string(time) &&
           kairos_timestamp_parse(json_string_value(time), json_string_length(time), value);
}

/* A success says nothing of its exit status, a fail may say null. */
static bool read_exit_status(const json_t *status, struct beat *beat)
{
    json_int_t value = json_integer_value(status);
    beat->kind = status == NULL ? BEAT_SUCCESS : BEAT_FAIL;
    if (status == NULL || json_is_null(status))
        return true;
    beat->exit_status = (unsigned)value;
    return json_is_integer(status) && value >= 1 && value <= 255;
}

bool beat_from_json(const json_t *json, struct beat *beat)
{
    const json_t *output = json_object_get(json, "output");
    *beat = (struct beat){.output = json_string_value(output), .size = json_string_length(output)};
    return read_service(json_object_get(json, "service"), beat->service) &&
           read_time(json_object_get(json, "time"), &beat->time) &&
           read_exit_status(json_object_get(json, "exit_status"), beat) &&
           (output == NULL || json_is_string(output));
}
