#include "entries.h"

#include <stdlib.h>
#include <string.h>

#include "yaml_node.h"

/* Values of an import in YAML; each takes some hundred bytes while it is read. */
#define YAML_NODES_MAX 3000000

/* What an entry says, without room for what it does not. */
struct entry {
    struct service_name name;
    size_t number; /* from 1 on, as it stood */
    struct kairos_policy policy;
    int64_t max_runtime;
    bool has_interval, has_tolerance, has_allowed_misses, has_max_runtime, has_paused, paused;
    uint16_t tags_length, description_length;
    char *text; /* tags and description */
};

struct entries {
    struct entry *list;
    size_t count, capacity;
};

void entries_destroy(struct entries *entries)
{
    if (entries == NULL)
        return;
    for (size_t i = 0; i < entries->count; i++)
        free(entries->list[i].text);
    free(entries->list);
    free(entries);
}

size_t entries_count(const struct entries *entries)
{
    return entries->count;
}

void entries_get(const struct entries *entries, size_t place, struct service_name *name,
                 struct service_change *change)
{
    const struct entry *entry = &entries->list[place];
    *name = entry->name;
    *change = (struct service_change){
        .has_interval = entry->has_interval,
        .has_tolerance = entry->has_tolerance,
        .has_allowed_misses = entry->has_allowed_misses,
        .has_max_runtime = entry->has_max_runtime,
        .has_paused = entry->has_paused,
        .has_tags = true,
        .has_description = true,
        .policy = entry->policy,
        .max_runtime = entry->max_runtime,
        .paused = entry->paused,
        .replace = true,
        .create = true,
    };
    struct label *label = &change->label;
    if (entry->tags_length > 0)
        tags_add_all(&label->tags, entry->text, entry->tags_length);
    label->length = entry->description_length;
    if (entry->description_length > 0)
        memcpy(label->description, entry->text + entry->tags_length, entry->description_length);
}

/* ---- Reading ---- */

/* Keeps an entry. Returns false when memory ran out. */
static bool keep(struct entries *entries, const struct service_name *name,
                 const struct service_change *change)
{
    if (entries->count == entries->capacity) {
        size_t capacity = entries->capacity == 0 ? 64 : entries->capacity * 2;
        struct entry *larger = realloc(entries->list, capacity * sizeof(larger[0]));
        if (larger == NULL)
            return false;
        entries->list = larger;
        entries->capacity = capacity;
    }
    const struct label *label = &change->label;
    struct entry *entry = &entries->list[entries->count];
    *entry = (struct entry){
        .name = *name,
        .number = entries->count + 1,
        .policy = change->policy,
        .max_runtime = change->max_runtime,
        .has_interval = change->has_interval,
        .has_tolerance = change->has_tolerance,
        .has_allowed_misses = change->has_allowed_misses,
        .has_max_runtime = change->has_max_runtime,
        .has_paused = change->has_paused,
        .paused = change->paused,
        .tags_length = label->tags.length,
        .description_length = label->length,
        .text = malloc(label->tags.length + label->length + 1u),
    };
    if (entry->text == NULL)
        return false;
    memcpy(entry->text, label->tags.text, label->tags.length);
    memcpy(entry->text + label->tags.length, label->description, label->length);
    entries->count++;
    return true;
}

/* Reads the next entry. On CHANGE_OK false means that memory ran out. */
static bool read_entry(struct entries *entries, const json_t *object, enum change_result *result,
                       struct failure *failure)
{
    struct failure wrong;
    struct service_name name;
    struct service_change change = {0};
    if (object != NULL && change_read_entry(object, &name, &change, &wrong))
        return keep(entries, &name, &change);
    if (object == NULL)
        return false;
    const char *text = json_string_value(json_object_get(object, "service"));
    *result = CHANGE_INVALID;
    return failure_set(failure, "services, entry %zu%s%.*s%s: %s", entries->count + 1,
                       text == NULL ? "" : " (", KAIROS_SERVICE_MAX, text == NULL ? "" : text,
                       text == NULL ? "" : ")", wrong.text);
}

/* There is KEY, or NULL, where there should be none but `services`. */
static bool refuse_shape(const char *key, enum change_result *result, struct failure *failure)
{
    *result = CHANGE_INVALID;
    if (key != NULL)
        return failure_set(failure, "unknown key '%s'; services is the only one", key);
    return failure_set(failure, "there has to be an array of services, or an object such as "
                                "{\"services\": [{\"service\": \"backup\"}]}");
}

