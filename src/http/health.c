/*
 * health.c - /health: the process lives; /ready: it may be sent traffic.
 */
#include <string.h>

#include "answer.h"
#include "resource.h"
#include "server.h"
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

static void add_reason(struct writer *reasons, const char *text)
{
    if (reasons->length > 0)
        writer_print(reasons, ",");
    writer_string(reasons, text, strlen(text));
}

/* Why no traffic should be sent here. */
static void add_unavailable(struct writer *reasons, const struct request *request)
{
    const struct context *context = request->context;
    const struct server *server = request->worker->server;
    struct ticker *ticker = server_ticker(server);
    int error = registry_sync_error(context->registry);
    if (server_is_stopping(server))
        add_reason(reasons, "stopping");
    else if (ticker == NULL || !ticker_is_ready(ticker))
        add_reason(reasons, "starting");
    if (!clock_is_sane(context->clock))
        add_reason(reasons, "the wall clock shows a time before the last one that is known; "
                            "nothing is judged until it is set right");
    if (error != 0) {
        struct failure failure;
        failure_set(&failure,
                    "the registry could not be brought to the disk: %s; heartbeats are taken, but "
                    "what a crash of the machine would leave is unknown: mend the disk and restart",
                    strerror(error));
        add_reason(reasons, failure.text);
    }
}

/* What does not work, while all else does. */
static void add_degraded(struct writer *reasons, const struct context *context)
{
    if (engine_figures(context->engine).no_space)
        add_reason(reasons, "no space left for further services; those that exist go on");
}

static void answer_ready(struct request *request)
{
    struct writer reasons = {0}, writer = {0};
    const char *status = "unavailable";
    add_unavailable(&reasons, request);
    bool unavailable = reasons.length > 0;
    if (!unavailable) {
        add_degraded(&reasons, request->context);
        status = reasons.length > 0 ? "degraded" : "ready";
    }
    writer_print(&writer, "{\"status\":\"%s\"", status);
    if (reasons.length > 0)
        writer_print(&writer, ",\"reasons\":[%.*s]", (int)reasons.length, reasons.text);
    writer_print(&writer, "}");
    writer.failed |= reasons.failed;
    writer_finish(&reasons);
    answer_json(request, unavailable ? 503 : 200, &writer);
}

static const struct endpoint endpoints[] = {
    {.path = "/health", .methods = METHODS_READ, .answer = answer_health},
    {.path = "/ready", .methods = METHODS_READ, .answer = answer_ready},
};

const struct resource health_resource = RESOURCE(endpoints);
