#include "answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "accept.h"
#include "gzip.h"
#include "worker.h"

static const struct {
    unsigned status;
    char text[8];
} constant_answers[CONSTANT_COUNT] = {
    [CONSTANT_OK] = {200, "OK"},
    [CONSTANT_CREATED] = {201, "Created"},
};

static void queue(struct request *request, unsigned status, struct MHD_Response *response)
{
    request->queued = MHD_queue_response(request->connection, status, response) == MHD_YES;
    if (request->queued)
        request->status = status;
}

static void add(struct MHD_Response *response, const char *name, const char *value)
{
    MHD_add_response_header(response, name, value);
}

static void add_id(struct request *request, struct MHD_Response *response)
{
    char text[REQUEST_ID_MAX + 1];
    struct slice id = request_id(request);
    memcpy(text, id.text, id.length);
    text[id.length] = '\0';
    add(response, "X-Request-Id", text);
}

void answer_response(struct request *request, unsigned status, struct MHD_Response *response)
{
    if (response == NULL)
        return;
    add(response, "X-Content-Type-Options", "nosniff");
    add_id(request, response);
    if (request->worker->stopping || request->last)
        add(response, MHD_HTTP_HEADER_CONNECTION, "close");
    queue(request, status, response);
    MHD_destroy_response(response);
}

