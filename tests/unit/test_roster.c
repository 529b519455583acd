/*
 * test_roster.c - services by name, in order of their first appearance.
 */
#include "roster.h"

#include <stdlib.h>

#include "support.h"
#include "words.h"

/* A name as the roster takes it: padded with NULs to whole words. */
struct name {
    char text[KAIROS_SERVICE_SIZE];
    size_t length;
};

static struct name name_of(const char *text)
{
    struct name name = {.length = strlen(text)};
    memcpy(name.text, text, name.length);
    return name;
}

static struct name numbered(const char *prefix, size_t number)
{
    struct text text = {0};
    text_print(&text, "%s%zu", prefix, number);
    struct name name = name_of(text.bytes);
    text_finish(&text);
    return name;
}

static struct record *intern(struct roster *roster, const struct name *name)
{
    struct record *record = roster_intern(roster, name->text, name->length,
                                          roster_hash(roster, name->text, name->length));
    assert_non_null(record);
    return record;
}

static size_t place_of(const struct roster *roster, const struct record *record)
{
    return (size_t)((const char *)record - roster->records);
}

/* What holds of every roster. */
static void walk(const struct roster *roster)
{
    size_t position = 0, services = 0, slots = 0, end = 0;
    for (struct record *record; (record = roster_next(roster, &position)) != NULL;) {
        assert_int_equal(place_of(roster, record), end);
        assert_int_equal(end % RECORD_UNIT, 0);
        assert_int_equal(strlen(record->name), record->length);
        for (size_t i = record->length; i < (record->length / WORD_SIZE + 1) * WORD_SIZE; i++)
            assert_int_equal(record->name[i], '\0');
        end += (size_t)record->size * RECORD_UNIT;
        services++;
    }
    for (size_t i = 0; i <= roster->mask; i++)
        slots += roster->slots[i].reference != 0;
    assert_int_equal(services, roster->services);
    assert_int_equal(slots, roster->services);
    assert_int_equal(end, roster->used);
    assert_true(roster->used <= roster->capacity);
    assert_int_equal(roster->mask & (roster->mask + 1), 0);
    assert_true(slots <= (roster->mask + 1) / 4 * 3);
}

static void an_empty_roster(void **state)
{
    struct roster roster;
    size_t position = 0;
    assert_true(roster_init(&roster, 1));
    assert_null(roster_next(&roster, &position));
    walk(&roster);
    roster_finish(&roster);
    assert_null(roster.records);
}

static void a_name_is_entered_once(void **state)
{
    struct roster roster;
    struct name name = name_of("push");
    assert_true(roster_init(&roster, 1));
    struct record *record = intern(&roster, &name);
    assert_string_equal(record->name, "push");
    assert_int_equal(record->length, 4);
    assert_true(record->timeline.first > record->timeline.last);
    for (int i = 0; i < 10; i++)
        assert_ptr_equal(intern(&roster, &name), record);
    assert_int_equal(roster.services, 1);
    walk(&roster);
    roster_finish(&roster);
}

/* Records move when their block grows, but their places in it do not; and what they hold stays. */
static void a_hundred_thousand_names(void **state)
{
    const size_t count = 100000;
    struct dice dice = {1};
    struct roster roster;
    size_t *places = calloc(count, sizeof(places[0])); /* and 1, by number; 0 if not entered */
    size_t *appearance = malloc(count * sizeof(appearance[0]));
    size_t appeared = 0;
    assert_true(places != NULL && appearance != NULL && roster_init(&roster, 1));
    for (size_t i = 0; i < 6 * count; i++) {
        size_t number = i < 5 * count ? dice_below(&dice, count) : i - 5 * count;
        struct name name = numbered(number % 3 == 0 ? "svc-" : "a-rather-long-prefix-", number);
        struct record *record = intern(&roster, &name);
        if (places[number] == 0) {
            places[number] = place_of(&roster, record) + 1;
            appearance[appeared++] = number;
            assert_true(kairos_timeline_add(&record->timeline, 1, (int64_t)number));
        }
        check(place_of(&roster, record) == places[number] - 1 &&
                  record->timeline.first == (int64_t)number && strcmp(record->name, name.text) == 0,
              "%s", name.text);
    }
    assert_int_equal(appeared, count);
    assert_int_equal(roster.services, count);

    size_t position = 0;
    for (size_t i = 0; i < count; i++)
        assert_int_equal(roster_next(&roster, &position)->timeline.first, appearance[i]);
    assert_null(roster_next(&roster, &position));
    walk(&roster);
    roster_finish(&roster);
    free(places);
    free(appearance);
}

/* "a", "aa", … and the same with another last letter: each differs from the others by length or
 * by one byte, in the first word or the last. */
static void names_that_begin_alike(void **state)
{
    struct roster roster;
    assert_true(roster_init(&roster, 1));
    for (int again = 0; again < 2; again++) {
        for (size_t length = 1; length <= KAIROS_SERVICE_MAX; length++) {
            struct name name = {.length = length};
            memset(name.text, 'a', length);
            for (size_t at = 0; at < length; at++) {
                name.text[at] = 'b';
                struct record *record = intern(&roster, &name);
                assert_string_equal(record->name, name.text);
                name.text[at] = 'a';
            }
            assert_string_equal(intern(&roster, &name)->name, name.text);
        }
        walk(&roster);
        /* For each length: a 'b' in each place, and none. */
        assert_int_equal(roster.services, 100 * 101 / 2 + 100);
    }
    roster_finish(&roster);
}

