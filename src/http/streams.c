#include "streams.h"

#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "connection.h"
#include "request.h"
#include "server.h"
#include "stream_texts.h"
#include "worker.h"

/* A portion: streams that are resumed, under a millisecond's work (four times as many at a time
 * cost no less in all); */
#define RESUMED_AT_A_TIME 64

/* and items that are looked at, a millisecond's. */
#define LOOKS_AT_A_TIME 8192

/* Bytes that a stream writes in its turn: many items, and not much of the connection's memory. */
#define TURN_SIZE ((size_t)4 * EVENT_TEXT_MAX)

/* A connection over which nothing was written for so long gets a comment; */
#define COMMENT_PERIOD (15 * KAIROS_SECOND)

/* which is looked for as often. */
#define COMMENT_LOOK KAIROS_SECOND

/* A client that takes nothing for so long is dropped: the library's patience knows no end here. */
#define TAKE_PATIENCE (30 * KAIROS_SECOND)

/* A worker that always has something to do lets streams have a turn as often. */
#define TURN_PERIOD (5 * KAIROS_MILLISECOND)

/* ---- Lifecycle ---- */

/* By whoever appends to the feed. */
static void wake(void *context)
{
    struct streams *streams = context;
    atomic_store(&streams->news, true);
    worker_ring_streams(streams->worker);
}

void streams_init(struct streams *streams, struct worker *worker)
{
    *streams = (struct streams){
        .worker = worker,
        .waiter = {.wake = wake, .context = streams},
        .turn_at = TIME_NEVER,
    };
}

void streams_finish(struct streams *streams)
{
    stream_texts_destroy(streams->texts);
    streams->texts = NULL;
}

static struct feed *feed_of(const struct streams *streams)
{
    return streams->worker->context->feed;
}

static int64_t now_of(const struct streams *streams)
{
    return clock_now(streams->worker->context->clock);
}

bool streams_add(struct streams *streams, struct stream *stream)
{
    if (streams->texts == NULL)
        streams->texts = stream_texts_create(streams->worker->context);
    if (streams->texts == NULL)
        return false;
    if (streams->count++ == 0) {
        stream->before = stream->after = streams->at = stream;
        streams->comments_at = now_of(streams) + COMMENT_LOOK;
    } else {
        stream->after = streams->at;
        stream->before = streams->at->before;
        stream->before->after = stream->after->before = stream;
    }
    stream->has_turn = true;
    streams->again = true;
    atomic_store_explicit(&streams->open, streams->count, memory_order_relaxed);
    return true;
}

void streams_remove(struct streams *streams, struct stream *stream)
{
    stream->before->after = stream->after;
    stream->after->before = stream->before;
    if (streams->at == stream)
        streams->at = stream->after;
    if (streams->left > --streams->count)
        streams->left = streams->count;
    if (streams->count == 0) {
        streams->at = NULL;
        streams->again = false;
        feed_leave(feed_of(streams), &streams->waiter);
    }
    atomic_store_explicit(&streams->open, streams->count, memory_order_relaxed);
    if (stream->is_slow)
        atomic_fetch_add_explicit(&streams->dropped, 1, memory_order_relaxed);
}

/* ---- Rounds ---- */

void streams_hear(struct streams *streams)
{
    if (atomic_exchange(&streams->news, false) && streams->count > 0)
        streams->again = true;
}

bool streams_are_due(const struct streams *streams, int64_t now)
{
    return (streams->left > 0 || streams->again) && now - TURN_PERIOD > streams->turn_at;
}

int64_t streams_deadline(const struct streams *streams)
{
    if (streams->count == 0)
        return TIME_NEVER;
    bool pending = streams->left > 0 || streams->again;
    return pending ? KAIROS_TIME_MIN : streams->comments_at;
}

/* Whether STREAM wants ITEM, at which it stands. */
static bool wants(struct streams *streams, const struct stream *stream,
                  const struct feed_item *item)
{
    const struct stream_filter *filter = &stream->filter;
    return stream_filter_wants(filter, item) &&
           (filter->tags == NULL ||
            stream_texts_have_tags(streams->texts, stream->next, filter->tags));
}

/* Moves STREAM to the next item that it wants, or to the end. LOOKS are left, and used. */
static enum texts_result seek(struct streams *streams, struct stream *stream, size_t *looks)
{
    const struct feed_item *item;
    if (stream->next < streams->end && stream_filter_is_all(&stream->filter))
        return TEXTS_FOUND;
    for (; *looks > 0 && stream->next < streams->end; stream->next++, --*looks) {
        enum texts_result result = stream_texts_find(streams->texts, stream->next, &item);
        if (result != TEXTS_FOUND || wants(streams, stream, item))
            return result;
        stream->passed = true;
    }
    return TEXTS_NONE;
}

static bool is_comment_due(const struct stream *stream, int64_t now)
{
    return now - stream->active_at >= COMMENT_PERIOD;
}

/* Whether STREAM, which is parked, has anything to write. */
static bool has_something(struct streams *streams, struct stream *stream, int64_t now,
                          size_t *looks)
{
    bool found = seek(streams, stream, looks) != TEXTS_NONE;
    streams->again |= !found && stream->next < streams->end;
    return found || is_comment_due(stream, now);
}

