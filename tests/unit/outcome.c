#include "outcome.h"

#include <stdlib.h>

#define EVENTS_MAX 64

static void keep(struct outcome *outcome, const struct kairos_event *events, size_t count)
{
    if (count == 0)
        return;
    if (outcome->count + count > outcome->capacity) {
        outcome->capacity = (outcome->count + count) * 2 + EVENTS_MAX;
        outcome->events = realloc(outcome->events, outcome->capacity * sizeof(outcome->events[0]));
        assert_non_null(outcome->events);
    }
    memcpy(outcome->events + outcome->count, events, count * sizeof(events[0]));
    outcome->count += count;
}

/* Reads one block to its end, or to the error in it. */
static void read_block(struct outcome *outcome, const struct reading *reading,
                       struct kairos_parser *parser, const char *block, size_t size)
{
    struct kairos_event events[EVENTS_MAX];
    struct kairos_parse_error error;
    if (reading->fence != NULL)
        block = fence_place(reading->fence, block, size);
    const char *cursor = block, *end = block + size;
    for (;;) {
        size_t max = reading->events_max == 0 ? EVENTS_MAX
                                              : 1 + dice_below(reading->dice, reading->events_max);
        const char *before = cursor;
        size_t count = kairos_parser_read(parser, &cursor, end, events, max);
        assert_true(cursor >= before && cursor <= end && count <= max);
        if (count == 0)
            break;
        keep(outcome, events, count);
    }
    assert_int_equal(cursor < end || kairos_parser_error(parser, &error),
                     kairos_parser_error(parser, &error));
}

void outcome_read_on(struct outcome *outcome, const struct reading *reading,
                     struct kairos_parser *parser, const char *text, size_t length)
{
    *outcome = (struct outcome){0};
    kairos_parser_set_fast(parser, !reading->complete_path);
    if (reading->default_time != NULL)
        kairos_parser_set_default_time(parser, *reading->default_time);
    for (size_t at = 0, size; at < length; at += size) {
        size = length - at;
        if (reading->block_max > 0) {
            size_t most = 1 + dice_below(reading->dice, reading->block_max);
            size = size < most ? size : most;
        }
        read_block(outcome, reading, parser, text + at, size);
    }
    struct kairos_event last;
    keep(outcome, &last, kairos_parser_finish(parser, &last));
    outcome->failed = kairos_parser_error(parser, &outcome->error);
    outcome->format = kairos_parser_format(parser);
}

void outcome_read(struct outcome *outcome, const struct reading *reading, const char *text,
                  size_t length)
{
    struct kairos_parser *parser = kairos_parser_create();
    assert_non_null(parser);
    outcome_read_on(outcome, reading, parser, text, length);
    kairos_parser_destroy(parser);
}

void outcome_finish(struct outcome *outcome)
{
    free(outcome->events);
    *outcome = (struct outcome){0};
}

void check_same_event(const struct kairos_event *event, const struct kairos_event *expected)
{
    check(event->reason == expected->reason, "%s instead of %s", kairos_reason_name(event->reason),
          kairos_reason_name(expected->reason));
    check(event->length == expected->length &&
              memcmp(event->text, expected->text, event->length) == 0,
          "%s instead of %s", shown(event->text, event->length),
          shown(expected->text, expected->length));
    if (event->reason != KAIROS_VALID) {
        assert_int_equal(event->offset, expected->offset);
        return;
    }
    assert_int_equal(event->time, expected->time);
    /* NULs up to a whole word, and one at least. */
    for (size_t i = event->length; i < (event->length / 8u + 1) * 8; i++)
        assert_int_equal(event->text[i], '\0');
}

void check_same_outcome(const struct outcome *outcome, const struct outcome *expected,
                        size_t skipped)
{
    check(outcome->count == expected->count - skipped, "%zu events instead of %zu", outcome->count,
          expected->count - skipped);
    for (size_t i = 0; i < outcome->count; i++)
        check_same_event(&outcome->events[i], &expected->events[skipped + i]);
    assert_int_equal(outcome->failed, expected->failed);
    if (outcome->failed) {
        check(outcome->error.code == expected->error.code &&
                  outcome->error.offset == expected->error.offset,
              "error %d at %ju instead of %d at %ju", (int)outcome->error.code,
              (uintmax_t)outcome->error.offset, (int)expected->error.code,
              (uintmax_t)expected->error.offset);
    }
    assert_int_equal(outcome->format, expected->format);
}
