/*
 * ping_options.h - what the user asks of a ping.
 */
#ifndef KAIROS_CLI_PING_OPTIONS_H
#define KAIROS_CLI_PING_OPTIONS_H

#include "beat.h"
#include "courier.h"

struct ping_options {
    struct courier_options courier;
    struct beat beat; /* but for its time */
};

/*
 * Reads the command's arguments over the defaults. Wrong usage ends the program with status 2 and a
 * hint on stderr; --help and --version end it with status 0.
 */
void ping_options_parse(struct ping_options *options, int argc, char **argv);

#endif
