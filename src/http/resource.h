/*
 * resource.h - what the API consists of: resources, each with its endpoints.
 *
 * A resource is one file in resources/ that defines its struct resource, and one line in the table
 * of router.c. An endpoint is a path with the methods that it takes. Its functions run in the
 * thread of the worker that the connection belongs to, and must not block.
 */
#ifndef KAIROS_HTTP_RESOURCE_H
#define KAIROS_HTTP_RESOURCE_H

#include <stddef.h>
#include <stdint.h>

enum method {
    METHOD_UNKNOWN = 0,
    METHOD_GET = 1 << 0,
    METHOD_HEAD = 1 << 1,
    METHOD_POST = 1 << 2,
    METHOD_PUT = 1 << 3,
    METHOD_PATCH = 1 << 4,
    METHOD_DELETE = 1 << 5,
    METHOD_OPTIONS = 1 << 6, /* of every path: no endpoint names it */
};

#define METHODS_ALL                                                                                \
    (METHOD_GET | METHOD_HEAD | METHOD_POST | METHOD_PUT | METHOD_PATCH | METHOD_DELETE)

/* HEAD is GET whose answer's body is left out. */
#define METHODS_READ (METHOD_GET | METHOD_HEAD)

struct context;
struct request;

struct endpoint {
    const char *path; /* "/ping/{service}": what is in braces stands for any one segment */
    unsigned methods; /* a mask of enum method */

    /* Bytes that a body may have; a longer one is refused. With 0 any is taken. */
    size_t body_max;

    /* The same where it is configured; else NULL. */
    uint64_t (*body_limit)(const struct context *context);

    /* Takes a piece of the body; if it is NULL, the body is collected in the request, or thrown
     * away where any is taken. */
    void (*take)(struct request *request, const char *piece, size_t size);

    /* Answers the request, whose body is complete (answer.h). */
    void (*answer)(struct request *request);

    /* Releases the request's `state`; NULL if it never has one. */
    void (*forget)(struct request *request);
};

struct resource {
    const struct endpoint *endpoints;
    size_t count;
};

/* Defines a resource that has the given array of endpoints. */
#define RESOURCE(array)                                                                            \
    {                                                                                              \
        .endpoints = (array), .count = sizeof(array) / sizeof((array)[0])                          \
    }

extern const struct resource ping_resource;
extern const struct resource heartbeats_resource;
extern const struct resource services_resource;
extern const struct resource listing_resource;
extern const struct resource bulk_resource;
extern const struct resource export_resource;
extern const struct resource import_resource;
extern const struct resource alerts_resource;
extern const struct resource incidents_resource;
extern const struct resource gaps_resource;
extern const struct resource stream_resource;
extern const struct resource output_resource;
extern const struct resource health_resource;
extern const struct resource metrics_resource;
extern const struct resource docs_resource;
extern const struct resource monitor_resource;
extern const struct resource root_resource;

#endif
