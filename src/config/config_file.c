#include "config_file.h"

#include <stdlib.h>
#include <string.h>

#include "key.h"
#include "small_file.h"
#include "yaml_node.h"

#define KEY_SERVICES "services"

static void blame(const struct settings *settings, const struct yaml_node *member,
                  struct problems *problems, const char *what)
{
    problems_add(problems, "%s:%llu: %s: %s", settings->file,
                 (unsigned long long)member->key_place.line, member->key, what);
}

/* ---- Values as texts ---- */

/* Why NODE is no single value, or NULL. */
static const char *scalar_fault(const struct yaml_node *node)
{
    switch (node->kind) {
    case YAML_IS_SEQUENCE:
        return "it takes one value, not a list";
    case YAML_IS_MAPPING:
        return "it takes a value, not keys of its own";
    case YAML_IS_NULL:
        return "there is no value; leave the line out for the default";
    default:
        return memchr(node->text, '\0', node->length) != NULL ? "there is a NUL in it" : NULL;
    }
}

/* Why the items of SEQUENCE cannot be written with commas between them, or NULL. */
static const char *items_fault(const struct yaml_node *sequence)
{
    for (const struct yaml_node *item = sequence->first; item != NULL; item = item->next) {
        const char *fault = scalar_fault(item);
        if (fault != NULL)
            return "each of its items has to be one value";
        if (strchr(item->text, ',') != NULL)
            return "an item cannot have a comma in it";
    }
    return NULL;
}

/* The items with commas between them, for free(); NULL when memory ran out. */
static char *join(const struct yaml_node *sequence)
{
    size_t size = 1;
    for (const struct yaml_node *item = sequence->first; item != NULL; item = item->next)
        size += item->length + 1;
    char *text = malloc(size), *end = text;
    if (text == NULL)
        return NULL;
    for (const struct yaml_node *item = sequence->first; item != NULL; item = item->next) {
        if (end != text)
            *end++ = ',';
        end = mempcpy(end, item->text, item->length);
    }
    *end = '\0';
    return text;
}

static void take_list(struct settings *settings, const struct key *key,
                      const struct yaml_node *member, struct origin origin,
                      struct problems *problems)
{
    const char *fault = items_fault(member);
    char *text = fault == NULL ? join(member) : NULL;
    if (text != NULL)
        settings_set(settings, key, text, origin, problems);
    else
        blame(settings, member, problems, fault != NULL ? fault : "out of memory");
    free(text);
}

/* ---- Members ---- */

static void blame_unknown(const struct settings *settings, const struct yaml_node *member,
                          struct problems *problems)
{
    char what[2 * KEY_GUISE_SIZE];
    const char *nearest = key_nearest(member->key);
    if (nearest != NULL)
        snprintf(what, sizeof(what), "there is no such key; did you mean %s?", nearest);
    else
        strcpy(what, "there is no such key; `kairos check-config --print-sample` shows them all");
    blame(settings, member, problems, what);
}

static void take_member(struct settings *settings, const struct yaml_node *member,
                        struct problems *problems)
{
    const struct key *key = key_find(member->key);
    struct origin origin = {.kind = ORIGIN_FILE, .line = member->key_place.line};
    if (strcmp(member->key, KEY_SERVICES) == 0) {
        declarations_read(&settings->declarations, member, settings->file, problems);
        return;
    }
    if (key == NULL) {
        blame_unknown(settings, member, problems);
        return;
    }
    if (key->type->list && member->kind == YAML_IS_SEQUENCE) {
        take_list(settings, key, member, origin, problems);
        return;
    }
    const char *fault = scalar_fault(member);
    if (fault == NULL)
        settings_set(settings, key, member->text, origin, problems);
    else
        blame(settings, member, problems, fault);
}

void config_text_take(struct settings *settings, const char *path, const char *text, size_t length,
                      struct problems *problems)
{
    struct place place;
    struct failure failure;
    settings->file = settings_keep(settings, path);
    if (settings->file == NULL) {
        problems_add(problems, "out of memory");
        return;
    }
    struct yaml_node *root = yaml_node_read(text, length, CONFIG_NODES_MAX, &place, &failure);
    if (root == NULL) {
        problems_add(problems, "%s:%llu: column %llu: %s", path, (unsigned long long)place.line,
                     (unsigned long long)place.column, failure.text);
        return;
    }
    if (root->kind != YAML_IS_MAPPING && root->kind != YAML_IS_NULL)
        problems_add(problems, "%s:%llu: there have to be keys and values, such as port: 8000",
                     path, (unsigned long long)root->place.line);
    else
        for (const struct yaml_node *member = root->first; member != NULL; member = member->next)
            take_member(settings, member, problems);
    yaml_node_destroy(root);
}

void config_file_take(struct settings *settings, const char *path, struct problems *problems)
{
    size_t length;
    struct failure failure;
    char *text = small_file_read(path, CONFIG_FILE_MAX, &length, &failure);
    if (text == NULL) {
        problems_add(problems, "%s", failure.text);
        return;
    }
    config_text_take(settings, path, text, length, problems);
    free(text);
}
