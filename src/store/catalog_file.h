/*
 * catalog_file.h - a catalog that is open: for the files that make it up, and for nobody else.
 */
#ifndef KAIROS_STORE_CATALOG_FILE_H
#define KAIROS_STORE_CATALOG_FILE_H

#include <pthread.h>
#include <sqlite3.h>

#include "catalog.h"

enum statement {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_ROLLBACK,
    STATEMENT_PUT,
    STATEMENT_DECLARE,
    STATEMENT_CLEAR,
    STATEMENT_DROP,
    STATEMENT_REMOVE,
    STATEMENT_ROWS,
    STATEMENT_DECLARED,
    STATEMENT_FINGERPRINT,
    STATEMENT_KEEP_FINGERPRINT,
    STATEMENT_FORGET_FINGERPRINT,
    STATEMENT_COUNT,
};

struct catalog {
    char path[PATH_MAX + 32];
    sqlite3 *database;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    pthread_mutex_t lock;
};

/* Prepares all statements; catalog_finalize is due all the same. Returns an SQLite result. */
int catalog_prepare(struct catalog *catalog);
void catalog_finalize(struct catalog *catalog);

/* Runs a statement that returns no rows, and lets go of what was bound to it. */
bool catalog_run(struct catalog *catalog, enum statement number, struct failure *failure);

/* "… cannot be WHAT: …" as SQLite says it. Returns false. */
bool catalog_describe(const struct catalog *catalog, const char *what, struct failure *failure);

/* Reads the name in the first column; returns false if it is none. */
bool catalog_read_name(sqlite3_stmt *statement, struct service_name *name);

#endif
