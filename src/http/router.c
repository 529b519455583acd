#include "router.h"

#include <stdio.h>
#include <string.h>

/* The most frequent ones come first. */
static const struct resource *const resources[] = {
    &ping_resource,      &heartbeats_resource, &services_resource, &listing_resource,
    &bulk_resource,      &export_resource,     &import_resource,   &alerts_resource,
    &incidents_resource, &gaps_resource,       &stream_resource,   &output_resource,
    &health_resource,    &metrics_resource,    &monitor_resource,  &docs_resource,
    &root_resource,
};

static const struct {
    const char *name;
    enum method method;
} methods_known[] = {
    {"GET", METHOD_GET},         {"HEAD", METHOD_HEAD},   {"POST", METHOD_POST},
    {"PUT", METHOD_PUT},         {"PATCH", METHOD_PATCH}, {"DELETE", METHOD_DELETE},
    {"OPTIONS", METHOD_OPTIONS},
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

enum method method_parse(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(methods_known); i++) {
        if (strcmp(methods_known[i].name, name) == 0)
            return methods_known[i].method;
    }
    return METHOD_UNKNOWN;
}

const char *method_name(enum method method)
{
    for (size_t i = 0; i < COUNT_OF(methods_known); i++) {
        if (methods_known[i].method == method)
            return methods_known[i].name;
    }
    return "other";
}

void methods_format(unsigned methods, const char *separator, char text[METHODS_TEXT_SIZE])
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < COUNT_OF(methods_known) && used < METHODS_TEXT_SIZE; i++) {
        if (methods & methods_known[i].method)
            used += (size_t)snprintf(text + used, METHODS_TEXT_SIZE - used, "%s%s",
                                     used == 0 ? "" : separator, methods_known[i].name);
    }
}

bool router_match(const char *pattern, const char *path, struct route *route)
{
    route->segment_count = 0;
    while (*pattern != '\0') {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        const char *end = strchrnul(path, '/');
        route->segments[route->segment_count++] = (struct slice){path, (size_t)(end - path)};
        path = end;
        pattern = strchr(pattern, '}') + 1;
    }
    return *path == '\0';
}

/* The path of `http://host/path`, a form that proxies use and servers must take (RFC 9112, 3.2.2).
 */
static const char *skip_authority(const char *path)
{
    const char *authority = strstr(path, "://");
    if (authority == NULL)
        return path;
    const char *begin = strchr(authority + 3, '/');
    return begin == NULL ? "/" : begin;
}

const struct endpoint *router_next(size_t *position)
{
    size_t before = 0;
    for (size_t i = 0; i < COUNT_OF(resources); i++) {
        if (*position - before < resources[i]->count)
            return &resources[i]->endpoints[(*position)++ - before];
        before += resources[i]->count;
    }
    return NULL;
}

struct route router_find(enum method method, const char *path)
{
    struct route route = {0};
    unsigned number = 0;
    if (*path != '/')
        path = skip_authority(path);
    for (size_t i = 0; i < COUNT_OF(resources); i++) {
        const struct resource *resource = resources[i];
        for (size_t e = 0; e < resource->count; e++) {
            const struct endpoint *endpoint = &resource->endpoints[e];
            number++;
            if (!router_match(endpoint->path, path, &route))
                continue;
            route.allowed |= endpoint->methods;
            if (endpoint->methods & method) {
                route.endpoint = endpoint;
                route.number = number;
                return route;
            }
        }
    }
    return route;
}
