/*
 * test_engine_list.c - many services: filters, orders and pages, beside a plain array that is
 * looked through and sorted anew each time.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "live_support.h"

#define SERVICES 300
#define MANY     3000
#define PAGE_MAX 40

static struct den den;
static struct registry *registry;
static struct engine *engine;
static struct service_view all[SERVICES]; /* as engine_find shows them */
static size_t count;
static int64_t now;

static struct name name_at(size_t i)
{
    char text[KAIROS_SERVICE_SIZE];
    snprintf(text, sizeof(text), "%s-%zu%s", i % 3 == 0 ? "backup" : "mail", i * 7919 % 1000,
             i % 5 == 0 ? "-with-a-long-name-of-two-slots" : "");
    return name_of(text);
}

static int create_for(size_t services)
{
    struct engine_options options = engine_options_default();
    struct failure failure;
    den_init(&den);
    now = BEGIN;
    options.max_services = services;
    registry = den_open(&den, 2 * services);
    engine = engine_create(registry, &options, BEGIN, &failure);
    assert_non_null(engine);
    return 0;
}

static int create(void **state)
{
    return create_for(SERVICES);
}

static int create_many(void **state)
{
    return create_for(MANY);
}

static int destroy(void **state)
{
    engine_destroy(engine);
    registry_close(registry);
    den_finish(&den);
    return 0;
}

/* Does something to the service number I. */
static void touch(struct dice *dice, size_t i)
{
    static const char *const tags[] = {"prod", "test", "team-x,prod", "team-x,test", "a,b,c", ""};
    struct name name = name_at(i);
    struct service_view view;
    struct service_change change = {.create = dice_chance(dice, 70), .has_tags = true};
    now += dice_between(dice, 0, 3) * KAIROS_SECOND;
    switch (dice_below(dice, 10)) {
    case 0:
        engine_delete(engine, name.text, name.length, now);
        break;
    case 1:
        engine_pause(engine, name.text, name.length, dice_chance(dice, 70), now, &view);
        break;
    case 2:
        engine_ping(engine, name.text, name.length, ENGINE_FAIL, now);
        break;
    case 3:
    case 4:
    case 5: {
        const char *text = tags[dice_below(dice, COUNT_OF(tags))];
        tags_add_all(&change.label.tags, text, strlen(text));
        engine_change(engine, name.text, name.length, &change, now, &view);
        break;
    }
    default:
        engine_ping(engine, name.text, name.length, ENGINE_HEARTBEAT, now);
        break;
    }
}

static void look(void)
{
    count = 0;
    for (size_t i = 0; i < SERVICES; i++) {
        struct name name = name_at(i);
        count += engine_find(engine, name.text, name.length, now, &all[count]) == ENGINE_OK;
    }
}

static struct engine_filter random_filter(struct dice *dice)
{
    static const char *const searches[] = {"", "", "mail", "ail-1", "long", "7", "zzz", "-"};
    static const char *const tags[] = {"", "", "prod", "team-x", "team-x,prod", "unknown"};
    const char *search = searches[dice_below(dice, COUNT_OF(searches))];
    const char *text = tags[dice_below(dice, COUNT_OF(tags))];
    struct engine_filter filter = engine_filter_all();
    if (dice_chance(dice, 50))
        filter.statuses = (unsigned)dice_below(dice, 1u << SERVICE_STATUS_COUNT);
    filter.search_length = strlen(search);
    memcpy(filter.search, search, filter.search_length);
    tags_add_all(&filter.tags, text, strlen(text));
    return filter;
}

static bool matches(const struct service_view *view, const struct engine_filter *filter)
{
    char search[KAIROS_SERVICE_SIZE] = {0};
    memcpy(search, filter->search, filter->search_length);
    return (filter->statuses >> view->status & 1) != 0 && strstr(view->name, search) != NULL &&
           tags_include(view->label.tags.text, view->label.tags.length, &filter->tags);
}

/* Where NAME is among those that match; COUNT if it is not. */
static size_t place_of(const char *name, const struct engine_filter *filter)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(all[i].name, name) == 0)
            return matches(&all[i], filter) ? i : count;
    }
    return count;
}

static void check_each_once(const size_t times[SERVICES], const struct engine_filter *filter)
{
    for (size_t i = 0; i < count; i++)
        check(times[i] == matches(&all[i], filter), "%s was listed %zu times", all[i].name,
              times[i]);
}

