/*
 * test_percent.c - percent-encoded text.
 */
#include "percent.h"

#include "support.h"

static void what_is_decoded(void **state)
{
    static const struct {
        const char *text;
        struct bytes decoded;
    } rows[] = {
        {"", BYTES("")},
        {"push", BYTES("push")},
        {"back%2Dup", BYTES("back-up")},
        {"back%2dup", BYTES("back-up")},
        {"%20push%20", BYTES(" push ")},
        {"a+b", BYTES("a+b")},
        {"%25", BYTES("%")},
        {"%2541", BYTES("%41")}, /* once, not twice */
        {"%C3%A9", BYTES("\xc3\xa9")},
        {"%ff%01%7F", BYTES("\xff\x01\x7f")},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char decoded[64];
        size_t length;
        struct slice text = {rows[i].text, strlen(rows[i].text)};
        check(percent_decode(text, decoded, sizeof(decoded), &length) == PERCENT_OK, "%s",
              rows[i].text);
        assert_int_equal(length, rows[i].decoded.length);
        assert_memory_equal(decoded, rows[i].decoded.text, length + 1);
    }
}

static void what_is_refused(void **state)
{
    static const char *const rows[] = {"%",   "%2", "a%",  "a%4", "%zz", "%4g",
                                       "%g4", "%%", "% 1", "%-1", "%00", "a%00b"};
    struct fence fence;
    fence_init(&fence, 64);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char decoded[64];
        size_t length, size = strlen(rows[i]);
        struct slice text = {fence_place(&fence, rows[i], size), size};
        check(percent_decode(text, decoded, sizeof(decoded), &length) == PERCENT_INVALID, "%s",
              rows[i]);
    }
    fence_finish(&fence);
}

static void what_does_not_fit(void **state)
{
    struct fence fence;
    size_t length;
    fence_init(&fence, 4);
    char *room = fence.end - 4; /* three characters and the NUL */
    assert_int_equal(percent_decode((struct slice){"abc", 3}, room, 4, &length), PERCENT_OK);
    assert_int_equal(percent_decode((struct slice){"%61%62%63", 9}, room, 4, &length), PERCENT_OK);
    assert_string_equal(room, "abc");
    assert_int_equal(percent_decode((struct slice){"abcd", 4}, room, 4, &length), PERCENT_TOO_LONG);
    assert_int_equal(percent_decode((struct slice){"abc%64", 6}, room, 4, &length),
                     PERCENT_TOO_LONG);
    fence_finish(&fence);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_decoded),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(what_does_not_fit),
    };
    return cmocka_run_group_tests_name("percent", tests, NULL, NULL);
}
