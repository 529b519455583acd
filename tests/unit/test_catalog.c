/*
 * test_catalog.c - what was told of services outlives the process, a full disk, and damage to its
 * file.
 */
#include "catalog.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live_support.h"

#define ROWS_MAX 6000

static struct den den;
static char path[1100], wal[1200];

/* ---- Reading ---- */

static struct catalog_row rows[ROWS_MAX];
static size_t row_count;
static bool known; /* whether there are services for the rows */

static bool take(void *context, const struct catalog_row *row)
{
    assert_true(row_count < ROWS_MAX);
    rows[row_count++] = *row;
    return known;
}

static const struct catalog_reader reader = {.take = take};

static struct catalog *try_open(struct catalog_report *report, struct failure *failure)
{
    row_count = 0;
    return catalog_open(den.directory, &reader, report, failure);
}

static struct catalog *open_with(struct catalog_report *report)
{
    struct failure failure;
    struct catalog *catalog = try_open(report, &failure);
    check(catalog != NULL, "%s", failure.text);
    return catalog;
}

static struct catalog *open_catalog(void)
{
    struct catalog_report report;
    struct catalog *catalog = open_with(&report);
    check(!report.set_aside, "%s", report.damage);
    return catalog;
}

static int create(void **state)
{
    den_init(&den);
    snprintf(path, sizeof(path), "%s/%s", den.directory, CATALOG_FILE);
    snprintf(wal, sizeof(wal), "%s-wal", path);
    known = true;
    return 0;
}

static int destroy(void **state)
{
    den_finish(&den);
    return 0;
}

/* ---- Writing ---- */

static struct service_name service(size_t number)
{
    struct service_name name = {0};
    name.length = (uint8_t)snprintf(name.text, sizeof(name.text), "service-%05zu", number);
    return name;
}

static struct label label(const char *tags, const char *description)
{
    struct label label = {.length = (uint16_t)strlen(description)};
    assert_int_equal(tags_add_all(&label.tags, tags, strlen(tags)), TAGS_OK);
    memcpy(label.description, description, label.length);
    return label;
}

static void put(struct catalog *catalog, size_t number, const struct label *label)
{
    struct service_name name = service(number);
    struct failure failure;
    check(catalog_put(catalog, &name, label, &failure), "%s", failure.text);
}

static void declare(struct catalog *catalog, size_t number, const struct label *label)
{
    struct service_name name = service(number);
    struct failure failure;
    check(catalog_declare(catalog, &name, label, &failure), "%s", failure.text);
}

static void drop(struct catalog *catalog, size_t number)
{
    struct service_name name = service(number);
    struct failure failure;
    check(catalog_remove(catalog, &name, &failure), "%s", failure.text);
}

static struct label long_label(size_t number)
{
    char description[DESCRIPTION_MAX + 1];
    snprintf(description, sizeof(description), "%0400zu", number);
    return label("a,b", description);
}

static void fill(struct catalog *catalog, size_t count)
{
    struct failure failure;
    assert_true(catalog_begin(catalog, &failure));
    for (size_t i = 0; i < count; i++) {
        struct label each = long_label(i);
        put(catalog, i, &each);
    }
    assert_true(catalog_commit(catalog, &failure));
}

static void assert_row(size_t place, size_t number, enum catalog_source source,
                       const struct label *label)
{
    struct service_name name = service(number);
    assert_true(place < row_count);
    assert_string_equal(rows[place].name.text, name.text);
    assert_int_equal(rows[place].name.length, name.length);
    assert_int_equal(rows[place].source, source);
    assert_true(label_equal(&rows[place].label, label));
}

/* ---- What is kept ---- */

static void rows_outlive_the_process(void **state)
{
    struct label empty = {0}, one = label("prod,team-x", "Nightly \xc3\xbc\n'quoted'"),
                 two = label("", "\xf0\x9f\x9a\xa8"), three = label("x", "");
    struct catalog *catalog = open_catalog();
    put(catalog, 3, &one);
    put(catalog, 1, &two);
    declare(catalog, 2, &empty);
    declare(catalog, 4, &one);
    put(catalog, 5, &empty);
    put(catalog, 6, &one);
    put(catalog, 6, &empty);
    put(catalog, 7, &one);
    drop(catalog, 7);
    drop(catalog, 8);
    put(catalog, 4, &three); /* it stays the configuration's */
    catalog_close(catalog);

    catalog_close(open_catalog());
    assert_int_equal(row_count, 4);
    assert_row(0, 1, CATALOG_API, &two);
    assert_row(1, 2, CATALOG_CONFIGURATION, &empty);
    assert_row(2, 3, CATALOG_API, &one);
    assert_row(3, 4, CATALOG_CONFIGURATION, &three);

    catalog = open_catalog();
    put(catalog, 4, &empty);
    declare(catalog, 1, &two);
    catalog_close(catalog);
    catalog_close(open_catalog());
    assert_row(0, 1, CATALOG_CONFIGURATION, &two);
    assert_row(3, 4, CATALOG_CONFIGURATION, &empty);
}

