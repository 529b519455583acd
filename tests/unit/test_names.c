/*
 * test_names.c - many names in order, beside an array that is sorted as a whole.
 */
#include "names.h"

#include <stdio.h>
#include <stdlib.h>

#include "support.h"

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct service_name *)a)->text, ((const struct service_name *)b)->text);
}

static struct service_name random_name(struct dice *dice)
{
    struct service_name name = {
        .length = (uint8_t)(1 + dice_below(dice, dice_chance(dice, 5) ? KAIROS_SERVICE_MAX : 4))};
    for (size_t i = 0; i < name.length; i++)
        name.text[i] = dice_char(dice, "ab1-");
    return name;
}

static void an_array_agrees(void **state)
{
    struct dice dice = {8};
    for (int round = 0; round < 300; round++) {
        struct service_name all[600], name;
        size_t count = dice_below(&dice, COUNT_OF(all));
        struct names *names = names_create();
        assert_non_null(names);
        for (size_t i = 0; i < count; i++)
            all[i] = random_name(&dice);
        for (size_t i = 0, size; i < count; i += size) {
            struct service_name piece[70];
            size = dice_below(&dice, COUNT_OF(piece));
            size = size < count - i ? size : count - i;
            memcpy(piece, all + i, size * sizeof(piece[0]));
            assert_true(names_add(names, piece, size));
        }
        qsort(all, count, sizeof(all[0]), compare);
        for (size_t i = 0; i < count; i++) {
            if (i > 0 && compare(&all[i], &all[i - 1]) == 0)
                continue; /* each once */
            assert_true(names_next(names, &name));
            assert_memory_equal(&name, &all[i], sizeof(name));
        }
        assert_false(names_next(names, &name));
        assert_false(names_next(names, &name));
        names_destroy(names);
    }
    names_destroy(NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_array_agrees),
    };
    return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
