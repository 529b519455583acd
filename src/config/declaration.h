/*
 * declaration.h - services that the configuration declares, singly or by a pattern of names:
 *
 *   services:
 *     - service: backup
 *       interval: 1d
 *       description: Nightly, from the cellar
 *     - pattern: "web-*"
 *       tags: [web, "team:shop"]
 *
 * An entry says what is said of a service in a request (http/change.h). What it leaves out is the
 * default; of several patterns the first that matches counts.
 */
#ifndef KAIROS_CONFIG_DECLARATION_H
#define KAIROS_CONFIG_DECLARATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine.h"
#include "problems.h"
#include "yaml_node.h"

#define DECLARATIONS_MAX 100000

/* Bytes of a pattern. */
#define PATTERN_MAX 200

struct declaration {
    const char *name; /* of the service, as kairos_service_parse gives it; or the pattern */
    bool is_pattern;  /* as fnmatch(3) has them, without flags */
    uint64_t line;    /* where it stands in the file */

    bool has_interval, has_tolerance, has_allowed_misses, has_max_runtime;
    struct kairos_policy policy;
    int64_t max_runtime;     /* 0 for none */
    const char *description; /* NULL if nothing is said */
    const char *tags;        /* the same: a set as tags.h has it */
};

/* In the order of the file. All zero is none. */
struct declarations {
    struct declaration *list;
    size_t count;
};

/*
 * Reads what stands behind the key `services` of FILE. Returns whether all was well; what was not
 * has been added to PROBLEMS. DECLARATIONS, all zero before, are for declarations_finish either
 * way.
 */
bool declarations_read(struct declarations *declarations, const struct yaml_node *services,
                       const char *file, struct problems *problems);

void declarations_finish(struct declarations *declarations);

/* What DECLARATION says, as a change of a service: one that creates and replaces nothing. */
void declaration_change(const struct declaration *declaration, struct service_change *change);

/* Whether both say the same, in the same order; lines do not count. */
bool declarations_equal(const struct declarations *a, const struct declarations *b);

#endif
