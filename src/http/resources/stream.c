/*
 * stream.c - /api/v1/stream: what happens, as it happens, for as long as the client listens.
 *
 * Server-sent events (stream_event.h). A client that comes back with the id of the last event that
 * it got goes on behind that one; if that cannot be, it is told so by an event of its own, `reset`.
 */
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "answer.h"
#include "resource.h"
#include "worker.h"

/* Puts STREAM behind the item NUMBER of the run RUN, or at the end if that cannot be. */
static void resume_behind(const struct context *context, struct stream *stream, uint64_t run,
                          uint64_t number)
{
    uint64_t next = feed_next(context->feed), oldest = feed_oldest(context->feed);
    stream->next = next;
    if (run != (uint64_t)context->started.wall)
        stream->reset = RESET_RESTART;
    else if (number >= next)
        stream->reset = RESET_UNKNOWN;
    else if (number + 1 < oldest)
        stream->reset = RESET_OVERTAKEN;
    else
        stream->next = number + 1;
}

/*
 * Finds where the stream begins. What a header says comes from a program that goes by what it was
 * sent, perhaps by another version: it is told that it is lost, and not refused for ever.
 */
static bool place(struct request *request, struct stream *stream, const struct query *query,
                  struct failure *failure)
{
    const struct context *context = request->context;
    const char *header =
        MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Last-Event-ID");
    const char *text = header != NULL && *header != '\0' ? header : NULL;
    uint64_t run, number;
    if (text == NULL)
        text = query_text(query, "last_event_id");
    stream->next = feed_next(context->feed);
    if (text == NULL)
        return true;
    if (event_id_parse((struct slice){text, strlen(text)}, &run, &number))
        resume_behind(context, stream, run, number);
    else if (text == header)
        stream->reset = RESET_UNKNOWN;
    else
        return failure_set(failure, "last_event_id: '%s' is no id of an event", text);
    return true;
}

/* A stream as the request wants it; answers what is wrong, and returns NULL. */
static struct stream *open_stream(struct request *request)
{
    static const char *const names[] = {"types", "*service", "*tag", "last_event_id", NULL};
    struct failure failure;
    struct query query;
    if (!request_query(request, names, &query))
        return NULL;
    struct stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL) {
        answer_error(request, 503, "out of memory; try again later");
        return NULL;
    }
    stream->request = request;
    stream->active_at = clock_now(request->context->clock);
    if (place(request, stream, &query, &failure) &&
        stream_filter_parse(&stream->filter, query_text(&query, "types"),
                            query_text(&query, "service"), query_text(&query, "tag"), &failure))
        return stream;
    answer_failure(request, 400, &failure);
    free(stream);
    return NULL;
}

static void close_stream(struct stream *stream)
{
    stream_filter_finish(&stream->filter);
    free(stream);
}

/* HEAD has no text, and is no stream. */
static void answer_stream(struct request *request)
{
    struct stream *stream = open_stream(request);
    if (stream == NULL)
        return;
    if (request->method == METHOD_HEAD) {
        close_stream(stream);
        stream = NULL;
    } else if (!streams_add(&request->worker->streams, stream)) {
        close_stream(stream);
        answer_error(request, 503, "out of memory; try again later");
        return;
    }
    request->state = stream;
    answer_flow(request, "text/event-stream", EVENT_TEXT_MAX, stream_read, stream);
}

static void forget_stream(struct request *request)
{
    struct stream *stream = request->state;
    if (stream == NULL)
        return;
    streams_remove(&request->worker->streams, stream);
    close_stream(stream);
}

static const struct endpoint endpoints[] = {
    {
        .path = "/api/v1/stream",
        .methods = METHODS_READ,
        .answer = answer_stream,
        .forget = forget_stream,
    },
};

const struct resource stream_resource = RESOURCE(endpoints);
