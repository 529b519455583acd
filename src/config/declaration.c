#include "declaration.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kairos/service.h>

#include "change.h"
#include "nearest.h"

/* The keys that an entry has beside those of a service. */
#define KEY_SERVICE "service"
#define KEY_PATTERN "pattern"

/* One entry that is being read. */
struct reader {
    const char *file;
    struct problems *problems;
    const struct yaml_node *entry;
    json_t *seen; /* names and patterns so far, and their lines */
    struct declaration *declaration;
    bool valid;
};

/* What is wrong in a line of the entry, whose text says what. */
static void blame(struct reader *reader, uint64_t line, const char *what)
{
    const char *name = reader->declaration->name;
    problems_add(reader->problems, "%s:%llu: services%s%s: %s", reader->file,
                 (unsigned long long)line, name != NULL ? ": " : "", name != NULL ? name : "",
                 what);
    reader->valid = false;
}

/* ---- Which services ---- */

/*
 * Reads a pattern, in lower case as names are. One that no name can match is a mistake: names have
 * no other characters than those that are taken here.
 */
static bool parse_pattern(const char *text, size_t length, char pattern[PATTERN_MAX + 1])
{
    static const char characters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-*?[]!^";
    if (length == 0 || length > PATTERN_MAX)
        return false;
    bool open = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
        if (c == '\0' || strchr(characters, c) == NULL)
            return false;
        open = c == '[' || (open && c != ']');
        pattern[i] = c;
    }
    pattern[length] = '\0';
    return !open;
}

static const char *read_pattern(const struct yaml_node *node, char *pattern)
{
    return parse_pattern(node->text, node->length, pattern)
               ? NULL
               : "pattern: it may be 1 to 200 of a-z 0-9 _ - * ? [ ], with an end to each [";
}

static const char *read_service(const struct yaml_node *node, char *name)
{
    size_t length;
    return kairos_service_parse(node->text, node->length, name, &length) == KAIROS_SERVICE_OK
               ? NULL
               : "service: a name has 1 to 100 characters of a-z 0-9 _ -";
}

/* Whether the same name, or pattern, was there before. */
static void check_seen(struct reader *reader)
{
    char key[PATTERN_MAX + 2], what[96];
    const struct declaration *declaration = reader->declaration;
    snprintf(key, sizeof(key), "%c%s", declaration->is_pattern ? '*' : ' ', declaration->name);
    const json_t *line = json_object_get(reader->seen, key);
    if (line != NULL) {
        snprintf(what, sizeof(what), "it stands twice, here and in line %lld",
                 (long long)json_integer_value(line));
        blame(reader, declaration->line, what);
    } else if (json_object_set_new(reader->seen, key, json_integer((json_int_t)declaration->line)))
        blame(reader, declaration->line, "out of memory");
}

/* Reads the one key that says which services are meant. */
static void read_name(struct reader *reader)
{
    static_assert(PATTERN_MAX + 1 >= KAIROS_SERVICE_SIZE, "a name has room where a pattern has");
    char name[PATTERN_MAX + 1];
    struct declaration *declaration = reader->declaration;
    const struct yaml_node *service = yaml_node_member(reader->entry, KEY_SERVICE);
    const struct yaml_node *pattern = yaml_node_member(reader->entry, KEY_PATTERN);
    const struct yaml_node *node = service != NULL ? service : pattern;
    if (node == NULL || (service != NULL && pattern != NULL)) {
        blame(reader, declaration->line, "an entry has either service: NAME or pattern: GLOB");
        return;
    }
    const char *wrong = node->text == NULL || node->kind == YAML_IS_NULL
                            ? "the name has to be a text"
                        : node == service ? read_service(node, name)
                                          : read_pattern(node, name);
    if (wrong != NULL) {
        blame(reader, node->key_place.line, wrong);
        return;
    }
    declaration->is_pattern = node == pattern;
    declaration->name = strdup(name);
    if (declaration->name == NULL)
        blame(reader, declaration->line, "out of memory");
    else
        check_seen(reader);
}

/* ---- What is said of them ---- */

static bool is_known(const char *key, struct nearest *nearest)
{
    nearest_try(nearest, KEY_SERVICE);
    nearest_try(nearest, KEY_PATTERN);
    for (size_t i = 0; change_key(i) != NULL; i++) {
        if (strcmp(change_key(i), key) == 0)
            return true;
        nearest_try(nearest, change_key(i));
    }
    return false;
}

static void read_member(struct reader *reader, const struct yaml_node *member,
                        struct service_change *change)
{
    struct failure failure;
    struct nearest nearest = nearest_to(member->key);
    if (!is_known(member->key, &nearest)) {
        failure_set(&failure, "%s: there is no such key%s%s%s", member->key,
                    nearest.found != NULL ? "; did you mean " : "",
                    nearest.found != NULL ? nearest.found : "", nearest.found != NULL ? "?" : "");
        blame(reader, member->key_place.line, failure.text);
        return;
    }
    json_t *value = yaml_node_json(member);
    if (value == NULL)
        blame(reader, member->key_place.line, "out of memory");
    else if (change_read_member(member->key, value, change, &failure) != CHANGE_OK)
        blame(reader, member->key_place.line, failure.text);
    json_decref(value);
}

