/*
 * rules.h - what is expected of services that nobody declared: a default policy, and patterns of
 * names that say otherwise. The first pattern that matches counts.
 *
 *     struct rules *rules = rules_create(&policy);
 *     rules_add(rules, "backup-*", &change);       in the order in which they are tried
 *     old = engine_set_rules(engine, rules);
 *     rules_destroy(old);
 */
#ifndef KAIROS_LIVE_RULES_H
#define KAIROS_LIVE_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"

struct rule {
    char *pattern;                /* as fnmatch(3) has them, without flags */
    struct service_change change; /* what it says over the default */
};

struct rules {
    struct kairos_policy policy;
    struct rule *rules;
    size_t count;
};

/* Rules of one policy for all. Returns NULL when memory ran out. */
struct rules *rules_create(const struct kairos_policy *policy);

/* Accepts NULL. */
void rules_destroy(struct rules *rules);

/* Adds a pattern behind the others. Returns false when memory ran out. */
bool rules_add(struct rules *rules, const char *pattern, const struct service_change *change);

/* The rule for NAME, or NULL if the default counts. */
const struct rule *rules_match(const struct rules *rules, const char *name);

/* Whether any rule gives a label. */
bool rules_give_labels(const struct rules *rules);

/* A number that is another for rules that expect something else; labels do not count. */
uint64_t rules_fingerprint(const struct rules *rules);

#endif
