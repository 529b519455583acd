#include "change.h"

#include <jansson.h>
#include <string.h>

#include <kairos/duration.h>

/* Seconds beyond all bounds: from there on a number need not be exact. */
#define SECONDS_BEYOND   1e9

#define INTERVAL_BOUNDS  "interval: it may be 1 second to 366 days, in whole milliseconds"
#define MISSES_BOUNDS    "allowed_misses: it may be a whole number from 1 to 1000000"
#define TOLERANCE_BOUNDS "tolerance: it may be 0 to 366 days, in whole milliseconds"
#define RUNTIME_BOUNDS                                                                             \
    "max_runtime: it may be up to 366 days, in whole milliseconds, or null for none"
#define DESCRIPTION_BOUNDS "description: it may be text of up to 500 bytes, without NUL characters"
#define TAGS_BOUNDS                                                                                \
    "tags: it may be an array of up to 20 tags, each of 1 to 50 characters of a-z 0-9 _ - . :"
#define PAUSED_BOUNDS "paused: it may be true or false"

const char *change_bounds_text(enum engine_result result)
{
    switch (result) {
    case ENGINE_BAD_INTERVAL:
        return INTERVAL_BOUNDS;
    case ENGINE_BAD_MISSES:
        return MISSES_BOUNDS;
    case ENGINE_BAD_TOLERANCE:
        return TOLERANCE_BOUNDS;
    case ENGINE_BAD_RUNTIME:
        return RUNTIME_BOUNDS;
    default:
        return "the service cannot be changed so";
    }
}

unsigned change_refused(enum engine_result result, const char *name, struct failure *failure)
{
    switch (result) {
    case ENGINE_UNKNOWN:
        failure_set(failure, "there is no service %s", name);
        return 404;
    case ENGINE_FULL:
        failure_set(failure, "as many services as --max-services allows; %s was not created", name);
        return 507;
    case ENGINE_NO_SPACE:
        failure_set(failure, "no space left for a further service; %s was not created", name);
        return 507;
    default:
        failure_set(failure, "%s", change_bounds_text(result));
        return 422;
    }
}

/*
 * Reads a duration; one in another form is out of all bounds. A number is rounded to the
 * microsecond, which is far more than a double of that size can tell apart.
 */
static bool read_duration(const json_t *value, int64_t *duration)
{
    if (json_is_string(value))
        return kairos_duration_parse(json_string_value(value), json_string_length(value), duration);
    if (!json_is_number(value))
        return false;
    double seconds = json_number_value(value);
    if (!(seconds > -SECONDS_BEYOND && seconds < SECONDS_BEYOND))
        return false;
    double micros = seconds * (double)KAIROS_SECOND;
    *duration = (int64_t)(micros + (micros < 0 ? -0.5 : 0.5));
    return true;
}

/* Reads a duration within bounds and in whole milliseconds. */
static bool read_bounded(const json_t *value, int64_t min, int64_t max, int64_t *duration)
{
    int64_t read;
    if (!read_duration(value, &read) || read < min || read > max || read % KAIROS_MILLISECOND != 0)
        return false;
    *duration = read;
    return true;
}

static bool read_interval(const json_t *value, struct service_change *change)
{
    change->has_interval = true;
    return read_bounded(value, ENGINE_INTERVAL_MIN, KAIROS_INTERVAL_MAX, &change->policy.interval);
}

static bool read_allowed_misses(const json_t *value, struct service_change *change)
{
    json_int_t misses = json_integer_value(value); /* 0 if it is none */
    change->has_allowed_misses = true;
    if (misses < 1 || misses > KAIROS_ALLOWED_MISSES_MAX)
        return false;
    change->policy.allowed_misses = (uint32_t)misses;
    return true;
}

static bool read_tolerance(const json_t *value, struct service_change *change)
{
    change->has_tolerance = true;
    return read_bounded(value, 0, KAIROS_TOLERANCE_MAX, &change->policy.tolerance);
}

static bool read_max_runtime(const json_t *value, struct service_change *change)
{
    change->has_max_runtime = true;
    change->max_runtime = 0;
    return json_is_null(value) || read_bounded(value, 0, ENGINE_RUNTIME_MAX, &change->max_runtime);
}

static bool read_description(const json_t *value, struct service_change *change)
{
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    change->has_description = true;
    if (text == NULL || !description_is_valid(text, length))
        return false;
    memset(change->label.description, 0, sizeof(change->label.description));
    memcpy(change->label.description, text, length);
    change->label.length = (uint16_t)length;
    return true;
}

