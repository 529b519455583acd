/*
 * test_words.c - tests on eight bytes at a time, against one byte at a time; and the scanner for
 * plain bytes that is made of them.
 */
#include "words.h"

#include "plain.h"
#include "support.h"

/* The mask that a test on single bytes gives. */
static uint64_t mask_of(const char bytes[WORD_SIZE], unsigned char low, unsigned char high)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < WORD_SIZE; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        mask |= (uint64_t)(byte >= low && byte <= high ? 0x80 : 0) << (8 * i);
    }
    return mask;
}

static void the_lowest_address_is_the_lowest_byte(void **state)
{
    char bytes[WORD_SIZE];
    assert_int_equal(word_load("\x01\x02\x03\x04\x05\x06\x07\x08"), UINT64_C(0x0807060504030201));
    word_store(bytes, UINT64_C(0x0807060504030201));
    assert_memory_equal(bytes, "\x01\x02\x03\x04\x05\x06\x07\x08", WORD_SIZE);
    assert_int_equal(WORD_OF(0x41), UINT64_C(0x4141414141414141));
    assert_int_equal(WORD_TOPS, UINT64_C(0x8080808080808080));
}

static void masks_keep_the_lowest_bytes(void **state)
{
    static const uint64_t masks[] = {
        0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff, 0xffffffffffff, 0xffffffffffffff,
    };
    for (size_t count = 0; count < COUNT_OF(masks); count++)
        assert_int_equal(word_mask(count), masks[count]);
}

static void the_first_set_byte_is_found(void **state)
{
    for (size_t i = 0; i < WORD_SIZE; i++) {
        assert_int_equal(word_first(UINT64_C(0x80) << (8 * i)), i);
        assert_int_equal(word_first(WORD_TOPS << (8 * i)), i);
    }
}

static void bounds_hold_for_every_byte_and_every_neighbour(void **state)
{
    struct dice dice = {1};
    for (unsigned low = 0; low < 0x80; low += 1 + low % 3) {
        for (unsigned high = low; high < 0x80; high += 1 + high % 5) {
            char bytes[WORD_SIZE];
            for (unsigned byte = 0; byte < 0x80; byte++) {
                for (size_t i = 0; i < WORD_SIZE; i++)
                    bytes[i] = dice_char(&dice, "\x01\x1f\x20\x2f\x30\x39\x3a\x41\x5a\x61\x7a\x7f");
                bytes[dice_below(&dice, WORD_SIZE)] = (char)byte;
                check(word_between(word_load(bytes), (unsigned char)low, (unsigned char)high) ==
                          mask_of(bytes, (unsigned char)low, (unsigned char)high),
                      "%s between %02x and %02x", shown(bytes, WORD_SIZE), low, high);
            }
        }
    }
}

static void equality_holds_for_every_byte_and_every_neighbour(void **state)
{
    for (unsigned value = 0; value < 0x80; value++) {
        for (unsigned byte = 0; byte < 0x80; byte++) {
            char bytes[WORD_SIZE];
            for (size_t i = 0; i < WORD_SIZE; i++)
                bytes[i] = (char)(i % 2 == 0 ? byte : value);
            assert_int_equal(word_equal(word_load(bytes), (unsigned char)value),
                             mask_of(bytes, (unsigned char)value, (unsigned char)value));
        }
    }
}

static bool is_plain(char c)
{
    return c >= 0x20 && c != '"' && c != '\\'; /* bytes from 0x80 are negative */
}

/* Every byte at every place, the text ending at a forbidden page. */
static void plain_bytes_end_where_one_is_not(void **state)
{
    struct fence fence;
    fence_init(&fence, 64);
    for (size_t length = 0; length <= 25; length++) {
        for (size_t at = 0; at < length; at++) {
            for (int byte = 0; byte < 256; byte++) {
                char text[32];
                memset(text, (byte + (int)at) % 3 == 0 ? '~' : ' ', sizeof(text));
                text[at] = (char)byte;
                const char *placed = fence_place(&fence, text, length);
                size_t expected = is_plain((char)byte) ? length : at;
                check((size_t)(plain_end(placed, placed + length) - placed) == expected,
                      "%02x at %zu of %zu", (unsigned)byte, at, length);
            }
        }
        const char *placed = fence_place(&fence, "                         ", length);
        assert_ptr_equal(plain_end(placed, placed + length), placed + length);
    }
    fence_finish(&fence);
}

static void the_first_of_several_ends_plain_bytes(void **state)
{
    struct dice dice = {2};
    for (int i = 0; i < 100000; i++) {
        char text[24];
        size_t length = dice_below(&dice, sizeof(text) + 1), expected = 0;
        for (size_t at = 0; at < length; at++)
            text[at] = dice_chance(&dice, 15) ? (char)dice_below(&dice, 256) : 'x';
        while (expected < length && is_plain(text[expected]))
            expected++;
        check((size_t)(plain_end(text, text + length) - text) == expected, "%s",
              shown(text, length));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lowest_address_is_the_lowest_byte),
        cmocka_unit_test(masks_keep_the_lowest_bytes),
        cmocka_unit_test(the_first_set_byte_is_found),
        cmocka_unit_test(bounds_hold_for_every_byte_and_every_neighbour),
        cmocka_unit_test(equality_holds_for_every_byte_and_every_neighbour),
        cmocka_unit_test(plain_bytes_end_where_one_is_not),
        cmocka_unit_test(the_first_of_several_ends_plain_bytes),
    };
    return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
