/*
 * test_failure.c - failures in one printable line.
 */
#include "failure.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

#include "support.h"

static void says_what_it_was_told(void **state)
{
    struct failure failure;
    assert_false(failure_set(&failure, "cannot open %s: line %d", "a.json", 7));
    assert_string_equal(failure.text, "cannot open a.json: line 7");
    assert_false(failure_set(&failure, "%s", ""));
    assert_string_equal(failure.text, "");
}

static void what_is_not_printable_becomes_a_question_mark(void **state)
{
    static const struct {
        const char *text, *shown;
    } rows[] = {
        {"a\nb", "a?b"},
        {"\r\n\t", "???"},
        {"\x1b[31mred", "?[31mred"},
        {"a\x7f", "a?"},
        {"\x01\x1f", "??"},
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac"},
        {"\xf0\x9f\x9a\xa8!", "\xf0\x9f\x9a\xa8!"},
        {"\xff\xfe.json", "??.json"},
        {"cut\xc3", "cut?"},
        {"cut\xe6\x97", "cut??"},
        {"\xc3(", "?("},
        {"\xed\xa0\x80", "???"},         /* a surrogate */
        {"\xc2\x85", "??"},              /* a control character beyond ASCII */
        {"a\xe2\x80\xaetxt", "a???txt"}, /* writing from right to left from here on */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct failure failure;
        failure_set(&failure, "%s", rows[i].text);
        check(strcmp(failure.text, rows[i].shown) == 0, "%s: %s",
              shown(rows[i].text, strlen(rows[i].text)), shown(failure.text, strlen(failure.text)));
    }
}

/* Whatever the bytes, the line is one. */
static void any_bytes_make_one_line(void **state)
{
    struct dice dice = {1};
    for (int i = 0; i < 20000; i++) {
        char text[64] = {0};
        struct failure failure;
        for (size_t at = 0, length = dice_below(&dice, sizeof(text)); at < length; at++)
            text[at] = (char)(1 + dice_below(&dice, 255));
        failure_set(&failure, "%s", text);
        assert_int_equal(strlen(failure.text), strlen(text));
        for (const char *c = failure.text; *c != '\0'; c++)
            assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
    }
}

static void what_does_not_fit_is_cut(void **state)
{
    char text[2 * sizeof((struct failure){0}.text) + 1];
    struct failure failure;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    failure_set(&failure, "%s", text);
    assert_int_equal(strlen(failure.text), sizeof(failure.text) - 1);

    /* A character cut in two is none. */
    for (size_t i = 0; i + 1 < sizeof(text); i++)
        text[i] = i % 2 == 0 ? '\xc3' : '\xa9';
    failure_set(&failure, "%s", text);
    assert_int_equal(strlen(failure.text), sizeof(failure.text) - 1);
    assert_int_equal(failure.text[sizeof(failure.text) - 2], '?');
}

/* A reader that has gone away is told nothing. */
static void a_closed_pipe_is_a_failure_without_words(void **state)
{
    struct failure failure;
    errno = ENOSPC;
    assert_false(failure_set_write(&failure, "out.json"));
    assert_string_equal(failure.text, "cannot write out.json: No space left on device");
    errno = EPIPE;
    assert_false(failure_set_write(&failure, "standard output"));
    assert_string_equal(failure.text, "");
}

/* One line on stderr, or none where there are no words. */
static void a_failure_is_printed_if_it_has_words(void **state)
{
    char text[64] = {0};
    struct failure failure;
    FILE *scratch = tmpfile();
    int kept = dup(STDERR_FILENO);
    assert_true(scratch != NULL && kept >= 0);
    fflush(stderr);
    dup2(fileno(scratch), STDERR_FILENO);
    failure_set(&failure, "no %s", "data");
    failure_print(&failure);
    failure_set(&failure, "%s", "");
    failure_print(&failure);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(scratch);
    assert_true(fread(text, 1, sizeof(text) - 1, scratch) > 0);
    fclose(scratch);
    assert_string_equal(text, "kairos: no data\n");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_it_was_told),
        cmocka_unit_test(what_is_not_printable_becomes_a_question_mark),
        cmocka_unit_test(any_bytes_make_one_line),
        cmocka_unit_test(what_does_not_fit_is_cut),
        cmocka_unit_test(a_closed_pipe_is_a_failure_without_words),
        cmocka_unit_test(a_failure_is_printed_if_it_has_words),
    };
    if (setlocale(LC_ALL, "C.UTF-8") == NULL) {
        fputs("no locale C.UTF-8\n", stderr);
        return 1;
    }
    return cmocka_run_group_tests_name("failure", tests, NULL, NULL);
}
