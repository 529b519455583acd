/*
 * fuzz_body.c - bodies of requests: many heartbeats, or the change of a service.
 *
 * The first byte steers: 0 is a change, anything else the size of the pieces in which heartbeats
 * come; they must be what they are when the body comes in one piece, and what the parser makes of
 * them. A change must lie within its bounds, and say the same when it is written down and read
 * again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "change.h"
#include "fuzz.h"

/* The moment of arrival. */
#define NOW INT64_C(1754301900000000)

/* ---- Heartbeats ---- */

static struct batch *read_batch(const char *body, size_t size, size_t piece_size)
{
    struct batch *batch = batch_create();
    EXPECT(batch != NULL);
    batch_begin(batch);
    for (size_t at = 0; at < size; at += piece_size) {
        size_t length = size - at < piece_size ? size - at : piece_size;
        char *piece = fuzz_copy(body + at, length);
        batch_feed(batch, piece, length, NOW);
        free(piece);
    }
    batch_finish(batch, NOW);
    return batch;
}

static void check_batch(const struct batch *batch)
{
    uint64_t bad = 0, number = 0;
    EXPECT(batch->count <= batch->capacity);
    for (size_t i = 0; i < batch->count; i++) {
        const struct kairos_event *event = &batch->events[i];
        EXPECT(event->reason == KAIROS_VALID && event->offset > number);
        EXPECT(event->length > 0 && strlen(event->text) == event->length);
        EXPECT(event->time >= KAIROS_TIME_MIN && event->time <= KAIROS_TIME_MAX);
        number = event->offset;
    }
    EXPECT(number <= batch->total && batch->bad[KAIROS_VALID] == 0);
    EXPECT(batch->bad[KAIROS_MISSING_TIMESTAMP] == 0);
    for (size_t i = 0; i < KAIROS_REASON_COUNT; i++)
        bad += batch->bad[i];
    EXPECT(batch->count + bad == batch->total);
    EXPECT(batch->error_count == (bad < BATCH_ERRORS_KEPT ? bad : BATCH_ERRORS_KEPT));
    number = 0;
    for (size_t i = 0; i < batch->error_count; i++) {
        EXPECT(batch->errors[i].number > number && batch->errors[i].number <= batch->total);
        EXPECT(strlen(batch->errors[i].reason) > 0 && strlen(batch->errors[i].detail) > 0);
        number = batch->errors[i].number;
    }
}

static void check_same(const struct batch *a, const struct batch *b)
{
    EXPECT(a->status == b->status && a->total == b->total && a->count == b->count);
    EXPECT(memcmp(a->bad, b->bad, sizeof(a->bad)) == 0);
    EXPECT(a->status == BATCH_OK || strcmp(a->failure.text, b->failure.text) == 0);
    for (size_t i = 0; i < a->count; i++) {
        EXPECT(a->events[i].time == b->events[i].time);
        EXPECT(a->events[i].offset == b->events[i].offset);
        EXPECT(strcmp(a->events[i].text, b->events[i].text) == 0);
    }
    for (size_t i = 0; i < a->error_count; i++)
        EXPECT(a->errors[i].number == b->errors[i].number &&
               a->errors[i].reason == b->errors[i].reason);
}

/* The place that the failure of BATCH begins with is the one of the byte that it names. */
static void check_place(const struct batch *batch, const char *body, size_t size)
{
    uint64_t line, column, byte, expected_line = 1, expected_column = 1;
    EXPECT(sscanf(batch->failure.text, "line %" SCNu64 ", column %" SCNu64 ", byte %" SCNu64 ": ",
                  &line, &column, &byte) == 3);
    EXPECT(byte >= 1 && byte - 1 <= size);
    for (size_t i = 0; i < byte - 1; i++) {
        expected_column = body[i] == '\n' ? 1 : expected_column + 1;
        expected_line += body[i] == '\n';
    }
    EXPECT(line == expected_line && column == expected_column);
}

static void check_heartbeats(const char *body, size_t size, size_t piece_size)
{
    struct batch *whole = read_batch(body, size, size > 0 ? size : 1);
    struct batch *pieces = read_batch(body, size, piece_size);
    check_batch(whole);
    check_batch(pieces);
    check_same(whole, pieces);
    if (whole->status == BATCH_MALFORMED)
        check_place(whole, body, size);
    batch_trim(pieces);
    batch_begin(pieces); /* it can be used again */
    batch_feed(pieces, "{\"service\":\"a\"}", 15, NOW);
    EXPECT(batch_finish(pieces, NOW) == BATCH_OK && pieces->count == 1);
    batch_destroy(whole);
    batch_destroy(pieces);
}

/* ---- A change ---- */

static void write_duration(char **text, bool given, const char *key, int64_t duration)
{
    if (given)
        *text += sprintf(*text, "\"%s\":\"%" PRIi64 "ms\",", key, duration / KAIROS_MILLISECOND);
}

/* Writes CHANGE as a body. */
static void write_change(const struct service_change *change, char *text)
{
    char *begin = text;
    *text++ = '{';
    write_duration(&text, change->has_interval, "interval", change->policy.interval);
    write_duration(&text, change->has_tolerance, "tolerance", change->policy.tolerance);
    write_duration(&text, change->has_max_runtime, "max_runtime", change->max_runtime);
    if (change->has_allowed_misses)
        text += sprintf(text, "\"allowed_misses\":%" PRIu32 ",", change->policy.allowed_misses);
    if (text[-1] == ',')
        text--;
    strcpy(text, "}");
    EXPECT(strlen(begin) < 256);
}

static bool is_within(int64_t duration, int64_t min, int64_t max)
{
    return duration >= min && duration <= max && duration % KAIROS_MILLISECOND == 0;
}

static void check_bounds(const struct service_change *change)
{
    const struct kairos_policy *policy = &change->policy;
    EXPECT(!change->has_interval ||
           is_within(policy->interval, ENGINE_INTERVAL_MIN, KAIROS_INTERVAL_MAX));
    EXPECT(!change->has_tolerance || is_within(policy->tolerance, 0, KAIROS_TOLERANCE_MAX));
    EXPECT(!change->has_max_runtime || is_within(change->max_runtime, 0, ENGINE_RUNTIME_MAX));
    EXPECT(!change->has_allowed_misses ||
           (policy->allowed_misses >= 1 && policy->allowed_misses <= KAIROS_ALLOWED_MISSES_MAX));
    EXPECT(!change->replace && !change->create);
}

static void check_change(const char *body, size_t size)
{
    struct service_change change = {0}, again = {0};
    struct failure failure;
    char text[256], *copy = fuzz_copy(body, size);
    enum change_result result = change_parse(copy, size, &change, &failure);
    free(copy);
    if (result != CHANGE_OK) {
        EXPECT(strlen(failure.text) > 0);
        return;
    }
    check_bounds(&change);
    write_change(&change, text);
    EXPECT(change_parse(text, strlen(text), &again, &failure) == CHANGE_OK);
    EXPECT(change.has_interval == again.has_interval &&
           change.has_tolerance == again.has_tolerance &&
           change.has_allowed_misses == again.has_allowed_misses &&
           change.has_max_runtime == again.has_max_runtime);
    EXPECT(change.policy.interval == again.policy.interval &&
           change.policy.tolerance == again.policy.tolerance &&
           change.policy.allowed_misses == again.policy.allowed_misses &&
           change.max_runtime == again.max_runtime);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t piece_size = fuzz_take(&data, &size);
    if (piece_size == 0)
        check_change((const char *)data, size);
    else
        check_heartbeats((const char *)data, size, piece_size);
    return 0;
}
