/*
 * analyse_options.h - what the user asks of an analysis.
 */
#ifndef KAIROS_CLI_ANALYSE_OPTIONS_H
#define KAIROS_CLI_ANALYSE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <kairos/analysis.h>

#include "log.h"

struct analyse_options {
    const char *file;   /* "-" is standard input */
    const char *output; /* or NULL */
    struct log_options log;
    struct kairos_analysis_options analysis;
    uint64_t max_alerts;
    unsigned threads;
    bool json;
    bool quiet;
    bool fail_on_alert;
};

/*
 * Reads the program's arguments over the defaults. Wrong usage ends the program with status 2 and a
 * hint on stderr; --help and --version end it with status 0.
 */
void analyse_options_parse(struct analyse_options *options, int argc, char **argv);

#endif
