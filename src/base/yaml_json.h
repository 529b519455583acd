/*
 * yaml_json.h - JSON values read from YAML, and written as such. What YAML may hold is told in
 * yaml_node.h.
 */
#ifndef KAIROS_BASE_YAML_JSON_H
#define KAIROS_BASE_YAML_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "failure.h"

/*
 * Reads the LENGTH bytes at TEXT into NODES_MAX values at most. Returns a new reference; or NULL,
 * and describes the failure: line, column, and what is wrong.
 */
json_t *yaml_json_read(const char *text, size_t length, size_t nodes_max, struct failure *failure);

/*
 * Writes VALUE in block style, in lines of any length, so that YAML of 1.1 and 1.2 read it as the
 * same; one that is no array or object is a line. Several arrays written one after another are one
 * array, and behind a line `key:` the value of that key. Returns the text, a NUL behind it, which
 * is the caller's to free, and its length without that in *LENGTH; NULL when memory ran out.
 */
char *yaml_json_write(const json_t *value, size_t *length);

#endif
