/*
 * test_capture.c - what is kept of a string is as good as the whole of it.
 */
#include "capture.h"

#include <kairos/timestamp.h>

#include "support.h"

/* Hands TEXT over in random pieces. */
static void fill(struct dice *dice, struct capture *capture, enum capture_kind kind,
                 const char *text, size_t length)
{
    memset(capture, '?', sizeof(*capture));
    capture_begin(capture, kind);
    for (size_t at = 0, size; at < length; at += size) {
        size = 1 + dice_below(dice, length - at);
        capture_bytes(capture, text + at, size);
    }
}

static void keys_are_kept_to_the_letter(void **state)
{
    struct dice dice = {1};
    struct capture key;
    fill(&dice, &key, CAPTURE_KEY, "service", 7);
    assert_true(capture_is(&key, "service"));
    assert_false(capture_is(&key, "servic"));
    assert_false(capture_is(&key, "services"));
    assert_false(capture_is(&key, "Service"));
    assert_false(capture_is(&key, ""));
    assert_false(key.cut);

    fill(&dice, &key, CAPTURE_KEY, "service\0", 8);
    assert_false(capture_is(&key, "service"));
    fill(&dice, &key, CAPTURE_KEY, " service ", 9);
    assert_false(capture_is(&key, "service"));
    fill(&dice, &key, CAPTURE_KEY, "", 0);
    assert_true(capture_is(&key, ""));
    assert_false(capture_is(&key, "service"));
}

static void long_keys_are_cut(void **state)
{
    struct dice dice = {2};
    char text[300];
    memset(text, 'k', sizeof(text));
    for (size_t length = 0; length < sizeof(text); length++) {
        struct capture key;
        fill(&dice, &key, CAPTURE_KEY, text, length);
        size_t kept = length < KAIROS_SERVICE_SIZE ? length : KAIROS_SERVICE_SIZE;
        assert_int_equal(key.length, kept);
        assert_int_equal(key.cut, length > kept);
        assert_memory_equal(key.text, text, kept);
    }
}

/* Whether a captured service says the same as the whole text. */
static void compare_service(struct dice *dice, const char *text, size_t length)
{
    struct capture capture;
    char name[KAIROS_SERVICE_SIZE], expected[KAIROS_SERVICE_SIZE];
    size_t name_length = 0, expected_length = 0;
    fill(dice, &capture, CAPTURE_SERVICE, text, length);
    enum kairos_service_result result =
        capture.cut ? KAIROS_SERVICE_INVALID
                    : kairos_service_parse(capture.text, capture.length, name, &name_length);
    check(result == kairos_service_parse(text, length, expected, &expected_length), "%s: %d",
          shown(text, length), (int)result);
    assert_int_equal(name_length, expected_length);
    if (result == KAIROS_SERVICE_OK)
        assert_memory_equal(name, expected, sizeof(name));
    assert_int_equal(capture.length == 0 && !capture.cut, result == KAIROS_SERVICE_EMPTY);
}

static void a_captured_service_says_what_the_string_did(void **state)
{
    struct dice dice = {3};
    for (int i = 0; i < 100000; i++) {
        char text[400];
        size_t length = dice_below(&dice, dice_chance(&dice, 70) ? 20 : sizeof(text));
        unsigned blanks = (unsigned)dice_below(&dice, 3) * 40;
        for (size_t at = 0; at < length; at++)
            text[at] = dice_chance(&dice, blanks) ? dice_char(&dice, " \t\n\v\f\r")
                                                  : dice_char(&dice, "abYZ-_09");
        if (length > 0 && dice_chance(&dice, 10))
            text[dice_below(&dice, length)] = (char)dice_below(&dice, 256);
        compare_service(&dice, text, length);
    }
}

/* Any number of blanks, however long, costs nothing. */
static void blanks_around_a_service_take_no_room(void **state)
{
    struct capture capture;
    capture_begin(&capture, CAPTURE_SERVICE);
    for (int i = 0; i < 1000; i++)
        capture_bytes(&capture, " \t\n\v\f\r", 6);
    assert_int_equal(capture.length, 0);
    capture_bytes(&capture, "Push", 4);
    for (int i = 0; i < 1000; i++)
        capture_bytes(&capture, " \t\n\v\f\r", 6);
    assert_int_equal(capture.length, 4);
    assert_false(capture.cut);
    assert_memory_equal(capture.text, "Push", 4);
    capture_bytes(&capture, "x", 1);
    assert_int_equal(capture.length, 6);
    assert_memory_equal(capture.text, "Push x", 6);
}

static void services_of_every_length(void **state)
{
    struct dice dice = {4};
    char text[400];
    for (size_t length = 0; length < 120; length++) {
        memset(text, ' ', sizeof(text));
        memset(text + 110, 'a', length);
        compare_service(&dice, text + 110, length);
        compare_service(&dice, text, 110 + length + 110);
    }
}

