#include "table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

/* Between two columns. */
#define GAP 2

/* A column does not shrink below. */
#define SHRUNK_MIN 8

#define CUT        "…"
#define CUT_WIDTH  1

#define COLOUR_END "\033[0m"

/* ---- Text on a terminal ---- */

/*
 * The next character of TEXT, which has LEFT bytes: sets how many places it takes, and returns its
 * bytes. One that is none, or has no place of its own (control characters, marks that turn the
 * direction of writing), takes 0.
 */
static size_t next_character(const char *text, size_t left, int *width)
{
    mbstate_t state = {0};
    wchar_t character;
    size_t size = mbrtowc(&character, text, left, &state);
    if (size == 0 || size > left) {
        *width = 0;
        return 1;
    }
    int places = wcwidth(character);
    *width = places > 0 ? places : 0;
    return size;
}

/* Copies TEXT with '?' for what cannot be printed; sets its width. Returns NULL without memory. */
static char *copy_printable(const char *text, size_t *width)
{
    size_t length = strnlen(text, TABLE_CELL_SIZE);
    char *copy = malloc(length + 1), *c = copy;
    *width = 0;
    if (copy == NULL)
        return NULL;
    for (size_t size; length > 0; text += size, length -= size) {
        int places;
        size = next_character(text, length, &places);
        if (places == 0) {
            *c++ = '?';
            ++*width;
            continue;
        }
        memcpy(c, text, size);
        c += size;
        *width += (size_t)places;
    }
    *c = '\0';
    return copy;
}

/* Prints TEXT in WIDTH places, cut if it is longer, and padded if it is shorter and PAD. */
static void print_cell(FILE *stream, const char *text, size_t width, bool pad)
{
    size_t used = 0, total = 0;
    int places;
    for (const char *c = text; *c != '\0'; c += next_character(c, strlen(c), &places)) {
        next_character(c, strlen(c), &places);
        total += (size_t)places;
    }
    size_t room = total <= width ? width : width - CUT_WIDTH;
    for (const char *c = text; *c != '\0';) {
        size_t size = next_character(c, strlen(c), &places);
        if (used + (size_t)places > room)
            break;
        fwrite(c, 1, size, stream);
        used += (size_t)places;
        c += size;
    }
    if (total > width) {
        fputs(CUT, stream);
        used += CUT_WIDTH;
    }
    if (pad)
        fprintf(stream, "%*s", (int)(width - used), "");
}

/* ---- The table ---- */

static bool wants_colours(void)
{
    const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return (no_color == NULL || *no_color == '\0') && terminal != NULL &&
           strcmp(terminal, "dumb") != 0;
}

void table_init(struct table *table, const struct table_column *columns, size_t count, FILE *stream)
{
    struct winsize size;
    *table = (struct table){.columns = columns, .column_count = count};
    for (size_t i = 0; i < count; i++)
        table->widths[i] = strlen(columns[i].title);
    if (!isatty(fileno(stream)))
        return;
    table->coloured = wants_colours();
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0)
        table->width = size.ws_col;
}

static void clear(struct table *table)
{
    for (size_t i = 0; i < table->rows * table->column_count; i++)
        free(table->cells[i]);
    table->rows = 0;
}

void table_finish(struct table *table)
{
    clear(table);
    free(table->cells);
    free(table->colours);
    *table = (struct table){0};
}

static bool grow(struct table *table)
{
    size_t capacity = table->capacity == 0 ? 64 : table->capacity * 2;
    size_t cells = capacity * table->column_count;
    char **grown = realloc(table->cells, cells * sizeof(*grown));
    if (grown == NULL)
        return false;
    table->cells = grown;
    const char **colours = realloc(table->colours, cells * sizeof(*colours));
    if (colours == NULL)
        return false;
    table->colours = colours;
    table->capacity = capacity;
    return true;
}

bool table_add(struct table *table, const char *const *cells, const char *colour, size_t coloured)
{
    if (table->rows == table->capacity && !grow(table))
        return false;
    size_t first = table->rows * table->column_count;
    for (size_t i = 0; i < table->column_count; i++) {
        size_t width;
        table->cells[first + i] = copy_printable(cells[i], &width);
        if (table->cells[first + i] == NULL) {
            while (i > 0)
                free(table->cells[first + --i]);
            return false;
        }
        table->colours[first + i] = i == coloured ? colour : NULL;
        if (width > table->widths[i])
            table->widths[i] = width;
    }
    table->rows++;
    return true;
}

static size_t total_width(const struct table *table, const size_t *widths)
{
    size_t total = 0;
    for (size_t i = 0; i < table->column_count; i++)
        total += table->hidden[i] ? 0 : widths[i] + GAP;
    return total > GAP ? total - GAP : 0;
}

/* Writes the columns' widths as they fit: the widest of those that shrink gives way first. */
static void fit(const struct table *table, size_t *widths)
{
    memcpy(widths, table->widths, sizeof(table->widths));
    while (table->width > 0 && total_width(table, widths) > table->width) {
        size_t widest = table->column_count;
        for (size_t i = 0; i < table->column_count; i++) {
            if (table->columns[i].shrinks && !table->hidden[i] && widths[i] > SHRUNK_MIN &&
                (widest == table->column_count || widths[i] > widths[widest]))
                widest = i;
        }
        if (widest == table->column_count)
            return;
        widths[widest]--;
    }
}

static void hide_empty(struct table *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        bool empty = table->columns[i].optional;
        for (size_t row = 0; row < table->rows && empty; row++)
            empty = table->cells[row * table->column_count + i][0] == '\0';
        table->hidden[i] = empty;
    }
}

static void print_row(const struct table *table, FILE *stream, const size_t *widths,
                      const char *const *cells, const char *const *colours)
{
    size_t last = table->column_count;
    while (last > 0 && (table->hidden[last - 1] || cells[last - 1][0] == '\0'))
        last--;
    for (size_t i = 0; i < last; i++) {
        const char *colour = colours != NULL && table->coloured ? colours[i] : NULL;
        if (table->hidden[i])
            continue;
        if (colour != NULL)
            fputs(colour, stream);
        print_cell(stream, cells[i], widths[i], i + 1 < last);
        if (colour != NULL)
            fputs(COLOUR_END, stream);
        fputs(i + 1 < last ? "  " : "", stream);
    }
    putc('\n', stream);
}

static void print_titles(const struct table *table, FILE *stream, const size_t *widths)
{
    const char *titles[TABLE_COLUMNS_MAX];
    for (size_t i = 0; i < table->column_count; i++)
        titles[i] = table->columns[i].title;
    print_row(table, stream, widths, titles, NULL);
}

void table_print(struct table *table, FILE *stream)
{
    size_t widths[TABLE_COLUMNS_MAX];
    if (table->rows == 0)
        return;
    if (!table->titled)
        hide_empty(table);
    fit(table, widths);
    if (!table->titled)
        print_titles(table, stream, widths);
    table->titled = true;
    for (size_t row = 0; row < table->rows; row++) {
        size_t first = row * table->column_count;
        print_row(table, stream, widths, (const char *const *)table->cells + first,
                  table->colours + first);
    }
    clear(table);
}
