#include "rules.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

struct rules *rules_create(const struct kairos_policy *policy)
{
    struct rules *rules = calloc(1, sizeof(*rules));
    if (rules != NULL)
        rules->policy = *policy;
    return rules;
}

void rules_destroy(struct rules *rules)
{
    if (rules == NULL)
        return;
    for (size_t i = 0; i < rules->count; i++)
        free(rules->rules[i].pattern);
    free(rules->rules);
    free(rules);
}

bool rules_add(struct rules *rules, const char *pattern, const struct service_change *change)
{
    struct rule *larger = realloc(rules->rules, (rules->count + 1) * sizeof(rules->rules[0]));
    if (larger == NULL)
        return false;
    rules->rules = larger;
    char *copy = strdup(pattern);
    if (copy == NULL)
        return false;
    rules->rules[rules->count++] = (struct rule){.pattern = copy, .change = *change};
    return true;
}

const struct rule *rules_match(const struct rules *rules, const char *name)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (fnmatch(rules->rules[i].pattern, name, 0) == 0)
            return &rules->rules[i];
    }
    return NULL;
}

bool rules_give_labels(const struct rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (!label_is_empty(&rules->rules[i].change.label))
            return true;
    }
    return false;
}

static uint64_t add_number(uint64_t seed, int64_t number)
{
    return XXH3_64bits_withSeed(&number, sizeof(number), seed);
}

static uint64_t add_policy(uint64_t seed, const struct kairos_policy *policy)
{
    seed = add_number(seed, policy->interval);
    seed = add_number(seed, policy->tolerance);
    return add_number(seed, policy->allowed_misses);
}

static uint64_t add_rule(uint64_t seed, const struct rule *rule)
{
    const struct service_change *change = &rule->change;
    seed = XXH3_64bits_withSeed(rule->pattern, strlen(rule->pattern) + 1, seed);
    seed = add_number(seed, change->has_interval | change->has_tolerance << 1 |
                                change->has_allowed_misses << 2 | change->has_max_runtime << 3);
    seed = add_number(seed, change->has_interval ? change->policy.interval : 0);
    seed = add_number(seed, change->has_tolerance ? change->policy.tolerance : 0);
    seed = add_number(seed, change->has_allowed_misses ? change->policy.allowed_misses : 0);
    return add_number(seed, change->has_max_runtime ? change->max_runtime : 0);
}

uint64_t rules_fingerprint(const struct rules *rules)
{
    uint64_t seed = add_policy(0, &rules->policy);
    for (size_t i = 0; i < rules->count; i++)
        seed = add_rule(seed, &rules->rules[i]);
    return seed;
}