/* Keeps in the declaration, which is small, what CHANGE says, which has room for the longest. */
static void take(struct reader *reader, const struct service_change *change)
{
    struct declaration *declaration = reader->declaration;
    declaration->has_interval = change->has_interval;
    declaration->has_tolerance = change->has_tolerance;
    declaration->has_allowed_misses = change->has_allowed_misses;
    declaration->has_max_runtime = change->has_max_runtime;
    declaration->policy = change->policy;
    declaration->max_runtime = change->max_runtime;
    declaration->description = change->has_description ? strdup(change->label.description) : NULL;
    declaration->tags = change->has_tags ? strdup(change->label.tags.text) : NULL;
    if ((change->has_description && declaration->description == NULL) ||
        (change->has_tags && declaration->tags == NULL))
        blame(reader, declaration->line, "out of memory");
}

static void read_entry(struct reader *reader)
{
    struct service_change change = {0};
    reader->declaration->line = reader->entry->place.line;
    if (reader->entry->kind != YAML_IS_MAPPING) {
        blame(reader, reader->declaration->line,
              "an entry has keys, such as service: NAME and interval: 60");
        return;
    }
    read_name(reader);
    for (const struct yaml_node *member = reader->entry->first; member != NULL;
         member = member->next) {
        if (strcmp(member->key, KEY_SERVICE) != 0 && strcmp(member->key, KEY_PATTERN) != 0)
            read_member(reader, member, &change);
    }
    take(reader, &change);
}

bool declarations_read(struct declarations *declarations, const struct yaml_node *services,
                       const char *file, struct problems *problems)
{
    unsigned long long line = services->key_place.line;
    if (services->kind == YAML_IS_NULL)
        return true;
    if (services->kind != YAML_IS_SEQUENCE) {
        problems_add(problems, "%s:%llu: services: it has to be a list of entries", file, line);
        return false;
    }
    if (services->count > DECLARATIONS_MAX) {
        problems_add(problems, "%s:%llu: services: there are %zu entries; at most %d are taken",
                     file, line, services->count, DECLARATIONS_MAX);
        return false;
    }
    struct reader reader = {.file = file, .problems = problems, .valid = true};
    declarations->list = calloc(services->count + 1, sizeof(declarations->list[0]));
    reader.seen = json_object();
    if (declarations->list == NULL || reader.seen == NULL) {
        problems_add(problems, "%s:%llu: services: out of memory", file, line);
        reader.valid = false;
    }
    for (reader.entry = services->first; reader.entry != NULL && declarations->list != NULL;
         reader.entry = reader.entry->next) {
        reader.declaration = &declarations->list[declarations->count++];
        read_entry(&reader);
    }
    json_decref(reader.seen);
    return reader.valid;
}

void declarations_finish(struct declarations *declarations)
{
    for (size_t i = 0; i < declarations->count; i++) {
        free((char *)declarations->list[i].name);
        free((char *)declarations->list[i].description);
        free((char *)declarations->list[i].tags);
    }
    free(declarations->list);
    *declarations = (struct declarations){0};
}

/* ---- Use ---- */

void declaration_change(const struct declaration *declaration, struct service_change *change)
{
    *change = (struct service_change){
        .has_interval = declaration->has_interval,
        .has_tolerance = declaration->has_tolerance,
        .has_allowed_misses = declaration->has_allowed_misses,
        .has_max_runtime = declaration->has_max_runtime,
        .has_description = declaration->description != NULL,
        .has_tags = declaration->tags != NULL,
        .policy = declaration->policy,
        .max_runtime = declaration->max_runtime,
    };
    struct label *label = &change->label;
    if (declaration->description != NULL) {
        label->length = (uint16_t)strlen(declaration->description); /* DESCRIPTION_MAX at most */
        memcpy(label->description, declaration->description, label->length);
    }
    if (declaration->tags != NULL)
        tags_add_all(&label->tags, declaration->tags, strlen(declaration->tags));
}

static bool equal_texts(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* What is not given is 0 in both. */
static bool equal(const struct declaration *a, const struct declaration *b)
{
    return strcmp(a->name, b->name) == 0 && a->is_pattern == b->is_pattern &&
           a->has_interval == b->has_interval && a->has_tolerance == b->has_tolerance &&
           a->has_allowed_misses == b->has_allowed_misses &&
           a->has_max_runtime == b->has_max_runtime && a->policy.interval == b->policy.interval &&
           a->policy.tolerance == b->policy.tolerance &&
           a->policy.allowed_misses == b->policy.allowed_misses &&
           a->max_runtime == b->max_runtime && equal_texts(a->description, b->description) &&
           equal_texts(a->tags, b->tags);
}

bool declarations_equal(const struct declarations *a, const struct declarations *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!equal(&a->list[i], &b->list[i]))
            return false;
    }
    return true;
}
