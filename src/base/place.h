/*
 * place.h - where a byte stands in a text, as editors count: line and column from 1, the column in
 * bytes; and how that is told of a log that is not well-formed.
 */
#ifndef KAIROS_BASE_PLACE_H
#define KAIROS_BASE_PLACE_H

#include <stddef.h>
#include <stdint.h>

#include <kairos/parser.h>

#include "failure.h"

struct place {
    uint64_t line;
    uint64_t column;
};

/* The first byte of a text. */
#define PLACE_FIRST ((struct place){.line = 1, .column = 1})

/* Moves PLACE over the SIZE bytes at TEXT. */
void place_advance(struct place *place, const char *text, size_t size);

/* Describes the ERROR of the log NAME, which stands at PLACE. Returns false. */
bool place_describe(const struct place *place, const char *name,
                    const struct kairos_parse_error *error, struct failure *failure);

#endif
