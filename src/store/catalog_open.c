/*
 * catalog_open.c - how a catalog is opened, and what becomes of a file that is damaged or none of
 * ours: it keeps its bytes under a new name, and what can be read of it goes into a new one.
 */
#include "catalog_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* "Kair": what tells a catalog from another program's database. */
#define APPLICATION_ID 0x4b616972

/* Milliseconds to wait for somebody who looks at the file with another program. */
#define PATIENCE 2000

enum opening {
    OPENING_DONE,
    OPENING_DAMAGED, /* the file is at fault: it is to be set aside */
    OPENING_FAILED,
};

static const char schema[] =
    "BEGIN;"
    "CREATE TABLE service (name TEXT PRIMARY KEY, source INTEGER NOT NULL, tags TEXT NOT NULL,"
    "                      description TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE rules (id INTEGER PRIMARY KEY CHECK (id = 1), fingerprint INTEGER NOT NULL);"
    "PRAGMA application_id = 1264675186;"
    "PRAGMA user_version = 1;"
    "COMMIT;";

_Static_assert(APPLICATION_ID == 1264675186 && CATALOG_VERSION == 1, "the schema says the same");

/* Without a shared index in a file of its own: no other process reads along. */
static const char settings[] = "PRAGMA locking_mode = EXCLUSIVE;"
                               "PRAGMA journal_mode = WAL;"
                               "PRAGMA synchronous = NORMAL;";

/* ---- Rows ---- */

bool catalog_read_name(sqlite3_stmt *statement, struct service_name *name)
{
    const char *text = (const char *)sqlite3_column_text(statement, 0);
    size_t given = (size_t)sqlite3_column_bytes(statement, 0), length;
    if (text == NULL || kairos_service_parse(text, given, name->text, &length) != KAIROS_SERVICE_OK)
        return false;
    name->length = (uint8_t)length;
    return length == given && memcmp(name->text, text, length) == 0;
}

/* Reads the row that STATEMENT stands at; returns false if it cannot be one. */
static bool read_row(sqlite3_stmt *statement, struct catalog_row *row)
{
    int source = sqlite3_column_int(statement, 1);
    const char *tags = (const char *)sqlite3_column_text(statement, 2);
    size_t tags_length = (size_t)sqlite3_column_bytes(statement, 2);
    const char *description = (const char *)sqlite3_column_text(statement, 3);
    size_t length = (size_t)sqlite3_column_bytes(statement, 3);
    *row = (struct catalog_row){.source = (enum catalog_source)source};
    if (!catalog_read_name(statement, &row->name) || tags == NULL || description == NULL ||
        (source != CATALOG_API && source != CATALOG_CONFIGURATION) ||
        tags_add_all(&row->label.tags, tags, tags_length) != TAGS_OK ||
        !description_is_valid(description, length))
        return false;
    row->label.length = (uint16_t)length;
    memcpy(row->label.description, description, length);
    return true;
}

/* ---- Names of services whose rows are to be dropped ---- */

struct dropped {
    struct service_name *names;
    size_t count, capacity;
};

static bool note_dropped(struct dropped *dropped, const struct service_name *name)
{
    if (dropped->count == dropped->capacity) {
        size_t capacity = dropped->capacity == 0 ? 64 : dropped->capacity * 2;
        struct service_name *names = realloc(dropped->names, capacity * sizeof(names[0]));
        if (names == NULL)
            return false; /* it is dropped at another start */
        dropped->names = names;
        dropped->capacity = capacity;
    }
    dropped->names[dropped->count++] = *name;
    return true;
}

/* If that fails, as on a full disk, they are dropped at another start. */
static void drop_all(struct catalog *catalog, const struct dropped *dropped)
{
    struct failure failure;
    if (dropped->count == 0 || !catalog_begin(catalog, &failure))
        return;
    for (size_t i = 0; i < dropped->count; i++) {
        if (!catalog_remove(catalog, &dropped->names[i], &failure)) {
            catalog_cancel(catalog);
            return;
        }
    }
    catalog_commit(catalog, &failure);
}

/* ---- Opening ---- */

static bool is_damage(int result)
{
    int primary = result & 0xff;
    return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_FORMAT ||
           primary == SQLITE_ERROR || primary == SQLITE_SCHEMA || primary == SQLITE_MISMATCH;
}

static enum opening damaged(struct catalog_report *report, const char *what)
{
    snprintf(report->damage, sizeof(report->damage), "%s", what);
    return OPENING_DAMAGED;
}

