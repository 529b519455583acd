/*
 * test_stream_texts.c - items and their texts, whatever is asked for in whatever order: against the
 * feed itself and a text made anew.
 */
#include "stream_texts.h"

#include <stdio.h>
#include <stdlib.h>

#include "stream_event.h"
#include "support.h"

#define CAPACITY 2048

static void append(struct feed *feed, uint64_t number)
{
    struct status_change change = {.from = SERVICE_UP, .to = SERVICE_LATE, .at = (int64_t)number};
    snprintf(change.service, sizeof(change.service), "s%llu", (unsigned long long)number);
    feed_status(feed, &change);
}

static void check_found(struct stream_texts *texts, const struct context *context, uint64_t number,
                        const struct feed_item *item, struct dice *dice)
{
    struct writer expected = {0};
    size_t length;
    assert_int_equal(item->number, number);
    assert_int_equal(item->change.at, number);
    if (dice_chance(dice, 50))
        return;
    event_write(&expected, context->clock, (uint64_t)context->started.wall, item);
    const char *text = stream_texts_of(texts, number, &length);
    assert_int_equal(length, expected.length);
    assert_memory_equal(text, expected.text, length);
    writer_finish(&expected);
}

static void any_item_at_any_time(void **state)
{
    struct clock clock;
    struct context context = {.clock = &clock, .feed = feed_create(CAPACITY)};
    struct dice dice = {1};
    context.started = (struct clock_reading){.wall = 1000};
    clock_init(&clock, &context.started, (const char[BOOT_ID_SIZE]){0}, NULL, TIME_NEVER);
    struct stream_texts *texts = stream_texts_create(&context);
    uint64_t newest = 0, places[6] = {1, 1, 1, 1, 1, 1};
    for (int step = 0; step < 200000; step++) {
        const struct feed_item *item;
        if (dice_chance(&dice, 20))
            append(context.feed, ++newest);
        uint64_t *place = &places[dice_below(&dice, COUNT_OF(places))];
        if (dice_chance(&dice, 1))
            *place = 1 + dice_below(&dice, newest + 2);
        enum texts_result result = stream_texts_find(texts, *place, &item);
        if (*place > newest) {
            assert_int_equal(result, TEXTS_NONE);
        } else if (result == TEXTS_FOUND) { /* perhaps from before it was overtaken */
            check_found(texts, &context, *place, item, &dice);
            ++*place;
        } else {
            assert_int_equal(result, TEXTS_OVERTAKEN);
            assert_true(*place + CAPACITY <= newest);
            *place = newest;
        }
    }
    assert_true(newest > 4 * CAPACITY);
    stream_texts_destroy(texts);
    feed_destroy(context.feed);
}

static void what_the_store_knows_is_shown(void **state)
{
    struct clock clock;
    struct context context = {
        .clock = &clock, .feed = feed_create(16), .store = store_memory_create(10)};
    struct incident opened = {
        .service = "push", .started_at = 1, .raised_at = 7, .missed_count = 3};
    struct incident closed = opened;
    const struct feed_item *item;
    size_t length;
    clock_init(&clock, &context.started, (const char[BOOT_ID_SIZE]){0}, NULL, TIME_NEVER);
    opened.acknowledged_at = closed.ended_at = TIME_NEVER;
    store_put(context.store, &opened);
    closed.end = INCIDENT_RECOVERED;
    closed.raised_at = 0; /* the engine's is only about right */
    closed.ended_at = 9;
    store_put(context.store, &closed);
    feed_incident(context.feed, &closed);

    struct stream_texts *texts = stream_texts_create(&context);
    assert_int_equal(stream_texts_find(texts, 1, &item), TEXTS_FOUND);
    const char *text = stream_texts_of(texts, 1, &length);
    assert_non_null(memmem(text, length, "\"raised_at\":\"1970-01-01T00:00:00.000007Z\"", 40));
    assert_non_null(memmem(text, length, "event: recovery\n", 16));
    stream_texts_destroy(texts);
    store_destroy(context.store);
    feed_destroy(context.feed);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_item_at_any_time),
        cmocka_unit_test(what_the_store_knows_is_shown),
    };
    return cmocka_run_group_tests_name("stream_texts", tests, NULL, NULL);
}
