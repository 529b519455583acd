#include "request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "answer.h"
#include "worker.h"

/*
 * A body without a length in the headers shows that it is too long when it has come so far; only
 * at its end can that be answered. What goes on beyond so many times the limit is cut off.
 */
#define PATIENCE 4

void request_collect(struct request *request, const char *piece, size_t size)
{
    if (size > request->capacity - request->length) {
        size_t capacity = request->capacity == 0 ? 1024 : request->capacity;
        while (size > capacity - request->length)
            capacity *= 2;
        char *larger = realloc(request->body, capacity);
        request->no_memory |= larger == NULL;
        if (larger == NULL)
            return;
        request->body = larger;
        request->capacity = capacity;
    }
    memcpy(request->body + request->length, piece, size);
    request->length += size;
}

void request_collect_counted(struct request *request, const char *piece, size_t size)
{
    size_t before = request->capacity;
    if (request->no_memory)
        return;
    request_collect(request, piece, size);
    request->no_memory |= !worker_take_memory(request->worker, request->capacity - before);
}

void request_uncount(struct request *request)
{
    worker_give_memory(request->worker, request->capacity);
    request->capacity = 0;
}

uint64_t request_body_max(const struct request *request)
{
    const struct endpoint *endpoint = request->route.endpoint;
    if (endpoint == NULL)
        return 0;
    return endpoint->body_limit != NULL ? endpoint->body_limit(request->context)
                                        : endpoint->body_max;
}

bool request_is_too_long(const struct request *request)
{
    uint64_t max = request_body_max(request);
    return max > 0 && request->received > max;
}

bool request_take(struct request *request, const char *piece, size_t size)
{
    const struct endpoint *endpoint = request->route.endpoint;
    request->received += size;
    uint64_t max = request_body_max(request);
    if (endpoint != NULL && max == 0 && endpoint->take != NULL)
        endpoint->take(request, piece, size);
    if (endpoint == NULL || max == 0)
        return true; /* however long it is */
    if (request_is_too_long(request))
        return request->received / PATIENCE <= max;
    if (endpoint->take != NULL)
        endpoint->take(request, piece, size);
    else if (!request->no_memory)
        request_collect(request, piece, size);
    return true;
}

void request_answer(struct request *request)
{
    const struct route *route = &request->route;
    if (request->method == METHOD_OPTIONS)
        answer_options(request);
    else if (route->endpoint == NULL && route->allowed != 0)
        answer_not_allowed(request);
    else if (route->endpoint == NULL)
        answer_error(request, 404, NO_SUCH_PATH);
    else if (request_is_too_long(request))
        answer_too_long(request);
    else if (request->no_memory)
        answer_error(request, 503, "out of memory; try again later");
    else
        route->endpoint->answer(request);
}

struct slice request_id(struct request *request)
{
    if (request->fields.request_id.length > 0)
        return request->fields.request_id;
    if (request->own_id[0] == '\0')
        snprintf(request->own_id, sizeof(request->own_id), "%016" PRIx64,
                 worker_next_id(request->worker));
    return (struct slice){request->own_id, REQUEST_ID_SIZE - 1};
}

void request_forget(struct request *request)
{
    const struct endpoint *endpoint = request->route.endpoint;
    if (endpoint != NULL && endpoint->forget != NULL)
        endpoint->forget(request);
    free(request->body);
    request->body = NULL;
}

void request_park(struct request *request)
{
    if (!request->parked)
        parking_add(&request->worker->parking, request);
}

void request_wake(struct request *request)
{
    worker_wake(request->worker, request);
}

bool request_service(struct request *request, char name[KAIROS_SERVICE_SIZE], size_t *length)
{
    char text[SEGMENT_MAX];
    size_t text_length;
    if (percent_decode(request->route.segments[0], text, sizeof(text), &text_length) ==
            PERCENT_OK &&
        kairos_service_parse(text, text_length, name, length) == KAIROS_SERVICE_OK)
        return true;
    answer_error(request, 400,
                 "the service's name in the path is invalid; it has 1 to 100 characters of "
                 "a-z 0-9 _ -");
    return false;
}

struct reading {
    struct query *query;
    struct failure *failure;
    bool failed;
};

static enum MHD_Result add_parameter(void *context, enum MHD_ValueKind kind, const char *key,
                                     size_t key_length, const char *value, size_t value_length)
{
    struct reading *reading = context;
    (void)kind;
    reading->failed =
        !query_add(reading->query, (struct slice){key, key_length},
                   (struct slice){value, value == NULL ? 0 : value_length}, reading->failure);
    return reading->failed ? MHD_NO : MHD_YES;
}

bool request_read_query(struct request *request, const char *const *names, struct query *query,
                        struct failure *failure)
{
    struct reading reading = {query, failure, false};
    query_init(query, names);
    MHD_get_connection_values_n(request->connection, MHD_GET_ARGUMENT_KIND, add_parameter,
                                &reading);
    return !reading.failed;
}

bool request_query(struct request *request, const char *const *names, struct query *query)
{
    struct failure failure;
    bool read = request_read_query(request, names, query, &failure);
    if (!read)
        answer_failure(request, 400, &failure);
    return read;
}
