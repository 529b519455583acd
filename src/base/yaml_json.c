#include "yaml_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "yaml_node.h"

json_t *yaml_json_read(const char *text, size_t length, size_t nodes_max, struct failure *failure)
{
    struct place place;
    struct failure what;
    struct yaml_node *root = yaml_node_read(text, length, nodes_max, &place, &what);
    if (root == NULL) {
        failure_set(failure, "line %llu, column %llu: %s", (unsigned long long)place.line,
                    (unsigned long long)place.column, what.text);
        return NULL;
    }
    json_t *value = yaml_node_json(root);
    if (value == NULL)
        failure_set(failure, "out of memory");
    yaml_node_destroy(root);
    return value;
}

/* ---- Writing ---- */

/*
 * Whether a text may stand without quotes, for readers of YAML 1.1 too, to whom `no`, 2025-08-04,
 * 1_000 and 12:30 are not texts: it looks like a word, and is none that means something.
 */
static bool may_be_plain(const char *text, size_t length)
{
    static const char *const meanings[] = {"null", "true", "false", "yes", "no",
                                           "on",   "off",  "y",     "n"};
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char others[] = "0123456789_-./";
    if (length == 0 || text[0] == '\0' || strchr(letters, text[0]) == NULL)
        return false;
    for (size_t i = 1; i < length; i++) {
        if (text[i] == '\0' ||
            (strchr(letters, text[i]) == NULL && strchr(others, text[i]) == NULL))
            return false;
    }
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (strlen(meanings[i]) == length && strncasecmp(text, meanings[i], length) == 0)
            return false;
    }
    return true;
}

static bool emit_scalar(yaml_emitter_t *emitter, const char *text, size_t length,
                        yaml_scalar_style_t style)
{
    yaml_event_t event;
    return yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text, (int)length,
                                        true, true, style) &&
           yaml_emitter_emit(emitter, &event);
}

static bool emit_text(yaml_emitter_t *emitter, const char *text, size_t length)
{
    return emit_scalar(emitter, text, length,
                       may_be_plain(text, length) ? YAML_PLAIN_SCALAR_STYLE
                                                  : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

static bool emit_plain(yaml_emitter_t *emitter, const char *text)
{
    return emit_scalar(emitter, text, strlen(text), YAML_PLAIN_SCALAR_STYLE);
}

/* The fewest digits that are read as REAL again. */
static void format_real(double real, char *text, size_t size)
{
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, size, "%.*g", digits, real);
        if (strtod(text, NULL) == real)
            return;
    }
}

/* With a point, without which YAML of 1.1 takes 1 for an integer and 1e+20 for a text. */
static bool emit_real(yaml_emitter_t *emitter, double real)
{
    char shortest[32], text[40];
    format_real(real, shortest, sizeof(shortest));
    if (strchr(shortest, '.') != NULL)
        return emit_plain(emitter, shortest);
    int whole = (int)strcspn(shortest, "e");
    snprintf(text, sizeof(text), "%.*s.0%s", whole, shortest, shortest + whole);
    return emit_plain(emitter, text);
}

static bool emit_integer(yaml_emitter_t *emitter, json_int_t integer)
{
    char text[32];
    snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, integer);
    return emit_plain(emitter, text);
}

static bool emit_value(yaml_emitter_t *emitter, const json_t *value);

static bool emit_array(yaml_emitter_t *emitter, const json_t *array)
{
    yaml_event_t event;
    if (!yaml_sequence_start_event_initialize(&event, NULL, NULL, true,
                                              YAML_BLOCK_SEQUENCE_STYLE) ||
        !yaml_emitter_emit(emitter, &event))
        return false;
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (!emit_value(emitter, json_array_get(array, i)))
            return false;
    }
    return yaml_sequence_end_event_initialize(&event) && yaml_emitter_emit(emitter, &event);
}

static bool emit_object(yaml_emitter_t *emitter, const json_t *object)
{
    yaml_event_t event;
    const char *key;
    json_t *value;
    if (!yaml_mapping_start_event_initialize(&event, NULL, NULL, true, YAML_BLOCK_MAPPING_STYLE) ||
        !yaml_emitter_emit(emitter, &event))
        return false;
    json_object_foreach((json_t *)object, key, value)
    {
        if (!emit_text(emitter, key, strlen(key)) || !emit_value(emitter, value))
            return false;
    }
    return yaml_mapping_end_event_initialize(&event) && yaml_emitter_emit(emitter, &event);
}

static bool emit_value(yaml_emitter_t *emitter, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return emit_object(emitter, value);
    case JSON_ARRAY:
        return emit_array(emitter, value);
    case JSON_STRING:
        return emit_text(emitter, json_string_value(value), json_string_length(value));
    case JSON_INTEGER:
        return emit_integer(emitter, json_integer_value(value));
    case JSON_REAL:
        return emit_real(emitter, json_real_value(value));
    case JSON_TRUE:
        return emit_plain(emitter, "true");
    case JSON_FALSE:
        return emit_plain(emitter, "false");
    case JSON_NULL:
        return emit_plain(emitter, "null");
    }
    return false;
}

static bool emit_stream(yaml_emitter_t *emitter, const json_t *value)
{
    yaml_event_t event;
    return yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING) &&
           yaml_emitter_emit(emitter, &event) &&
           yaml_document_start_event_initialize(&event, NULL, NULL, NULL, true) &&
           yaml_emitter_emit(emitter, &event) && emit_value(emitter, value) &&
           yaml_document_end_event_initialize(&event, true) && yaml_emitter_emit(emitter, &event) &&
           yaml_stream_end_event_initialize(&event) && yaml_emitter_emit(emitter, &event);
}

static int take_output(void *stream, unsigned char *bytes, size_t size)
{
    return fwrite(bytes, 1, size, stream) == size;
}

char *yaml_json_write(const json_t *value, size_t *length)
{
    char *text = NULL;
    yaml_emitter_t emitter;
    if (!yaml_emitter_initialize(&emitter))
        return NULL;
    FILE *stream = open_memstream(&text, length);
    if (stream == NULL) {
        yaml_emitter_delete(&emitter);
        return NULL;
    }
    yaml_emitter_set_output(&emitter, take_output, stream);
    yaml_emitter_set_unicode(&emitter, true);
    yaml_emitter_set_width(&emitter, -1);
    bool done = emit_stream(&emitter, value);
    yaml_emitter_delete(&emitter);
    if (fclose(stream) == 0 && done)
        return text;
    free(text);
    return NULL;
}
