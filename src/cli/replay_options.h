/*
 * replay_options.h - what the user asks of a replay.
 */
#ifndef KAIROS_CLI_REPLAY_OPTIONS_H
#define KAIROS_CLI_REPLAY_OPTIONS_H

#include "client.h"
#include "log.h"

struct replay_options {
    const char *file; /* "-" is standard input */
    struct client_options client;
    struct log_options log;
    double speed; /* how many times as fast as the log */
};

/*
 * Reads the command's arguments over the defaults. Wrong usage ends the program with status 2 and a
 * hint on stderr; --help and --version end it with status 0.
 */
void replay_options_parse(struct replay_options *options, int argc, char **argv);

#endif
