#include "change.h"

#include <jansson.h>
#include <string.h>

#include <kairos/duration.h>

/* Seconds beyond all bounds: from there on a number need not be exact. */
#define SECONDS_BEYOND 1e9

const char *change_bounds_text(enum engine_result result)
{
    switch (result) {
    case ENGINE_BAD_INTERVAL:
        return "interval: it may be 1 second to 366 days, in whole milliseconds";
    case ENGINE_BAD_MISSES:
        return "allowed_misses: it may be a whole number from 1 to 1000000";
    case ENGINE_BAD_TOLERANCE:
        return "tolerance: it may be 0 to 366 days, in whole milliseconds";
    case ENGINE_BAD_RUNTIME:
        return "max_runtime: it may be up to 366 days, in whole milliseconds, or null for none";
    default:
        return "the service cannot be changed so";
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

static enum engine_result read_interval(const json_t *value, struct service_change *change)
{
    change->has_interval = true;
    return read_bounded(value, ENGINE_INTERVAL_MIN, KAIROS_INTERVAL_MAX, &change->policy.interval)
               ? ENGINE_OK
               : ENGINE_BAD_INTERVAL;
}

static enum engine_result read_allowed_misses(const json_t *value, struct service_change *change)
{
    json_int_t misses = json_integer_value(value); /* 0 if it is none */
    change->has_allowed_misses = true;
    if (misses < 1 || misses > KAIROS_ALLOWED_MISSES_MAX)
        return ENGINE_BAD_MISSES;
    change->policy.allowed_misses = (uint32_t)misses;
    return ENGINE_OK;
}

static enum engine_result read_tolerance(const json_t *value, struct service_change *change)
{
    change->has_tolerance = true;
    return read_bounded(value, 0, KAIROS_TOLERANCE_MAX, &change->policy.tolerance)
               ? ENGINE_OK
               : ENGINE_BAD_TOLERANCE;
}

static enum engine_result read_max_runtime(const json_t *value, struct service_change *change)
{
    change->has_max_runtime = true;
    if (json_is_null(value)) {
        change->max_runtime = 0;
        return ENGINE_OK;
    }
    return read_bounded(value, 0, ENGINE_RUNTIME_MAX, &change->max_runtime) ? ENGINE_OK
                                                                            : ENGINE_BAD_RUNTIME;
}

static const struct {
    const char *key;
    enum engine_result (*read)(const json_t *value, struct service_change *change);
} members[] = {
    {"interval", read_interval},
    {"allowed_misses", read_allowed_misses},
    {"tolerance", read_tolerance},
    {"max_runtime", read_max_runtime},
};

const char *change_key(size_t index)
{
    return index < sizeof(members) / sizeof(members[0]) ? members[index].key : NULL;
}

enum change_result change_read_member(const char *key, const json_t *value,
                                      struct service_change *change, struct failure *failure)
{
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (strcmp(members[i].key, key) != 0)
            continue;
        enum engine_result result = members[i].read(value, change);
        if (result == ENGINE_OK)
            return CHANGE_OK;
        failure_set(failure, "%s", change_bounds_text(result));
        return CHANGE_INVALID;
    }
    failure_set(failure,
                "unknown key '%s'; known are interval, allowed_misses, tolerance and max_runtime",
                key);
    return CHANGE_INVALID;
}

static enum change_result read_object(json_t *object, struct service_change *change,
                                      struct failure *failure)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object)) {
        failure_set(failure, "the body is no JSON object; it is one such as {\"interval\": 60}");
        return CHANGE_INVALID;
    }
    json_object_foreach(object, key, value)
    {
        enum change_result result = change_read_member(key, value, change, failure);
        if (result != CHANGE_OK)
            return result;
    }
    return CHANGE_OK;
}

static enum change_result describe(const json_error_t *error, struct failure *failure)
{
    failure_set(failure, "line %d, column %d: %s", error->line, error->column, error->text);
    enum json_error_code code = json_error_code(error);
    bool well_formed = code == json_error_duplicate_key || code == json_error_numeric_overflow;
    return well_formed ? CHANGE_INVALID : CHANGE_MALFORMED;
}

enum change_result change_parse(const char *text, size_t length, struct service_change *change,
                                struct failure *failure)
{
    json_error_t error;
    if (length == 0)
        return CHANGE_OK;
    json_t *object =
        json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (object == NULL)
        return describe(&error, failure);
    enum change_result result = read_object(object, change, failure);
    json_decref(object);
    return result;
}
