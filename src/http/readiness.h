/*
 * readiness.h - whether traffic should be sent here, and if not wholly, why.
 */
#ifndef KAIROS_HTTP_READINESS_H
#define KAIROS_HTTP_READINESS_H

#include "context.h"

struct server;

enum readiness {
    READINESS_READY,
    READINESS_DEGRADED,    /* something does not work, while all else does */
    READINESS_UNAVAILABLE, /* no traffic should be sent here */
};

/* "ready", "degraded", "unavailable". */
const char *readiness_name(enum readiness readiness);

/* Calls REASON with TARGET and each reason, in words, why SERVER is not ready. From any thread. */
enum readiness readiness_find(const struct context *context, const struct server *server,
                              void (*reason)(void *target, const char *text), void *target);

#endif
