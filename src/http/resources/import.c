/*
 * import.c - POST /api/v1/import: services as GET /api/v1/export gives them.
 *
 * A job reads all of the body and checks it before anything is changed, and then declares some
 * hundred services at a time. What an entry leaves out becomes the default, as with PUT; whether a
 * service is paused stays as it is unless it is said.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "answer.h"
#include "entries.h"
#include "job.h"
#include "keeper.h"
#include "resource.h"
#include "worker.h"

/* Some hundred thousand services. */
#define BODY_MAX ((size_t)32 * 1024 * 1024)

struct import {
    struct job job;
    const struct context *context;
    char *body; /* until it has been read */
    size_t length;
    bool yaml;
    struct entries *entries;
    size_t place;             /* the next entry */
    struct keeping *keepings; /* of one step; room for KEEPER_BATCH, as here: */
    struct service_change *changes;
    uint64_t created, updated, unchanged;
    unsigned status; /* of the answer */
    struct failure failure;
};

/* ---- The work ---- */

static bool refuse(struct import *import, unsigned status)
{
    import->status = status;
    return false;
}

static bool refuse_memory(struct import *import)
{
    failure_set(&import->failure, "out of memory; try again later");
    return refuse(import, 503);
}

/* Reads the body. Returns false when it is refused. */
static bool read_body(struct import *import)
{
    enum change_result result;
    import->entries = entries_read(import->body == NULL ? "" : import->body, import->length,
                                   import->yaml, &result, &import->failure);
    free(import->body);
    import->body = NULL;
    if (import->entries != NULL)
        return true;
    if (result == CHANGE_OK)
        return refuse_memory(import);
    return refuse(import, result == CHANGE_MALFORMED ? 400 : 422);
}

static bool is_known(const struct import *import, const struct service_name *name)
{
    const struct context *context = import->context;
    struct service_view view;
    return engine_find(context->engine, name->text, name->length, clock_now(context->clock),
                       &view) == ENGINE_OK;
}

/* Whether there is room for those that are new, before any of them is created. */
static bool check_room(struct import *import)
{
    size_t room = engine_room(import->context->engine), new = 0;
    for (size_t i = 0; i < entries_count(import->entries); i++) {
        struct service_name name;
        entries_get(import->entries, i, &name, &import->changes[0]);
        new += !is_known(import, &name);
    }
    if (new <= room)
        return true;
    failure_set(&import->failure,
                "%zu services are new, and there is room for %zu (--max-services); nothing was "
                "changed",
                new, room);
    return refuse(import, 507);
}

static bool prepare(struct import *import)
{
    import->keepings = malloc(KEEPER_BATCH * sizeof(import->keepings[0]));
    import->changes = malloc(KEEPER_BATCH * sizeof(import->changes[0]));
    if (import->keepings == NULL || import->changes == NULL)
        return refuse_memory(import);
    return read_body(import) && check_room(import);
}

/* It ends in the midst; what was taken stays. */
static bool stop(struct import *import)
{
    struct failure why = import->failure;
    failure_set(&import->failure, "%s; %" PRIu64 " of %zu entries were taken", why.text,
                import->created + import->updated + import->unchanged,
                entries_count(import->entries));
    return refuse(import, 507);
}

/* Counts what became of one; returns false when it was refused. */
static bool take_result(struct import *import, const struct keeping *keeping)
{
    if (keeping->result != ENGINE_OK && keeping->result != ENGINE_CREATED) {
        change_refused(keeping->result, keeping->name.text, &import->failure);
        return false;
    }
    if (keeping->result == ENGINE_CREATED)
        import->created++;
    else if (keeping->altered)
        import->updated++;
    else
        import->unchanged++;
    return true;
}

/* Carries out the next step. Returns false at the end. */
static bool go_on(struct import *import)
{
    size_t left = entries_count(import->entries) - import->place, refused = 0;
    size_t count = left < KEEPER_BATCH ? left : KEEPER_BATCH;
    for (size_t i = 0; i < count; i++) {
        import->keepings[i] = (struct keeping){.change = &import->changes[i]};
        entries_get(import->entries, import->place++, &import->keepings[i].name,
                    &import->changes[i]);
    }
    if (!keeper_carry_out(import->context->keeper, import->keepings, count, &import->failure))
        return stop(import);
    for (size_t i = 0; i < count; i++)
        refused += !take_result(import, &import->keepings[i]);
    return refused > 0 ? stop(import) : import->place < entries_count(import->entries);
}

static bool run(struct job *job)
{
    struct import *import = (struct import *)job; /* its first member */
    bool more;
    if (import->entries == NULL) {
        import->status = 200;
        more = prepare(import) && entries_count(import->entries) > 0;
    } else {
        more = go_on(import);
    }
    if (!more)
        job_wake(job);
    return more;
}

/* ---- The request ---- */

static void drop(struct job *job)
{
    struct import *import = (struct import *)job;
    entries_destroy(import->entries);
    free(import->body);
    free(import->keepings);
    free(import->changes);
    free(import);
}

static void forget(struct request *request)
{
    request_uncount(request);
    struct import *import = request->state;
    if (import != NULL)
        job_abandon(&import->job);
}

/* Whether the body is YAML: by the query, else by its type. */
static bool read_format(struct request *request, bool *yaml)
{
    static const char *const names[] = {"format", NULL};
    struct query query;
    if (!request_query(request, names, &query))
        return false;
    const char *text = query_text(&query, "format");
    const char *type = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                                   MHD_HTTP_HEADER_CONTENT_TYPE);
    *yaml = text != NULL ? strcmp(text, "yaml") == 0 : type != NULL && strstr(type, "yaml") != NULL;
    if (*yaml || text == NULL || strcmp(text, "json") == 0)
        return true;
    answer_error(request, 400, "format: '%s' is neither json nor yaml", text);
    return false;
}

static void begin(struct request *request, bool yaml)
{
    struct import *import = calloc(1, sizeof(*import));
    if (import == NULL) {
        answer_error(request, 503, "out of memory; try again later");
        return;
    }
    import->context = request->context;
    import->yaml = yaml;
    import->body = request->body; /* the job reads it, and may outlive the request */
    import->length = request->length;
    request->body = NULL;
    request->state = import;
    job_init(&import->job, request, run, drop);
    job_park(&import->job);
    job_submit(&import->job);
}

static void answer_done(struct request *request, const struct import *import)
{
    struct writer writer = {0};
    if (import->status != 200) {
        answer_failure(request, import->status, &import->failure);
        return;
    }
    writer_print(&writer,
                 "{\"created\":%" PRIu64 ",\"updated\":%" PRIu64 ",\"unchanged\":%" PRIu64 "}",
                 import->created, import->updated, import->unchanged);
    answer_json(request, 200, &writer);
}

static void answer_import(struct request *request)
{
    bool yaml;
    if (request->state != NULL)
        answer_done(request, request->state);
    else if (read_format(request, &yaml))
        begin(request, yaml);
}

static const struct endpoint endpoints[] = {
    {
        .path = "/api/v1/import",
        .methods = METHOD_POST,
        .body_max = BODY_MAX,
        .take = request_collect_counted,
        .answer = answer_import,
        .forget = forget,
    },
};

const struct resource import_resource = RESOURCE(endpoints);