/* Queues RESPONSE, which may be NULL if memory ran out, and lets go of it. */
static void queue_once(struct request *request, unsigned status, const char *content_type,
                       struct MHD_Response *response)
{
    if (response != NULL && content_type != NULL)
        add(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    if (response != NULL)
        add(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    answer_response(request, status, response);
}

void answer_constant(struct request *request, enum constant constant)
{
    unsigned status = constant_answers[constant].status;
    request->sent = strlen(constant_answers[constant].text);
    if (request->fields.request_id.length == 0) {
        queue(request, status, request->worker->constants[constant]);
        return;
    }
    char *text = (char *)constant_answers[constant].text;
    queue_once(request, status, "text/plain",
               MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_PERSISTENT));
}

/* A response that takes over WRITER's text; NULL if memory ran out. */
static struct MHD_Response *response_of(struct writer *writer)
{
    struct MHD_Response *response = NULL;
    if (!writer->failed)
        response =
            MHD_create_response_from_buffer(writer->length, writer->text, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        writer_finish(writer);
    *writer = (struct writer){0};
    return response;
}

/* An answer that comes in two forms: caches on the way have to know. */
static void queue_text(struct request *request, unsigned status, const char *content_type,
                       struct writer *writer, bool gzipped)
{
    request->sent = writer->length;
    bool varies = gzipped || writer->length >= GZIP_SIZE_MIN;
    struct MHD_Response *response = response_of(writer);
    if (response != NULL && varies)
        add(response, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
    if (response != NULL && gzipped)
        add(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    queue_once(request, status, content_type, response);
}

void answer_gzipped(struct request *request, unsigned status, const char *content_type,
                    struct writer *writer)
{
    queue_text(request, status, content_type, writer, true);
}

void answer_text(struct request *request, unsigned status, const char *content_type,
                 struct writer *writer)
{
    bool gzipped = writer->length >= GZIP_SIZE_MIN && writer->length <= GZIP_SIZE_MAX &&
                   accept_gzip(request) && worker_gzip(request->worker) != NULL &&
                   gzip_text(worker_gzip(request->worker), writer);
    queue_text(request, status, content_type, writer, gzipped);
}

void answer_json(struct request *request, unsigned status, struct writer *writer)
{
    answer_text(request, status, "application/json", writer);
}

void answer_flow(struct request *request, const char *content_type, size_t room,
                 ssize_t (*read)(void *context, uint64_t position, char *text, size_t max),
                 void *context)
{
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, room, read, context, NULL);
    if (response != NULL) /* proxies that know it pass each piece on at once */
        MHD_add_response_header(response, "X-Accel-Buffering", "no");
    queue_once(request, MHD_HTTP_OK, content_type, response);
}

void answer_nothing(struct request *request)
{
    queue_once(request, MHD_HTTP_NO_CONTENT, NULL,
               MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT));
}

static struct writer detail_of(const struct failure *failure)
{
    struct writer writer = {0};
    writer_print(&writer, "{\"detail\":");
    writer_string(&writer, failure->text, strlen(failure->text));
    writer_print(&writer, "}");
    return writer;
}

void answer_failure(struct request *request, unsigned status, const struct failure *failure)
{
    struct writer writer = detail_of(failure);
    answer_json(request, status, &writer);
}

void answer_error(struct request *request, unsigned status, const char *format, ...)
{
    struct failure failure;
    va_list arguments;
    va_start(arguments, format);
    failure_vset(&failure, format, arguments);
    va_end(arguments);
    answer_failure(request, status, &failure);
}

void answer_malformed(struct request *request, const char *wrong)
{
    request->last = true;
    answer_error(request, MHD_HTTP_BAD_REQUEST, "%s", wrong);
}

/* Every path tells what it takes; `*` stands for the server as a whole (RFC 9110, 9.3.7). */
void answer_options(struct request *request)
{
    char methods[METHODS_TEXT_SIZE];
    unsigned allowed = strcmp(request->path, "*") == 0 ? METHODS_ALL : request->route.allowed;
    if (allowed == 0) {
        answer_error(request, MHD_HTTP_NOT_FOUND, NO_SUCH_PATH);
        return;
    }
    methods_format(allowed | METHOD_OPTIONS, ", ", methods);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (response != NULL)
        add(response, MHD_HTTP_HEADER_ALLOW, methods);
    queue_once(request, MHD_HTTP_NO_CONTENT, NULL, response);
}

/* An error with one more header, NAME. */
static void answer_detail(struct request *request, unsigned status, const struct failure *failure,
                          const char *name, const char *value)
{
    struct writer writer = detail_of(failure);
    request->sent = writer.length;
    struct MHD_Response *response = response_of(&writer);
    if (response != NULL)
        add(response, name, value);
    queue_once(request, status, "application/json", response);
}

void answer_not_allowed(struct request *request)
{
    struct failure failure;
    char methods[METHODS_TEXT_SIZE];
    methods_format(request->route.allowed | METHOD_OPTIONS, ", ", methods);
    failure_set(&failure, "this path takes %s", methods);
    answer_detail(request, MHD_HTTP_METHOD_NOT_ALLOWED, &failure, MHD_HTTP_HEADER_ALLOW, methods);
}

void answer_busy(struct request *request, unsigned seconds, const struct failure *failure)
{
    char text[16];
    snprintf(text, sizeof(text), "%u", seconds);
    answer_detail(request, MHD_HTTP_SERVICE_UNAVAILABLE, failure, MHD_HTTP_HEADER_RETRY_AFTER,
                  text);
}

void answer_too_long(struct request *request)
{
    answer_error(request, MHD_HTTP_CONTENT_TOO_LARGE,
                 "the body is too long; it may have %llu bytes",
                 (unsigned long long)request_body_max(request));
}

bool constants_create(struct MHD_Response *constants[CONSTANT_COUNT])
{
    memset(constants, 0, CONSTANT_COUNT * sizeof(constants[0]));
    for (size_t i = 0; i < CONSTANT_COUNT; i++) {
        char *text = (char *)constant_answers[i].text;
        constants[i] = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_PERSISTENT);
        if (constants[i] == NULL) {
            constants_destroy(constants);
            return false;
        }
        MHD_add_response_header(constants[i], MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
        MHD_add_response_header(constants[i], MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    }
    return true;
}

void constants_close(struct MHD_Response *constants[CONSTANT_COUNT])
{
    for (size_t i = 0; i < CONSTANT_COUNT; i++)
        MHD_add_response_header(constants[i], MHD_HTTP_HEADER_CONNECTION, "close");
}

void constants_destroy(struct MHD_Response *constants[CONSTANT_COUNT])
{
    for (size_t i = 0; i < CONSTANT_COUNT; i++) {
        if (constants[i] != NULL)
            MHD_destroy_response(constants[i]);
        constants[i] = NULL;
    }
}
