/*
 * entries.h - the services of an import: read whole, and checked, before anything is changed.
 *
 *   {"services": [{"service": "backup", "interval": 86400, "tags": ["prod"]}]}
 *
 * or the bare array; as JSON, or the same as YAML.
 */
#ifndef KAIROS_HTTP_ENTRIES_H
#define KAIROS_HTTP_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>

#include "change.h"

struct entries;

/*
 * Reads the LENGTH bytes at TEXT. Returns entries, for entries_destroy; or NULL and describes the
 * failure: the entry's number, name and key, of YAML also the line. *RESULT says what it is;
 * CHANGE_OK with NULL is that memory ran out.
 */
struct entries *entries_read(const char *text, size_t length, bool yaml, enum change_result *result,
                             struct failure *failure);

/* Accepts NULL. */
void entries_destroy(struct entries *entries);

size_t entries_count(const struct entries *entries);

/* The entry at PLACE, from 0 on, in the order of names: as a change that creates and replaces. */
void entries_get(const struct entries *entries, size_t place, struct service_name *name,
                 struct service_change *change);

#endif
