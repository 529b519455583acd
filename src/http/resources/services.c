/*
 * services.c - /api/v1/services/{service}: what is known of a service, and what it is expected to
 * do. Many at once stand in listing.c, bulk.c, export.c and import.c.
 *
 * A change that the registry has room for is carried out at once; what the catalog is to know of
 * waits for a job, since writing it may block.
 */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "change.h"
#include "job.h"
#include "keeper.h"
#include "resource.h"
#include "view.h"

/* A change that is carried out by a job. */
struct kept {
    struct job job;
    const struct keeper *keeper; /* the request may be gone when it is carried out */
    struct keeping keeping;
    struct service_change change;
    struct failure failure;
    bool written; /* to the catalog; else FAILURE says why not */
    bool done;
};

/* Answers what the engine has done, or why not, to the service NAME. */
static void answer_result(struct request *request, enum engine_result result, const char *name,
                          const struct service_view *view)
{
    struct writer writer = {0};
    struct failure failure;
    if (result == ENGINE_OK || result == ENGINE_CREATED) {
        view_service(&writer, request->context->clock, view);
        answer_json(request, result == ENGINE_OK ? 200 : 201, &writer);
    } else {
        unsigned status = change_refused(result, name, &failure);
        answer_failure(request, status, &failure);
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

/* ---- Changes ---- */

static bool run(struct job *job)
{
    struct kept *kept = (struct kept *)job; /* its first member */
    kept->written = keeper_carry_out(kept->keeper, &kept->keeping, 1, &kept->failure);
    kept->done = true;
    job_wake(job);
    return false;
}

static void drop(struct job *job)
{
    free(job);
}

static void forget(struct request *request)
{
    struct kept *kept = request->state;
    if (kept != NULL)
        job_abandon(&kept->job);
}

/* Has a job carry out CHANGE (NULL: the deletion) of NAME, and lets the request wait. */
static void keep(struct request *request, const struct service_name *name,
                 const struct service_change *change)
{
    struct kept *kept = calloc(1, sizeof(*kept));
    if (kept == NULL) {
        answer_error(request, 503, "out of memory; try again later");
        return;
    }
    kept->keeper = request->context->keeper;
    kept->keeping.name = *name;
    if (change != NULL) {
        kept->change = *change;
        kept->keeping.change = &kept->change;
    }
    request->state = kept;
    job_init(&kept->job, request, run, drop);
    job_park(&kept->job);
    job_submit(&kept->job);
}

static void answer_kept(struct request *request)
{
    const struct kept *kept = request->state;
    const struct keeping *keeping = &kept->keeping;
    if (!kept->written) {
        answer_failure(request, 507, &kept->failure);
    } else if (keeping->change == NULL && keeping->result == ENGINE_OK) {
        answer_nothing(request);
    } else {
        answer_result(request, keeping->result, keeping->name.text, &keeping->view);
    }
}

static bool read_name(struct request *request, struct service_name *name)
{
    size_t length;
    if (!request_service(request, name->text, &length))
        return false;
    name->length = (uint8_t)length;
    return true;
}

/* Carries out a change that was read. */
static void change(struct request *request, const struct service_name *name,
                   struct service_change *change)
{
    const struct context *context = request->context;
    int64_t now = clock_now(context->clock);
    struct service_view view;
    bool found = engine_find(context->engine, name->text, name->length, now, &view) == ENGINE_OK;
    if (!keeper_is_concerned(change, found ? &view : NULL)) {
        enum engine_result result =
            engine_change(context->engine, name->text, name->length, change, now, &view);
        answer_result(request, result, name->text, &view);
        return;
    }
    change->has_tags |= change->replace;
    change->has_description |= change->replace;
    keep(request, name, change);
}

/* PUT replaces the service, or creates it; PATCH changes what is said. */
static void answer_change(struct request *request)
{
    bool put = request->method == METHOD_PUT;
    struct service_name name;
    struct failure failure;
    struct service_change wanted = {.replace = put, .create = put};
    if (request->state != NULL) {
        answer_kept(request);
        return;
    }
    if (!read_name(request, &name))
        return;
    switch (change_parse(request->body, request->length, &wanted, &failure)) {
    case CHANGE_OK:
        change(request, &name, &wanted);
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
    struct service_name name;
    if (request->state != NULL)
        answer_kept(request);
    else if (read_name(request, &name))
        keep(request, &name, NULL);
}

static void set_paused(struct request *request, bool paused)
{
    struct service_name name;
    struct service_change wanted = {.has_paused = true, .paused = paused};
    if (request->state != NULL)
        answer_kept(request);
    else if (read_name(request, &name))
        change(request, &name, &wanted);
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
    {.path = "/api/v1/services/{service}", .methods = METHODS_READ, .answer = answer_get},
    {
        .path = "/api/v1/services/{service}",
        .methods = METHOD_PUT | METHOD_PATCH,
        .body_max = BODY_JSON_MAX,
        .answer = answer_change,
        .forget = forget,
    },
    {
        .path = "/api/v1/services/{service}",
        .methods = METHOD_DELETE,
        .answer = answer_delete,
        .forget = forget,
    },
    {
        .path = "/api/v1/services/{service}/pause",
        .methods = METHOD_POST,
        .answer = answer_pause,
        .forget = forget,
    },
    {
        .path = "/api/v1/services/{service}/resume",
        .methods = METHOD_POST,
        .answer = answer_resume,
        .forget = forget,
    },
};

const struct resource services_resource = RESOURCE(endpoints);
