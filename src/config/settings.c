#include "settings.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config_file.h"
#include "environment.h"
#include "key.h"
#include "settings_whole.h"

/* Of a value so much is repeated in a message. */
#define SHOWN_MAX 200

struct kept_text {
    struct kept_text *next;
    char text[];
};

const char *settings_keep(struct settings *settings, const char *text)
{
    size_t size = strlen(text) + 1;
    struct kept_text *kept = malloc(sizeof(*kept) + size);
    if (kept == NULL)
        return NULL;
    kept->next = settings->texts;
    settings->texts = kept;
    return memcpy(kept->text, text, size);
}

void settings_destroy(struct settings *settings)
{
    if (settings == NULL)
        return;
    for (struct kept_text *kept = settings->texts, *next; kept != NULL; kept = next) {
        next = kept->next;
        free(kept);
    }
    declarations_finish(&settings->declarations);
    free(settings);
}

/* ---- Problems ---- */

/* How the user wrote the key. */
static void format_origin(const struct settings *settings, const struct key *key,
                          struct origin origin, char *text, size_t size)
{
    char name[KEY_GUISE_SIZE];
    switch (origin.kind) {
    case ORIGIN_FILE:
        snprintf(text, size, "%s:%llu: %s", settings->file, (unsigned long long)origin.line,
                 key->name);
        return;
    case ORIGIN_ENVIRONMENT:
    case ORIGIN_ENVIRONMENT_FILE:
        key_environment(key, name);
        snprintf(text, size, "%s%s", name,
                 origin.kind == ORIGIN_ENVIRONMENT_FILE ? ENVIRONMENT_FILE_SUFFIX : "");
        return;
    case ORIGIN_DEFAULT:
    case ORIGIN_OPTION:
        key_option(key, name);
        snprintf(text, size, "--%s", name);
    }
}

static void blame(const struct settings *settings, const struct key *key, struct origin origin,
                  struct problems *problems, const char *what)
{
    char place[PATH_MAX + 128];
    format_origin(settings, key, origin, place, sizeof(place));
    problems->usage |= origin.kind == ORIGIN_OPTION || origin.kind == ORIGIN_DEFAULT;
    problems_add(problems, "%s: %s", place, what);
}

void settings_blame(const struct settings *settings, const struct key *key,
                    struct problems *problems, const char *format, ...)
{
    struct failure failure;
    va_list arguments;
    va_start(arguments, format);
    failure_vset(&failure, format, arguments);
    va_end(arguments);
    blame(settings, key, settings->origins[key_index(key)], problems, failure.text);
}

/* ---- One value ---- */

static bool read_value(struct settings *settings, const struct key *key, const char *text,
                       bool hidden, struct failure *failure)
{
    char shown[SHOWN_MAX + 8];
    size_t length = strlen(text);
    if (hidden)
        strcpy(shown, "the value");
    else
        snprintf(shown, sizeof(shown), "'%.*s%s'", SHOWN_MAX, text,
                 length > SHOWN_MAX ? "..." : "");
    struct value value = {
        .key = key, .text = text, .shown = shown, .settings = settings, .failure = failure};
    return key->type->read(&value, (char *)settings + key->offset);
}

bool settings_may_be(const struct key *key, const char *text, struct failure *failure)
{
    struct settings *scratch = calloc(1, sizeof(*scratch));
    if (scratch == NULL)
        return failure_set(failure, "out of memory");
    bool may_be = read_value(scratch, key, text, key->secret, failure);
    settings_destroy(scratch);
    return may_be;
}

void settings_set(struct settings *settings, const struct key *key, const char *text,
                  struct origin origin, struct problems *problems)
{
    struct failure failure;
    bool hidden = key->secret || origin.kind == ORIGIN_ENVIRONMENT_FILE;
    struct origin *present = &settings->origins[key_index(key)];
    if (!read_value(settings, key, text, hidden, &failure))
        blame(settings, key, origin, problems, failure.text);
    else if (origin.kind >= present->kind)
        *present = origin;
}

/* ---- All of them ---- */

static void set_defaults(struct settings *settings, struct problems *problems)
{
    settings->server = server_options_default();
    settings->engine = engine_options_default();
    for (size_t i = 0; i < key_count; i++) {
        if (keys[i].fallback != NULL)
            settings_set(settings, &keys[i], keys[i].fallback, (struct origin){0}, problems);
    }
}

static void take_options(struct settings *settings, const struct settings_sources *sources,
                         struct problems *problems)
{
    static const struct origin origin = {.kind = ORIGIN_OPTION};
    for (size_t i = 0; i < key_count; i++) {
        if (sources->options[i] != NULL)
            settings_set(settings, &keys[i], sources->options[i], origin, problems);
    }
}

/* From the weakest source to the strongest. */
static void take_all(struct settings *settings, const struct settings_sources *sources,
                     struct problems *problems)
{
    set_defaults(settings, problems);
    if (sources->file != NULL)
        config_file_take(settings, sources->file, problems);
    if (sources->environment)
        environment_take(settings, problems);
    take_options(settings, sources, problems);
    if (!problems_exist(problems))
        settings_make_whole(settings, sources->environment, problems);
}

struct settings *settings_load(const struct settings_sources *sources, struct problems *problems)
{
    struct settings *settings = calloc(1, sizeof(*settings));
    if (settings == NULL) {
        problems_add(problems, "out of memory");
        return NULL;
    }
    take_all(settings, sources, problems);
    if (!problems_exist(problems))
        return settings;
    settings_destroy(settings);
    return NULL;
}

static bool is_same(const struct settings *a, const struct settings *b, const struct key *key)
{
    const char *left = (const char *)a + key->offset, *right = (const char *)b + key->offset;
    return key->type->equal != NULL ? key->type->equal(left, right)
                                    : memcmp(left, right, key->size) == 0;
}

size_t settings_changes(const struct settings *a, const struct settings *b,
                        const struct key **changed)
{
    size_t count = 0;
    for (size_t i = 0; i < key_count; i++) {
        if (!is_same(a, b, &keys[i]))
            changed[count++] = &keys[i];
    }
    return count;
}