/* All but what lies between their members. */
static void check_same(const struct service_view *a, const struct service_view *b)
{
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->length, b->length);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->declared, b->declared);
    assert_int_equal(a->policy.interval, b->policy.interval);
    assert_int_equal(a->policy.allowed_misses, b->policy.allowed_misses);
    assert_int_equal(a->policy.tolerance, b->policy.tolerance);
    assert_int_equal(a->max_runtime, b->max_runtime);
    assert_int_equal(a->last_seen, b->last_seen);
    assert_int_equal(a->next_deadline, b->next_deadline);
    assert_int_equal(a->running_since, b->running_since);
    assert_int_equal(a->missed_count, b->missed_count);
    assert_int_equal(a->has_incident, b->has_incident);
    if (a->has_incident)
        assert_int_equal(a->incident.started_at, b->incident.started_at);
    assert_true(label_equal(&a->label, &b->label));
}

static void check_list(struct dice *dice, const struct engine_filter *filter)
{
    struct service_view views[PAGE_MAX];
    struct service_name names[PAGE_MAX];
    size_t max = 1 + dice_below(dice, PAGE_MAX), times[SERVICES] = {0}, names_times[SERVICES] = {0};
    uint64_t cursor = 0, names_cursor = 0;
    do {
        size_t found = engine_list(engine, filter, now, &cursor, views, max);
        assert_int_equal(engine_names(engine, filter, &names_cursor, names, max), found);
        assert_int_equal(names_cursor, cursor);
        for (size_t k = 0; k < found; k++) {
            size_t i = place_of(views[k].name, filter);
            assert_true(i < count);
            check_same(&views[k], &all[i]);
            assert_string_equal(names[k].text, views[k].name);
            times[i]++;
            names_times[i]++;
        }
    } while (cursor != 0);
    check_each_once(times, filter);
    check_each_once(names_times, filter);
}

/* ---- Orders ---- */

static const struct selection *sorted_by;

static int compare(const void *left, const void *right)
{
    const struct service_view *a = left, *b = right;
    int order = 0;
    if (sorted_by->order == ENGINE_BY_LAST_SEEN)
        order = (a->last_seen > b->last_seen) - (a->last_seen < b->last_seen);
    order = order != 0 ? order : strcmp(a->name, b->name);
    return sorted_by->descending ? -order : order;
}

/* The next page of SELECTION. */
static void select_page(const struct engine_filter *filter, struct selection *selection)
{
    selection->count = 0;
    selection->slot = 0;
    while (engine_select(engine, filter, selection))
        ;
    if (selection->count > 0)
        selection->after = selection->keys[selection->count - 1];
    selection->has_after |= selection->count > 0;
}

static void check_order(struct dice *dice, const struct engine_filter *filter)
{
    struct engine_key keys[PAGE_MAX];
    struct selection selection = {
        .order = dice_chance(dice, 50) ? ENGINE_BY_NAME : ENGINE_BY_LAST_SEEN,
        .descending = dice_chance(dice, 50),
        .keys = keys,
        .max = 1 + dice_below(dice, PAGE_MAX),
    };
    size_t i = 0;
    sorted_by = &selection;
    qsort(all, count, sizeof(all[0]), compare);
    do {
        select_page(filter, &selection);
        for (size_t k = 0; k < selection.count; k++) {
            while (i < count && !matches(&all[i], filter))
                i++;
            assert_true(i < count);
            assert_string_equal(keys[k].name.text, all[i].name);
            assert_int_equal(keys[k].last_seen, all[i].last_seen);
            assert_int_equal(keys[k].name.length, all[i].length);
            i++;
        }
    } while (selection.count == selection.max);
    while (i < count && !matches(&all[i], filter))
        i++;
    assert_int_equal(i, count);
}

static void an_array_agrees(void **state)
{
    struct dice dice = {21};
    for (int round = 0; round < 600; round++) {
        for (int n = 0; n < 20; n++)
            touch(&dice, dice_below(&dice, SERVICES));
        look();
        for (int n = 0; n < 3; n++) {
            struct engine_filter filter = random_filter(&dice);
            check_list(&dice, &filter);
            check_order(&dice, &filter);
        }
    }
    walk_engine(engine, TIME_NEVER);
}

/* ---- Pages while services come and go ---- */

/* Creates the services of even numbers, which stay. */
static void create_those_that_stay(void)
{
    for (size_t i = 0; i < SERVICES; i += 2) {
        struct name name = name_at(i);
        engine_ping(engine, name.text, name.length, ENGINE_HEARTBEAT, now++);
    }
    look();
}

/* Those of odd numbers come and go. */
static void come_and_go(struct dice *dice)
{
    for (int n = 0; n < 30; n++) {
        struct name name = name_at(2 * dice_below(dice, SERVICES / 2) + 1);
        if (dice_chance(dice, 50))
            engine_ping(engine, name.text, name.length, ENGINE_HEARTBEAT, now++);
        else
            engine_delete(engine, name.text, name.length, now);
    }
}

static void note(const char *name, const struct engine_filter *filter, size_t times[SERVICES])
{
    size_t i = place_of(name, filter);
    if (i < count)
        times[i]++;
}

