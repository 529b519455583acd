/*
 * filter.h - which services a request is about: `?status=down,late&tag=prod&search=mail`, or the
 * same as JSON, {"status": ["down"], "tag": ["prod"], "search": "mail"}.
 */
#ifndef KAIROS_HTTP_FILTER_H
#define KAIROS_HTTP_FILTER_H

#include <jansson.h>
#include <stdbool.h>

#include "engine.h"
#include "failure.h"
#include "query.h"

/* The parameters, for a resource's list of names. */
#define FILTER_NAMES "status", "*tag", "search"

/* Reads the filter's parameters; returns false and describes what is wrong. */
bool filter_from_query(const struct query *query, struct engine_filter *filter,
                       struct failure *failure);

/* The same of a JSON object, whose status and tag may be a text or an array of them. */
bool filter_from_json(const json_t *object, struct engine_filter *filter, struct failure *failure);

#endif
