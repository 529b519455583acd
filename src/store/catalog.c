/*
 * catalog.c - the statements on a catalog that is open. How it is opened, and what is done with a
 * damaged one, stands in catalog_open.c.
 */
#include "catalog_file.h"

#include <stdlib.h>
#include <string.h>

static const char *const texts[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_ROLLBACK] = "ROLLBACK",
    [STATEMENT_PUT] = "INSERT INTO service (name, source, tags, description) VALUES (?1, 0, ?2, ?3)"
                      " ON CONFLICT (name) DO UPDATE SET tags = ?2, description = ?3"
                      " WHERE tags <> ?2 OR description <> ?3",
    [STATEMENT_DECLARE] =
        "INSERT INTO service (name, source, tags, description) VALUES (?1, 1, ?2, ?3)"
        " ON CONFLICT (name) DO UPDATE SET source = 1, tags = ?2, description = ?3"
        " WHERE source <> 1 OR tags <> ?2 OR description <> ?3",
    /* One that the configuration declared keeps its row, */
    [STATEMENT_CLEAR] = "UPDATE service SET tags = '', description = '' WHERE name = ?1"
                        " AND source = 1 AND (tags <> '' OR description <> '')",
    /* another has none without a label. */
    [STATEMENT_DROP] = "DELETE FROM service WHERE name = ?1 AND source = 0",
    [STATEMENT_REMOVE] = "DELETE FROM service WHERE name = ?1",
    [STATEMENT_ROWS] = "SELECT name, source, tags, description FROM service ORDER BY name",
    [STATEMENT_DECLARED] =
        "SELECT name FROM service WHERE source = 1 AND name > ?1 ORDER BY name LIMIT ?2",
    [STATEMENT_FINGERPRINT] = "SELECT fingerprint FROM rules WHERE id = 1",
    [STATEMENT_KEEP_FINGERPRINT] = "INSERT INTO rules (id, fingerprint) VALUES (1, ?1)"
                                   " ON CONFLICT (id) DO UPDATE SET fingerprint = ?1",
    [STATEMENT_FORGET_FINGERPRINT] = "DELETE FROM rules",
};

int catalog_prepare(struct catalog *catalog)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        int result = sqlite3_prepare_v3(catalog->database, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                        &catalog->statements[i], NULL);
        if (result != SQLITE_OK)
            return result;
    }
    return SQLITE_OK;
}

void catalog_finalize(struct catalog *catalog)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        sqlite3_finalize(catalog->statements[i]);
        catalog->statements[i] = NULL;
    }
}

void catalog_close(struct catalog *catalog)
{
    if (catalog == NULL)
        return;
    catalog_finalize(catalog);
    sqlite3_close(catalog->database);
    pthread_mutex_destroy(&catalog->lock);
    free(catalog);
}

void catalog_lock(struct catalog *catalog)
{
    pthread_mutex_lock(&catalog->lock);
}

void catalog_unlock(struct catalog *catalog)
{
    pthread_mutex_unlock(&catalog->lock);
}

/* ---- Running statements ---- */

bool catalog_describe(const struct catalog *catalog, const char *what, struct failure *failure)
{
    return failure_set(failure, "%s cannot be %s: %s", catalog->path, what,
                       sqlite3_errmsg(catalog->database));
}

bool catalog_run(struct catalog *catalog, enum statement number, struct failure *failure)
{
    sqlite3_stmt *statement = catalog->statements[number];
    bool done = sqlite3_step(statement) == SQLITE_DONE;
    if (!done)
        catalog_describe(catalog, "written", failure);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return done;
}

/* The text stays the caller's, and must be good until the statement has run. */
static void bind_text(sqlite3_stmt *statement, int place, const char *text, size_t length)
{
    sqlite3_bind_text(statement, place, text, (int)length, SQLITE_STATIC);
}

static void bind_name(struct catalog *catalog, enum statement number,
                      const struct service_name *name)
{
    bind_text(catalog->statements[number], 1, name->text, name->length);
}

