/*
 * serve_options.h - how the user wants services to be watched, as the command line says it: the
 * options are made of the table of keys (config/key.h).
 */
#ifndef KAIROS_CLI_SERVE_OPTIONS_H
#define KAIROS_CLI_SERVE_OPTIONS_H

#include "settings.h"

/*
 * Reads the program's arguments, which SOURCES points into from then on: the text of each option,
 * and the path of the configuration, which the environment may name as well. Wrong usage ends the
 * program with status 2 and a hint on stderr; --help and --version end it with status 0.
 */
void serve_options_parse(struct settings_sources *sources, int argc, char **argv);

/* Where to look further after wrong usage of the program that argv[0] names. */
void serve_options_hint(char *name);

#endif
