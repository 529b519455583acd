/*
 * export.c - GET /api/v1/export: what people say of services and expect of them, as JSON or YAML,
 * for POST /api/v1/import. In the order of names and a service to each line or block, so that two
 * exports can be compared.
 *
 * A job collects the names. The text is made as it is sent, a few services at a time, so that an
 * export of any size takes little memory beside its names; it shows services as they are then.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "answer.h"
#include "filter.h"
#include "job.h"
#include "names.h"
#include "resource.h"
#include "view.h"
#include "yaml_json.h"

/* Services that are written at a time: a fraction of a millisecond of the worker's thread. */
#define STEP  24

#define BLOCK (16 * 1024)

struct export
{
    struct job job;
    const struct context *context;
    struct engine_filter filter;
    bool yaml;
    uint64_t cursor;
    struct service_name *found; /* room for NAMES_PIECE */
    struct names *names;
    bool no_memory;

    /* The text, in the worker's thread. */
    struct writer writer; /* what has been made of it, */
    size_t sent;          /* and given away */
    uint64_t written;     /* services */
    bool ended;
};

/* ---- Collecting ---- */

static bool run(struct job *job)
{
    struct export *export = (struct export *)job; /* its first member */
    size_t count = engine_names(export->context->engine, &export->filter, &export->cursor,
                                export->found, NAMES_PIECE);
    export->no_memory = !names_add(export->names, export->found, count);
    if (export->cursor != 0 && !export->no_memory)
        return true;
    job_wake(job);
    return false;
}

static void destroy(struct export *export)
{
    names_destroy(export->names);
    free(export->found);
    writer_finish(&export->writer);
    free(export);
}

static void drop(struct job *job)
{
    destroy((struct export *)job);
}

static void forget(struct request *request)
{
    struct export *export = request->state;
    if (export != NULL)
        job_abandon(&export->job);
}

/* ---- The text ---- */

static void write_json(struct export *export, const struct service_view *view)
{
    struct writer *writer = &export->writer;
    writer_print(writer, "%s{\"service\":\"%s\",\"interval\":",
                 export->written == 0 ? "{\"services\":[\n" : ",\n", view->name);
    writer_seconds(writer, view->policy.interval);
    writer_print(writer,
                 ",\"allowed_misses\":%" PRIu32 ",\"tolerance\":", view->policy.allowed_misses);
    writer_seconds(writer, view->policy.tolerance);
    writer_print(writer, ",\"max_runtime\":");
    if (view->max_runtime == 0)
        writer_print(writer, "null");
    else
        writer_seconds(writer, view->max_runtime);
    writer_print(writer, ",\"paused\":%s", view->status == SERVICE_PAUSED ? "true" : "false");
    view_label(writer, &view->label);
    writer_print(writer, "}");
}

static json_t *seconds_of(int64_t duration)
{
    return duration % KAIROS_SECOND == 0 ? json_integer(duration / KAIROS_SECOND)
                                         : json_real((double)duration / (double)KAIROS_SECOND);
}

static json_t *tags_of(const struct tags *tags)
{
    json_t *array = json_array();
    const char *tag;
    size_t at = 0, length;
    while ((tag = tags_next(tags->text, tags->length, &at, &length)) != NULL)
        json_array_append_new(array, json_stringn(tag, length));
    return array;
}

static void write_yaml(struct export *export, const struct service_view *view)
{
    /* Whatever memory ran out for is NULL, and so is the whole. */
    json_t *value = json_pack(
        "[{s:s, s:o, s:i, s:o, s:o, s:b, s:s#, s:o}]", "service", view->name, "interval",
        seconds_of(view->policy.interval), "allowed_misses", (int)view->policy.allowed_misses,
        "tolerance", seconds_of(view->policy.tolerance), "max_runtime",
        view->max_runtime == 0 ? json_null() : seconds_of(view->max_runtime), "paused",
        view->status == SERVICE_PAUSED, "description", view->label.description,
        (int)view->label.length, "tags", tags_of(&view->label.tags));
    size_t length;
    char *text = value == NULL ? NULL : yaml_json_write(value, &length);
    if (text != NULL)
        writer_print(&export->writer, "%s%s", export->written == 0 ? "services:\n" : "", text);
    else
        export->writer.failed = true;
    free(text);
    json_decref(value);
}

