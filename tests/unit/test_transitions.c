/*
 * test_transitions.c - where what happens in the engine goes.
 */
#include "transitions.h"

#include <stdio.h>
#include <stdlib.h>

#include "support.h"

static struct incident numbered(int64_t raised_at)
{
    struct incident incident = {.started_at = raised_at - 1, .raised_at = raised_at};
    snprintf(incident.service, sizeof(incident.service), "s%lld", (long long)raised_at);
    return incident;
}

/* What was found open comes into the store in order of its raising; the newest stay. */
static void found_at_the_start(void **state)
{
    static const size_t capacities[] = {1, 7, 500, 5000};
    for (size_t c = 0; c < COUNT_OF(capacities); c++) {
        size_t kept = capacities[c];
        struct transitions transitions;
        struct store *store = store_memory_create(kept);
        transitions_init(&transitions, store, kept, NULL, NULL, NULL); /* nothing is told */
        struct engine_listener listener = transitions_listener(&transitions);
        for (int64_t i = 0; i < 3000; i++) {
            struct incident incident = numbered(1 + i * 1009 % 3000);
            listener.opened(listener.context, &incident);
        }
        assert_int_equal(transitions_begin(&transitions), 3000);

        struct store_query query = store_query_default();
        struct incident incident;
        int64_t expected = 3000;
        size_t count = 0;
        do {
            if (store_list(store, &query, &incident, 1) == 0)
                continue;
            assert_int_equal(incident.raised_at, expected--);
            count++;
        } while (query.cursor != 0);
        assert_int_equal(count, kept < 3000 ? kept : 3000);
        transitions_finish(&transitions);
        store_destroy(store);
    }
}

static void nothing_was_found(void **state)
{
    struct transitions transitions;
    struct store *store = store_memory_create(10);
    transitions_init(&transitions, store, 10, NULL, NULL, NULL);
    assert_int_equal(transitions_begin(&transitions), 0);
    transitions_finish(&transitions);
    store_destroy(store);
}

/* Fails unless the feed has all that happened later, in its order. */
static void check_feed(struct feed *feed)
{
    static const enum feed_type expected[] = {FEED_ALERT, FEED_STATUS, FEED_CLOSED, FEED_GAP};
    struct feed_item items[10];
    uint64_t next = 1;
    size_t count;
    assert_true(feed_read(feed, &next, items, COUNT_OF(items), &count));
    assert_int_equal(count, COUNT_OF(expected));
    for (size_t i = 0; i < count; i++)
        assert_int_equal(items[i].type, expected[i]);
    assert_string_equal(items[0].incident.service, "s2");
    assert_string_equal(items[1].change.service, "s2");
    assert_int_equal(items[2].incident.end, INCIDENT_DELETED);
    assert_int_equal(items[3].gap.to, 2);
}

static void outputs_go_with_their_services(void **state)
{
    struct transitions transitions;
    struct output output = {.service = "s1", .length = 4, .text = "said"};
    struct outputs *outputs = outputs_create(sizeof(output));
    struct feed *feed = feed_create(16);
    transitions_init(&transitions, NULL, 10, NULL, feed, outputs);
    struct engine_listener listener = transitions_listener(&transitions);
    assert_true(outputs_keep(outputs, &output));

    struct status_change change = {.service = "s1", .from = SERVICE_UP, .to = SERVICE_DOWN};
    listener.changed(listener.context, &change);
    assert_true(outputs_find(outputs, "s1", &output));
    change = (struct status_change){.service = "s1", .from = SERVICE_DOWN, .to = SERVICE_NONE};
    listener.changed(listener.context, &change);
    assert_false(outputs_find(outputs, "s1", &output));
    feed_destroy(feed);
    outputs_destroy(outputs);
}

static void what_happens_later_is_stored_and_told(void **state)
{
    struct log log = {.level = LOG_INFO};
    struct clock clock;
    struct failure failure;
    struct transitions transitions;
    char *text;
    size_t size;
    const struct clock_reading reading = {.wall = 0, .boottime = 0, .monotonic = 0};
    clock_init(&clock, &reading, (const char[BOOT_ID_SIZE]){0}, NULL, TIME_NEVER);
    log.stream = open_memstream(&text, &size);
    struct journal *journal = journal_create(&log, &clock, &failure);
    struct store *store = store_memory_create(10);
    struct feed *feed = feed_create(16);
    transitions_init(&transitions, store, 10, journal, feed, NULL);
    struct engine_listener listener = transitions_listener(&transitions);
    struct incident incident = numbered(1), found;
    listener.opened(listener.context, &incident);
    transitions_begin(&transitions);

    struct incident later = numbered(2);
    listener.opened(listener.context, &later);
    const struct status_change change = {.service = "s2", .from = SERVICE_LATE, .to = SERVICE_DOWN};
    listener.changed(listener.context, &change);
    incident.end = INCIDENT_DELETED;
    listener.closed(listener.context, &incident);
    const struct gap gap = {.from = 1, .to = 2};
    listener.gap(listener.context, &gap);
    journal_destroy(journal);
    fclose(log.stream);

    assert_true(store_find(store, "s1", 0, &found));
    assert_int_equal(found.end, INCIDENT_DELETED);
    assert_true(store_find(store, "s2", 1, &found));
    assert_null(strstr(text, "alert service=s1"));
    assert_non_null(strstr(text, "alert service=s2"));
    assert_non_null(strstr(text, "closed service=s1"));
    assert_non_null(strstr(text, "gap from="));
    check_feed(feed);
    free(text);
    feed_destroy(feed);
    store_destroy(store);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_at_the_start),
        cmocka_unit_test(nothing_was_found),
        cmocka_unit_test(what_happens_later_is_stored_and_told),
        cmocka_unit_test(outputs_go_with_their_services),
    };
    return cmocka_run_group_tests_name("transitions", tests, NULL, NULL);
}
