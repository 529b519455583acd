/*
 * test_service.c - service names, and the scanner that reads them.
 */
#include <kairos/service.h>

#include <stdio.h>

#include "name.h"
#include "support.h"

static const struct {
    struct bytes text;
    const char *name; /* NULL: see the result */
    enum kairos_service_result result;
} rows[] = {
    {BYTES("push"), "push", KAIROS_SERVICE_OK},
    {BYTES("Push"), "push", KAIROS_SERVICE_OK},
    {BYTES("PUSH-2_eu"), "push-2_eu", KAIROS_SERVICE_OK},
    {BYTES("  push  "), "push", KAIROS_SERVICE_OK},
    {BYTES("\t\n\v\f\r push\r\f\v\n\t "), "push", KAIROS_SERVICE_OK},
    {BYTES("a"), "a", KAIROS_SERVICE_OK},
    {BYTES("0"), "0", KAIROS_SERVICE_OK},
    {BYTES("_"), "_", KAIROS_SERVICE_OK},
    {BYTES("-"), "-", KAIROS_SERVICE_OK},
    {BYTES("---"), "---", KAIROS_SERVICE_OK},
    {BYTES("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), "abcdefghijklmnopqrstuvwxyz", KAIROS_SERVICE_OK},
    {BYTES("abcdefghijklmnopqrstuvwxyz0123456789_-"), "abcdefghijklmnopqrstuvwxyz0123456789_-",
     KAIROS_SERVICE_OK},
    {BYTES(""), NULL, KAIROS_SERVICE_EMPTY},
    {BYTES(" "), NULL, KAIROS_SERVICE_EMPTY},
    {BYTES(" \t\n\v\f\r"), NULL, KAIROS_SERVICE_EMPTY},
    {BYTES("\0"), NULL, KAIROS_SERVICE_INVALID},
    {BYTES("push\0"), NULL, KAIROS_SERVICE_INVALID},
    {BYTES("pu\0sh"), NULL, KAIROS_SERVICE_INVALID},
    {BYTES("pu sh"), NULL, KAIROS_SERVICE_INVALID},
    {BYTES("pu\tsh"), NULL, KAIROS_SERVICE_INVALID},
    {BYTES("push.eu"), NULL, KAIROS_SERVICE_INVALID},
    {BYTES("push/eu"), NULL, KAIROS_SERVICE_INVALID},
    {BYTES("push:eu"), NULL, KAIROS_SERVICE_INVALID},
    {BYTES("push@eu"), NULL, KAIROS_SERVICE_INVALID},
    {BYTES("\"push\""), NULL, KAIROS_SERVICE_INVALID},
    {BYTES("p\xc3\xbcsh"), NULL, KAIROS_SERVICE_INVALID},
    {BYTES("\xc2\xa0push"), NULL, KAIROS_SERVICE_INVALID}, /* a no-break space is no blank */
    {BYTES("\xe2\x84\xaa"), NULL, KAIROS_SERVICE_INVALID}, /* the Kelvin sign is no k */
    {BYTES("\xc1"), NULL, KAIROS_SERVICE_INVALID},         /* an A with the top bit */
    {BYTES("\x1fpush"), NULL, KAIROS_SERVICE_INVALID},
    {BYTES("push\x7f"), NULL, KAIROS_SERVICE_INVALID},
    {BYTES("\x85push"), NULL, KAIROS_SERVICE_INVALID},
};

/* The rule, a character at a time. */
static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\v' || c == '\f' || c == '\r';
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

static enum kairos_service_result oracle_parse(const char *text, size_t length,
                                               char name[KAIROS_SERVICE_SIZE], size_t *name_length)
{
    size_t begin = 0, end = length;
    while (begin < end && is_blank(text[begin]))
        begin++;
    while (end > begin && is_blank(text[end - 1]))
        end--;
    if (begin == end)
        return KAIROS_SERVICE_EMPTY;
    if (end - begin > 100)
        return KAIROS_SERVICE_INVALID;
    for (size_t i = begin; i < end; i++) {
        if (!is_name(text[i]))
            return KAIROS_SERVICE_INVALID;
    }
    *name_length = end - begin;
    memset(name, 0, KAIROS_SERVICE_SIZE);
    for (size_t i = begin; i < end; i++) {
        bool upper = text[i] >= 'A' && text[i] <= 'Z';
        name[i - begin] = (char)(upper ? text[i] - 'A' + 'a' : text[i]);
    }
    return KAIROS_SERVICE_OK;
}

/* Compares the parser with the oracle on a text that ends at a forbidden page. */
static void compare(struct fence *fence, const char *text, size_t length)
{
    char name[KAIROS_SERVICE_SIZE], expected[KAIROS_SERVICE_SIZE];
    size_t name_length = 4711, expected_length = 4711;
    memset(name, '?', sizeof(name));
    memset(expected, '?', sizeof(expected));
    enum kairos_service_result result =
        kairos_service_parse(fence_place(fence, text, length), length, name, &name_length);
    check(result == oracle_parse(text, length, expected, &expected_length), "%s: result %d",
          shown(text, length), (int)result);
    /* Where there is no name, both stay as they were. */
    check(name_length == expected_length && memcmp(name, expected, sizeof(name)) == 0, "%s: %s",
          shown(text, length), shown(name, sizeof(name)));
}

static void accepted_and_rejected_names(void **state)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char name[KAIROS_SERVICE_SIZE];
        size_t length = 0;
        const struct bytes *text = &rows[i].text;
        check(kairos_service_parse(text->text, text->length, name, &length) == rows[i].result, "%s",
              shown(text->text, text->length));
        if (rows[i].name != NULL) {
            assert_string_equal(name, rows[i].name);
            assert_int_equal(length, strlen(rows[i].name));
        }
    }
}

