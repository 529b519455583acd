/*
 * services_options.h - what the user wants done with a server's services.
 */
#ifndef KAIROS_CLI_SERVICES_OPTIONS_H
#define KAIROS_CLI_SERVICES_OPTIONS_H

#include "client.h"
#include "criteria.h"

enum services_action {
    SERVICES_EXPORT,
    SERVICES_IMPORT,
};

struct services_options {
    enum services_action action;
    struct client_options client;

    /* Of an export. */
    struct criteria criteria;
    const char *format;
    const char *output; /* NULL for standard output */

    /* Of an import. */
    const char *file; /* "-" is standard input */
};

/*
 * Reads the command's arguments, of which the first says what is to be done, over the defaults.
 * Wrong usage ends the program with status 2 and a hint on stderr; --help and --version end it with
 * status 0.
 */
void services_options_parse(struct services_options *options, int argc, char **argv);

#endif
