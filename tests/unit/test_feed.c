/*
 * test_feed.c - the feed: against a plain array, at its bounds, and with many readers at once.
 */
#include "feed.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "live_support.h"

/* What the item NUMBER of a test is. */
static struct status_change numbered(uint64_t number)
{
    struct status_change change = {
        .from = (enum service_status)(number % SERVICE_STATUS_COUNT),
        .to = SERVICE_NONE,
        .at = (int64_t)(number * 1000),
    };
    snprintf(change.service, sizeof(change.service), "service-%llu", (unsigned long long)number);
    return change;
}

/* Whether ITEM is what was appended as its number; no other thread may fail a test. */
static bool is_numbered(const struct feed_item *item, uint64_t number)
{
    struct status_change change = numbered(number);
    return item->number == number && item->type == FEED_STATUS &&
           memcmp(&item->change, &change, sizeof(change)) == 0;
}

static void append(struct feed *feed, uint64_t number)
{
    struct status_change change = numbered(number);
    feed_status(feed, &change);
}

/* ---- What an item is ---- */

static void each_type_comes_out_as_it_went_in(void **state)
{
    struct feed *feed = feed_create(8);
    struct incident incident = {.service = "push", .started_at = 5, .ended_at = TIME_NEVER};
    struct incident recovered = incident, deleted = incident;
    struct gap gap = {.from = 1, .to = 2, .reason = GAP_SUSPEND};
    struct feed_item items[8];
    uint64_t next = feed_next(feed);
    size_t count;
    recovered.end = INCIDENT_RECOVERED;
    deleted.end = INCIDENT_DELETED;
    assert_int_equal(next, 1);
    feed_incident(feed, &incident);
    feed_incident(feed, &recovered);
    feed_incident(feed, &deleted);
    append(feed, 4);
    feed_gap(feed, &gap);

    assert_true(feed_read(feed, &next, items, COUNT_OF(items), &count));
    assert_int_equal(count, 5);
    assert_int_equal(next, 6);
    assert_int_equal(items[0].type, FEED_ALERT);
    assert_int_equal(items[1].type, FEED_RECOVERY);
    assert_int_equal(items[2].type, FEED_CLOSED);
    assert_memory_equal(&items[0].incident, &incident, sizeof(incident));
    assert_memory_equal(&items[1].incident, &recovered, sizeof(incident));
    assert_memory_equal(&items[2].incident, &deleted, sizeof(incident));
    assert_true(is_numbered(&items[3], 4));
    assert_int_equal(items[4].type, FEED_GAP);
    assert_memory_equal(&items[4].gap, &gap, sizeof(gap));
    feed_destroy(feed);
}

/* ---- Against a plain array: of item number n it is known what it is ---- */

static void check_read(struct feed *feed, uint64_t newest, size_t capacity, struct dice *dice)
{
    struct feed_item items[40];
    uint64_t begin = (uint64_t)dice_between(dice, 1, (int64_t)newest + 3), next = begin;
    size_t max = dice_below(dice, COUNT_OF(items)), count = 99;
    bool there = begin <= newest + 1 && begin + capacity > newest;
    assert_int_equal(feed_read(feed, &next, items, max, &count), there);
    if (!there) {
        assert_int_equal(next, begin);
        return;
    }
    uint64_t expected = newest + 1 - begin;
    assert_int_equal(count, expected < max ? expected : max);
    assert_int_equal(next, begin + count);
    for (size_t i = 0; i < count; i++)
        assert_true(is_numbered(&items[i], begin + i));
}

static void any_number_is_read_or_refused(void **state)
{
    static const size_t capacities[] = {1, 2, 8, 64};
    for (size_t c = 0; c < COUNT_OF(capacities); c++) {
        struct dice dice = {c + 1};
        struct feed *feed = feed_create(capacities[c]);
        for (uint64_t newest = 0; newest < 300; newest++) {
            assert_int_equal(feed_next(feed), newest + 1);
            for (int i = 0; i < 20; i++)
                check_read(feed, newest, capacities[c], &dice);
            append(feed, newest + 1);
        }
        feed_destroy(feed);
    }
}