static void rows_of_no_service_are_dropped(void **state)
{
    struct label one = label("prod", "");
    struct catalog_report report;
    struct catalog *catalog = open_with(&report);
    assert_true(report.created);
    put(catalog, 1, &one);
    put(catalog, 2, &one);
    catalog_close(catalog);
    known = false;
    catalog_close(open_with(&report));
    assert_false(report.created);
    assert_int_equal(report.dropped, 2);
    assert_int_equal(report.rows, 0);
    catalog_close(open_with(&report));
    assert_int_equal(row_count, 0);
}

static void what_was_cancelled_is_not_kept(void **state)
{
    struct label one = label("prod", "");
    struct failure failure;
    struct catalog *catalog = open_catalog();
    put(catalog, 1, &one);
    assert_true(catalog_begin(catalog, &failure));
    put(catalog, 2, &one);
    drop(catalog, 1);
    catalog_cancel(catalog);
    catalog_cancel(catalog);
    put(catalog, 3, &one);
    catalog_close(catalog);
    catalog_close(open_catalog());
    assert_int_equal(row_count, 2);
    assert_row(0, 1, CATALOG_API, &one);
    assert_row(1, 3, CATALOG_API, &one);
}

static void the_declared_come_in_pages(void **state)
{
    struct label empty = {0};
    struct service_name names[4], *after = NULL;
    struct failure failure;
    struct catalog *catalog = open_catalog();
    size_t expected = 0, count;
    for (size_t i = 0; i < 10; i++) {
        struct label one = label("prod", "");
        if (i % 2 == 0)
            declare(catalog, i, &empty);
        else
            put(catalog, i, &one);
    }
    do {
        assert_true(catalog_declared(catalog, after, names, 4, &count, &failure));
        for (size_t i = 0; i < count; i++, expected += 2) {
            struct service_name name = service(expected);
            assert_string_equal(names[i].text, name.text);
            assert_int_equal(names[i].length, name.length);
        }
        after = &names[count - 1];
    } while (count == 4);
    assert_int_equal(expected, 10);
    catalog_close(catalog);
}

static void a_fingerprint_is_kept(void **state)
{
    struct failure failure;
    uint64_t fingerprint;
    bool is_known;
    struct catalog *catalog = open_catalog();
    assert_true(catalog_fingerprint(catalog, &fingerprint, &is_known, &failure));
    assert_false(is_known);
    assert_true(catalog_keep_fingerprint(catalog, 7, &failure));
    assert_true(catalog_keep_fingerprint(catalog, UINT64_MAX - 1, &failure));
    catalog_close(catalog);
    catalog = open_catalog();
    assert_true(catalog_fingerprint(catalog, &fingerprint, &is_known, &failure));
    assert_true(is_known);
    assert_true(fingerprint == UINT64_MAX - 1);
    catalog_close(catalog);
}

/* ---- What happens to the process, and to the disk ---- */

/* A child that tells after each row that it is kept, until it is killed. */
static void write_until_killed(int pipe)
{
    struct catalog *catalog = open_catalog();
    for (size_t i = 0;; i++) {
        struct label each = long_label(i);
        put(catalog, i % ROWS_MAX, &each);
        if (write(pipe, "x", 1) != 1)
            _exit(1);
    }
}

static void what_was_acknowledged_outlives_a_kill(void **state)
{
    for (int round = 0; round < 3; round++) {
        int ends[2], status;
        char bytes[1500];
        size_t told = 0, wanted = 100 + 700 * (size_t)round;
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0)
            write_until_killed(ends[1]);
        close(ends[1]);
        while (told < wanted) {
            ssize_t count = read(ends[0], bytes, sizeof(bytes));
            assert_true(count > 0);
            told += (size_t)count;
        }
        assert_int_equal(kill(child, SIGKILL), 0);
        for (ssize_t count; (count = read(ends[0], bytes, sizeof(bytes))) > 0;)
            told += (size_t)count;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        close(ends[0]);
        catalog_close(open_catalog());
        assert_true(row_count >= told);
        for (size_t i = 0; i < told; i++) {
            struct label each = long_label(i);
            assert_row(i, i, CATALOG_API, &each);
        }
        unlink(path);
        unlink(wal);
    }
}

