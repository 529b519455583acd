/*
 * beat.h - what a client tells of a service at a moment: a heartbeat (success), that it failed,
 * that it starts, or a mere note; with what the service has to say itself.
 */
#ifndef KAIROS_CLI_BEAT_H
#define KAIROS_CLI_BEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <kairos/service.h>

/* What a service may have to say; of more than this the last is kept. */
#define BEAT_OUTPUT_MAX 10000

/* Room for "/ping/NAME/start". */
#define BEAT_PATH_SIZE (KAIROS_SERVICE_SIZE + 32)

enum beat_kind {
    BEAT_SUCCESS,
    BEAT_FAIL,
    BEAT_START,
    BEAT_LOG,
};

struct beat {
    char service[KAIROS_SERVICE_SIZE];
    enum beat_kind kind;
    unsigned exit_status; /* of a fail: 1 to 255, or 0 if there is none */
    int64_t time;         /* microseconds, wall time */
    const char *output;   /* the caller's; any bytes, BEAT_OUTPUT_MAX at most */
    size_t size;
};

/* What is the time for a beat that happens now? */
int64_t beat_now(void);

/* Writes the path that a server is to be asked for. */
void beat_path(const struct beat *beat, char path[BEAT_PATH_SIZE]);

/*
 * The beat as JSON, for a file; bytes of the output that are no characters become U+FFFD. Returns
 * NULL if memory ran out.
 *
 *   {"service": "backup", "time": "2025-08-04T10:05:00Z", "exit_status": 3, "output": "disk full"}
 */
json_t *beat_to_json(const struct beat *beat);

/*
 * Reads it again. The output is the JSON's. Returns false if it is none; only a success and a fail
 * are.
 */
bool beat_from_json(const json_t *json, struct beat *beat);

#endif