/* Names are told apart by themselves and never by their hashes. */
static void names_with_one_hash(void **state)
{
    static const uint64_t hashes[] = {0, UINT64_MAX, UINT64_C(0x123456789abcdef0)};
    for (size_t h = 0; h < COUNT_OF(hashes); h++) {
        struct roster roster;
        assert_true(roster_init(&roster, 1));
        for (size_t i = 0; i < 4000; i++) {
            struct name name = numbered("svc-", i % 2000);
            /* Hashes whose lower halves are the same, or close to one another. */
            uint64_t hash = hashes[h] + (i % 2000 % 2) + ((uint64_t)(i % 2000) << 32);
            struct record *record = roster_intern(&roster, name.text, name.length, hash);
            assert_non_null(record);
            assert_string_equal(record->name, name.text);
        }
        assert_int_equal(roster.services, 2000);
        walk(&roster);
        roster_finish(&roster);
    }
}

/* Also where one is the beginning of the other, to a whole word. */
static void names_that_begin_alike_with_one_hash(void **state)
{
    struct roster roster;
    assert_true(roster_init(&roster, 1));
    for (int again = 0; again < 2; again++) {
        for (size_t length = KAIROS_SERVICE_MAX; length > 0; length--) {
            struct name name = {.length = length};
            memset(name.text, 'a', length);
            struct record *record = roster_intern(&roster, name.text, length, 7);
            assert_non_null(record);
            assert_string_equal(record->name, name.text);
        }
        assert_int_equal(roster.services, KAIROS_SERVICE_MAX);
    }
    walk(&roster);
    roster_finish(&roster);
}

/* A name is read in whole words and no further. */
static void reads_whole_words_of_a_name(void **state)
{
    struct roster roster;
    struct fence fence;
    fence_init(&fence, KAIROS_SERVICE_SIZE);
    assert_true(roster_init(&roster, 1));
    for (int again = 0; again < 2; again++) {
        for (size_t length = 1; length <= KAIROS_SERVICE_MAX; length++) {
            char text[KAIROS_SERVICE_SIZE] = {0};
            memset(text, 'x', length);
            size_t padded = (length + WORD_SIZE - 1) / WORD_SIZE * WORD_SIZE;
            const char *placed = fence_place(&fence, text, padded);
            uint64_t hash = roster_hash(&roster, placed, length);
            roster_prefetch(&roster, hash);
            assert_string_equal(roster_intern(&roster, placed, length, hash)->name, text);
        }
    }
    assert_int_equal(roster.services, KAIROS_SERVICE_MAX);
    roster_finish(&roster);
    fence_finish(&fence);
}

/* Another seed is another hash, and the same roster. */
static void the_seed_changes_hashes_alone(void **state)
{
    static const uint64_t seeds[] = {0, 1, UINT64_MAX};
    struct roster rosters[COUNT_OF(seeds)];
    for (size_t r = 0; r < COUNT_OF(seeds); r++) {
        assert_true(roster_init(&rosters[r], seeds[r]));
        for (size_t i = 0; i < 5000; i++) {
            struct name name = numbered("svc-", i * 7919 % 2500);
            struct record *record = intern(&rosters[r], &name);
            assert_string_equal(record->name, name.text);
            assert_int_equal(place_of(&rosters[r], record),
                             place_of(&rosters[0], intern(&rosters[0], &name)));
        }
        assert_int_equal(rosters[r].services, 2500);
        walk(&rosters[r]);
        if (r > 0)
            assert_int_not_equal(roster_hash(&rosters[r], "svc-1", 5),
                                 roster_hash(&rosters[0], "svc-1", 5));
    }
    for (size_t r = 0; r < COUNT_OF(seeds); r++)
        roster_finish(&rosters[r]);
}

static void finishing_frees_the_timelines(void **state)
{
    struct roster roster;
    assert_true(roster_init(&roster, 1));
    for (size_t i = 0; i < 100; i++) {
        struct name name = numbered("svc-", i);
        struct record *record = intern(&roster, &name);
        for (int64_t time = 0; time < 100; time++)
            assert_true(kairos_timeline_add(&record->timeline, 1, time * 10));
        assert_true(kairos_timeline_memory(&record->timeline) > 0);
    }
    roster_finish(&roster);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_roster),
        cmocka_unit_test(a_name_is_entered_once),
        cmocka_unit_test(a_hundred_thousand_names),
        cmocka_unit_test(names_that_begin_alike),
        cmocka_unit_test(names_with_one_hash),
        cmocka_unit_test(names_that_begin_alike_with_one_hash),
        cmocka_unit_test(reads_whole_words_of_a_name),
        cmocka_unit_test(the_seed_changes_hashes_alone),
        cmocka_unit_test(finishing_frees_the_timelines),
    };
    return cmocka_run_group_tests_name("roster", tests, NULL, NULL);
}
