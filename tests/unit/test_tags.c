/*
 * test_tags.c - sets of tags, beside a plain list of them.
 */
#include "tags.h"

#include <stdio.h>
#include <stdlib.h>

#include "support.h"

static struct tags tags_of(const char *text)
{
    struct tags tags = {0};
    assert_int_equal(tags_add_all(&tags, text, strlen(text)), TAGS_OK);
    return tags;
}

static void a_set_is_sorted_and_without_doubles(void **state)
{
    static const struct {
        const char *given, *text;
        size_t count;
    } rows[] = {
        {"", "", 0},           {"a", "a", 1},
        {"b,a", "a,b", 2},     {"a,b", "a,b", 2},
        {"b,a,b,A", "a,b", 2}, {"PROD,Team-X", "prod,team-x", 2},
        {"ab,a", "a,ab", 2},   {"a-b,a,a.b,a:b,a_b", "a,a-b,a.b,a:b,a_b", 5},
        {"c,a,b", "a,b,c", 3}, {"9,0:1", "0:1,9", 2},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct tags tags = tags_of(rows[i].given);
        assert_string_equal(tags.text, rows[i].text);
        assert_int_equal(tags.count, rows[i].count);
        assert_int_equal(tags.length, strlen(rows[i].text));
    }
}

static void what_is_no_tag(void **state)
{
    static const char *const rows[] = {",",   "a,",   ",a",  "a,,b", " ",   "a b", "\xc3\xa4",
                                       "a/b", "a\nb", "a;b", "a+b",  "{x}", "\"",  "*"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct tags tags = {0};
        check(tags_add_all(&tags, rows[i], strlen(rows[i])) == TAGS_INVALID, "'%s'", rows[i]);
    }
    struct tags tags = {0};
    assert_int_equal(tags_add(&tags, "a\0b", 3), TAGS_INVALID);
    assert_int_equal(tags_add(&tags, "a,b", 3), TAGS_INVALID);
    assert_int_equal(tags_add(&tags, "", 0), TAGS_INVALID);
    assert_int_equal(tags.count, 0);
}

static void bounds(void **state)
{
    char longest[TAG_MAX + 2];
    struct tags tags = {0};
    memset(longest, 'x', sizeof(longest));
    assert_int_equal(tags_add(&tags, longest, TAG_MAX + 1), TAGS_INVALID);
    assert_int_equal(tags_add(&tags, longest, TAG_MAX), TAGS_OK);
    for (int i = 1; i < TAGS_MAX; i++) {
        snprintf(longest, sizeof(longest), "%050d", i);
        assert_int_equal(tags_add(&tags, longest, TAG_MAX), TAGS_OK);
    }
    assert_int_equal(tags.count, TAGS_MAX);
    assert_int_equal(tags.length, TAGS_TEXT_MAX);
    assert_int_equal(tags.text[TAGS_TEXT_MAX], '\0');
    assert_int_equal(tags_add(&tags, "y", 1), TAGS_TOO_MANY);
    assert_int_equal(tags_add(&tags, longest, TAG_MAX), TAGS_OK); /* it is there */
    assert_int_equal(tags.count, TAGS_MAX);
}

static void a_set_includes_another(void **state)
{
    static const struct {
        const char *set, *wanted;
        bool included;
    } rows[] = {
        {"", "", true},          {"a", "", true},        {"", "a", false},
        {"a", "a", true},        {"ab", "a", false},     {"a", "ab", false},
        {"a,b,c", "b", true},    {"a,b,c", "c,a", true}, {"a,b,c", "d", false},
        {"a,b,c", "a,d", false}, {"b,c", "a", false},    {"a,ab", "ab", true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct tags set = tags_of(rows[i].set), wanted = tags_of(rows[i].wanted);
        check(tags_include(set.text, set.length, &wanted) == rows[i].included, "%s in %s",
              rows[i].wanted, rows[i].set);
    }
}

/* Random sets of a few letters, as masks. */
static void masks_agree(void **state)
{
    struct dice dice = {5};
    for (int round = 0; round < 20000; round++) {
        struct tags sets[2] = {{0}};
        unsigned masks[2] = {0};
        for (size_t s = 0; s < 2; s++) {
            for (size_t n = dice_below(&dice, 10); n > 0; n--) {
                char tag[3] = {0};
                size_t letter = dice_below(&dice, 8);
                tag[0] = (char)('a' + letter / 2);
                tag[1] = letter % 2 == 0 ? '\0' : 'x'; /* one begins another */
                assert_int_equal(tags_add(&sets[s], tag, strlen(tag)), TAGS_OK);
                masks[s] |= 1u << letter;
            }
        }
        bool included = (masks[0] & masks[1]) == masks[1];
        uint64_t a = tags_signature(sets[0].text, sets[0].length);
        uint64_t b = tags_signature(sets[1].text, sets[1].length);
        assert_int_equal(sets[0].count, __builtin_popcount(masks[0]));
        assert_int_equal(tags_include(sets[0].text, sets[0].length, &sets[1]), included);
        assert_int_equal(tags_equal(&sets[0], &sets[1]), masks[0] == masks[1]);
        assert_true(!included || (a & b) == b);
        assert_int_equal(a == 0, masks[0] == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_is_sorted_and_without_doubles),
        cmocka_unit_test(what_is_no_tag),
        cmocka_unit_test(bounds),
        cmocka_unit_test(a_set_includes_another),
        cmocka_unit_test(masks_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
