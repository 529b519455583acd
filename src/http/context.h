/*
 * context.h - what the server answers about: the parts of a running Kairós, which it does not own.
 */
#ifndef KAIROS_HTTP_CONTEXT_H
#define KAIROS_HTTP_CONTEXT_H

#include <stdint.h>

#include "clock.h"
#include "engine.h"
#include "feed.h"
#include "keeper.h"
#include "log.h"
#include "operations.h"
#include "outputs.h"
#include "registry.h"
#include "store.h"

struct job_pool;
struct monitor;

struct context {
    struct engine *engine;
    const struct registry *registry;
    struct store *store;
    struct feed *feed;
    struct outputs *outputs;
    const struct keeper *keeper; /* of what people say of services */
    struct job_pool *jobs;       /* for work that takes long */
    const struct operations *operations;
    struct monitor *monitor; /* what logs that are sent may take up */
    const struct clock *clock;
    struct log *log;
    const char *version;
    struct clock_reading started; /* when the program started */
};

#endif