/* What an SQLite result means that is not a good one. */
static enum opening refused(struct catalog *catalog, int result, struct catalog_report *report,
                            struct failure *failure)
{
    if (is_damage(result))
        return damaged(report, sqlite3_errmsg(catalog->database));
    catalog_describe(catalog, "opened", failure);
    return OPENING_FAILED;
}

/* Asks a question that is answered by one number. */
static int ask(struct catalog *catalog, const char *question, int *answer)
{
    sqlite3_stmt *statement;
    int result = sqlite3_prepare_v2(catalog->database, question, -1, &statement, NULL);
    if (result != SQLITE_OK)
        return result;
    result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        *answer = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return result == SQLITE_ROW ? SQLITE_OK : result;
}

static int execute(struct catalog *catalog, const char *statements)
{
    return sqlite3_exec(catalog->database, statements, NULL, NULL, NULL);
}

/* Whether the file is a catalog, of this version; *EMPTY: nothing was ever written to it. */
static enum opening identify(struct catalog *catalog, bool *empty, struct catalog_report *report,
                             struct failure *failure)
{
    int application = 0, version = 0, objects = 0;
    int result = ask(catalog, "PRAGMA application_id", &application);
    if (result == SQLITE_OK)
        result = ask(catalog, "PRAGMA user_version", &version);
    if (result == SQLITE_OK)
        result = ask(catalog, "SELECT count(*) FROM sqlite_schema", &objects);
    if (result != SQLITE_OK)
        return refused(catalog, result, report, failure);
    *empty = application == 0 && version == 0 && objects == 0;
    if (*empty)
        return OPENING_DONE;
    if (application != APPLICATION_ID)
        return damaged(report, "it is the database of another program");
    if (version < 1)
        return damaged(report, "it has no version");
    if (version == CATALOG_VERSION)
        return OPENING_DONE;
    failure_set(failure, "%s was written by a newer version of Kairós (format %d, known is %d)",
                catalog->path, version, CATALOG_VERSION);
    return OPENING_FAILED;
}

static enum opening open_file(struct catalog *catalog, struct catalog_report *report,
                              struct failure *failure)
{
    bool empty = false;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int result = sqlite3_open_v2(catalog->path, &catalog->database, flags, NULL);
    if (result != SQLITE_OK)
        return refused(catalog, result, report, failure);
    sqlite3_extended_result_codes(catalog->database, 1);
    sqlite3_busy_timeout(catalog->database, PATIENCE);
    enum opening opening = identify(catalog, &empty, report, failure);
    if (opening != OPENING_DONE)
        return opening;
    result = execute(catalog, settings);
    if (result == SQLITE_OK && empty)
        result = execute(catalog, schema);
    if (result == SQLITE_OK)
        result = catalog_prepare(catalog);
    if (result != SQLITE_OK)
        return refused(catalog, result, report, failure);
    report->created |= empty;
    return OPENING_DONE;
}

static void close_file(struct catalog *catalog)
{
    catalog_finalize(catalog);
    sqlite3_close(catalog->database);
    catalog->database = NULL;
}

/* Gives all rows to READER, and drops those that it does not take. */
static enum opening read_all(struct catalog *catalog, const struct catalog_reader *reader,
                             struct catalog_report *report, struct failure *failure)
{
    sqlite3_stmt *statement = catalog->statements[STATEMENT_ROWS];
    enum opening opening = OPENING_DONE;
    struct dropped dropped = {0};
    struct catalog_row row;
    int result;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        if (!read_row(statement, &row)) {
            opening = damaged(report, "a row is none of a service");
            break;
        }
        if (reader->take(reader->context, &row))
            report->rows++;
        else
            report->dropped += note_dropped(&dropped, &row.name);
    }
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        opening = refused(catalog, result, report, failure);
    sqlite3_reset(statement);
    if (opening == OPENING_DONE)
        drop_all(catalog, &dropped);
    free(dropped.names);
    return opening;
}

static enum opening open_and_read(struct catalog *catalog, const struct catalog_reader *reader,
                                  struct catalog_report *report, struct failure *failure)
{
    report->rows = report->dropped = 0;
    enum opening opening = open_file(catalog, report, failure);
    return opening == OPENING_DONE ? read_all(catalog, reader, report, failure) : opening;
}

/* ---- Rescue ---- */