static void end_text(struct export *export)
{
    export->ended = true;
    if (!export->yaml)
        writer_print(&export->writer, export->written == 0 ? "{\"services\":[]}\n" : "\n]}\n");
    else if (export->written == 0)
        writer_print(&export->writer, "services: []\n");
}

/* Makes the next piece of the text. */
static void write_on(struct export *export)
{
    const struct context *context = export->context;
    struct service_name name;
    struct service_view view;
    export->writer.length = export->sent = 0;
    for (int count = 0; count < STEP; count++) {
        if (!names_next(export->names, &name)) {
            end_text(export);
            return;
        }
        if (engine_find(context->engine, name.text, name.length, clock_now(context->clock),
                        &view) != ENGINE_OK)
            continue; /* it has gone since */
        if (export->yaml)
            write_yaml(export, &view);
        else
            write_json(export, &view);
        export->written++;
    }
}

static ssize_t read_text(void *context, uint64_t position, char *text, size_t size)
{
    struct export *export = context;
    struct writer *writer = &export->writer;
    (void)position; /* it is asked for in order */
    while (export->sent == writer->length && !export->ended && !writer->failed)
        write_on(export);
    if (writer->failed)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (export->sent == writer->length)
        return MHD_CONTENT_READER_END_OF_STREAM;
    size_t left = writer->length - export->sent;
    size = size < left ? size : left;
    memcpy(text, writer->text + export->sent, size);
    export->sent += size;
    return (ssize_t)size;
}

/* ---- The request ---- */

static void answer_text_of(struct request *request, struct export *export)
{
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_text, export, NULL);
    if (response != NULL) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                export->yaml ? "application/yaml" : "application/json");
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    }
    answer_response(request, 200, response);
}

static bool read_format(const struct query *query, bool *yaml, struct failure *failure)
{
    const char *text = query_text(query, "format");
    *yaml = text != NULL && strcmp(text, "yaml") == 0;
    return *yaml || text == NULL || strcmp(text, "json") == 0 ||
           failure_set(failure, "format: '%s' is neither json nor yaml", text);
}

static bool read_request(struct request *request, struct export *export)
{
    static const char *const names[] = {FILTER_NAMES, "format", NULL};
    struct failure failure;
    struct query query;
    if (!request_query(request, names, &query))
        return false;
    bool valid = filter_from_query(&query, &export->filter, &failure) &&
                 read_format(&query, &export->yaml, &failure);
    if (!valid)
        answer_failure(request, 400, &failure);
    return valid;
}

static void begin(struct request *request)
{
    struct export *export = calloc(1, sizeof(*export));
    if (export != NULL) {
        export->context = request->context;
        export->found = malloc(NAMES_PIECE * sizeof(export->found[0]));
        export->names = names_create();
    }
    if (export == NULL || export->found == NULL || export->names == NULL) {
        answer_error(request, 503, "out of memory; try again later");
    } else if (read_request(request, export)) {
        request->state = export;
        job_init(&export->job, request, run, drop);
        job_park(&export->job);
        job_submit(&export->job);
        return;
    }
    if (export != NULL)
        destroy(export);
}

static void answer_export(struct request *request)
{
    struct export *export = request->state;
    if (export == NULL)
        begin(request);
    else if (export->no_memory)
        answer_error(request, 503, "out of memory; try again later");
    else
        answer_text_of(request, export);
}

static const struct endpoint endpoints[] = {
    {
        .path = "/api/v1/export",
        .methods = METHODS_READ,
        .answer = answer_export,
        .forget = forget,
    },
};

const struct resource export_resource = RESOURCE(endpoints);
