/*
 * gaps.c - /api/v1/gaps: when Kairós itself could not hear.
 */
#include "answer.h"
#include "resource.h"
#include "view.h"

static void answer_gaps(struct request *request)
{
    struct gap gaps[GAPS_KEPT];
    struct writer writer = {0};
    size_t count = engine_gaps(request->context->engine, gaps);
    writer_print(&writer, "{\"gaps\":[");
    for (size_t i = count; i > 0; i--) {
        if (i < count)
            writer_print(&writer, ",");
        view_gap(&writer, request->context->clock, &gaps[i - 1]);
    }
    writer_print(&writer, "]}");
    answer_json(request, 200, &writer);
}

static const struct endpoint endpoints[] = {
    {.path = "/api/v1/gaps", .methods = METHODS_READ, .answer = answer_gaps},
};

const struct resource gaps_resource = RESOURCE(endpoints);
