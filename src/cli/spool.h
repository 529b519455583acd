/*
 * spool.h - beats that could not be sent, kept in a directory until they can.
 *
 * Each is a file of its own, which appears whole (it is written under another name and renamed), so
 * any number of processes may add at once. One process at a time delivers: it holds a lock on the
 * directory. Files of other names are left alone; one with the name of a beat that is none (a disk
 * was full, somebody has edited it) is dropped.
 *
 *   01754301900000000-9f86d081884c7d65.json
 *   ^the beat's time, microseconds   ^random
 *
 * The spool is bounded: the oldest give way.
 */
#ifndef KAIROS_CLI_SPOOL_H
#define KAIROS_CLI_SPOOL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "beat.h"
#include "failure.h"

/* So much is kept. */
#define SPOOL_FILES_MAX 10000
#define SPOOL_BYTES_MAX ((uint64_t)32 * 1024 * 1024)

/* What the file of one beat may hold: its output, escaped, and the rest. */
#define SPOOL_FILE_MAX ((size_t)256 * 1024)

/* The name of a file, with its NUL. */
#define SPOOL_NAME_SIZE 48

/*
 * Writes the directory of this user: kairos/spool in XDG_STATE_HOME or in ~/.local/state. Returns
 * false if neither is known, or the path is too long.
 */
bool spool_find(char path[PATH_MAX]);

/*
 * Keeps BEAT, which was meant for the server at URL, in the directory PATH; makes it if it is not
 * there, for this user alone. Adds to *DROPPED how many older ones had to give way. Returns false
 * and describes the failure; then nothing has changed.
 */
bool spool_add(const char *path, const char *url, const struct beat *beat, size_t *dropped,
               struct failure *failure);

/* ---- Delivering ---- */

struct spool_entry {
    char name[SPOOL_NAME_SIZE];
    uint64_t size; /* bytes */
};

/* What is in a spool; in order of time. */
struct spool {
    int directory;
    struct spool_entry *entries;
    size_t count;
};

enum spool_state {
    SPOOL_OPEN,
    SPOOL_EMPTY,  /* or not there at all */
    SPOOL_BUSY,   /* another process delivers */
    SPOOL_BROKEN, /* the failure says why */
};

/* Only on SPOOL_OPEN is it open, and to be closed. */
enum spool_state spool_open(struct spool *spool, const char *path, struct failure *failure);

void spool_close(struct spool *spool);

/*
 * Reads the beat at INDEX, and for which server it was meant. Both point into *JSON, which is to be
 * released by json_decref. Returns false if it is not there any more, or is none; *DAMAGED says
 * which.
 */
bool spool_read(const struct spool *spool, size_t index, json_t **json, struct beat *beat,
                const char **url, bool *damaged);

/* Removes it for good. */
void spool_remove(const struct spool *spool, size_t index);

#endif