static void who_stays_is_listed_once(void **state)
{
    struct engine_filter filter = engine_filter_all();
    struct dice dice = {22};
    create_those_that_stay();
    for (int round = 0; round < 50; round++) {
        struct service_name names[PAGE_MAX];
        size_t times[SERVICES] = {0};
        uint64_t cursor = 0;
        do {
            size_t found = engine_names(engine, &filter, &cursor, names, 7);
            for (size_t k = 0; k < found; k++)
                note(names[k].text, &filter, times);
            come_and_go(&dice);
        } while (cursor != 0);
        check_each_once(times, &filter);
    }
}

static void who_stays_is_in_one_page_of_an_order(void **state)
{
    struct engine_filter filter = engine_filter_all();
    struct dice dice = {23};
    create_those_that_stay();
    for (int round = 0; round < 40; round++) {
        struct engine_key keys[PAGE_MAX];
        struct selection selection = {.order =
                                          round % 2 == 0 ? ENGINE_BY_NAME : ENGINE_BY_LAST_SEEN,
                                      .descending = round % 4 > 1,
                                      .keys = keys,
                                      .max = 11};
        size_t times[SERVICES] = {0};
        do {
            select_page(&filter, &selection);
            for (size_t k = 0; k < selection.count; k++)
                note(keys[k].name.text, &filter, times);
            come_and_go(&dice);
        } while (selection.count == selection.max);
        check_each_once(times, &filter);
    }
}

/* ---- Bounds ---- */

static void any_cursor_is_harmless(void **state)
{
    static const uint64_t cursors[] = {1,          SEGMENT_SLOTS - 1,         SEGMENT_SLOTS,
                                       UINT32_MAX, UINT64_MAX - ENGINE_LOOKS, UINT64_MAX};
    struct engine_filter filter = engine_filter_all();
    struct service_name names[3];
    create_those_that_stay();
    for (size_t i = 0; i < COUNT_OF(cursors); i++) {
        uint64_t cursor = cursors[i];
        size_t found = engine_names(engine, &filter, &cursor, names, 3);
        assert_true(found == 0 || cursors[i] < SERVICES * 2);
        assert_true(cursor == 0 || cursor > cursors[i]);
    }
}

/* A tag that no service has, but that only reading tells from those of TAGS. */
static void set_look_alike(struct engine_filter *filter, const struct tags *tags)
{
    uint64_t signature = tags_signature(tags->text, tags->length), wanted;
    char text[TAG_MAX];
    int number = 0, length;
    do {
        length = snprintf(text, sizeof(text), "none-%d", number++);
        wanted = tags_signature(text, (size_t)length);
    } while ((wanted & signature) != wanted);
    assert_int_equal(tags_add(&filter->tags, text, (size_t)length), TAGS_OK);
}

/* Looking ends early where much has to be read, and goes on from there. */
static void check_ends_early(const struct engine_filter *filter)
{
    struct service_view view;
    struct engine_key key;
    struct selection selection = {.keys = &key, .max = 1};
    uint64_t cursor = 0;
    assert_int_equal(engine_list(engine, filter, now, &cursor, &view, 1), 0);
    assert_true(cursor > 0 && cursor < MANY);
    while (cursor != 0)
        assert_int_equal(engine_list(engine, filter, now, &cursor, &view, 1), 0);
    assert_true(engine_select(engine, filter, &selection));
    while (engine_select(engine, filter, &selection))
        ;
    assert_int_equal(selection.count, 0);
}

static void reading_is_bounded(void **state)
{
    struct engine_filter by_tag = engine_filter_all(), by_name = by_tag;
    struct service_change change = {.create = true, .has_tags = true};
    struct service_view view;
    for (int i = 0; i < TAGS_MAX; i++) {
        char text[TAG_MAX];
        int length = snprintf(text, sizeof(text), "team-%d", i);
        tags_add(&change.label.tags, text, (size_t)length);
    }
    for (size_t i = 0; i < MANY; i++) {
        struct name name = name_numbered(i, 10);
        assert_int_equal(engine_change(engine, name.text, name.length, &change, now, &view),
                         ENGINE_CREATED);
    }
    set_look_alike(&by_tag, &change.label.tags);
    check_ends_early(&by_tag);
    by_name.search_length = strlen(strcpy(by_name.search, "no-such-name"));
    check_ends_early(&by_name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_array_agrees, create, destroy),
        cmocka_unit_test_setup_teardown(who_stays_is_listed_once, create, destroy),
        cmocka_unit_test_setup_teardown(who_stays_is_in_one_page_of_an_order, create, destroy),
        cmocka_unit_test_setup_teardown(any_cursor_is_harmless, create, destroy),
        cmocka_unit_test_setup_teardown(reading_is_bounded, create_many, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