/* ---- Waiting ---- */

static void count_wake(void *context)
{
    ++*(int *)context;
}

static void whoever_waits_is_woken_once(void **state)
{
    struct feed *feed = feed_create(8);
    int woken[3] = {0};
    struct feed_waiter waiters[3];
    for (size_t i = 0; i < COUNT_OF(waiters); i++)
        waiters[i] = (struct feed_waiter){.wake = count_wake, .context = &woken[i]};
    append(feed, 1);
    assert_int_equal(woken[0], 0); /* who does not wait is not woken */

    feed_wait(feed, &waiters[0], 1); /* it is there */
    assert_int_equal(woken[0], 1);
    for (size_t i = 0; i < COUNT_OF(waiters); i++)
        feed_wait(feed, &waiters[i], 2);
    feed_wait(feed, &waiters[0], 2); /* again changes nothing */
    feed_leave(feed, &waiters[1]);
    feed_leave(feed, &waiters[1]);
    append(feed, 2);
    append(feed, 3);
    assert_int_equal(woken[0], 2);
    assert_int_equal(woken[1], 0);
    assert_int_equal(woken[2], 1);

    feed_wait(feed, &waiters[1], 4);
    append(feed, 4);
    assert_int_equal(woken[0], 2);
    assert_int_equal(woken[1], 1);
    feed_leave(feed, &waiters[1]);
    feed_destroy(feed);
}

/* ---- Many at once ---- */

#define APPENDED 200000
#define READERS  3

struct reader {
    struct feed *feed;
    pthread_t thread;
    struct feed_waiter waiter;
    _Atomic int woken;
    size_t pause; /* it reads as many items, and then lets others run */
    uint64_t read, overtaken, wrong;
};

static void wake(void *context)
{
    struct reader *reader = context;
    atomic_fetch_add(&reader->woken, 1);
}

static void wait_for_more(struct reader *reader, uint64_t next)
{
    int before = atomic_load(&reader->woken);
    feed_wait(reader->feed, &reader->waiter, next);
    while (atomic_load(&reader->woken) == before)
        sched_yield();
}

static void *follow(void *argument)
{
    struct reader *reader = argument;
    struct feed_item items[16];
    size_t count;
    for (uint64_t next = 1; next <= APPENDED;) {
        uint64_t first = next;
        if (!feed_read(reader->feed, &next, items, COUNT_OF(items), &count)) {
            uint64_t now = feed_next(reader->feed);
            reader->overtaken += now - next;
            next = now;
            continue;
        }
        for (size_t i = 0; i < count; i++)
            reader->wrong += !is_numbered(&items[i], first + i);
        reader->read += count;
        if (count == 0)
            wait_for_more(reader, next);
        else if (reader->pause > 0 && next % reader->pause < COUNT_OF(items))
            sched_yield();
    }
    feed_leave(reader->feed, &reader->waiter);
    return NULL;
}

static void readers_get_each_item_or_are_told(void **state)
{
    struct feed *feed = feed_create(256);
    struct reader readers[READERS];
    for (size_t i = 0; i < READERS; i++) {
        readers[i] = (struct reader){.feed = feed, .pause = i * 64};
        readers[i].waiter = (struct feed_waiter){.wake = wake, .context = &readers[i]};
        assert_int_equal(pthread_create(&readers[i].thread, NULL, follow, &readers[i]), 0);
    }
    for (uint64_t number = 1; number <= APPENDED; number++) {
        append(feed, number);
        if (number % 100 == 0)
            sched_yield();
    }
    for (size_t i = 0; i < READERS; i++) {
        pthread_join(readers[i].thread, NULL);
        assert_int_equal(readers[i].wrong, 0);
        assert_int_equal(readers[i].read + readers[i].overtaken, APPENDED);
    }
    feed_destroy(feed);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_comes_out_as_it_went_in),
        cmocka_unit_test(any_number_is_read_or_refused),
        cmocka_unit_test(whoever_waits_is_woken_once),
        cmocka_unit_test(readers_get_each_item_or_are_told),
    };
    return cmocka_run_group_tests_name("feed", tests, NULL, NULL);
}
