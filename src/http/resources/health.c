/*
 * health.c - /health: the process lives; /ready: it may be sent traffic.
 */
#include <string.h>

#include "answer.h"
#include "readiness.h"
#include "resource.h"
#include "worker.h"

static void answer_health(struct request *request)
{
    const struct context *context = request->context;
    struct clock_reading now = clock_read();
    struct writer writer = {0};
    writer_print(&writer, "{\"status\":\"ok\",\"version\":\"%s\",\"timestamp\":", context->version);
    writer_time(&writer, context->clock, clock_at(context->clock, &now));
    writer_print(&writer, ",\"uptime_seconds\":");
    writer_seconds(&writer, now.boottime - context->started.boottime);
    writer_print(&writer, "}");
    answer_json(request, 200, &writer);
}

static void add_reason(void *context, const char *text)
{
    struct writer *reasons = context;
    if (reasons->length > 0)
        writer_print(reasons, ",");
    writer_string(reasons, text, strlen(text));
}

static void answer_ready(struct request *request)
{
    struct writer reasons = {0}, writer = {0};
    enum readiness readiness =
        readiness_find(request->context, request->worker->server, add_reason, &reasons);
    writer_print(&writer, "{\"status\":\"%s\"", readiness_name(readiness));
    if (reasons.length > 0)
        writer_print(&writer, ",\"reasons\":[%.*s]", (int)reasons.length, reasons.text);
    writer_print(&writer, "}");
    writer.failed |= reasons.failed;
    writer_finish(&reasons);
    answer_json(request, readiness == READINESS_UNAVAILABLE ? 503 : 200, &writer);
}

static const struct endpoint endpoints[] = {
    {.path = "/health", .methods = METHODS_READ, .answer = answer_health},
    {.path = "/ready", .methods = METHODS_READ, .answer = answer_ready},
};

const struct resource health_resource = RESOURCE(endpoints);