/* In a child: files may have no more than SIZE bytes from here on. */
static void limit_files(rlim_t size)
{
    struct rlimit limit = {.rlim_cur = size, .rlim_max = size};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        _exit(9);
}

/* Exits with 0 if a full disk is told, and changes nothing, and the next change is told as well. */
static void write_on_a_full_disk(void)
{
    struct label each = long_label(9999);
    struct failure failure = {0};
    struct service_name name = service(9999);
    struct catalog *catalog = open_catalog();
    limit_files(65536);
    size_t written = 0;
    while (written < ROWS_MAX && catalog_put(catalog, &name, &each, &failure)) {
        name = service(written++);
        each = long_label(written);
    }
    if (written == ROWS_MAX || failure.text[0] == '\0')
        _exit(2);
    if (catalog_put(catalog, &name, &each, &failure))
        _exit(3);
    if (catalog_begin(catalog, &failure) && catalog_put(catalog, &name, &each, &failure) &&
        catalog_commit(catalog, &failure))
        _exit(4);
    catalog_cancel(catalog);
    _exit(0);
}

static void a_full_disk_is_told(void **state)
{
    int status;
    struct label one = label("prod", "before");
    struct catalog *catalog = open_catalog();
    put(catalog, 1, &one);
    catalog_close(catalog);
    pid_t child = fork();
    if (child == 0)
        write_on_a_full_disk();
    assert_int_equal(waitpid(child, &status, 0), child);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
    catalog = open_catalog();
    assert_true(row_count > 1);
    put(catalog, 2, &one); /* there is room again */
    catalog_close(catalog);
}

/* ---- Files that are no catalog ---- */

static void write_file(const char *text, size_t size)
{
    struct blob blob = {.bytes = (char *)text, .size = size};
    blob_write(&blob, path);
}

static void a_file_of_nothing_is_new(void **state)
{
    struct catalog_report report;
    write_file("", 0);
    catalog_close(open_with(&report));
    assert_true(report.created);
    assert_false(report.set_aside);
}

/* It has another name then, and the same bytes. */
static void assert_set_aside(const struct catalog_report *report, const struct blob *bytes)
{
    assert_true(report->set_aside);
    assert_true(report->damage[0] != '\0');
    struct blob aside = blob_read(report->aside);
    if (bytes != NULL)
        assert_true(blob_equals(&aside, bytes));
    blob_free(&aside);
}

static void what_is_no_database_is_set_aside(void **state)
{
    static const char text[] =
        "What is this, and who put it here? It is no database at all, but it "
        "is longer than the header of one, which has a hundred bytes.";
    struct catalog_report report;
    struct label one = label("prod", "");
    for (size_t round = 0; round < 3; round++) {
        write_file(text, sizeof(text));
        struct blob before = blob_read(path);
        struct catalog *catalog = open_with(&report);
        assert_set_aside(&report, &before);
        put(catalog, 1, &one);
        catalog_close(catalog);
        blob_free(&before);
        assert_int_equal(den_count(&den, CATALOG_FILE ".damaged-"), round + 1);
    }
    catalog_close(open_catalog());
    assert_row(0, 1, CATALOG_API, &one);
}