static void every_byte_at_every_position(void **state)
{
    struct fence fence;
    fence_init(&fence, 256);
    static const size_t lengths[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 99, 100, 101};
    for (size_t l = 0; l < COUNT_OF(lengths); l++) {
        for (size_t at = 0; at < lengths[l]; at++) {
            char text[128];
            for (size_t i = 0; i < sizeof(text); i++)
                text[i] = "aZ9_-mB0"[i % 8];
            for (int byte = 0; byte < 256; byte++) {
                text[at] = (char)byte;
                compare(&fence, text, lengths[l]);
            }
        }
    }
    fence_finish(&fence);
}

static void every_length_with_and_without_blanks(void **state)
{
    struct fence fence;
    fence_init(&fence, 512);
    for (int length = 0; length <= 120; length++) {
        for (int before = 0; before <= 20; before += 5) {
            for (int after = 0; after <= 20; after += 4) {
                char text[512];
                int size = sprintf(text, "%*s%.*s%*s", before, "", length,
                                   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
                                   after, "");
                compare(&fence, text, (size_t)size);
            }
        }
    }
    fence_finish(&fence);
}

static void random_texts_agree_with_the_oracle(void **state)
{
    struct dice dice = {1};
    struct fence fence;
    fence_init(&fence, 256);
    for (int i = 0; i < 200000; i++) {
        char text[160];
        size_t length = dice_below(&dice, dice_chance(&dice, 50) ? 12 : sizeof(text));
        unsigned odd = dice_chance(&dice, 50) ? 0 : 2;
        for (size_t at = 0; at < length; at++) {
            bool edge = at < 3 || at + 3 >= length;
            text[at] = dice_chance(&dice, odd)          ? (char)dice_below(&dice, 256)
                       : edge && dice_chance(&dice, 40) ? dice_char(&dice, " \t\n\v\f\r")
                                                        : dice_char(&dice, "abzAZ059_-");
        }
        compare(&fence, text, length);
    }
    fence_finish(&fence);
}

/* The scanner copies up to the first byte that no name has, and pads with NULs to a whole word. */
static void the_scanner_stops_at_the_first_other_byte(void **state)
{
    struct fence fence;
    fence_init(&fence, KAIROS_SERVICE_SIZE);
    for (size_t stop = 0; stop <= KAIROS_SERVICE_SIZE; stop++) {
        for (int byte = 0; byte < 256; byte++) {
            if (is_name((char)byte))
                continue;
            char text[KAIROS_SERVICE_SIZE], name[KAIROS_SERVICE_SIZE];
            memset(text, 'Q', sizeof(text));
            memset(name, '?', sizeof(name));
            if (stop < sizeof(text))
                text[stop] = (char)byte;
            size_t count = name_scan(fence_place(&fence, text, sizeof(text)), name);
            check(count == stop, "byte %d at %zu: %zu", byte, stop, count);
            for (size_t i = 0; i < stop; i++)
                assert_int_equal(name[i], 'q');
            for (size_t i = stop; i < KAIROS_SERVICE_SIZE && i < (stop / WORD_SIZE + 1) * WORD_SIZE;
                 i++)
                assert_int_equal(name[i], '\0');
        }
    }
    fence_finish(&fence);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted_and_rejected_names),
        cmocka_unit_test(every_byte_at_every_position),
        cmocka_unit_test(every_length_with_and_without_blanks),
        cmocka_unit_test(random_texts_agree_with_the_oracle),
        cmocka_unit_test(the_scanner_stops_at_the_first_other_byte),
    };
    return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
