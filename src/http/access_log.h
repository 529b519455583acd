/*
 * access_log.h - a line for each request that was answered, or whose client left:
 *
 *   … INFO request method=GET path="/ping/push" status=200 bytes=2 duration_ms=0.123
 *     address=192.0.2.1 id=4bf92f3577b34da6
 *
 * The path stands there as it came, without its query, and without ping keys; the status of a
 * client who left ahead of the answer is 499; the address is `unix` at a Unix socket.
 *
 * No worker is held up by it: each collects the lines of a pass and hands them to a sink.
 */
#ifndef KAIROS_HTTP_ACCESS_LOG_H
#define KAIROS_HTTP_ACCESS_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"
#include "log.h"
#include "percent.h"

/* What a request was and what became of it. */
struct access {
    const char *method;
    const char *path;
    unsigned status;
    uint64_t bytes;   /* of the answer's body */
    int64_t duration; /* microseconds */
    const char *address;
    struct slice id;
};

/* Room for the lines of a pass; what is more is handed over in between. */
#define ACCESS_LINES_SIZE ((size_t)64 * 1024)

/* Lines that a worker has collected. All zero but for the text is none. */
struct access_lines {
    char *text; /* ACCESS_LINES_SIZE bytes */
    size_t length;
    uint64_t count;
    int64_t second; /* whose date this is */
    unsigned thousandth;
    char date[sizeof("2025-08-04T10:05:00.000Z INFO request method=")];
};

struct access_log;

/*
 * Appends to FILE, or writes into LOG, which is the program's, if that is "-". Both must outlive
 * it. Returns NULL and describes the failure.
 */
struct access_log *access_log_create(const char *file, struct log *log, struct failure *failure);

/*
 * Writes what was handed over; accepts NULL. Returns false if where it goes hangs: then it lives
 * on.
 */
bool access_log_destroy(struct access_log *access);

/* ---- Going on in a new file of the same name, for rotation ---- */

/* Opens it: a descriptor for access_log_adopt, or to be closed; -1 with a description of why not.
 */
int access_log_prepare(const struct access_log *access, struct failure *failure);

/* From now on lines go where FD does; see log_adopt. */
bool access_log_adopt(struct access_log *access, int fd);

/* ---- In a worker's thread ---- */

/* Whether the program's log takes such lines at all. */
bool access_log_wants(const struct access_log *access);

/* Adds a line, of the wall time WALL in microseconds. */
void access_log_add(struct access_log *access, struct access_lines *lines,
                    const struct access *what, int64_t wall);

/* Hands over what was collected. */
void access_log_flush(struct access_log *access, struct access_lines *lines);

#endif
