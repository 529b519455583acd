/*
 * serve_options.h - how the user wants services to be watched.
 */
#ifndef KAIROS_CLI_SERVE_OPTIONS_H
#define KAIROS_CLI_SERVE_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine.h"
#include "log.h"
#include "server.h"

struct serve_options {
    const char *host; /* as given: a name or an address; `server` has what it means */
    uint16_t port;
    struct server_options server;
    struct engine_options engine; /* without its listener */
    unsigned monitor_threads;     /* for what takes long: 1 to JOB_THREADS_MAX */
    char data_dir[PATH_MAX];
    bool insecure; /* others than this machine may connect, and nobody is asked who he is */
    struct log_options log;
};

/*
 * Reads the program's arguments over the defaults. Wrong usage ends the program with status 2 and a
 * hint on stderr; --help and --version end it with status 0.
 */
void serve_options_parse(struct serve_options *options, int argc, char **argv);

#endif
