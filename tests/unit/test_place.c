/*
 * test_place.c - lines and columns, against counting byte by byte.
 */
#include "place.h"

#include "support.h"

static void count(struct place *place, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        place->column++;
        if (text[i] == '\n') {
            place->line++;
            place->column = 1;
        }
    }
}

static void the_first_byte(void **state)
{
    struct place place = PLACE_FIRST;
    assert_int_equal(place.line, 1);
    assert_int_equal(place.column, 1);
    place_advance(&place, "", 0);
    place_advance(&place, NULL, 0);
    assert_int_equal(place.line, 1);
    assert_int_equal(place.column, 1);
}

static void known_places(void **state)
{
    static const struct {
        struct bytes text;
        uint64_t line, column;
    } rows[] = {
        {BYTES("a"), 1, 2},        {BYTES("abc"), 1, 4},
        {BYTES("\n"), 2, 1},       {BYTES("a\n"), 2, 1},
        {BYTES("a\nb"), 2, 2},     {BYTES("\n\n\n"), 4, 1},
        {BYTES("a\r\nb"), 2, 2},   {BYTES("a\rb"), 1, 4},
        {BYTES("\0\n\0\0"), 2, 3}, {BYTES("\xc3\xa4\xc3\xa4"), 1, 5},
        {BYTES("\t\t"), 1, 3},     {BYTES("abc\ndef\nghi"), 3, 4},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct place place = PLACE_FIRST;
        place_advance(&place, rows[i].text.text, rows[i].text.length);
        check(place.line == rows[i].line && place.column == rows[i].column, "%s: %ju, %ju",
              shown(rows[i].text.text, rows[i].text.length), (uintmax_t)place.line,
              (uintmax_t)place.column);
    }
}

/* In blocks of any size, each ending at a forbidden page. */
static void random_blocks_agree_with_counting(void **state)
{
    struct dice dice = {1};
    struct fence fence;
    struct place place = PLACE_FIRST, expected = PLACE_FIRST;
    fence_init(&fence, 5000);
    for (int i = 0; i < 5000; i++) {
        char text[5000];
        size_t size = dice_below(&dice, dice_chance(&dice, 80) ? 40 : sizeof(text));
        unsigned newlines = (unsigned)dice_below(&dice, 4) * 10;
        for (size_t at = 0; at < size; at++)
            text[at] = dice_chance(&dice, newlines) ? '\n' : (char)dice_below(&dice, 256);
        place_advance(&place, fence_place(&fence, text, size), size);
        count(&expected, text, size);
        assert_int_equal(place.line, expected.line);
        assert_int_equal(place.column, expected.column);
    }
    fence_finish(&fence);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_byte),
        cmocka_unit_test(known_places),
        cmocka_unit_test(random_blocks_agree_with_counting),
    };
    return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
