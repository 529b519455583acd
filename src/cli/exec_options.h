/*
 * exec_options.h - what the user asks of a command that is watched.
 */
#ifndef KAIROS_CLI_EXEC_OPTIONS_H
#define KAIROS_CLI_EXEC_OPTIONS_H

#include <stdbool.h>

#include "courier.h"
#include "failure.h"

struct exec_options {
    struct courier_options courier;
    char service[KAIROS_SERVICE_SIZE];
    char **command; /* with its arguments; NULL behind them */
    bool no_output; /* is sent */

    /*
     * The environment names no server that there could be. That is no reason not to run the
     * command: it says why, and nothing is told to anybody.
     */
    bool no_server;
    struct failure no_server_why;
};

/*
 * Reads the command's arguments over the defaults. Wrong usage ends the program with status 125 and
 * a hint on stderr; --help and --version end it with status 0.
 */
void exec_options_parse(struct exec_options *options, int argc, char **argv);

#endif