static void compare_timestamp(struct dice *dice, const char *text, size_t length)
{
    struct capture capture;
    int64_t time = 0, expected = 0;
    fill(dice, &capture, CAPTURE_TIMESTAMP, text, length);
    bool valid = !capture.cut && kairos_timestamp_parse(capture.text, capture.length, &time);
    check(valid == kairos_timestamp_parse(text, length, &expected) && time == expected,
          "%s is kept as %s", shown(text, length), shown(capture.text, capture.length));
    assert_int_equal(capture.length == 0, length == 0);
}

static void a_captured_timestamp_says_what_the_string_did(void **state)
{
    struct dice dice = {5};
    struct text text = {0};
    static const char *const heads[] = {"2025-08-04T10:05:00", "2025-08-04T10:05", "2025-08-04",
                                        "2025-08-04T10:05:00Z", ""};
    static const char *const tails[] = {"",   "Z", "+05:30", "-23:59",      ".",
                                        ".5", "x", " ",      "Z.1234567890"};
    for (int i = 0; i < 50000; i++) {
        text.length = 0;
        text_print(&text, "%s", heads[dice_below(&dice, COUNT_OF(heads))]);
        if (dice_chance(&dice, 80)) {
            size_t digits = dice_below(&dice, dice_chance(&dice, 50) ? 14 : 300);
            text_print(&text, ".");
            for (size_t d = 0; d < digits; d++)
                text_print(&text, "%c", dice_char(&dice, "0123456789"));
        }
        text_print(&text, "%s", tails[dice_below(&dice, COUNT_OF(tails))]);
        if (text.length > 0 && dice_chance(&dice, 20))
            text.bytes[dice_below(&dice, text.length)] = dice_char(&dice, ".-:TZ+ 059x");
        compare_timestamp(&dice, text.bytes, text.length);
    }
    text_finish(&text);
}

static void a_fraction_of_any_length_fits(void **state)
{
    struct capture capture;
    int64_t time;
    capture_begin(&capture, CAPTURE_TIMESTAMP);
    capture_bytes(&capture, "2025-08-04T10:05:07.123456", 26);
    for (int i = 0; i < 1000; i++)
        capture_bytes(&capture, "9876543210", 10);
    capture_bytes(&capture, "+05:30", 6);
    assert_false(capture.cut);
    assert_true(kairos_timestamp_parse(capture.text, capture.length, &time));
    assert_int_equal(time, INT64_C(1754301907123456) - 330 * KAIROS_MINUTE);
}

static void too_long_a_timestamp_is_cut(void **state)
{
    struct capture capture;
    capture_begin(&capture, CAPTURE_TIMESTAMP);
    for (int i = 0; i < 1000; i++)
        capture_bytes(&capture, "2025-08-04", 10);
    assert_true(capture.cut);
    assert_int_equal(capture.length, KAIROS_SERVICE_SIZE);
}

/* Every code of an escape, as UTF-8; a surrogate is no character and stands as U+FFFD. */
static void escapes_become_utf8(void **state)
{
    for (unsigned code = 0; code <= 0xffff; code++) {
        unsigned point = code >= 0xd800 && code <= 0xdfff ? 0xfffd : code;
        unsigned char expected[3] = {(unsigned char)point};
        size_t length = 1;
        if (point >= 0x800) {
            expected[0] = (unsigned char)(0xe0 + point / 4096);
            expected[1] = (unsigned char)(0x80 + point / 64 % 64);
            expected[2] = (unsigned char)(0x80 + point % 64);
            length = 3;
        } else if (point >= 0x80) {
            expected[0] = (unsigned char)(0xc0 + point / 64);
            expected[1] = (unsigned char)(0x80 + point % 64);
            length = 2;
        }
        struct capture capture;
        capture_begin(&capture, CAPTURE_KEY);
        capture_code(&capture, code);
        assert_int_equal(capture.length, length);
        assert_memory_equal(capture.text, expected, length);
    }
}

/* An escaped blank is a blank, an escaped digit a digit. */
static void escapes_count_as_what_they_stand_for(void **state)
{
    struct capture capture;
    capture_begin(&capture, CAPTURE_SERVICE);
    capture_code(&capture, ' ');
    capture_code(&capture, 'P');
    capture_code(&capture, '\t');
    assert_int_equal(capture.length, 1);
    assert_int_equal(capture.text[0], 'P');

    capture_begin(&capture, CAPTURE_TIMESTAMP);
    capture_bytes(&capture, "2025-08-04T10:05:07", 19);
    capture_code(&capture, '.');
    for (int i = 0; i < 1000; i++)
        capture_code(&capture, '1');
    int64_t time;
    assert_true(kairos_timestamp_parse(capture.text, capture.length, &time));
    assert_int_equal(time, INT64_C(1754301907111111));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_kept_to_the_letter),
        cmocka_unit_test(long_keys_are_cut),
        cmocka_unit_test(a_captured_service_says_what_the_string_did),
        cmocka_unit_test(blanks_around_a_service_take_no_room),
        cmocka_unit_test(services_of_every_length),
        cmocka_unit_test(a_captured_timestamp_says_what_the_string_did),
        cmocka_unit_test(a_fraction_of_any_length_fits),
        cmocka_unit_test(too_long_a_timestamp_is_cut),
        cmocka_unit_test(escapes_become_utf8),
        cmocka_unit_test(escapes_count_as_what_they_stand_for),
    };
    return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
