/*
 * overview_options.h - what the user wants to see of services.
 */
#ifndef KAIROS_CLI_OVERVIEW_OPTIONS_H
#define KAIROS_CLI_OVERVIEW_OPTIONS_H

#include <stdbool.h>

#include "client.h"
#include "criteria.h"

struct overview_options {
    struct client_options client;
    struct criteria criteria;
    const char *sort; /* NULL for the server's own order */
    bool json;
    bool fail_on_down;
    bool ready; /* nothing of services: whether the server is ready */
};

/*
 * Reads the command's arguments over the defaults. Wrong usage ends the program with status 2 and a
 * hint on stderr; --help and --version end it with status 0.
 */
void overview_options_parse(struct overview_options *options, int argc, char **argv);

#endif
