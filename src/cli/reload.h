/*
 * reload.h - the configuration read anew while the server runs: log files and certificates.
 *
 * All is read and checked first, then all of it is applied, so that it is changed wholly or not at
 * all.
 */
#ifndef KAIROS_CLI_RELOAD_H
#define KAIROS_CLI_RELOAD_H

#include <stdbool.h>

#include "failure.h"
#include "log.h"
#include "server.h"

/* What is changed. All of that stays the caller's. */
struct reload {
    struct log *log;
    struct log_options log_options;
    struct server *server;
};

/* Returns false and describes the failure; then all is as it was. */
bool reload_apply(const struct reload *reload, struct failure *failure);

#endif
