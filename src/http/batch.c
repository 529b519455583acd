#include "batch.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 128

/* Rows of up to so many events are kept for the next request: 2 MB. */
#define CAPACITY_KEPT 16384

/* Events that are parsed at a time, and looked at while they are in the nearest cache. */
#define STEP 64

struct batch *batch_create(void)
{
    return calloc(1, sizeof(struct batch));
}

static void free_rows(struct batch *batch)
{
    free(batch->events);
    free(batch->results);
    batch->events = NULL;
    batch->results = NULL;
    batch->capacity = 0;
}

void batch_destroy(struct batch *batch)
{
    if (batch == NULL)
        return;
    kairos_parser_destroy(batch->parser);
    free_rows(batch);
    free(batch);
}

static enum batch_status fail(struct batch *batch, enum batch_status status)
{
    if (status == BATCH_TOO_MANY)
        failure_set(&batch->failure, "more than %d events in one request; send them in parts",
                    BATCH_EVENTS_MAX);
    else if (status == BATCH_NO_MEMORY)
        failure_set(&batch->failure, "out of memory; send fewer events in one request");
    batch->status = status;
    return status;
}

void batch_begin(struct batch *batch)
{
    kairos_parser_destroy(batch->parser);
    batch->parser = kairos_parser_create();
    batch->count = 0;
    batch->total = 0;
    memset(batch->bad, 0, sizeof(batch->bad));
    batch->error_count = 0;
    batch->place = PLACE_FIRST;
    batch->offset = 0;
    batch->status = BATCH_OK;
    if (batch->parser == NULL)
        fail(batch, BATCH_NO_MEMORY);
}

/* Makes room for STEP more events. */
static bool reserve(struct batch *batch)
{
    if (batch->capacity - batch->count >= STEP)
        return true;
    size_t capacity = batch->capacity == 0 ? CAPACITY_FIRST : batch->capacity * 2;
    struct kairos_event *events = realloc(batch->events, capacity * sizeof(events[0]));
    if (events != NULL)
        batch->events = events;
    enum engine_result *results = realloc(batch->results, capacity * sizeof(results[0]));
    if (results != NULL)
        batch->results = results;
    if (events == NULL || results == NULL)
        return false;
    batch->capacity = capacity;
    return true;
}

static void note_bad(struct batch *batch, enum kairos_reason reason)
{
    batch->bad[reason]++;
    if (batch->error_count == BATCH_ERRORS_KEPT)
        return;
    batch->errors[batch->error_count++] = (struct batch_error){
        .number = batch->total,
        .reason = kairos_reason_name(reason),
        .detail = kairos_reason_text(reason),
    };
}

/* Takes the COUNT events that stand behind those of the batch: the valid ones stay. */
static void take(struct batch *batch, size_t count)
{
    const struct kairos_event *read = batch->events + batch->count;
    for (size_t i = 0; i < count; i++) {
        struct kairos_event *kept = batch->events + batch->count;
        batch->total++;
        if (read[i].reason != KAIROS_VALID) {
            note_bad(batch, read[i].reason);
            continue;
        }
        if (kept != &read[i])
            *kept = read[i];
        kept->offset = batch->total;
        batch->count++;
    }
}

/* Describes the error in the body, whose last piece PIECE ends at END. */
static enum batch_status describe(struct batch *batch, const char *piece, const char *end)
{
    struct kairos_parse_error error;
    kairos_parser_error(batch->parser, &error);
    size_t behind = (size_t)(error.offset - batch->offset);
    size_t size = (size_t)(end - piece);
    place_advance(&batch->place, piece, behind < size ? behind : size);
    failure_set(&batch->failure, "line %llu, column %llu, byte %llu: %s",
                (unsigned long long)batch->place.line, (unsigned long long)batch->place.column,
                (unsigned long long)error.offset + 1, kairos_parse_error_text(error.code));
    return fail(batch, BATCH_MALFORMED);
}

enum batch_status batch_feed(struct batch *batch, const char *piece, size_t size, int64_t now)
{
    const char *cursor = piece, *end = piece + size;
    struct kairos_parse_error error;
    if (batch->status != BATCH_OK)
        return batch->status;
    kairos_parser_set_default_time(batch->parser, now);
    for (size_t count = 1; count > 0;) {
        if (!reserve(batch))
            return fail(batch, BATCH_NO_MEMORY);
        count = kairos_parser_read(batch->parser, &cursor, end, batch->events + batch->count, STEP);
        take(batch, count);
        if (batch->total > BATCH_EVENTS_MAX)
            return fail(batch, BATCH_TOO_MANY);
    }
    if (kairos_parser_error(batch->parser, &error))
        return describe(batch, piece, end);
    place_advance(&batch->place, piece, size);
    batch->offset += size;
    return BATCH_OK;
}

enum batch_status batch_finish(struct batch *batch, int64_t now)
{
    struct kairos_parse_error error;
    if (batch->status != BATCH_OK)
        return batch->status;
    if (!reserve(batch))
        return fail(batch, BATCH_NO_MEMORY);
    kairos_parser_set_default_time(batch->parser, now);
    take(batch, kairos_parser_finish(batch->parser, batch->events + batch->count));
    if (kairos_parser_error(batch->parser, &error))
        return describe(batch, "", "");
    return batch->total > BATCH_EVENTS_MAX ? fail(batch, BATCH_TOO_MANY) : BATCH_OK;
}

size_t batch_memory(const struct batch *batch)
{
    return batch->capacity * (sizeof(batch->events[0]) + sizeof(batch->results[0]));
}

void batch_trim(struct batch *batch)
{
    if (batch->capacity > CAPACITY_KEPT)
        free_rows(batch);
}
