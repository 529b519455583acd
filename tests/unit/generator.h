/*
 * generator.h - logs of every kind that programs write, and of some that none would.
 *
 * A log has a layout, that most of its records follow: members before, between and behind the two
 * that count, white space, the form of its timestamps. Now and then a record breaks it, is a bad
 * event, or begins another layout.
 */
#ifndef KAIROS_TESTS_GENERATOR_H
#define KAIROS_TESTS_GENERATOR_H

#include <kairos/parser.h>

#include "support.h"

struct generator {
    struct dice dice;
    unsigned odd;    /* percent of records that are not like the others */
    unsigned bad;    /* percent of records that are bad events */
    size_t services; /* how many different ones there are */
    int64_t step;    /* microseconds from heartbeat to heartbeat, on the average */
};

/* Writes a well-formed log of RECORDS events in FORMAT behind what LOG holds. */
void generate_log(struct generator *generator, enum kairos_format format, size_t records,
                  struct text *log);

/* Damages the text: another byte, one too many, one too few, or a piece twice. */
void damage(struct dice *dice, struct text *text);

#endif
