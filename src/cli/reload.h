/*
 * reload.h - the settings read anew while the server runs, from the same sources.
 *
 * All is read and checked first: settings, log file, certificates. Then all of it is applied, so
 * that it is changed wholly or not at all. Keys that only a restart can change are named in a
 * warning, as long as they differ from what the server was started with.
 */
#ifndef KAIROS_CLI_RELOAD_H
#define KAIROS_CLI_RELOAD_H

#include <stdbool.h>

#include "failure.h"
#include "journal.h"
#include "log.h"
#include "reconciler.h"
#include "self_heartbeat.h"
#include "server.h"
#include "settings.h"

/* What is changed; all of that stays the caller's. */
struct reload_target {
    const struct settings_sources *sources;
    const struct settings *started; /* those that the server was started with */
    struct log *log;
    struct journal *journal;
    struct server *server;
    struct self_heartbeat *self;
    struct reconciler *reconciler;
    const struct clock *clock;
};

/* Returns false and describes the failure; then all is as it was. */
bool reload_settings(const struct reload_target *target, struct failure *failure);

#endif
