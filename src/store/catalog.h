/*
 * catalog.h - what was told of services and has no room in the registry: tags and descriptions, and
 * which services the configuration declared. An SQLite file, `catalog.db` in the data directory.
 *
 * The engine has all of it in memory (live/labels.h). Whoever changes the label of a declared
 * service writes it here first, then into the engine, and only then says that it is done; from one
 * to the other it holds the catalog's lock, so that both have changes in the same order:
 *
 *     catalog_lock(catalog);
 *     if (catalog_put(catalog, &name, &label, &failure))
 *         engine_change(engine, …);
 *     catalog_unlock(catalog);
 *
 * A row is one of a declared service. What a crash leaves behind of others is dropped at the next
 * start. A written row outlives the process at once, and a crash of the machine after the next
 * checkpoint at the latest. Writing may block, for a sync of the disk now and then: not for
 * workers.
 */
#ifndef KAIROS_STORE_CATALOG_H
#define KAIROS_STORE_CATALOG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine.h"
#include "failure.h"

#define CATALOG_FILE    "catalog.db"
#define CATALOG_VERSION 1

/* Rows that are best written in one transaction. */
#define CATALOG_BATCH 2000

enum catalog_source {
    CATALOG_API,
    CATALOG_CONFIGURATION,
};

struct catalog_row {
    struct service_name name;
    enum catalog_source source;
    struct label label;
};

/* Whoever reads the rows. */
struct catalog_reader {
    void *context;
    /* Takes a row. Returns false if there is no such service: the row is dropped. */
    bool (*take)(void *context, const struct catalog_row *row);
};

/* What opening found. */
struct catalog_report {
    bool created;   /* there was no catalog */
    bool set_aside; /* the file was damaged, or none of ours: it has a new name */
    char aside[PATH_MAX + 128];
    char damage[256]; /* what was wrong with it */
    size_t saved;     /* rows copied from it */
    size_t rows;      /* that were taken */
    size_t dropped;   /* that were not */
};

struct catalog;

/*
 * Opens the catalog in DIRECTORY, which exists and is not in use by another process, creates it if
 * need be, and gives READER all rows. Returns NULL and describes the failure: it was written by a
 * newer version, or the system refuses.
 */
struct catalog *catalog_open(const char *directory, const struct catalog_reader *reader,
                             struct catalog_report *report, struct failure *failure);

/* Accepts NULL. */
void catalog_close(struct catalog *catalog);

/* ---- All that follows with the lock held ---- */

void catalog_lock(struct catalog *catalog);
void catalog_unlock(struct catalog *catalog);

/* Several changes as one. What fails in between is taken back as a whole by catalog_cancel. */
bool catalog_begin(struct catalog *catalog, struct failure *failure);
bool catalog_commit(struct catalog *catalog, struct failure *failure);
void catalog_cancel(struct catalog *catalog);

/*
 * Keeps the label of a service. A service that the configuration declared stays one; of another an
 * empty label is no row. Returns false and describes the failure; nothing has changed then.
 */
bool catalog_put(struct catalog *catalog, const struct service_name *name,
                 const struct label *label, struct failure *failure);

/* The same for a service that the configuration declares from now on. */
bool catalog_declare(struct catalog *catalog, const struct service_name *name,
                     const struct label *label, struct failure *failure);

/* Forgets the service. */
bool catalog_remove(struct catalog *catalog, const struct service_name *name,
                    struct failure *failure);

/*
 * The names of the services that the configuration declared, in order: up to MAX that come behind
 * AFTER (NULL: from the first on). Returns false and describes the failure.
 */
bool catalog_declared(struct catalog *catalog, const struct service_name *after,
                      struct service_name *names, size_t max, size_t *count,
                      struct failure *failure);

/*
 * The fingerprint of the rules (live/rules.h) that all services have followed; *KNOWN is false
 * before the first.
 */
bool catalog_fingerprint(struct catalog *catalog, uint64_t *fingerprint, bool *known,
                         struct failure *failure);
bool catalog_keep_fingerprint(struct catalog *catalog, uint64_t fingerprint,
                              struct failure *failure);

/* Services begin to follow other rules: until all do, no fingerprint is known. */
bool catalog_forget_fingerprint(struct catalog *catalog, struct failure *failure);

#endif
