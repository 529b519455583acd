/*
 * ping_path.h - what the path of a ping asks for:
 *
 *   /ping/push            a heartbeat of push
 *   /ping/push/fail       it failed; also start and log
 *   /ping/push/3          its exit status: 0 is success
 *   /ping/kp.Gh7x2/push   with a ping key, which has a dot as no service has
 */
#ifndef KAIROS_HTTP_PING_PATH_H
#define KAIROS_HTTP_PING_PATH_H

#include <stddef.h>

#include <kairos/service.h>

#include "engine.h"
#include "outputs.h"
#include "percent.h"

/* Segments behind "/ping" at most. */
#define PING_SEGMENTS_MAX 3

enum ping_result {
    PING_OK,
    PING_BAD_ESCAPE,
    PING_EMPTY_NAME,
    PING_BAD_NAME,
    PING_BAD_ACTION,
    PING_KEY,     /* it has a ping key, or what can only be one */
    PING_UNKNOWN, /* no such path */
};

struct ping {
    char name[KAIROS_SERVICE_SIZE]; /* padded with NULs */
    size_t length;
    enum engine_action action;
    int exit_status; /* 0 to 255, or EXIT_STATUS_NONE (outputs.h) */
};

/* Reads the COUNT (1 to PING_SEGMENTS_MAX) segments behind "/ping", percent-encoded as they came.
 */
enum ping_result ping_path_parse(const struct slice *segments, size_t count, struct ping *ping);

/* What is wrong and what would mend it; not for PING_OK. */
const char *ping_result_text(enum ping_result result);

#endif
