/*
 * services.c - /api/v1/services: what is known of services, and what they are expected to do.
 */
#include <inttypes.h>
#include <string.h>

#include "answer.h"
#include "change.h"
#include "resource.h"
#include "view.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX     1000

/* So many are read at a time: the engine's lock is held for no longer. */
#define STEP 64

/* Reads "down,late" as a mask of statuses; nothing is all of them. */
static bool parse_statuses(const char *text, unsigned *statuses, struct failure *failure)
{
    *statuses = (1U << SERVICE_STATUS_COUNT) - 1;
    if (text == NULL)
        return true;
    *statuses = 0;
    for (const char *end; *text != '\0'; text = *end == ',' ? end + 1 : end) {
        size_t length = (size_t)((end = strchrnul(text, ',')) - text);
        unsigned status = 0;
        while (status < SERVICE_STATUS_COUNT &&
               (strlen(service_status_name(status)) != length ||
                memcmp(service_status_name(status), text, length) != 0))
            status++;
        if (status == SERVICE_STATUS_COUNT)
            return failure_set(failure, "status: '%.*s' is none of new, up, late, down, paused",
                               (int)length, text);
        *statuses |= 1U << status;
    }
    return true;
}

static void write_page(struct writer *writer, const struct context *context, unsigned statuses,
                       uint64_t limit, uint64_t cursor)
{
    struct service_view views[STEP];
    struct engine_filter filter = {.statuses = statuses};
    int64_t now = clock_now(context->clock);
    uint64_t written = 0;
    writer_print(writer, "{\"services\":[");
    do {
        size_t wanted = limit - written < STEP ? (size_t)(limit - written) : STEP;
        size_t count = engine_list(context->engine, &filter, now, &cursor, views, wanted);
        for (size_t i = 0; i < count; i++, written++) {
            if (written > 0)
                writer_print(writer, ",");
            view_service(writer, context->clock, &views[i]);
        }
    } while (cursor != 0 && written < limit);
    writer_print(writer, "],\"next_cursor\":");
    if (cursor == 0)
        writer_print(writer, "null}");
    else
        writer_print(writer, "\"%" PRIu64 "\"}", cursor);
}

static void answer_list(struct request *request)
{
    static const char *const names[] = {"status", "limit", "cursor", NULL};
    struct writer writer = {0};
    struct failure failure;
    struct query query;
    unsigned statuses;
    uint64_t limit = LIMIT_DEFAULT, cursor = 0;
    if (!request_query(request, names, &query))
        return;
    if (!parse_statuses(query_text(&query, "status"), &statuses, &failure) ||
        !query_number(&query, "limit", 1, LIMIT_MAX, &limit, &failure) ||
        !query_cursor(&query, &cursor, &failure)) {
        answer_failure(request, 400, &failure);
        return;
    }
    write_page(&writer, request->context, statuses, limit, cursor);
    answer_json(request, 200, &writer);
}

/* Answers what the engine has done, or why not, to the service NAME. */
static void answer_result(struct request *request, enum engine_result result, const char *name,
                          const struct service_view *view)
{
    struct writer writer = {0};
    switch (result) {
    case ENGINE_OK:
    case ENGINE_CREATED:
        view_service(&writer, request->context->clock, view);
        answer_json(request, result == ENGINE_OK ? 200 : 201, &writer);
        break;
    case ENGINE_UNKNOWN:
        answer_error(request, 404, "there is no service %s", name);
        break;
    case ENGINE_FULL:
        answer_error(request, 507, "as many services as --max-services allows; %s was not created",
                     name);
        break;
    case ENGINE_NO_SPACE:
        answer_error(request, 507, "no space left for a further service; %s was not created", name);
        break;
    default:
        answer_error(request, 422, "%s", change_bounds_text(result));
        break;
    }
}

static void answer_get(struct request *request)
{
    const struct context *context = request->context;
    char name[KAIROS_SERVICE_SIZE];
    size_t length;
    struct service_view view;
    if (!request_service(request, name, &length))
        return;
    answer_result(request,
                  engine_find(context->engine, name, length, clock_now(context->clock), &view),
                  name, &view);
}

/* PUT replaces the service, or creates it; PATCH changes what is said. */
static void answer_change(struct request *request)
{
    const struct context *context = request->context;
    bool put = request->method == METHOD_PUT;
    char name[KAIROS_SERVICE_SIZE];
    size_t length;
    struct service_view view;
    struct failure failure;
    struct service_change change = {.replace = put, .create = put};
    if (!request_service(request, name, &length))
        return;
    switch (change_parse(request->body, request->length, &change, &failure)) {
    case CHANGE_OK:
        answer_result(
            request,
            engine_change(context->engine, name, length, &change, clock_now(context->clock), &view),
            name, &view);
        break;
    case CHANGE_MALFORMED:
        answer_failure(request, 400, &failure);
        break;
    case CHANGE_INVALID:
        answer_failure(request, 422, &failure);
        break;
    }
}

static void answer_delete(struct request *request)
{
    const struct context *context = request->context;
    char name[KAIROS_SERVICE_SIZE];
    size_t length;
    if (!request_service(request, name, &length))
        return;
    enum engine_result result =
        engine_delete(context->engine, name, length, clock_now(context->clock));
    if (result == ENGINE_OK) {
        outputs_forget(context->outputs, name);
        answer_nothing(request);
    } else
        answer_result(request, result, name, NULL);
}

static void set_paused(struct request *request, bool paused)
{
    const struct context *context = request->context;
    char name[KAIROS_SERVICE_SIZE];
    size_t length;
    struct service_view view;
    if (!request_service(request, name, &length))
        return;
    answer_result(
        request,
        engine_pause(context->engine, name, length, paused, clock_now(context->clock), &view), name,
        &view);
}

static void answer_pause(struct request *request)
{
    set_paused(request, true);
}

static void answer_resume(struct request *request)
{
    set_paused(request, false);
}

static const struct endpoint endpoints[] = {
    {.path = "/api/v1/services", .methods = METHODS_READ, .answer = answer_list},
    {.path = "/api/v1/services/{service}", .methods = METHODS_READ, .answer = answer_get},
    {
        .path = "/api/v1/services/{service}",
        .methods = METHOD_PUT | METHOD_PATCH,
        .body_max = BODY_JSON_MAX,
        .answer = answer_change,
    },
    {.path = "/api/v1/services/{service}", .methods = METHOD_DELETE, .answer = answer_delete},
    {.path = "/api/v1/services/{service}/pause", .methods = METHOD_POST, .answer = answer_pause},
    {.path = "/api/v1/services/{service}/resume", .methods = METHOD_POST, .answer = answer_resume},
};

const struct resource services_resource = RESOURCE(endpoints);
