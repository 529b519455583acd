/*
 * test_store.c - incidents in memory: the newest are kept, found by key, and listed in pages.
 */
#include "store.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "support.h"

static struct incident incident_of(const char *service, int64_t started_at)
{
    struct incident incident = {
        .started_at = started_at,
        .raised_at = started_at + 1,
        .last_seen = started_at - 1,
        .ended_at = TIME_NEVER,
        .acknowledged_at = TIME_NEVER,
        .alert_count = 1,
    };
    memcpy(incident.service, service, strlen(service));
    return incident;
}

static struct incident closed(struct incident incident, int64_t ended_at)
{
    incident.end = INCIDENT_RECOVERED;
    incident.ended_at = ended_at;
    return incident;
}

static void put(struct store *store, struct incident incident)
{
    assert_true(store_put(store, &incident));
}

/* Lists all that QUERY asks for, STEP at a time; returns how many there are, CAPACITY at most. */
static size_t list_all(struct store *store, struct store_query query, size_t step,
                       struct incident *incidents, size_t capacity)
{
    size_t count = 0;
    do {
        size_t room = capacity - count < step ? capacity - count : step;
        count += store_list(store, &query, incidents + count, room);
    } while (query.cursor != 0 && count < capacity);
    return count;
}

static void an_empty_store(void **state)
{
    struct store *store = store_memory_create(10);
    struct incident incident;
    struct store_query query = store_query_default();
    assert_int_equal(store_list(store, &query, &incident, 1), 0);
    assert_int_equal(query.cursor, 0);
    query.state = STORE_OPEN;
    assert_int_equal(store_list(store, &query, &incident, 1), 0);
    query.service = "push";
    assert_int_equal(store_list(store, &query, &incident, 1), 0);
    assert_int_equal(query.cursor, 0);
    assert_false(store_find(store, "push", 1, &incident));
    store_destroy(store);
    store_destroy(NULL);
}

static void an_incident_is_found_by_its_key(void **state)
{
    struct store *store = store_memory_create(10);
    struct incident found;
    put(store, incident_of("push", 100));
    put(store, incident_of("push", 200));
    put(store, incident_of("sms", 100));
    assert_true(store_find(store, "push", 200, &found));
    assert_string_equal(found.service, "push");
    assert_int_equal(found.started_at, 200);
    assert_true(store_find(store, "sms", 100, &found));
    assert_string_equal(found.service, "sms");
    assert_false(store_find(store, "sms", 200, &found));
    assert_false(store_find(store, "pus", 100, &found));
    store_destroy(store);
}

static void putting_again_tells_what_has_become_of_it(void **state)
{
    struct store *store = store_memory_create(10);
    struct incident found, incident = incident_of("push", 100);
    put(store, incident);
    put(store, incident);
    incident.alert_count = 7;
    incident.missed_count = 99; /* what it began with was told first */
    incident.last_seen = 5;
    incident.raised_at = 6;
    put(store, closed(incident, 300));
    assert_true(store_find(store, "push", 100, &found));
    assert_int_equal(found.end, INCIDENT_RECOVERED);
    assert_int_equal(found.ended_at, 300);
    assert_int_equal(found.alert_count, 7);
    assert_int_equal(found.missed_count, 0);
    assert_int_equal(found.last_seen, 99);
    assert_int_equal(found.raised_at, 101);

    put(store, incident); /* told late: it stays closed */
    assert_true(store_find(store, "push", 100, &found));
    assert_int_equal(found.end, INCIDENT_RECOVERED);
    struct store_query query = store_query_default();
    assert_int_equal(list_all(store, query, 4, &found, 1), 1);
    query.state = STORE_OPEN;
    assert_int_equal(list_all(store, query, 4, &found, 1), 0);
    store_destroy(store);
}

static void the_first_acknowledgement_stays(void **state)
{
    (void)state;
    struct store *store = store_memory_create(10);
    struct incident found, incident = incident_of("push", 100);
    assert_false(store_acknowledge(store, "push", 100, 150, &found));
    put(store, incident);
    assert_true(store_acknowledge(store, "push", 100, 150, &found));
    assert_int_equal(found.acknowledged_at, 150);
    assert_true(store_acknowledge(store, "push", 100, 160, &found));
    assert_int_equal(found.acknowledged_at, 150);

    put(store, closed(incident, 300));
    assert_true(store_find(store, "push", 100, &found));
    assert_int_equal(found.acknowledged_at, 150);

    put(store, closed(incident_of("sms", 100), 300)); /* too late */
    assert_true(store_acknowledge(store, "sms", 100, 310, &found));
    assert_int_equal(found.end, INCIDENT_RECOVERED);
    assert_true(found.acknowledged_at == TIME_NEVER);
    store_destroy(store);
}

static void one_that_was_open_when_the_page_ended_may_have_closed(void **state)
{
    struct store *store = store_memory_create(100);
    struct incident found[10];
    for (int64_t i = 1; i <= 6; i++)
        put(store, incident_of("push", i * 10));
    put(store, closed(incident_of("push", 50), 55));
    struct store_query query = store_query_default();
    query.state = STORE_OPEN;
    assert_int_equal(store_list(store, &query, found, 2), 2);
    assert_int_equal(found[0].started_at, 60);
    assert_int_equal(found[1].started_at, 40);
    put(store, closed(incident_of("push", 30), 35)); /* where the next page begins */
    assert_int_equal(store_list(store, &query, found, 10), 2);
    assert_int_equal(found[0].started_at, 20);
    assert_int_equal(found[1].started_at, 10);
    assert_int_equal(query.cursor, 0);
    store_destroy(store);
}