static bool read_json(struct entries *entries, const json_t *root, enum change_result *result,
                      struct failure *failure)
{
    const json_t *array = json_is_object(root) ? json_object_get(root, "services") : root;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)root, key, value)
    {
        if (value != array)
            return refuse_shape(key, result, failure);
    }
    if (!json_is_array(array))
        return refuse_shape(NULL, result, failure);
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (!read_entry(entries, json_array_get(array, i), result, failure))
            return false;
    }
    return true;
}

/* The line of the key that FAILURE is about, else that of the entry. */
static unsigned long long line_of(const struct yaml_node *entry, const struct failure *failure)
{
    const char *text = strstr(failure->text, ": ");
    for (const struct yaml_node *member = entry->first; text != NULL && member != NULL;
         member = member->next) {
        size_t length = member->key == NULL ? 0 : strlen(member->key);
        if (length > 0 && strncmp(text + 2, member->key, length) == 0 && text[2 + length] == ':')
            return member->key_place.line;
    }
    return entry->place.line;
}

static bool read_yaml(struct entries *entries, const struct yaml_node *root,
                      enum change_result *result, struct failure *failure)
{
    const struct yaml_node *sequence = root;
    if (root->kind == YAML_IS_MAPPING)
        sequence = yaml_node_member(root, "services");
    for (const struct yaml_node *node = root->first; sequence != root && node != NULL;
         node = node->next) {
        if (node != sequence)
            return refuse_shape(node->key, result, failure);
    }
    if (sequence == NULL || sequence->kind != YAML_IS_SEQUENCE)
        return refuse_shape(NULL, result, failure);
    for (const struct yaml_node *node = sequence->first; node != NULL; node = node->next) {
        json_t *object = yaml_node_json(node);
        bool read = read_entry(entries, object, result, failure);
        json_decref(object);
        if (!read && *result == CHANGE_INVALID) {
            struct failure wrong = *failure;
            failure_set(failure, "line %llu: %s", line_of(node, &wrong), wrong.text);
        }
        if (!read)
            return false;
    }
    return true;
}

static bool load_yaml(struct entries *entries, const char *text, size_t length,
                      enum change_result *result, struct failure *failure)
{
    struct place place;
    struct failure wrong;
    struct yaml_node *root = yaml_node_read(text, length, YAML_NODES_MAX, &place, &wrong);
    if (root == NULL) {
        *result = CHANGE_MALFORMED;
        return failure_set(failure, "line %llu, column %llu: %s", (unsigned long long)place.line,
                           (unsigned long long)place.column, wrong.text);
    }
    bool read = read_yaml(entries, root, result, failure);
    yaml_node_destroy(root);
    return read;
}

static bool load_json(struct entries *entries, const char *text, size_t length,
                      enum change_result *result, struct failure *failure)
{
    json_t *root = change_load(text, length, result, failure);
    if (root == NULL)
        return false;
    bool read = read_json(entries, root, result, failure);
    json_decref(root);
    return read;
}

/* ---- Order ---- */

static int compare(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;
    int order = strcmp(left->name.text, right->name.text);
    return order != 0 ? order : (left->number > right->number) - (left->number < right->number);
}

static bool sort(struct entries *entries, enum change_result *result, struct failure *failure)
{
    if (entries->count > 0)
        qsort(entries->list, entries->count, sizeof(entries->list[0]), compare);
    for (size_t i = 1; i < entries->count; i++) {
        const struct entry *before = &entries->list[i - 1], *entry = &entries->list[i];
        if (strcmp(before->name.text, entry->name.text) != 0)
            continue;
        *result = CHANGE_INVALID;
        return failure_set(failure,
                           "services, entry %zu (%s): it stands twice, there and as entry %zu",
                           entry->number, entry->name.text, before->number);
    }
    return true;
}

struct entries *entries_read(const char *text, size_t length, bool yaml, enum change_result *result,
                             struct failure *failure)
{
    struct entries *entries = calloc(1, sizeof(*entries));
    *result = CHANGE_OK;
    if (entries != NULL && (yaml ? load_yaml : load_json)(entries, text, length, result, failure) &&
        sort(entries, result, failure))
        return entries;
    entries_destroy(entries);
    return NULL;
}
