/*
 * test_labels.c - tags and descriptions by slot, beside an array of labels.
 */
#include "labels.h"

#include <stdio.h>
#include <stdlib.h>

#include "support.h"

#define SLOTS 500

static struct label label_of(const char *tags, const char *description)
{
    struct label label = {.length = (uint16_t)strlen(description)};
    assert_int_equal(tags_add_all(&label.tags, tags, strlen(tags)), TAGS_OK);
    memcpy(label.description, description, label.length);
    return label;
}

static void assert_label(const struct labels *labels, uint32_t slot, const struct label *expected)
{
    struct label found;
    labels_get(labels, slot, &found);
    assert_true(label_equal(&found, expected));
    assert_int_equal(found.tags.count, expected->tags.count);
    assert_int_equal(found.description[found.length], '\0');
    assert_int_equal(found.tags.text[found.tags.length], '\0');
    assert_int_equal(labels_has(labels, slot), !label_is_empty(expected));
}

static void nothing_is_touched_without_labels(void **state)
{
    static const struct label none;
    struct labels labels;
    struct tags wanted = label_of("prod", "").tags, all = {0};
    labels_init(&labels, UINT32_MAX);
    assert_label(&labels, 7, &none);
    assert_true(labels_set(&labels, 7, &none));
    labels_clear(&labels, 7);
    assert_false(labels_may_have_tags(&labels, 7, tags_signature("prod", 4)));
    assert_true(labels_may_have_tags(&labels, 7, 0));
    assert_false(labels_have_tags(&labels, 7, &wanted));
    assert_true(labels_have_tags(&labels, 7, &all));
    assert_null(labels.signatures);
    assert_null(labels.texts);
    labels_finish(&labels);
    labels_finish(&labels);
}

/* Texts that were chosen to meet in one table do not meet in another. */
static void tables_differ(void **state)
{
    struct labels a, b;
    labels_init(&a, SLOTS);
    labels_init(&b, SLOTS);
    assert_int_not_equal(a.seed, b.seed);
    labels_finish(&a);
    labels_finish(&b);
}

static void what_is_a_description(void **state)
{
    char text[DESCRIPTION_MAX + 1];
    memset(text, 'x', sizeof(text));
    assert_true(description_is_valid("", 0));
    assert_true(description_is_valid(text, DESCRIPTION_MAX));
    assert_false(description_is_valid(text, DESCRIPTION_MAX + 1));
    assert_true(description_is_valid("\xc3\xa4\n\t\xf0\x9f\x9a\xa8", 8));
    assert_false(description_is_valid("a\0b", 3));
    assert_false(description_is_valid("\xc3", 1));
    assert_false(description_is_valid("\xed\xa0\x80", 3)); /* half of a surrogate pair */
    assert_false(description_is_valid("\xff", 1));
}

static struct label random_label(struct dice *dice)
{
    char tags[40] = "", description[40] = "";
    size_t kind = dice_below(dice, 6);
    if (kind >= 1)
        snprintf(tags, sizeof(tags), "t%zu,u%zu", dice_below(dice, 4), dice_below(dice, 400));
    if (kind >= 3)
        snprintf(description, sizeof(description), "number %zu", dice_below(dice, 3000));
    if (kind == 5)
        tags[0] = '\0';
    return label_of(tags, description);
}

static void check_all(const struct labels *labels, const struct label *expected)
{
    struct tags wanted = label_of("t1", "").tags;
    uint64_t signature = tags_signature("t1", 2);
    uint32_t labelled = 0;
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        const struct tags *tags = &expected[slot].tags;
        assert_label(labels, slot, &expected[slot]);
        labelled += !label_is_empty(&expected[slot]);
        bool included = tags_include(tags->text, tags->length, &wanted);
        assert_int_equal(labels_have_tags(labels, slot, &wanted), included);
        assert_true(labels_may_have_tags(labels, slot, signature) || !included);
    }
    assert_int_equal(labels->labelled, labelled);
}

static void an_array_agrees(void **state)
{
    struct label *expected = calloc(SLOTS, sizeof(expected[0]));
    struct labels labels;
    struct dice dice = {3};
    assert_non_null(expected);
    labels_init(&labels, SLOTS);
    for (int round = 0; round < 30000; round++) {
        uint32_t slot = (uint32_t)dice_below(&dice, SLOTS);
        if (dice_chance(&dice, 20)) {
            labels_clear(&labels, slot);
            expected[slot] = (struct label){0};
        } else {
            expected[slot] = random_label(&dice);
            assert_true(labels_set(&labels, slot, &expected[slot]));
        }
        if (round % 1000 == 0)
            check_all(&labels, expected);
    }
    check_all(&labels, expected);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        labels_clear(&labels, slot);
        expected[slot] = (struct label){0};
    }
    check_all(&labels, expected);
    labels_finish(&labels);
    free(expected);
}

static void the_longest_label(void **state)
{
    struct labels labels;
    struct label label = {.length = DESCRIPTION_MAX};
    labels_init(&labels, 10);
    memset(label.description, 'd', DESCRIPTION_MAX);
    for (int i = 0; i < TAGS_MAX; i++) {
        char tag[TAG_MAX + 1];
        snprintf(tag, sizeof(tag), "%050d", i);
        assert_int_equal(tags_add(&label.tags, tag, TAG_MAX), TAGS_OK);
    }
    assert_true(labels_set(&labels, 9, &label));
    assert_true(labels_set(&labels, 9, &label)); /* once more the same */
    assert_label(&labels, 9, &label);
    labels_finish(&labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_touched_without_labels),
        cmocka_unit_test(tables_differ),
        cmocka_unit_test(what_is_a_description),
        cmocka_unit_test(an_array_agrees),
        cmocka_unit_test(the_longest_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