static void run_sql(const char *statements)
{
    sqlite3 *database;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, statements, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

static void the_database_of_another_program_is_set_aside(void **state)
{
    struct catalog_report report;
    run_sql("CREATE TABLE service (name TEXT); INSERT INTO service VALUES ('push')");
    struct blob before = blob_read(path);
    catalog_close(open_with(&report));
    assert_set_aside(&report, &before);
    assert_int_equal(report.saved, 0);
    assert_int_equal(row_count, 0);
    blob_free(&before);
}

static void a_newer_version_is_refused(void **state)
{
    struct catalog_report report;
    struct failure failure;
    struct label one = label("prod", "");
    struct catalog *catalog = open_catalog();
    put(catalog, 1, &one);
    catalog_close(catalog);
    run_sql("PRAGMA user_version = 2");
    assert_null(try_open(&report, &failure));
    check(strstr(failure.text, "newer version") != NULL, "%s", failure.text);
    assert_false(report.set_aside);
    run_sql("PRAGMA user_version = 1");
    catalog_close(open_catalog());
    assert_int_equal(row_count, 1);
}

static void a_directory_is_refused(void **state)
{
    struct catalog_report report;
    struct failure failure;
    char command[1200];
    snprintf(command, sizeof(command), "mkdir '%s'", path);
    assert_int_equal(system(command), 0);
    assert_null(try_open(&report, &failure));
    check(strstr(failure.text, "catalog.db cannot be opened") != NULL, "%s", failure.text);
}

static void rows_that_are_none_are_damage(void **state)
{
    static const char *const spoilt[] = {
        "UPDATE service SET name = 'No Name' WHERE name = 'service-00001'",
        "UPDATE service SET tags = 'b,,a' WHERE name = 'service-00001'",
        "UPDATE service SET source = 7 WHERE name = 'service-00001'",
        "UPDATE service SET description = x'ff' WHERE name = 'service-00001'",
        "UPDATE service SET description = printf('%501d', 1) WHERE name = 'service-00001'",
    };
    for (size_t i = 0; i < COUNT_OF(spoilt); i++) {
        struct catalog_report report;
        struct catalog *catalog = open_catalog();
        fill(catalog, 5);
        catalog_close(catalog);
        run_sql(spoilt[i]);
        catalog_close(open_with(&report));
        assert_set_aside(&report, NULL);
        assert_int_equal(report.saved, 4);
        assert_int_equal(report.rows, 4);
        unlink(path);
    }
}

static void without_its_tables_it_is_damaged(void **state)
{
    struct catalog_report report;
    catalog_close(open_catalog());
    run_sql("DROP TABLE rules");
    catalog_close(open_with(&report));
    assert_set_aside(&report, NULL);
}

/* Any bytes of a page are others: what is on other pages is there still, and nothing crashes. */
static void a_damaged_page_costs_no_more_than_itself(void **state)
{
    struct dice dice = {77};
    struct catalog_report report;
    struct catalog *catalog = open_catalog();
    fill(catalog, 400);
    catalog_close(catalog);
    struct blob whole = blob_read(path);
    size_t asides = 0;
    for (int round = 0; round < 60; round++) {
        struct blob spoilt = blob_copy(&whole);
        size_t page = 1 + dice_below(&dice, whole.size / 4096 - 1);
        for (size_t i = 0; i < 4096; i++)
            spoilt.bytes[page * 4096 + i] = (char)dice_roll(&dice);
        blob_write(&spoilt, path);
        blob_free(&spoilt);
        catalog_close(open_with(&report));
        if (report.set_aside) {
            asides++;
            /* A page between the root and the rows takes some with it. */
            assert_true(report.saved == 0 || report.saved > 200);
            assert_int_equal(report.rows, report.saved);
            unlink(report.aside);
        }
        unlink(path);
        unlink(wal);
    }
    assert_true(asides > 40);
    blob_free(&whole);
}

static void a_file_cut_short_is_set_aside(void **state)
{
    struct catalog_report report;
    struct catalog *catalog = open_catalog();
    fill(catalog, 400);
    catalog_close(catalog);
    assert_int_equal(truncate(path, 4096 * 20), 0);
    catalog_close(open_with(&report));
    assert_set_aside(&report, NULL);
    catalog_close(open_catalog());
    assert_int_equal(row_count, report.saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_outlive_the_process, create, destroy),
        cmocka_unit_test_setup_teardown(rows_of_no_service_are_dropped, create, destroy),
        cmocka_unit_test_setup_teardown(what_was_cancelled_is_not_kept, create, destroy),
        cmocka_unit_test_setup_teardown(the_declared_come_in_pages, create, destroy),
        cmocka_unit_test_setup_teardown(a_fingerprint_is_kept, create, destroy),
        cmocka_unit_test_setup_teardown(what_was_acknowledged_outlives_a_kill, create, destroy),
        cmocka_unit_test_setup_teardown(a_full_disk_is_told, create, destroy),
        cmocka_unit_test_setup_teardown(a_file_of_nothing_is_new, create, destroy),
        cmocka_unit_test_setup_teardown(what_is_no_database_is_set_aside, create, destroy),
        cmocka_unit_test_setup_teardown(the_database_of_another_program_is_set_aside, create,
                                        destroy),
        cmocka_unit_test_setup_teardown(a_newer_version_is_refused, create, destroy),
        cmocka_unit_test_setup_teardown(a_directory_is_refused, create, destroy),
        cmocka_unit_test_setup_teardown(rows_that_are_none_are_damage, create, destroy),
        cmocka_unit_test_setup_teardown(without_its_tables_it_is_damaged, create, destroy),
        cmocka_unit_test_setup_teardown(a_damaged_page_costs_no_more_than_itself, create, destroy),
        cmocka_unit_test_setup_teardown(a_file_cut_short_is_set_aside, create, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
