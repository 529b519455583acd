/*
 * table.h - rows of text in columns that line up, on a terminal no wider than it is.
 *
 * Whatever is in a cell, it stays one line: what is not printable becomes '?'. Widths are those of
 * a terminal, in which a character may take two places. Rows are collected and printed part
 * by part, so that a long table needs no memory; columns only grow from part to part.
 */
#ifndef KAIROS_CLI_TABLE_H
#define KAIROS_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 8

/* A cell is cut beyond. */
#define TABLE_CELL_SIZE 1200

struct table_column {
    const char *title;
    bool shrinks;  /* gives way when the terminal is too narrow */
    bool optional; /* is left out of the table if no cell of the first part has text */
};

struct table {
    const struct table_column *columns;
    size_t column_count;
    size_t width; /* of the terminal; 0 for any */
    bool coloured;
    size_t widths[TABLE_COLUMNS_MAX];
    bool hidden[TABLE_COLUMNS_MAX];
    bool titled;  /* the titles were printed */
    char **cells; /* of the rows collected; row by row */
    const char **colours;
    size_t rows;
    size_t capacity; /* in rows */
};

/* COLUMNS must outlive the table. It suits STREAM: its width, and colours, if it is a terminal. */
void table_init(struct table *table, const struct table_column *columns, size_t count,
                FILE *stream);

void table_finish(struct table *table);

/*
 * Adds a row with as many cells as there are columns; the text is copied. COLOUR, an escape
 * sequence as "\033[31m" that stays the caller's, is for the cell of COLOURED; NULL for none.
 * Returns false when memory ran out.
 */
bool table_add(struct table *table, const char *const *cells, const char *colour, size_t coloured);

/* Prints the rows collected, and before the first ones the titles. The table has none then. */
void table_print(struct table *table, FILE *stream);

#endif
