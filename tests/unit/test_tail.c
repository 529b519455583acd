/*
 * test_tail.c - the last bytes of something long.
 */
#include "tail.h"

#include <stdlib.h>

#include "support.h"

/* Any pieces: against all of the text, of which the end is wanted. */
static void any_pieces(void **state)
{
    static char text[5 * TAIL_MAX];
    struct dice dice = {1};
    for (int round = 0; round < 300; round++) {
        static struct tail tail;
        char copy[TAIL_MAX];
        size_t length = 0, most = dice_below(&dice, sizeof(text));
        memset(&tail, 0, sizeof(tail));
        while (length < most) {
            size_t size = dice_below(&dice, dice_chance(&dice, 50) ? 100 : 3 * TAIL_MAX);
            if (size > sizeof(text) - length)
                size = sizeof(text) - length;
            for (size_t i = length; i < length + size; i++)
                text[i] = dice_char(&dice, "abcdefgh");
            tail_add(&tail, text + length, size);
            length += size;
        }
        size_t size = length < TAIL_MAX ? length : TAIL_MAX;
        assert_int_equal(tail.total, length);
        assert_int_equal(tail_copy(&tail, copy), size);
        assert_memory_equal(copy, text + length - size, size);
    }
}

/* Of a character that was cut in front nothing is left; what is no UTF-8 stays. */
static void begins_with_a_character(void **state)
{
    static const struct {
        struct bytes unit;
        size_t cut; /* bytes that are left out */
    } rows[] = {
        {BYTES("a"), 0},
        {BYTES("\xc3\xa9"), 1},
        {BYTES("\xe2\x82\xac"), 2},
        {BYTES("\xf0\x9f\x98\x80"), 3},
        {BYTES("\x80"), 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        static struct tail tail;
        char copy[TAIL_MAX];
        const struct bytes *unit = &rows[i].unit;
        memset(&tail, 0, sizeof(tail));
        size_t units = TAIL_MAX / unit->length + 2, length = units * unit->length;
        for (size_t j = 0; j < units; j++)
            tail_add(&tail, unit->text, unit->length);
        /* Let the cut fall behind the first byte of a unit. */
        for (; unit->length > 1 && (length - TAIL_MAX) % unit->length != 1; length++)
            tail_add(&tail, "x", 1);
        size_t size = tail_copy(&tail, copy);
        check(size == TAIL_MAX - rows[i].cut, "row %zu: %zu", i, size);
        assert_memory_equal(copy, unit->text, unit->length);
    }
}

static void a_whole_text_is_not_cut(void **state)
{
    static struct tail tail;
    char copy[TAIL_MAX];
    tail_add(&tail, "\x80\x80x", 3);
    assert_int_equal(tail_copy(&tail, copy), 3);
    assert_memory_equal(copy, "\x80\x80x", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_pieces),
        cmocka_unit_test(begins_with_a_character),
        cmocka_unit_test(a_whole_text_is_not_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
