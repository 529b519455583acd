/*
 * root.c - /: what this is, and what it can be asked; for browsers a page.
 */
#include <string.h>

#include "accept.h"
#include "answer.h"
#include "asset.h"
#include "resource.h"
#include "router.h"

/* Endpoints of one path stand behind one another; their methods are told together. */
static void write_endpoints(struct writer *writer)
{
    char methods[METHODS_TEXT_SIZE];
    size_t position = 0;
    const struct endpoint *endpoint = router_next(&position);
    for (const char *separator = ""; endpoint != NULL; separator = ",") {
        const char *path = endpoint->path;
        unsigned all = 0;
        for (; endpoint != NULL && strcmp(endpoint->path, path) == 0;
             endpoint = router_next(&position))
            all |= endpoint->methods;
        methods_format(all, "\",\"", methods);
        writer_print(writer, "%s{\"path\":\"%s\",\"methods\":[\"%s\"]}", separator, path, methods);
    }
}

static void answer_names(struct request *request)
{
    struct writer writer = {0};
    writer_print(&writer, "{\"name\":\"kairos\",\"version\":\"%s\",\"endpoints\":[",
                 request->context->version);
    write_endpoints(&writer);
    writer_print(&writer, "]}");
    answer_json(request, 200, &writer);
}

static void answer_root(struct request *request)
{
    if (accept_html(request))
        asset_answer(request, asset_find((struct slice){"/", 1}), "Accept, Accept-Encoding");
    else
        answer_names(request);
}

static const struct endpoint endpoints[] = {
    {.path = "/", .methods = METHODS_READ, .answer = answer_root},
};

const struct resource root_resource = RESOURCE(endpoints);
