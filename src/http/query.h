/*
 * query.h - the query of a request: `?status=down,late&limit=100`.
 *
 * A resource names the parameters that it knows; an unknown one, or one that is given twice, is a
 * mistake that the sender is told of. One that is named with a '*' in front may be given again:
 * `tag=a&tag=b` is `tag=a,b`. A parameter without a value counts as not given.
 *
 *     static const char *const names[] = {"status", "limit", "cursor", NULL};
 *     query_init(&query, names);
 *     query_add(&query, key, value, &failure);         for each one that came
 *     query_number(&query, "limit", 1, 1000, &limit, &failure);
 */
#ifndef KAIROS_HTTP_QUERY_H
#define KAIROS_HTTP_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"
#include "percent.h"

/* Parameters that a resource can know. */
#define QUERY_PARAMETERS_MAX 8

/* The values together, decoded, with a NUL behind each. */
#define QUERY_TEXT_MAX 2048

struct query {
    const char *const *names;                 /* ended by NULL */
    const char *values[QUERY_PARAMETERS_MAX]; /* in the order of the names; NULL if not given */
    bool given[QUERY_PARAMETERS_MAX];
    char text[QUERY_TEXT_MAX];
    size_t used;
};

/* An empty query for the parameters NAMES, which stay the caller's. */
void query_init(struct query *query, const char *const *names);

/*
 * Takes a parameter as it came, percent-encoded. Returns false and describes the failure if it is
 * unknown, given twice, or not decodable.
 */
bool query_add(struct query *query, struct slice key, struct slice value, struct failure *failure);

/* The value of NAME, or NULL if it was not given. The text is the query's. */
const char *query_text(const struct query *query, const char *name);

/*
 * Reads the parameter NAME as a whole number from MIN to MAX. Returns false and describes the
 * failure if it is none; leaves *NUMBER alone if it was not given.
 */
bool query_number(const struct query *query, const char *name, uint64_t min, uint64_t max,
                  uint64_t *number, struct failure *failure);

/* Reads the parameter NAME as a timestamp (wall time), in the same way. */
bool query_time(const struct query *query, const char *name, int64_t *time,
                struct failure *failure);

/* Describes that the parameter "cursor" was never handed out. Returns false. */
bool query_refuse_cursor(const struct query *query, struct failure *failure);

/* Reads a cursor that is a number, as it was handed out; leaves *CURSOR alone if there is none. */
bool query_cursor(const struct query *query, uint64_t *cursor, struct failure *failure);

/* Reads TEXT, which must be digits and no more, as a number that fits. */
bool query_parse_digits(struct slice text, uint64_t *number);

#endif