/* Runs a statement of a name and a label. */
static bool run_label(struct catalog *catalog, enum statement number,
                      const struct service_name *name, const struct label *label,
                      struct failure *failure)
{
    sqlite3_stmt *statement = catalog->statements[number];
    bind_name(catalog, number, name);
    bind_text(statement, 2, label->tags.text, label->tags.length);
    bind_text(statement, 3, label->description, label->length);
    return catalog_run(catalog, number, failure);
}

static bool run_name(struct catalog *catalog, enum statement number,
                     const struct service_name *name, struct failure *failure)
{
    bind_name(catalog, number, name);
    return catalog_run(catalog, number, failure);
}

/* ---- Changes ---- */

bool catalog_begin(struct catalog *catalog, struct failure *failure)
{
    return catalog_run(catalog, STATEMENT_BEGIN, failure);
}

bool catalog_commit(struct catalog *catalog, struct failure *failure)
{
    if (catalog_run(catalog, STATEMENT_COMMIT, failure))
        return true;
    catalog_cancel(catalog);
    return false;
}

void catalog_cancel(struct catalog *catalog)
{
    struct failure failure;
    if (!sqlite3_get_autocommit(catalog->database)) /* some failures have done it already */
        catalog_run(catalog, STATEMENT_ROLLBACK, &failure);
}

bool catalog_put(struct catalog *catalog, const struct service_name *name,
                 const struct label *label, struct failure *failure)
{
    if (!label_is_empty(label))
        return run_label(catalog, STATEMENT_PUT, name, label, failure);
    return run_name(catalog, STATEMENT_DROP, name, failure) &&
           run_name(catalog, STATEMENT_CLEAR, name, failure);
}

bool catalog_declare(struct catalog *catalog, const struct service_name *name,
                     const struct label *label, struct failure *failure)
{
    return run_label(catalog, STATEMENT_DECLARE, name, label, failure);
}

bool catalog_remove(struct catalog *catalog, const struct service_name *name,
                    struct failure *failure)
{
    return run_name(catalog, STATEMENT_REMOVE, name, failure);
}

/* ---- Questions ---- */

/* Ends reading from a statement whose last step gave RESULT. */
static bool end_reading(struct catalog *catalog, sqlite3_stmt *statement, int result,
                        struct failure *failure)
{
    bool done = result == SQLITE_DONE || result == SQLITE_ROW;
    if (!done)
        catalog_describe(catalog, "read", failure);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return done;
}

bool catalog_declared(struct catalog *catalog, const struct service_name *after,
                      struct service_name *names, size_t max, size_t *count,
                      struct failure *failure)
{
    sqlite3_stmt *statement = catalog->statements[STATEMENT_DECLARED];
    int result = SQLITE_DONE;
    *count = 0;
    bind_text(statement, 1, after == NULL ? "" : after->text, after == NULL ? 0 : after->length);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)max);
    while (*count < max && (result = sqlite3_step(statement)) == SQLITE_ROW)
        *count += catalog_read_name(statement, &names[*count]);
    return end_reading(catalog, statement, result, failure);
}

bool catalog_fingerprint(struct catalog *catalog, uint64_t *fingerprint, bool *known,
                         struct failure *failure)
{
    sqlite3_stmt *statement = catalog->statements[STATEMENT_FINGERPRINT];
    int result = sqlite3_step(statement);
    *known = result == SQLITE_ROW;
    *fingerprint = *known ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    return end_reading(catalog, statement, result, failure);
}

bool catalog_keep_fingerprint(struct catalog *catalog, uint64_t fingerprint,
                              struct failure *failure)
{
    sqlite3_bind_int64(catalog->statements[STATEMENT_KEEP_FINGERPRINT], 1,
                       (sqlite3_int64)fingerprint);
    return catalog_run(catalog, STATEMENT_KEEP_FINGERPRINT, failure);
}

bool catalog_forget_fingerprint(struct catalog *catalog, struct failure *failure)
{
    return catalog_run(catalog, STATEMENT_FORGET_FINGERPRINT, failure);
}
