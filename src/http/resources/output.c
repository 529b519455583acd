/*
 * output.c - /api/v1/services/{service}/output: what a service had to say with its last ping that
 * had a body.
 */
#include "answer.h"
#include "outputs.h"
#include "resource.h"

static void write_output(struct writer *writer, const struct clock *clock,
                         const struct output *output)
{
    writer_print(writer, "{\"service\":\"%s\",\"at\":", output->service);
    writer_time(writer, clock, output->at);
    writer_print(writer, ",\"action\":\"%s\",\"exit_status\":", engine_action_name(output->action));
    if (output->exit_status == EXIT_STATUS_NONE)
        writer_print(writer, "null");
    else
        writer_print(writer, "%d", output->exit_status);
    writer_print(writer, ",\"output\":");
    writer_string(writer, output->text, output->length);
    writer_print(writer, "}");
}

static void answer_output(struct request *request)
{
    char name[KAIROS_SERVICE_SIZE];
    size_t length;
    struct output output;
    struct writer writer = {0};
    if (!request_service(request, name, &length))
        return;
    if (!outputs_find(request->context->outputs, name, &output)) {
        answer_error(request, 404,
                     "no output of %s is kept; it is what comes as the body of its pings", name);
        return;
    }
    write_output(&writer, request->context->clock, &output);
    answer_json(request, 200, &writer);
}

static const struct endpoint endpoints[] = {
    {
        .path = "/api/v1/services/{service}/output",
        .methods = METHODS_READ,
        .answer = answer_output,
    },
};

const struct resource output_resource = RESOURCE(endpoints);
