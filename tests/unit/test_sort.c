/*
 * test_sort.c - sorting, against qsort.
 */
#include "sort.h"

#include <stdlib.h>

#include "support.h"

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* A shape fills COUNT values. */
typedef void shape(struct dice *dice, int64_t *values, size_t count);

static void any_values(struct dice *dice, int64_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (int64_t)dice_roll(dice);
}

static void around_zero(struct dice *dice, int64_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = dice_between(dice, -1000, 1000);
}

static void few_distinct(struct dice *dice, int64_t *values, size_t count)
{
    int64_t some[] = {(int64_t)dice_roll(dice), 0, -1, (int64_t)dice_roll(dice)};
    for (size_t i = 0; i < count; i++)
        values[i] = some[dice_below(dice, COUNT_OF(some))];
}

static void all_equal(struct dice *dice, int64_t *values, size_t count)
{
    int64_t value = (int64_t)dice_roll(dice);
    for (size_t i = 0; i < count; i++)
        values[i] = value;
}

static void extremes(struct dice *dice, int64_t *values, size_t count)
{
    static const int64_t ends[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    for (size_t i = 0; i < count; i++)
        values[i] = ends[dice_below(dice, COUNT_OF(ends))];
}

static void ordered(struct dice *dice, int64_t *values, size_t count)
{
    int64_t value = dice_between(dice, -1000000, 1000000);
    for (size_t i = 0; i < count; i++)
        values[i] = value += dice_between(dice, 0, 100000);
}

static void reversed(struct dice *dice, int64_t *values, size_t count)
{
    int64_t value = dice_between(dice, -1000000, 1000000);
    for (size_t i = 0; i < count; i++)
        values[i] = value -= dice_between(dice, 0, 100000);
}

static void nearly_ordered(struct dice *dice, int64_t *values, size_t count)
{
    ordered(dice, values, count);
    for (size_t i = 0; i < count / 20 + 1 && count > 0; i++)
        values[dice_below(dice, count)] = dice_between(dice, -1000000, 1000000000);
}

static void organ_pipe(struct dice *dice, int64_t *values, size_t count)
{
    int64_t step = dice_between(dice, -1000, 1000);
    for (size_t i = 0; i < count; i++)
        values[i] = step * (int64_t)(i < count / 2 ? i : count - i);
}

/* Only some bits differ, wherever they stand. */
static void some_bits(struct dice *dice, int64_t *values, size_t count)
{
    uint64_t fixed = dice_roll(dice), mask = dice_roll(dice) & dice_roll(dice) & dice_roll(dice);
    for (size_t i = 0; i < count; i++)
        values[i] = (int64_t)(fixed ^ (dice_roll(dice) & mask));
}

/* A crowd, and a stranger far away that takes up the first bits that differ. */
static void crowd_and_stranger(struct dice *dice, int64_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = dice_between(dice, 0, 50);
    if (count > 0)
        values[dice_below(dice, count)] = (int64_t)(dice_roll(dice) >> dice_below(dice, 64));
}

static shape *const shapes[] = {
    any_values, around_zero,    few_distinct, all_equal, extremes,           ordered,
    reversed,   nearly_ordered, organ_pipe,   some_bits, crowd_and_stranger,
};

static void sort_and_compare(struct dice *dice, size_t which, int64_t *values, int64_t *expected,
                             size_t count)
{
    shapes[which](dice, values, count);
    memcpy(expected, values, count * sizeof(values[0]));
    qsort(expected, count, sizeof(expected[0]), compare);
    sort_int64(values, count);
    check(memcmp(values, expected, count * sizeof(values[0])) == 0, "shape %zu, %zu values", which,
          count);
}

static void every_shape_at_every_size(void **state)
{
    struct dice dice = {1};
    int64_t *values = test_malloc(2000 * sizeof(values[0]));
    int64_t *expected = test_malloc(2000 * sizeof(expected[0]));
    for (size_t which = 0; which < COUNT_OF(shapes); which++) {
        for (size_t count = 0; count <= 2000; count += count < 300 ? 1 : 17)
            sort_and_compare(&dice, which, values, expected, count);
    }
    test_free(values);
    test_free(expected);
}

static void large_arrays(void **state)
{
    struct dice dice = {2};
    const size_t count = 300000;
    int64_t *values = malloc(count * sizeof(values[0]));
    int64_t *expected = malloc(count * sizeof(expected[0]));
    assert_true(values != NULL && expected != NULL);
    for (size_t which = 0; which < COUNT_OF(shapes); which++)
        sort_and_compare(&dice, which, values, expected, count);
    free(values);
    free(expected);
}

static void no_values_at_all(void **state)
{
    int64_t value = 7;
    sort_int64(&value, 0);
    sort_int64(&value, 1);
    assert_int_equal(value, 7);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_at_every_size),
        cmocka_unit_test(large_arrays),
        cmocka_unit_test(no_values_at_all),
    };
    return cmocka_run_group_tests_name("sort", tests, NULL, NULL);
}
