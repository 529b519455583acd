#include "outcome.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* A name is padded to whole words of this size, with one NUL at least. */
#define WORD 8

/* What holds of every event, wherever it comes from. */
static void check_event(const struct kairos_event *event, size_t log_size)
{
    switch (event->reason) {
    case KAIROS_VALID:
        EXPECT(event->length >= 1 && event->length <= KAIROS_SERVICE_MAX);
        for (size_t i = event->length; i % WORD != 0 || i == event->length; i++)
            EXPECT(event->text[i] == '\0');
        return;
    case KAIROS_INVALID_SERVICE_FORMAT:
    case KAIROS_INVALID_TIMESTAMP_FORMAT:
        EXPECT(event->length <= KAIROS_SERVICE_SIZE);
        break;
    default:
        EXPECT(event->reason < KAIROS_REASON_COUNT && event->length == 0);
        break;
    }
    EXPECT(event->offset < log_size);
}

static void append(struct outcome *outcome, const struct kairos_event *events, size_t count,
                   size_t log_size)
{
    if (outcome->count + count > outcome->capacity) {
        outcome->capacity = outcome->capacity * 2 + count;
        outcome->events = realloc(outcome->events, outcome->capacity * sizeof(outcome->events[0]));
        EXPECT(outcome->events != NULL);
    }
    for (size_t i = 0; i < count; i++) {
        check_event(&events[i], log_size);
        outcome->events[outcome->count++] = events[i];
    }
}

/* Hands a block over; what remains of it when the log is in error is not read. */
static void read_block(struct outcome *outcome, struct kairos_parser *parser, const char *block,
                       size_t size, size_t batch, size_t log_size)
{
    struct kairos_event *events = fuzz_allocate(batch, sizeof(*events));
    memset(events, 0xa5, batch * sizeof(*events)); /* nothing that is left unset may pass */
    const char *cursor = block, *end = block + size;
    size_t count;
    do {
        const char *before = cursor;
        count = kairos_parser_read(parser, &cursor, end, events, batch);
        EXPECT(count <= batch && cursor >= before && cursor <= end);
        append(outcome, events, count, log_size);
    } while (count > 0);
    struct kairos_parse_error error;
    EXPECT(cursor == end || kairos_parser_error(parser, &error));
    free(events);
}

void outcome_read(struct outcome *outcome, const char *log, size_t size, bool fast,
                  const struct cutting *cutting)
{
    *outcome = (struct outcome){.count = 0};
    struct fuzz_random random = {.state = cutting->seed};
    struct kairos_parser *parser = kairos_parser_create();
    EXPECT(parser != NULL);
    kairos_parser_set_fast(parser, fast);
    if (cutting->default_time != NULL)
        kairos_parser_set_default_time(parser, *cutting->default_time);

    for (size_t at = 0, length; at < size; at += length) {
        length = cutting->block_max == 0 ? size : fuzz_below(&random, cutting->block_max + 1);
        if (length > size - at)
            length = size - at;
        char *block = fuzz_copy(log + at, length);
        read_block(outcome, parser, block, length, cutting->batch, size);
        free(block);
    }
    struct kairos_event last;
    size_t count = kairos_parser_finish(parser, &last);
    EXPECT(count <= 1);
    append(outcome, &last, count, size);

    outcome->format = kairos_parser_format(parser);
    outcome->failed = kairos_parser_error(parser, &outcome->error);
    EXPECT(!outcome->failed || outcome->error.offset <= size);
    EXPECT(!outcome->failed || outcome->format != KAIROS_FORMAT_NDJSON);
    kairos_parser_destroy(parser);
}

void outcome_finish(struct outcome *outcome)
{
    free(outcome->events);
    *outcome = (struct outcome){.count = 0};
}

void event_expect_same(const struct kairos_event *a, const struct kairos_event *b)
{
    EXPECT(a->reason == b->reason);
    EXPECT(a->length == b->length);
    EXPECT(memcmp(a->text, b->text, a->length) == 0);
    if (a->reason == KAIROS_VALID)
        EXPECT(a->time == b->time);
    else
        EXPECT(a->offset == b->offset);
}

void outcome_expect_same(const struct outcome *a, const struct outcome *b)
{
    EXPECT(a->format == b->format);
    EXPECT(a->count == b->count);
    for (size_t i = 0; i < a->count; i++)
        event_expect_same(&a->events[i], &b->events[i]);
    EXPECT(a->failed == b->failed);
    if (a->failed)
        EXPECT(a->error.code == b->error.code && a->error.offset == b->error.offset);
}
