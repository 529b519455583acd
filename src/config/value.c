#include "value.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include <kairos/duration.h>
#include <kairos/timestamp.h>

#include "ip.h"
#include "key.h"
#include "settings.h"
#include "url_list.h"

static void no_bounds(const struct key *key, char bounds[VALUE_BOUNDS_SIZE])
{
    (void)key;
    bounds[0] = '\0';
}

/* Whether the text is the word that stands for 0. */
static bool is_none(const struct value *value)
{
    return value->key->none != NULL && strcmp(value->text, value->key->none) == 0;
}

/* ---- Texts ---- */

static bool read_any(const struct value *value, const char *what, void *field)
{
    size_t length = strlen(value->text);
    size_t min = (size_t)value->key->min, max = (size_t)value->key->max;
    if (length < min || length > max)
        return failure_set(value->failure, "the %s is too %s; it may have %zu to %zu bytes", what,
                           length < min ? "short" : "long", min, max);
    const char *kept = settings_keep(value->settings, value->text);
    if (kept == NULL)
        return failure_set(value->failure, "out of memory");
    *(const char **)field = kept;
    return true;
}

static bool read_text(const struct value *value, void *field)
{
    return read_any(value, "text", field);
}

static bool read_path(const struct value *value, void *field)
{
    return read_any(value, "path", field);
}

static bool equal_texts(const void *a, const void *b)
{
    const char *left = *(const char *const *)a, *right = *(const char *const *)b;
    return left == NULL || right == NULL ? left == right : strcmp(left, right) == 0;
}

const struct value_type value_text = {"text", false, read_text, no_bounds, equal_texts};

const struct value_type value_path = {"path", false, read_path, no_bounds, equal_texts};

/* ---- Numbers ---- */

/* Stores NUMBER, which is within the bounds of its key, in as many bytes as the member has. */
static void store(void *field, size_t size, uint64_t number)
{
    switch (size) {
    case sizeof(uint16_t):
        *(uint16_t *)field = (uint16_t)number;
        break;
    case sizeof(uint32_t):
        *(uint32_t *)field = (uint32_t)number;
        break;
    default:
        *(uint64_t *)field = number;
    }
}

/* Reads the digits that *TEXT begins with, one at least, and moves it behind them. */
static bool parse_digits(const char **text, uint64_t *number)
{
    const char *begin = *text;
    *number = 0;
    for (; **text >= '0' && **text <= '9'; (*text)++) {
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, (uint64_t)(**text - '0'), number))
            return false;
    }
    return *text != begin;
}

static bool parse_number(const char *text, uint64_t *number)
{
    return parse_digits(&text, number) && *text == '\0';
}

static bool is_within(const struct key *key, uint64_t number)
{
    return number >= (uint64_t)key->min && number <= (uint64_t)key->max;
}

static bool read_number(const struct value *value, void *field)
{
    const struct key *key = value->key;
    uint64_t number = 0;
    if (!is_none(value) && (!parse_number(value->text, &number) || !is_within(key, number)))
        return failure_set(value->failure, "%s is not a whole number from %" PRIi64 " to %" PRIi64,
                           value->shown, key->min, key->max);
    store(field, key->size, number);
    return true;
}

static void number_bounds(const struct key *key, char bounds[VALUE_BOUNDS_SIZE])
{
    snprintf(bounds, VALUE_BOUNDS_SIZE, "%" PRIi64 " to %" PRIi64, key->min, key->max);
}

const struct value_type value_number = {"whole number", false, read_number, number_bounds, NULL};

/* ---- Sizes ---- */

static const struct {
    const char *name;
    uint64_t size;
} size_units[] = {
    {"GiB", (uint64_t)1 << 30}, {"MiB", (uint64_t)1 << 20}, {"KiB", (uint64_t)1 << 10}, {"", 1}};

#define SIZE_UNITS (sizeof(size_units) / sizeof(size_units[0]))

static bool parse_size(const char *text, uint64_t *size)
{
    if (!parse_digits(&text, size))
        return false;
    for (size_t i = 0; i < SIZE_UNITS; i++) {
        if (strcasecmp(text, size_units[i].name) == 0)
            return !__builtin_mul_overflow(*size, size_units[i].size, size);
    }
    return false;
}

/* In the largest unit that leaves a whole number. */
static void format_size(uint64_t size, char *text, size_t room)
{
    size_t unit = 0;
    while (unit < SIZE_UNITS - 1 && (size == 0 || size % size_units[unit].size != 0))
        unit++;
    snprintf(text, room, "%" PRIu64 "%s", size / size_units[unit].size, size_units[unit].name);
}

static void size_bounds(const struct key *key, char bounds[VALUE_BOUNDS_SIZE])
{
    char min[32], max[32];
    format_size((uint64_t)key->min, min, sizeof(min));
    format_size((uint64_t)key->max, max, sizeof(max));
    snprintf(bounds, VALUE_BOUNDS_SIZE, "%s to %s", min, max);
}

static bool read_size(const struct value *value, void *field)
{
    uint64_t size = 0;
    char bounds[VALUE_BOUNDS_SIZE];
    size_bounds(value->key, bounds);
    if (!is_none(value) && (!parse_size(value->text, &size) || !is_within(value->key, size)))
        return failure_set(value->failure,
                           "%s is not a number of bytes, or of KiB, MiB or GiB, from %s",
                           value->shown, bounds);
    store(field, value->key->size, size);
    return true;
}

const struct value_type value_size = {"number of bytes, or with a unit (KiB, MiB, GiB)", false,
                                      read_size, size_bounds, NULL};

