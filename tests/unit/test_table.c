/*
 * test_table.c - columns that line up, whatever is in them.
 */
#include "table.h"

#include <locale.h>
#include <stdlib.h>
#include <wchar.h>

#include "support.h"

static const struct table_column columns[] = {
    {"NAME", true, false}, {"N", false, false}, {"TAGS", true, true}};

#define COLUMNS COUNT_OF(columns)

/* Adds ROWS and returns what is printed, to be released by free. */
static char *printed(struct table *table, const char *const (*rows)[COLUMNS], size_t count)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    for (size_t i = 0; i < count; i++)
        assert_true(table_add(table, rows[i], "\033[31m", 1));
    table_print(table, stream);
    assert_int_equal(fclose(stream), 0);
    return text;
}

static void check_printed(size_t width, const char *const (*rows)[COLUMNS], size_t count,
                          const char *expected)
{
    struct table table;
    table_init(&table, columns, COLUMNS, stdin);
    table.width = width;
    table.coloured = false;
    char *text = printed(&table, rows, count);
    assert_string_equal(text, expected);
    free(text);
    table_finish(&table);
}

static void lines_up(void **state)
{
    static const char *const rows[][COLUMNS] = {
        {"a", "1", "x"}, {"longer", "22", ""}, {"", "", ""}};
    check_printed(0, rows, 3, "NAME    N   TAGS\na       1   x\nlonger  22\n\n");
}

static void nothing_at_all(void **state)
{
    check_printed(0, NULL, 0, "");
}

static void an_empty_column_is_left_out(void **state)
{
    static const char *const rows[][COLUMNS] = {{"a", "1", ""}, {"b", "2", ""}};
    check_printed(0, rows, 2, "NAME  N\na     1\nb     2\n");
}

/* Two places for a character of the far east; what has none of its own is not printed. */
static void width_of_characters(void **state)
{
    static const char *const rows[][COLUMNS] = {
        {"日本", "1", "x"}, {"e\xcc\x81", "2", "x"}, {"12345", "3", "x"}};
    check_printed(0, rows, 3, "NAME   N  TAGS\n日本   1  x\ne?     2  x\n12345  3  x\n");
}

static void what_cannot_be_printed(void **state)
{
    static const char *const rows[][COLUMNS] = {{"a\nb", "\x1b[31m", "\xff\xc3"},
                                                {"\t\x7f", "\xe2\x80\xae", "\xc2\x9b"}};
    check_printed(0, rows, 2, "NAME  N      TAGS\na?b   ?[31m  ??\n??    ?      ?\n");
}

static void gives_way(void **state)
{
    static const char *const rows[][COLUMNS] = {
        {"abcdefghijklmnop", "1", "0123456789012345678901234"}, {"日本日本日本日本", "2", "x"}};
    check_printed(30, rows, 2,
                  "NAME          N  TAGS\n"
                  "abcdefghijk…  1  012345678901…\n"
                  "日本日本日…   2  x\n");
    check_printed(1, rows, 2, "NAME      N  TAGS\nabcdefg…  1  0123456…\n日本日…   2  x\n");
}

static void colours(void **state)
{
    static const char *const rows[][COLUMNS] = {{"a", "1", "x"}};
    struct table table;
    table_init(&table, columns, COLUMNS, stdin);
    table.coloured = true;
    char *text = printed(&table, rows, 1);
    assert_string_equal(text, "NAME  N  TAGS\na     \033[31m1\033[0m  x\n");
    free(text);
    table_finish(&table);
}

/* Part by part: titles once, and columns that only grow. */
static void in_parts(void **state)
{
    static const char *const first[][COLUMNS] = {{"longest", "1", "x"}};
    static const char *const second[][COLUMNS] = {{"a", "2", "y"}};
    struct table table;
    table_init(&table, columns, COLUMNS, stdin);
    table.coloured = false;
    char *text = printed(&table, first, 1);
    assert_string_equal(text, "NAME     N  TAGS\nlongest  1  x\n");
    free(text);
    text = printed(&table, second, 1);
    assert_string_equal(text, "a        2  y\n");
    free(text);
    table_finish(&table);
}

/* Any bytes, any width: every line has the width that there is, and ends. */
static void any_cells(void **state)
{
    struct dice dice = {1};
    for (int round = 0; round < 2000; round++) {
        struct table table;
        char cells[COLUMNS][40];
        const char *row[COLUMNS] = {cells[0], cells[1], cells[2]};
        const char *rows[1][COLUMNS] = {{row[0], row[1], row[2]}};
        for (size_t i = 0; i < COLUMNS; i++) {
            size_t length = dice_below(&dice, i == 1 ? 5 : sizeof(cells[i]));
            for (size_t j = 0; j < length; j++)
                cells[i][j] = (char)dice_between(&dice, 1, 255);
            cells[i][length] = '\0';
        }
        table_init(&table, columns, COLUMNS, stdin);
        table.coloured = false;
        table.width = 26 + dice_below(&dice, 60);
        char *text = printed(&table, (const char *const(*)[COLUMNS])rows, 1);
        size_t lines = 0;
        for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++) {
            wchar_t wide[200];
            size_t length = mbstowcs(wide, line, COUNT_OF(wide));
            check(length < COUNT_OF(wide), "round %d: %s", round, shown(line, strlen(line)));
            check(wcswidth(wide, length) >= 0 && wcswidth(wide, length) <= (int)table.width,
                  "round %d: %s", round, shown(line, strlen(line)));
        }
        assert_in_range(lines, 1, 2);
        free(text);
        table_finish(&table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_up),
        cmocka_unit_test(nothing_at_all),
        cmocka_unit_test(an_empty_column_is_left_out),
        cmocka_unit_test(width_of_characters),
        cmocka_unit_test(what_cannot_be_printed),
        cmocka_unit_test(gives_way),
        cmocka_unit_test(colours),
        cmocka_unit_test(in_parts),
        cmocka_unit_test(any_cells),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