static bool move(const char *from, const char *to, const char *suffix, struct failure *failure)
{
    char old[PATH_MAX + 160], new[PATH_MAX + 160];
    snprintf(old, sizeof(old), "%s%s", from, suffix);
    snprintf(new, sizeof(new), "%s%s", to, suffix);
    return rename(old, new) == 0 || errno == ENOENT ||
           failure_set(failure, "%s is damaged, and cannot be set aside as %s: %s", old, new,
                       strerror(errno));
}

/*
 * Gives the file a name that is free. Its log of changes goes first: with another database in its
 * place, it would be taken for that one's.
 */
static bool set_aside(const struct catalog *catalog, struct catalog_report *report,
                      struct failure *failure)
{
    char date[32];
    time_t now = time(NULL);
    struct tm utc;
    int try = 0;
    gmtime_r(&now, &utc);
    strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &utc);
    do {
        snprintf(report->aside, sizeof(report->aside), "%s.damaged-%s-%d", catalog->path, date,
                 try++);
    } while (access(report->aside, F_OK) == 0);
    report->set_aside = move(catalog->path, report->aside, "-wal", failure) &&
                        move(catalog->path, report->aside, "-journal", failure) &&
                        move(catalog->path, report->aside, "", failure);
    return report->set_aside;
}

/* Copies what can be read of DAMAGED, in the order of QUERY. Returns how many rows. */
static size_t copy_rows(struct catalog *catalog, sqlite3 *wreck, const char *query)
{
    sqlite3_stmt *statement;
    struct failure failure;
    struct catalog_row row;
    size_t copied = 0;
    if (sqlite3_prepare_v2(wreck, query, -1, &statement, NULL) != SQLITE_OK)
        return 0;
    while (sqlite3_step(statement) == SQLITE_ROW) {
        if (!read_row(statement, &row))
            continue;
        if (row.source == CATALOG_API)
            catalog_put(catalog, &row.name, &row.label, &failure);
        else
            catalog_declare(catalog, &row.name, &row.label, &failure);
        copied += sqlite3_changes(catalog->database) > 0;
    }
    sqlite3_finalize(statement);
    return copied;
}

/* From both ends, each up to what cannot be read: a page that is lost costs no more than itself. */
static bool rescue(struct catalog *catalog, struct catalog_report *report, struct failure *failure)
{
    sqlite3 *wreck = NULL;
    if (!catalog_begin(catalog, failure))
        return false;
    int result = sqlite3_open_v2(report->aside, &wreck, SQLITE_OPEN_READONLY, NULL);
    int application = 0;
    struct catalog other = {.database = wreck};
    if (result == SQLITE_OK && ask(&other, "PRAGMA application_id", &application) == SQLITE_OK &&
        application == APPLICATION_ID) {
        report->saved = copy_rows(
            catalog, wreck, "SELECT name, source, tags, description FROM service ORDER BY name");
        report->saved +=
            copy_rows(catalog, wreck,
                      "SELECT name, source, tags, description FROM service ORDER BY name DESC");
    }
    sqlite3_close(wreck);
    return catalog_commit(catalog, failure);
}

static bool replace(struct catalog *catalog, const struct catalog_reader *reader,
                    struct catalog_report *report, struct failure *failure)
{
    struct catalog_report again = {0};
    close_file(catalog);
    if (!set_aside(catalog, report, failure))
        return false;
    enum opening opening = open_file(catalog, &again, failure);
    if (opening == OPENING_DONE && !rescue(catalog, report, failure))
        return false;
    if (opening == OPENING_DONE)
        opening = read_all(catalog, reader, &again, failure);
    report->rows = again.rows;
    report->dropped = again.dropped;
    if (opening == OPENING_DAMAGED)
        failure_set(failure, "%s cannot be read back (%s); is the disk broken?", catalog->path,
                    again.damage);
    return opening == OPENING_DONE;
}

struct catalog *catalog_open(const char *directory, const struct catalog_reader *reader,
                             struct catalog_report *report, struct failure *failure)
{
    struct catalog *catalog = calloc(1, sizeof(*catalog));
    *report = (struct catalog_report){0};
    if (catalog == NULL) {
        failure_set(failure, "out of memory");
        return NULL;
    }
    pthread_mutex_init(&catalog->lock, NULL);
    snprintf(catalog->path, sizeof(catalog->path), "%s/%s", directory, CATALOG_FILE);
    enum opening opening = open_and_read(catalog, reader, report, failure);
    if (opening == OPENING_DONE ||
        (opening == OPENING_DAMAGED && replace(catalog, reader, report, failure)))
        return catalog;
    catalog_close(catalog);
    return NULL;
}
