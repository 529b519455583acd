#include "terms.h"

#include <string.h>

#include <kairos/duration.h>
#include <kairos/timestamp.h>

#include "query.h"

const char *const term_names[TERM_COUNT + 1] = {
    [TERM_INTERVAL] = "interval",     [TERM_ALLOWED_MISSES] = "allowed_misses",
    [TERM_TOLERANCE] = "tolerance",   [TERM_UNTIL] = "until",
    [TERM_MAX_ALERTS] = "max_alerts",
};

void terms_init(struct terms *terms, int64_t now)
{
    *terms = (struct terms){
        .analysis = kairos_analysis_options_default(),
        .max_alerts = TERMS_MAX_ALERTS,
        .now = now,
    };
}

enum term term_find(const char *name)
{
    enum term term = 0;
    while (term < TERM_COUNT && strcmp(term_names[term], name) != 0)
        term++;
    return term;
}

static bool read_duration(enum term term, const char *text, int64_t min, int64_t max,
                          const char *bounds, int64_t *value, struct failure *failure)
{
    if (!kairos_duration_parse(text, strlen(text), value))
        return failure_set(failure,
                           "%s: '%s' is not a duration; write whole seconds or a unit, as in 90s, "
                           "5m, 1h, 1d, 250ms",
                           term_names[term], text);
    if (*value < min || *value > max)
        return failure_set(failure, "%s: '%s' is out of range; it may be %s", term_names[term],
                           text, bounds);
    return true;
}

static bool read_number(enum term term, const char *text, uint64_t min, uint64_t max,
                        int64_t *value, struct failure *failure)
{
    uint64_t number;
    if (!query_parse_digits((struct slice){text, strlen(text)}, &number) || number < min ||
        number > max)
        return failure_set(failure, "%s: '%s' is not a whole number from %llu to %llu",
                           term_names[term], text, (unsigned long long)min,
                           (unsigned long long)max);
    *value = (int64_t)number;
    return true;
}

static bool read_until(const char *text, int64_t now, int64_t *value, struct failure *failure)
{
    *value = now;
    if (strcmp(text, "now") == 0 || kairos_timestamp_parse(text, strlen(text), value) ||
        kairos_timestamp_parse_number(text, strlen(text), value))
        return true;
    return failure_set(failure,
                       "until: '%s' is neither a timestamp such as 2025-08-04T10:00:00Z nor now; a "
                       "'+' in a query is written %%2B",
                       text);
}

static bool read_term(const struct terms *terms, enum term term, const char *text, int64_t *value,
                      struct failure *failure)
{
    switch (term) {
    case TERM_INTERVAL:
        return read_duration(term, text, KAIROS_INTERVAL_MIN, KAIROS_INTERVAL_MAX, "1ms to 366d",
                             value, failure);
    case TERM_ALLOWED_MISSES:
        return read_number(term, text, 1, KAIROS_ALLOWED_MISSES_MAX, value, failure);
    case TERM_TOLERANCE:
        return read_duration(term, text, 0, KAIROS_TOLERANCE_MAX, "0 to 366d", value, failure);
    case TERM_UNTIL:
        return read_until(text, terms->now, value, failure);
    case TERM_MAX_ALERTS:
        return read_number(term, text, 0, TERMS_MAX_ALERTS, value, failure);
    case TERM_COUNT:
        break;
    }
    return false;
}

static int64_t value_of(const struct terms *terms, enum term term)
{
    const struct kairos_policy *policy = &terms->analysis.policy;
    switch (term) {
    case TERM_INTERVAL:
        return policy->interval;
    case TERM_ALLOWED_MISSES:
        return policy->allowed_misses;
    case TERM_TOLERANCE:
        return policy->tolerance;
    case TERM_UNTIL:
        return terms->analysis.until;
    case TERM_MAX_ALERTS:
        return (int64_t)terms->max_alerts;
    case TERM_COUNT:
        break;
    }
    return 0;
}

static void keep_value(struct terms *terms, enum term term, int64_t value)
{
    struct kairos_policy *policy = &terms->analysis.policy;
    terms->given[term] = true;
    switch (term) {
    case TERM_INTERVAL:
        policy->interval = value;
        break;
    case TERM_ALLOWED_MISSES:
        policy->allowed_misses = (uint32_t)value;
        break;
    case TERM_TOLERANCE:
        policy->tolerance = value;
        break;
    case TERM_UNTIL:
        terms->analysis.has_until = true;
        terms->analysis.until = value;
        break;
    case TERM_MAX_ALERTS:
        terms->max_alerts = (uint64_t)value;
        break;
    case TERM_COUNT:
        break;
    }
}

bool terms_set(struct terms *terms, enum term term, const char *text, struct failure *failure)
{
    int64_t value;
    if (!read_term(terms, term, text, &value, failure))
        return false;
    if (terms->given[term] && value != value_of(terms, term))
        return failure_set(failure, "%s: '%s' is not what was given before; give it once",
                           term_names[term], text);
    keep_value(terms, term, value);
    return true;
}

struct kairos_analysis_options terms_strictest(const struct terms *terms)
{
    struct kairos_analysis_options options = terms->analysis;
    struct kairos_policy strictest = kairos_policy_strictest();
    if (!terms->given[TERM_INTERVAL])
        options.policy.interval = strictest.interval;
    if (!terms->given[TERM_ALLOWED_MISSES])
        options.policy.allowed_misses = strictest.allowed_misses;
    if (!terms->given[TERM_TOLERANCE])
        options.policy.tolerance = strictest.tolerance;
    return options;
}