/* ---- Durations ---- */

/* In the largest unit that leaves a whole number. */
static void format_duration(int64_t duration, char *text, size_t size)
{
    static const struct {
        const char *name;
        int64_t size;
    } units[] = {{"d", KAIROS_DAY}, {"h", KAIROS_HOUR}, {"m", KAIROS_MINUTE}, {"s", KAIROS_SECOND}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (duration != 0 && duration % units[i].size == 0) {
            snprintf(text, size, "%" PRIi64 "%s", duration / units[i].size, units[i].name);
            return;
        }
    }
    snprintf(text, size, duration == 0 ? "0" : "%" PRIi64 "ms", duration / KAIROS_MILLISECOND);
}

static void duration_bounds(const struct key *key, char bounds[VALUE_BOUNDS_SIZE])
{
    char min[32], max[32];
    format_duration(key->min, min, sizeof(min));
    format_duration(key->max, max, sizeof(max));
    if (key->max == INT64_MAX)
        snprintf(bounds, VALUE_BOUNDS_SIZE, "%s or more", min);
    else
        snprintf(bounds, VALUE_BOUNDS_SIZE, "%s to %s", min, max);
}

static bool read_duration(const struct value *value, void *field)
{
    int64_t duration = 0;
    char bounds[VALUE_BOUNDS_SIZE];
    const struct key *key = value->key;
    if (is_none(value)) {
        *(int64_t *)field = 0;
        return true;
    }
    if (!kairos_duration_parse(value->text, strlen(value->text), &duration))
        return failure_set(value->failure,
                           "%s is not a duration; write whole seconds or a unit, as in 90s, 5m, "
                           "1h, 1d, 250ms",
                           value->shown);
    duration_bounds(key, bounds);
    if (duration < key->min || duration > key->max)
        return failure_set(value->failure, "%s is out of range; it may be %s", value->shown,
                           bounds);
    *(int64_t *)field = duration;
    return true;
}

const struct value_type value_duration = {"duration", false, read_duration, duration_bounds, NULL};

/* ---- Booleans, modes, choices ---- */

static bool read_boolean(const struct value *value, void *field)
{
    static const struct {
        const char *text;
        bool value;
    } texts[] = {{"on", true}, {"off", false}, {"true", true}, {"false", false}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcasecmp(value->text, texts[i].text) == 0) {
            *(bool *)field = texts[i].value;
            return true;
        }
    }
    return failure_set(value->failure, "%s is neither on nor off", value->shown);
}

const struct value_type value_boolean = {"on or off", false, read_boolean, no_bounds, NULL};

static bool read_mode(const struct value *value, void *field)
{
    const char *text = value->text;
    if (strncmp(text, "0o", 2) == 0) /* as YAML writes octal numbers */
        text += 2;
    size_t length = strlen(text);
    if (length == 0 || length > 4 || strspn(text, "01234567") != length ||
        strtoul(text, NULL, 8) > 0777)
        return failure_set(value->failure, "%s is no octal number from 0 to 777", value->shown);
    *(mode_t *)field = (mode_t)strtoul(text, NULL, 8);
    return true;
}

static void mode_bounds(const struct key *key, char bounds[VALUE_BOUNDS_SIZE])
{
    (void)key;
    strcpy(bounds, "0 to 777");
}

const struct value_type value_mode = {"octal number", false, read_mode, mode_bounds, NULL};

/* Joins what there is to choose from, with LAST before the last one. */
static void list_choices(const struct key *key, const char *last, char list[VALUE_BOUNDS_SIZE])
{
    list[0] = '\0';
    for (size_t i = 0, used = 0; key->choices[i] != NULL && used < VALUE_BOUNDS_SIZE; i++) {
        const char *separator = i == 0 ? "" : key->choices[i + 1] == NULL ? last : ", ";
        used += (size_t)snprintf(list + used, VALUE_BOUNDS_SIZE - used, "%s%s", separator,
                                 key->choices[i]);
    }
}

static void choice_bounds(const struct key *key, char bounds[VALUE_BOUNDS_SIZE])
{
    list_choices(key, " or ", bounds);
}

static bool read_choice(const struct value *value, void *field)
{
    char list[VALUE_BOUNDS_SIZE];
    const char *const *choices = value->key->choices;
    unsigned i = 0;
    for (; choices[i] != NULL; i++) {
        if (strcasecmp(value->text, choices[i]) == 0) {
            store(field, value->key->size, i);
            return true;
        }
    }
    list_choices(value->key, i == 2 ? " nor " : ", ", list);
    return failure_set(value->failure, "%s is %s %s", value->shown, i == 2 ? "neither" : "none of",
                       list);
}

const struct value_type value_choice = {"choice", false, read_choice, choice_bounds, NULL};

/* ---- Addresses of the web ---- */

static bool read_urls(const struct value *value, void *field)
{
    *(const char **)field = NULL;
    return is_none(value) ||
           (url_list_check(value->text, value->failure) && read_any(value, "list", field));
}

const struct value_type value_urls = {"list of addresses of the web", true, read_urls, no_bounds,
                                      equal_texts};

/* ---- Networks ---- */

static bool read_networks(const struct value *value, void *field)
{
    struct networks networks = {0}; /* of all bytes, so that they can be compared */
    if (!networks_add(&networks, value->text, value->failure))
        return false;
    memcpy(field, &networks, sizeof(networks));
    return true;
}

const struct value_type value_networks = {"list of addresses and networks", true, read_networks,
                                          no_bounds, NULL};
