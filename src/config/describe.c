#include "describe.h"

#include <string.h>

#include "key.h"

/* Columns of a comment in the sample. */
#define COLUMNS 100

/* Room for all that is said of a key, and for its value. */
#define TEXT_SIZE 1024

/* What the value may be and is by default: "whole number, 1 to 256; default: all cores". */
static void format_value(const struct key *key, char text[TEXT_SIZE])
{
    char bounds[VALUE_BOUNDS_SIZE];
    key->type->bounds(key, bounds);
    snprintf(text, TEXT_SIZE, "%s%s%s; default: %s", key->type->name, bounds[0] != '\0' ? ", " : "",
             bounds, key->fallback != NULL ? key->fallback : key->otherwise);
}

/* All that there is to say of it, in sentences. */
static void format_help(const struct key *key, char text[TEXT_SIZE])
{
    snprintf(text, TEXT_SIZE, "%s.%s%s", key->help, key->more != NULL ? " " : "",
             key->more != NULL ? key->more : "");
}

/* Calls WRITE for each key, and HEAD before those of each group. */
static void for_all(FILE *stream, void (*head)(FILE *stream, const char *name),
                    void (*write)(FILE *stream, const struct key *key))
{
    for (enum key_group group = 0; group < GROUP_COUNT; group++) {
        head(stream, key_group_name(group));
        for (size_t i = 0; i < key_count; i++) {
            if (keys[i].group == group)
                write(stream, &keys[i]);
        }
    }
}

/* ---- The sample ---- */

/* Writes TEXT as comments, broken at blanks. */
static void write_comment(FILE *stream, const char *text)
{
    size_t column = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        if (column > 0 && column + 1 + length > COLUMNS) {
            fprintf(stream, "\n");
            column = 0;
        }
        int printed = fprintf(stream, "%s%.*s", column == 0 ? "# " : " ", (int)length, text);
        column += printed > 0 ? (size_t)printed : 0;
        text += length + strspn(text + length, " ");
    }
    fprintf(stream, "\n");
}

/* Writes the items of TEXT, which have commas between them, as a sequence. */
static void write_items(FILE *stream, const char *text)
{
    const char *separator = "[";
    for (; *text != '\0'; text += strspn(text, ", ")) {
        size_t length = strcspn(text, ", ");
        fprintf(stream, "%s\"%.*s\"", separator, (int)length, text);
        separator = ", ";
        text += length;
    }
    fprintf(stream, "]\n");
}

static void sample_head(FILE *stream, const char *name)
{
    fprintf(stream, "\n# ---- %s ----\n", name);
}

static void sample_key(FILE *stream, const struct key *key)
{
    char help[TEXT_SIZE], value[TEXT_SIZE], comment[2 * TEXT_SIZE + 8];
    format_help(key, help);
    format_value(key, value);
    snprintf(comment, sizeof(comment), "%s (%s)", help, value);
    fprintf(stream, "\n");
    write_comment(stream, comment);
    fprintf(stream, "#%s: ", key->name);
    if (key->type->list && key->fallback != NULL)
        write_items(stream, key->fallback);
    else
        fprintf(stream, "%s\n", key->fallback != NULL ? key->fallback : key->example);
}

void describe_sample(FILE *stream)
{
    fputs("# How Kairós is to run: kairos serve --config kairos.yaml\n"
          "#\n"
          "# Every key may be left out; what stands behind # is its default, or an example where "
          "there is none.\n"
          "# The environment (KAIROS_PORT, or KAIROS_PORT_FILE, a file that has the value) is "
          "stronger than this\n"
          "# file, and an option (--port) is stronger than both. A duration is a whole number of "
          "seconds or has a\n"
          "# unit: 90s, 5m, 1h, 1d, 1500ms. Try it with: kairos check-config kairos.yaml\n",
          stream);
    for_all(stream, sample_head, sample_key);
    fputs("\n"
          "# Services, each by its name, or many by a pattern of names (*, ?, [a-z]; of several "
          "that match the\n"
          "# first counts). What is left out of an entry is the default above. A service that is "
          "declared by its\n"
          "# name is there before its first heartbeat; a pattern waits for services to appear.\n"
          "#services:\n"
          "#  - service: nightly-backup\n"
          "#    description: Database to the cold store\n"
          "#    tags: [backup, \"team:data\"]\n"
          "#    interval: 1d\n"
          "#    allowed_misses: 1\n"
          "#    tolerance: 2h\n"
          "#    max_runtime: 90m\n"
          "#  - pattern: \"web-*\"\n"
          "#    tags: [web]\n"
          "#    interval: 30\n",
          stream);
}

/* ---- Markdown ---- */

static void reference_head(FILE *stream, const char *name)
{
    fprintf(stream, "\n### %s\n", name);
}

static void reference_key(FILE *stream, const struct key *key)
{
    char help[TEXT_SIZE], value[TEXT_SIZE], variable[KEY_GUISE_SIZE], option[KEY_GUISE_SIZE];
    format_help(key, help);
    format_value(key, value);
    key_environment(key, variable);
    key_option(key, option);
    fprintf(stream, "\n#### `%s`\n\n%s\n\n- %s\n- `--%s%s%s`, `%s`\n- a new value takes %s\n",
            key->name, help, value, option, key->flag ? "" : " ", key->flag ? "" : key->argument,
            variable, key->reload ? "a reload (SIGHUP)" : "a restart");
}

void describe_reference(FILE *stream)
{
    for_all(stream, reference_head, reference_key);
}

/* ---- The manual ---- */

/* Writes TEXT so that troff takes it to the letter. */
static void write_troff(FILE *stream, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", stream);
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            fputs("\\e", stream);
        else if (*text == '-')
            fputs("\\-", stream);
        else if (*text == '~')
            fputs("\\(ti", stream);
        else
            putc(*text, stream);
    }
}

static void manual_head(FILE *stream, const char *name)
{
    fprintf(stream, ".SS %s\n", name);
}

static void manual_key(FILE *stream, const struct key *key)
{
    char help[TEXT_SIZE], value[TEXT_SIZE];
    format_help(key, help);
    format_value(key, value);
    fprintf(stream, ".TP\n.B %s\n", key->name);
    write_troff(stream, help);
    fputs("\n(", stream);
    write_troff(stream, value);
    fputs(")\n", stream);
}

void describe_manual(FILE *stream)
{
    for_all(stream, manual_head, manual_key);
}
