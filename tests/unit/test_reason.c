/*
 * test_reason.c - every reason and every error has its words.
 */
#include <kairos/parser.h>

#include "support.h"

static void names_of_reasons(void **state)
{
    static const char *const names[] = {
        [KAIROS_VALID] = "valid",
        [KAIROS_NOT_AN_OBJECT] = "not_an_object",
        [KAIROS_MISSING_SERVICE] = "missing_service",
        [KAIROS_MISSING_TIMESTAMP] = "missing_timestamp",
        [KAIROS_EMPTY_SERVICE] = "empty_service",
        [KAIROS_EMPTY_TIMESTAMP] = "empty_timestamp",
        [KAIROS_INVALID_SERVICE_FORMAT] = "invalid_service_format",
        [KAIROS_INVALID_TIMESTAMP_FORMAT] = "invalid_timestamp_format",
        [KAIROS_INVALID_JSON] = "invalid_json",
    };
    assert_int_equal(COUNT_OF(names), KAIROS_REASON_COUNT);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_string_equal(kairos_reason_name((enum kairos_reason)i), names[i]);
}

/* One line, and each says something else. */
static void check_words(const char *(*words)(int number), int count)
{
    for (int i = 0; i < count; i++) {
        assert_non_null(words(i));
        assert_true(strlen(words(i)) > 0);
        assert_null(strchr(words(i), '\n'));
        for (int other = 0; other < i; other++)
            assert_string_not_equal(words(i), words(other));
    }
}

static const char *reason_text(int number)
{
    return kairos_reason_text((enum kairos_reason)number);
}

static const char *error_text(int number)
{
    return kairos_parse_error_text((enum kairos_parse_error_code)number);
}

static void texts_of_reasons(void **state)
{
    check_words(reason_text, KAIROS_REASON_COUNT);
    assert_string_equal(reason_text(KAIROS_MISSING_SERVICE), "the key \"service\" is missing");
}

static void texts_of_errors(void **state)
{
    check_words(error_text, KAIROS_PARSE_NESTING + 1);
}

static void the_nesting_in_words_is_the_one_that_holds(void **state)
{
    struct text number = {0};
    text_print(&number, " %d ", KAIROS_NESTING_MAX);
    assert_non_null(strstr(error_text(KAIROS_PARSE_NESTING), number.bytes));
    text_finish(&number);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_reasons),
        cmocka_unit_test(texts_of_reasons),
        cmocka_unit_test(texts_of_errors),
        cmocka_unit_test(the_nesting_in_words_is_the_one_that_holds),
    };
    return cmocka_run_group_tests_name("reason", tests, NULL, NULL);
}
