#include "query.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <kairos/timestamp.h>

void query_init(struct query *query, const char *const *names)
{
    query->names = names;
    query->used = 0;
    memset(query->values, 0, sizeof(query->values));
    memset(query->given, 0, sizeof(query->given));
}

/* Whether the parameter at PLACE may be given again. */
static bool may_repeat(const struct query *query, int place)
{
    return query->names[place][0] == '*';
}

static const char *name_at(const struct query *query, int place)
{
    return query->names[place] + may_repeat(query, place);
}

/* Where NAME stands among the names; -1 if it does not. */
static int place_of(const struct query *query, const char *name)
{
    for (int i = 0; query->names[i] != NULL; i++) {
        assert(i < QUERY_PARAMETERS_MAX);
        if (strcmp(name_at(query, i), name) == 0)
            return i;
    }
    return -1;
}

static bool refuse_unknown(const struct query *query, const char *name, struct failure *failure)
{
    char known[256] = "none";
    size_t used = 0;
    for (int i = 0; query->names[i] != NULL && used < sizeof(known) / 2; i++)
        used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i == 0 ? "" : ", ",
                                 name_at(query, i));
    return failure_set(failure, "query: unknown parameter '%s'; known here: %s", name, known);
}

/* Decodes TEXT behind what the query holds, and keeps it if KEEP. */
static const char *decode(struct query *query, struct slice text, bool keep,
                          struct failure *failure)
{
    char *decoded = query->text + query->used;
    size_t length;
    switch (percent_decode(text, decoded, sizeof(query->text) - query->used, &length)) {
    case PERCENT_OK:
        if (keep)
            query->used += length + 1;
        return decoded;
    case PERCENT_INVALID:
        failure_set(failure, "query: a '%%' is not followed by two hexadecimal digits, or is %%00");
        break;
    case PERCENT_TOO_LONG:
        failure_set(failure, "query: longer than %d characters", QUERY_TEXT_MAX);
        break;
    }
    return NULL;
}

/* Puts a further VALUE behind those that were given before: they are moved to the end first. */
static bool append(struct query *query, int place, struct slice value, struct failure *failure)
{
    const char *before = query->values[place];
    size_t length = strlen(before);
    bool last = before + length + 1 == query->text + query->used;
    char *joined = query->text + query->used - (last ? length + 1 : 0);
    if (sizeof(query->text) - (size_t)(joined - query->text) <= length + 1)
        return failure_set(failure, "query: longer than %d characters", QUERY_TEXT_MAX);
    memmove(joined, before, length);
    joined[length] = ',';
    query->used = (size_t)(joined - query->text) + length + 1;
    query->values[place] = joined;
    return decode(query, value, true, failure) != NULL;
}

bool query_add(struct query *query, struct slice key, struct slice value, struct failure *failure)
{
    if (key.length == 0 && value.length == 0) /* as in "a=1&&b=2" */
        return true;
    const char *name = decode(query, key, false, failure);
    if (name == NULL)
        return false;
    int place = place_of(query, name);
    if (place < 0)
        return refuse_unknown(query, name, failure);
    if (query->given[place] && !may_repeat(query, place))
        return failure_set(failure, "query: '%s' is given twice", name_at(query, place));
    query->given[place] = true;
    if (value.length == 0)
        return true;
    if (query->values[place] != NULL)
        return append(query, place, value, failure);
    query->values[place] = decode(query, value, true, failure);
    return query->values[place] != NULL;
}

const char *query_text(const struct query *query, const char *name)
{
    int place = place_of(query, name);
    assert(place >= 0);
    return query->values[place];
}

bool query_parse_digits(struct slice text, uint64_t *number)
{
    uint64_t value = 0;
    if (text.length == 0)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.text[i];
        if (c < '0' || c > '9' || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(c - '0'), &value))
            return false;
    }
    *number = value;
    return true;
}

bool query_number(const struct query *query, const char *name, uint64_t min, uint64_t max,
                  uint64_t *number, struct failure *failure)
{
    const char *text = query_text(query, name);
    uint64_t value;
    if (text == NULL)
        return true;
    if (!query_parse_digits((struct slice){text, strlen(text)}, &value) || value < min ||
        value > max)
        return failure_set(failure, "%s: '%s' is not a whole number from %llu to %llu", name, text,
                           (unsigned long long)min, (unsigned long long)max);
    *number = value;
    return true;
}

bool query_time(const struct query *query, const char *name, int64_t *time, struct failure *failure)
{
    const char *text = query_text(query, name);
    if (text == NULL || kairos_timestamp_parse(text, strlen(text), time) ||
        kairos_timestamp_parse_number(text, strlen(text), time))
        return true;
    return failure_set(failure,
                       "%s: '%s' is not a timestamp such as 2025-08-04T10:00:00Z; a '+' in a query "
                       "is written %%2B",
                       name, text);
}

bool query_refuse_cursor(const struct query *query, struct failure *failure)
{
    return failure_set(failure,
                       "cursor: '%s' was not handed out here; use next_cursor of the page before",
                       query_text(query, "cursor"));
}

bool query_cursor(const struct query *query, uint64_t *cursor, struct failure *failure)
{
    const char *text = query_text(query, "cursor");
    if (text == NULL || query_parse_digits((struct slice){text, strlen(text)}, cursor))
        return true;
    return query_refuse_cursor(query, failure);
}
