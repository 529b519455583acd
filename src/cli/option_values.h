/*
 * option_values.h - the values of options, read to the letter.
 *
 * A value that is not wholly what it must be ends the program with status 2: what is wrong, what it
 * may be, and where to look further. NAME is the option's, without its dashes. That is so while
 * argp parses the arguments of a command, and STATE is what argp hands to its parser.
 */
#ifndef KAIROS_CLI_OPTION_VALUES_H
#define KAIROS_CLI_OPTION_VALUES_H

#include <argp.h>
#include <stdint.h>

#include <kairos/service.h>

#include "log.h"

/* Says what is wrong with the arguments, as far as it is printable, and ends the program. */
void wrong_usage(const struct argp_state *state, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Reads a whole number between MIN and MAX. */
uint64_t parse_number(const struct argp_state *state, const char *name, const char *text,
                      uint64_t min, uint64_t max);

/* Reads a number between MIN and MAX that may have a fraction. */
double parse_decimal(const struct argp_state *state, const char *name, const char *text, double min,
                     double max);

/* Reads a duration (see kairos/duration.h): microseconds, 0 or more, without a further bound. */
int64_t parse_duration(const struct argp_state *state, const char *name, const char *text);

/* Reads the lowest level that a log takes. */
enum log_level parse_log_level(const struct argp_state *state, const char *name, const char *text);

/* Reads what a line of a log looks like. */
enum log_format parse_log_format(const struct argp_state *state, const char *name,
                                 const char *text);

/* Reads the name of a service, as an argument. */
void parse_service(const struct argp_state *state, const char *text,
                   char name[KAIROS_SERVICE_SIZE]);

#endif