static void any_cursor_is_harmless(void **state)
{
    static const uint64_t cursors[] = {1, 2, 3, 4, 5, 1000, UINT64_MAX};
    struct store *store = store_memory_create(3);
    struct incident found[10];
    for (int64_t i = 1; i <= 4; i++)
        put(store, incident_of("push", i * 10));
    for (size_t i = 0; i < COUNT_OF(cursors); i++) {
        for (int s = STORE_ANY; s <= STORE_CLOSED; s++) {
            struct store_query query = store_query_default();
            query.cursor = cursors[i];
            query.state = (enum store_state)s;
            assert_true(store_list(store, &query, found, 10) <= 3);
            query.cursor = cursors[i];
            query.service = "sms";
            assert_int_equal(store_list(store, &query, found, 10), 0);
        }
    }
    store_destroy(store);
}

/* A page that matches nothing ends early, and can be gone on with. */
static void a_call_looks_at_a_bounded_number(void **state)
{
    struct store *store = store_memory_create(100000);
    struct incident found[10];
    put(store, incident_of("needle", 1));
    for (int64_t i = 2; i <= 50000; i++)
        put(store, closed(incident_of("hay", i), i));
    struct store_query query = store_query_default();
    query.to = 2;
    size_t calls = 0, count = 0;
    do {
        count += store_list(store, &query, found, 10);
        calls++;
    } while (query.cursor != 0);
    assert_int_equal(count, 1);
    assert_string_equal(found[0].service, "needle");
    assert_true(calls > 1 && calls < 50);

    query = store_query_default();
    query.service = "needle";
    assert_int_equal(store_list(store, &query, found, 10), 1);
    query = store_query_default();
    query.state = STORE_OPEN;
    assert_int_equal(store_list(store, &query, found, 10), 1);
    store_destroy(store);
}

/* ---- Against a plain array ---- */

struct model {
    struct incident *incidents; /* as they came */
    size_t count;
};

static void model_put(struct model *model, const struct incident *incident)
{
    for (size_t i = 0; i < model->count; i++) {
        struct incident *kept = &model->incidents[i];
        if (kept->started_at == incident->started_at &&
            strcmp(kept->service, incident->service) == 0) {
            if (kept->end == INCIDENT_OPEN)
                *kept = *incident;
            return;
        }
    }
    model->incidents[model->count++] = *incident;
}

static bool model_matches(const struct store_query *query, const struct incident *incident)
{
    bool open = incident->end == INCIDENT_OPEN;
    return (query->state == STORE_ANY || open == (query->state == STORE_OPEN)) &&
           (query->service == NULL || strcmp(query->service, incident->service) == 0) &&
           incident->started_at >= query->from && incident->started_at < query->to;
}

static void compare(struct store *store, const struct model *model, size_t capacity,
                    struct store_query query, size_t step, struct incident *found)
{
    size_t count = list_all(store, query, step, found, 1000), at = 0;
    size_t oldest = model->count > capacity ? model->count - capacity : 0;
    for (size_t i = model->count; i > oldest; i--) {
        const struct incident *expected = &model->incidents[i - 1];
        if (!model_matches(&query, expected))
            continue;
        assert_true(at < count);
        assert_string_equal(found[at].service, expected->service);
        assert_int_equal(found[at].started_at, expected->started_at);
        assert_int_equal(found[at].end, expected->end);
        at++;
    }
    assert_int_equal(at, count);
}

static void random_incidents(void **state)
{
    static const char *const services[] = {"a", "b", "push", "sms", "email"};
    static const size_t capacities[] = {1, 2, 7, 64, 500};
    struct incident *found = calloc(1000, sizeof(found[0]));
    for (size_t c = 0; c < COUNT_OF(capacities); c++) {
        struct dice dice = {c + 1};
        struct model model = {.incidents = calloc(2000, sizeof(model.incidents[0]))};
        struct store *store = store_memory_create(capacities[c]);
        for (int step = 0; step < 2000; step++) {
            struct incident incident =
                incident_of(services[dice_below(&dice, COUNT_OF(services))], 0);
            incident.started_at = dice_between(&dice, step / 4 - 20, step / 4 + 20);
            if (dice_chance(&dice, 40))
                incident = closed(incident, step);
            size_t oldest = model.count > capacities[c] ? model.count - capacities[c] : 0;
            bool known = false;
            for (size_t i = 0; i < oldest; i++)
                known |= model.incidents[i].started_at == incident.started_at &&
                         strcmp(model.incidents[i].service, incident.service) == 0;
            if (known) /* it has left the store, and would come in once more */
                continue;
            put(store, incident);
            model_put(&model, &incident);
            if (step % 50 != 0)
                continue;
            struct store_query query = store_query_default();
            query.state = (enum store_state)dice_below(&dice, 3);
            if (dice_chance(&dice, 50))
                query.service = services[dice_below(&dice, COUNT_OF(services))];
            if (dice_chance(&dice, 50))
                query.from = step / 4 - 30;
            if (dice_chance(&dice, 50))
                query.to = step / 4;
            compare(store, &model, capacities[c], query, 1 + dice_below(&dice, 9), found);
        }
        store_destroy(store);
        free(model.incidents);
    }
    free(found);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_store),
        cmocka_unit_test(an_incident_is_found_by_its_key),
        cmocka_unit_test(putting_again_tells_what_has_become_of_it),
        cmocka_unit_test(the_first_acknowledgement_stays),
        cmocka_unit_test(one_that_was_open_when_the_page_ended_may_have_closed),
        cmocka_unit_test(any_cursor_is_harmless),
        cmocka_unit_test(a_call_looks_at_a_bounded_number),
        cmocka_unit_test(random_incidents),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
