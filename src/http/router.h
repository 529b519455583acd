/*
 * router.h - which endpoint a request is for.
 */
#ifndef KAIROS_HTTP_ROUTER_H
#define KAIROS_HTTP_ROUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "percent.h"
#include "resource.h"

/* Segments in braces that a path can have. */
#define ROUTE_SEGMENTS_MAX 3

/* Stands for the number of an endpoint where there is none. */
#define ROUTE_OTHER 0

struct route {
    const struct endpoint *endpoint; /* NULL if there is none for this path and method */
    unsigned number;  /* of the endpoint, from 1, in the order of router_next; else ROUTE_OTHER */
    unsigned allowed; /* the methods that the path takes; 0 if there is no such path */
    struct slice segments[ROUTE_SEGMENTS_MAX]; /* what stands for those in braces, as it came */
    size_t segment_count;
};

/*
 * Finds the endpoint for METHOD and PATH, which is percent-encoded, without its query. The segments
 * are pieces of PATH.
 */
struct route router_find(enum method method, const char *path);

/* The endpoint at *POSITION, which is 0 at first and moves on; NULL when there is no further one.
 */
const struct endpoint *router_next(size_t *position);

/* Whether PATH is of the form PATTERN (resource.h); then fills in the segments of ROUTE. */
bool router_match(const char *pattern, const char *path, struct route *route);

/* METHOD_UNKNOWN if NAME is none that any resource takes. */
enum method method_parse(const char *name);

/* "other" for what is none of ours. */
const char *method_name(enum method method);

/* Room for the names of all methods, and separators. */
#define METHODS_TEXT_SIZE 64

/* Writes the names of METHODS with SEPARATOR between them, as in "GET, HEAD". */
void methods_format(unsigned methods, const char *separator, char text[METHODS_TEXT_SIZE]);

#endif
