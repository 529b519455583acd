/*
 * ping.c - /ping/{service}: a heartbeat now, by the simplest request there is.
 */
#include <string.h>

#include "answer.h"
#include "change.h"
#include "outputs.h"
#include "ping_path.h"
#include "resource.h"

static void refuse(struct request *request, enum engine_result result, const char *name)
{
    struct failure failure;
    if (result == ENGINE_UNKNOWN) {
        answer_error(request, 404,
                     "there is no service %s, and the server runs with --auto-create off; declare "
                     "it with PUT /api/v1/services/%s",
                     name, name);
        return;
    }
    unsigned status = change_refused(result, name, &failure);
    answer_failure(request, status, &failure);
}

/* Takes of the body what is kept; should memory run out, the heartbeat counts without it. */
static void take_output(struct request *request, const char *piece, size_t size)
{
    size_t room = OUTPUT_MAX - request->length;
    request_collect(request, piece, size < room ? size : room);
    request->no_memory = false;
}

static void keep_output(struct request *request, const struct ping *ping, int64_t now)
{
    struct output output = {.at = now,
                            .action = ping->action,
                            .exit_status = ping->exit_status,
                            .length = request->length};
    memcpy(output.service, ping->name, sizeof(output.service));
    memcpy(output.text, request->body, request->length);
    outputs_keep(request->context->outputs, &output);
}

static void answer_ping(struct request *request)
{
    struct ping ping;
    const struct route *route = &request->route;
    enum ping_result parsed = ping_path_parse(route->segments, route->segment_count, &ping);
    if (parsed != PING_OK) {
        bool missing = parsed == PING_KEY || parsed == PING_UNKNOWN;
        answer_error(request, missing ? 404 : 400, "%s", ping_result_text(parsed));
        return;
    }
    int64_t now = clock_now(request->context->clock);
    enum engine_result result =
        engine_ping(request->context->engine, ping.name, ping.length, ping.action, now);
    bool taken = result == ENGINE_OK || result == ENGINE_CREATED || result == ENGINE_OLDER;
    if (taken && request->length > 0)
        keep_output(request, &ping, now);
    if (result == ENGINE_OK || result == ENGINE_OLDER)
        answer_constant(request, CONSTANT_OK);
    else if (result == ENGINE_CREATED)
        answer_constant(request, CONSTANT_CREATED);
    else
        refuse(request, result, ping.name);
}

#define METHODS_PING (METHODS_READ | METHOD_POST)

static const struct endpoint endpoints[] = {
    {
        .path = "/ping/{service}",
        .methods = METHODS_PING,
        .take = take_output,
        .answer = answer_ping,
    },
    {
        .path = "/ping/{service}/{action}",
        .methods = METHODS_PING,
        .take = take_output,
        .answer = answer_ping,
    },
    {
        .path = "/ping/{key}/{service}/{action}",
        .methods = METHODS_PING,
        .take = take_output,
        .answer = answer_ping,
    },
};

const struct resource ping_resource = RESOURCE(endpoints);