static bool read_tags(const json_t *value, struct service_change *change)
{
    change->has_tags = true;
    change->label.tags = (struct tags){0};
    if (!json_is_array(value))
        return false;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *tag = json_array_get(value, i);
        if (!json_is_string(tag) || tags_add(&change->label.tags, json_string_value(tag),
                                             json_string_length(tag)) != TAGS_OK)
            return false;
    }
    return true;
}

static bool read_paused(const json_t *value, struct service_change *change)
{
    change->has_paused = true;
    change->paused = json_is_true(value);
    return json_is_boolean(value);
}

static const struct member {
    const char *key;
    bool (*read)(const json_t *value, struct service_change *change);
    const char *bounds;
    bool entry; /* of an entry of an import alone */
} members[] = {
    {"interval", read_interval, INTERVAL_BOUNDS, false},
    {"allowed_misses", read_allowed_misses, MISSES_BOUNDS, false},
    {"tolerance", read_tolerance, TOLERANCE_BOUNDS, false},
    {"max_runtime", read_max_runtime, RUNTIME_BOUNDS, false},
    {"description", read_description, DESCRIPTION_BOUNDS, false},
    {"tags", read_tags, TAGS_BOUNDS, false},
    {"paused", read_paused, PAUSED_BOUNDS, true},
};

#define MEMBER_COUNT (sizeof(members) / sizeof(members[0]))

/* Those of entries stand last. */
const char *change_key(size_t index)
{
    return index < MEMBER_COUNT && !members[index].entry ? members[index].key : NULL;
}

static bool read_member(const char *key, const json_t *value, bool entry,
                        struct service_change *change, struct failure *failure)
{
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        const struct member *member = &members[i];
        if (strcmp(member->key, key) != 0 || (member->entry && !entry))
            continue;
        return member->read(value, change) || failure_set(failure, "%s", member->bounds);
    }
    return failure_set(failure,
                       "unknown key '%s'; known are %sinterval, allowed_misses, tolerance, "
                       "max_runtime, description%s",
                       key, entry ? "service, " : "", entry ? ", tags and paused" : " and tags");
}

enum change_result change_read_member(const char *key, const json_t *value,
                                      struct service_change *change, struct failure *failure)
{
    return read_member(key, value, false, change, failure) ? CHANGE_OK : CHANGE_INVALID;
}

bool change_read(const json_t *object, struct service_change *change, struct failure *failure)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return failure_set(failure,
                           "the body is no JSON object; it is one such as {\"interval\": 60}");
    json_object_foreach((json_t *)object, key, value)
    {
        if (!read_member(key, value, false, change, failure))
            return false;
    }
    return true;
}

static bool read_name(const json_t *value, struct service_name *name, struct failure *failure)
{
    size_t length;
    *name = (struct service_name){0};
    if (value == NULL)
        return failure_set(failure, "service: it is missing");
    if (!json_is_string(value) ||
        kairos_service_parse(json_string_value(value), json_string_length(value), name->text,
                             &length) != KAIROS_SERVICE_OK)
        return failure_set(failure, "service: it is no name; one has 1 to 100 characters of "
                                    "a-z 0-9 _ -");
    name->length = (uint8_t)length;
    return true;
}

bool change_read_entry(const json_t *object, struct service_name *name,
                       struct service_change *change, struct failure *failure)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return failure_set(failure, "it is no object such as {\"service\": \"backup\"}");
    if (!read_name(json_object_get(object, "service"), name, failure))
        return false;
    json_object_foreach((json_t *)object, key, value)
    {
        if (strcmp(key, "service") != 0 && !read_member(key, value, true, change, failure))
            return false;
    }
    return true;
}

/* ---- Text ---- */

static enum change_result describe(const json_error_t *error, struct failure *failure)
{
    failure_set(failure, "line %d, column %d: %s", error->line, error->column, error->text);
    enum json_error_code code = json_error_code(error);
    bool well_formed = code == json_error_duplicate_key || code == json_error_numeric_overflow;
    return well_formed ? CHANGE_INVALID : CHANGE_MALFORMED;
}

json_t *change_load(const char *text, size_t length, enum change_result *result,
                    struct failure *failure)
{
    json_error_t error;
    json_t *value =
        json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    *result = value == NULL ? describe(&error, failure) : CHANGE_OK;
    return value;
}

enum change_result change_parse(const char *text, size_t length, struct service_change *change,
                                struct failure *failure)
{
    enum change_result result;
    if (length == 0)
        return CHANGE_OK;
    json_t *object = change_load(text, length, &result, failure);
    if (object == NULL)
        return result;
    result = change_read(object, change, failure) ? CHANGE_OK : CHANGE_INVALID;
    json_decref(object);
    return result;
}
