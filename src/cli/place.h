/*
 * place.h - where a byte stands in a text, as editors count: line and column from 1, the column in
 * bytes.
 */
#ifndef KAIROS_CLI_PLACE_H
#define KAIROS_CLI_PLACE_H

#include <stddef.h>
#include <stdint.h>

struct place {
    uint64_t line;
    uint64_t column;
};

/* The first byte of a text. */
#define PLACE_FIRST ((struct place){.line = 1, .column = 1})

/* Moves PLACE over the SIZE bytes at TEXT. */
void place_advance(struct place *place, const char *text, size_t size);

#endif