/* The library sees that the connection is closed; what the client has not taken is thrown away. */
static void drop(struct stream *stream)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};
    int fd = stream->request->from->fd;
    stream->is_slow = true;
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    shutdown(fd, SHUT_RDWR);
}

/* STREAM is in the midst of writing: drops it if its client has taken nothing for too long. */
static void drop_if_stuck(struct stream *stream, int64_t now)
{
    int queue = 0;
    if (now - stream->active_at < COMMENT_LOOK)
        return;
    ioctl(stream->request->from->fd, SIOCOUTQ, &queue);
    if (queue != stream->queue) {
        stream->queue = queue;
        stream->active_at = now;
    } else if (now - stream->active_at >= TAKE_PATIENCE) {
        drop(stream);
    }
}

static void begin_round(struct streams *streams, int64_t now)
{
    streams->again = false;
    streams->left = streams->count;
    streams->end = feed_next(feed_of(streams));
    if (streams->comments_at <= now)
        streams->comments_at = now + COMMENT_LOOK;
}

void streams_turn(struct streams *streams, int64_t now)
{
    size_t resumed = 0, looks = LOOKS_AT_A_TIME;
    if (streams->count == 0)
        return;
    if (streams->left == 0 && (streams->again || streams->comments_at <= now))
        begin_round(streams, now);
    else if (streams->left == 0)
        return;
    streams->turn_at = now;
    while (streams->left > 0 && resumed < RESUMED_AT_A_TIME && looks > 0) {
        struct stream *stream = streams->at;
        looks--;
        streams->at = stream->after;
        streams->left--;
        if (!stream->request->parked) {
            drop_if_stuck(stream, now);
        } else if (has_something(streams, stream, now, &looks)) {
            stream->has_turn = true;
            parking_resume(&streams->worker->parking, stream->request);
            resumed++;
        }
    }
    if (streams->left == 0 && !streams->again)
        feed_wait(feed_of(streams), &streams->waiter, streams->end);
}

void streams_end(struct streams *streams)
{
    for (size_t i = 0; i < streams->count; i++, streams->at = streams->at->after) {
        if (streams->at->request->parked)
            parking_resume(&streams->worker->parking, streams->at->request);
    }
}

/* ---- Writing ---- */

/* There is nothing to write, or another one's turn. */
static ssize_t wait_for_turn(struct streams *streams, struct stream *stream)
{
    streams->again |= stream->next < streams->end;
    request_park(stream->request);
    return 0;
}

/* Appends TEXT, which WRITER has, if there is room, and releases it. */
static bool append(struct writer *writer, char *text, size_t max, size_t *length)
{
    bool fits = !writer->failed && writer->length <= max - *length;
    if (fits) {
        memcpy(text + *length, writer->text, writer->length);
        *length += writer->length;
    }
    writer_finish(writer);
    return fits;
}

static uint64_t run_of(const struct streams *streams)
{
    return (uint64_t)streams->worker->context->started.wall;
}

static bool write_begin(struct streams *streams, struct stream *stream, char *text, size_t max,
                        size_t *length)
{
    struct writer writer = {0};
    event_write_begin(&writer, run_of(streams), stream->next - 1, stream->reset);
    stream->begun = true;
    return append(&writer, text, max, length);
}

static void write_comment(struct streams *streams, struct stream *stream, char *text, size_t max,
                          size_t *length)
{
    struct writer writer = {0};
    event_write_comment(&writer, run_of(streams), stream->passed ? stream->next - 1 : 0);
    if (append(&writer, text, max, length))
        stream->passed = false;
}

/* Writes the items that the stream wants, as far as there is room. Returns false if it has been
 * overtaken, or memory ran out. */
static bool write_items(struct streams *streams, struct stream *stream, char *text, size_t max,
                        size_t *length)
{
    size_t looks = LOOKS_AT_A_TIME / 8;
    const struct feed_item *item;
    while (looks-- > 0 && stream->next < streams->end) {
        size_t size;
        if (stream_texts_find(streams->texts, stream->next, &item) != TEXTS_FOUND)
            return false;
        if (wants(streams, stream, item)) {
            const char *event = stream_texts_of(streams->texts, stream->next, &size);
            if (event == NULL)
                return false;
            if (size > max - *length)
                return true;
            memcpy(text + *length, event, size);
            *length += size;
            stream->passed = false;
        } else {
            stream->passed = true;
        }
        stream->next++;
    }
    return true;
}

ssize_t stream_read(void *context, uint64_t position, char *text, size_t max)
{
    struct stream *stream = context;
    struct worker *worker = stream->request->worker;
    struct streams *streams = &worker->streams;
    size_t length = 0;
    (void)position;
    if (server_is_stopping(worker->server))
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (!stream->has_turn)
        return wait_for_turn(streams, stream);
    stream->has_turn = false;
    max = max < TURN_SIZE ? max : TURN_SIZE;
    /* Headers that take up nearly all of the connection's memory leave no room for an event. */
    bool going = max >= EVENT_TEXT_MAX;
    if (going && !stream->begun)
        going = write_begin(streams, stream, text, max, &length);
    going = going && write_items(streams, stream, text, max, &length);
    if (!going) {
        stream->is_slow = true;
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    int64_t now = now_of(streams);
    if (length == 0 && is_comment_due(stream, now))
        write_comment(streams, stream, text, max, &length);
    if (length == 0)
        return wait_for_turn(streams, stream);
    stream->active_at = now;
    return (ssize_t)length;
}
