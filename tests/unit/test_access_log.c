/*
 * test_access_log.c - lines of requests: their form, what they leave out, and a file that is
 * exchanged.
 */
#include "access_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <kairos/timestamp.h>

#include "support.h"

/* 2025-08-04T10:05:00Z */
#define WALL (INT64_C(1754301900) * KAIROS_SECOND)

struct rig {
    char folder[64], file[96], moved[96];
    struct log program;
    struct access_log *access;
    struct access_lines lines;
};

static int set_up(void **state)
{
    struct failure failure;
    struct rig *rig = calloc(1, sizeof(*rig));
    strcpy(rig->folder, "/tmp/kairos-access-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    sprintf(rig->file, "%s/log", rig->folder);
    sprintf(rig->moved, "%s/moved", rig->folder);
    rig->program = (struct log){.stream = stderr};
    rig->access = access_log_create(rig->file, &rig->program, &failure);
    assert_non_null(rig->access);
    rig->lines.text = malloc(ACCESS_LINES_SIZE);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    assert_true(access_log_destroy(rig->access));
    unlink(rig->file);
    unlink(rig->moved);
    rmdir(rig->folder);
    free(rig->lines.text);
    free(rig);
    return 0;
}

/* Ends the log; returns what stands in FILE, to be freed. */
static char *text_of(struct rig *rig, const char *path)
{
    access_log_flush(rig->access, &rig->lines);
    assert_true(access_log_destroy(rig->access));
    rig->access = NULL;
    char *text = calloc(1, 1 << 20);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    return text;
}

static struct access access_to(const char *path)
{
    return (struct access){
        .method = "GET",
        .path = path,
        .status = 200,
        .bytes = 2,
        .duration = 123,
        .address = "192.0.2.1",
        .id = {"some-id", 7},
    };
}

static void the_form(void **state)
{
    struct rig *rig = *state;
    struct access access = access_to("/ping/push");
    access_log_add(rig->access, &rig->lines, &access, WALL);
    access.duration = 61234567;
    access.bytes = UINT64_MAX;
    access.status = 499;
    access_log_add(rig->access, &rig->lines, &access, WALL + 7 * KAIROS_MILLISECOND + 999);
    access.duration = 0;
    access.bytes = 0;
    access_log_add(rig->access, &rig->lines, &access, WALL + KAIROS_MINUTE);
    access.duration = -5;
    access_log_add(rig->access, &rig->lines, &access, 0);
    char *text = text_of(rig, rig->file);
    assert_string_equal(
        text, "2025-08-04T10:05:00.000Z INFO request method=GET path=\"/ping/push\" status=200 "
              "bytes=2 duration_ms=0.123 address=192.0.2.1 id=some-id\n"
              "2025-08-04T10:05:00.007Z INFO request method=GET path=\"/ping/push\" status=499 "
              "bytes=18446744073709551615 duration_ms=61234.567 address=192.0.2.1 id=some-id\n"
              "2025-08-04T10:06:00.000Z INFO request method=GET path=\"/ping/push\" status=499 "
              "bytes=0 duration_ms=0.000 address=192.0.2.1 id=some-id\n"
              "1970-01-01T00:00:00.000Z INFO request method=GET path=\"/ping/push\" status=499 "
              "bytes=0 duration_ms=0.000 address=192.0.2.1 id=some-id\n");
    free(text);
}

static void paths(void **state)
{
    static const struct {
        const char *path, *shown;
    } rows[] = {
        {"", ""},
        {"/", "/"},
        {"/a\"b\\c\x1b\x7f\xff d", "/a\\\"b\\\\c\\x1b\\x7f\\xff d"},
        {"/ping/kp.secret/x", "/ping/kp.***/x"},
        {"/kp.secret", "/kp.***"},
        {"/kp.", "/kp.***"},
        {"/kp./kp.secret/", "/kp.***/kp.***/"},
        {"/ping%2fkp.secret/x", "/ping%2fkp.***/x"},
        {"/%2F%6bp.secret", "/%2Fkp.***"},
        {"%2fkp.secret", "%2fkp.***"},
        {"/%6Bp.secret", "/kp.***"},
        {"/%6b%70%2Esecret/x", "/kp.***/x"},
        {"/%6b%70%2", "/%6b%70%2"},
        {"/kp%00.x", "/kp%00.x"},
        {"/kp%2", "/kp%2"},
        {"/%", "/%"},
        {"/kp", "/kp"},
        {"/akp.x", "/akp.x"},
        {"/KP.x", "/KP.x"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char expected[256];
        struct rig *rig = *state;
        struct access access = access_to(rows[i].path);
        rig->lines.length = 0;
        access_log_add(rig->access, &rig->lines, &access, WALL);
        snprintf(expected, sizeof(expected), " path=\"%s\" status=", rows[i].shown);
        rig->lines.text[rig->lines.length] = '\0';
        check(strstr(rig->lines.text, expected) != NULL, "%s: %s", rows[i].path, rig->lines.text);
        rig->lines.length = 0;
    }
}

static void long_paths_are_cut(void **state)
{
    struct rig *rig = *state;
    static char path[40000], text[ACCESS_LINES_SIZE + 1];
    memset(path, '\xff', sizeof(path) - 1);
    struct access access = access_to(path);
    for (unsigned i = 0; i < 100; i++)
        access_log_add(rig->access, &rig->lines, &access, WALL);
    assert_true(rig->lines.length < ACCESS_LINES_SIZE);
    assert_true(rig->lines.count < 20);
    memcpy(text, rig->lines.text, rig->lines.length);
    const char *end = strstr(text, "...\" status=");
    assert_non_null(end);
    assert_true(end - text < 4200);
}

static void so_many_lines(void **state)
{
    struct rig *rig = *state;
    struct access access = access_to("/ping/push");
    for (unsigned i = 0; i < 5000; i++)
        access_log_add(rig->access, &rig->lines, &access, WALL + i * KAIROS_MILLISECOND);
    char *text = text_of(rig, rig->file);
    unsigned count = 0;
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1, count++) {
        unsigned second, thousandth;
        assert_int_equal(sscanf(line, "2025-08-04T10:05:%2u.%3uZ INFO", &second, &thousandth), 2);
        assert_int_equal(second * 1000 + thousandth, count);
    }
    assert_int_equal(count, 5000);
    free(text);
}

static void as_json(void **state)
{
    struct rig *rig = *state;
    struct access access = access_to("/ping/\"push\"");
    rig->program.format = LOG_JSON;
    for (unsigned i = 0; i < 2000; i++)
        access_log_add(rig->access, &rig->lines, &access, WALL);
    char *text = text_of(rig, rig->file);
    const char *line =
        "{\"time\": \"2025-08-04T10:05:00.000Z\", \"level\": \"INFO\", "
        "\"event\": \"request\", \"method\": \"GET\", \"path\": \"/ping/\\\"push\\\"\"";
    unsigned count = 0;
    for (const char *at = text; *at != '\0'; at = strchr(at, '\n') + 1, count++)
        assert_int_equal(strncmp(at, line, strlen(line)), 0);
    assert_int_equal(count, 2000);
    free(text);
}

static void the_file_is_exchanged(void **state)
{
    struct rig *rig = *state;
    struct failure failure;
    struct access access = access_to("/first");
    assert_int_equal(rename(rig->file, rig->moved), 0);
    int fd = access_log_prepare(rig->access, &failure);
    assert_true(fd >= 0);
    assert_true(access_log_adopt(rig->access, fd));
    access_log_add(rig->access, &rig->lines, &access, WALL);
    char *text = text_of(rig, rig->file);
    assert_non_null(strstr(text, "/first"));
    free(text);
}

static void the_log_of_the_program(void **state)
{
    struct failure failure;
    char *text = NULL;
    size_t size = 0;
    struct access access = access_to("/ping/push");
    struct access_lines lines = {.text = malloc(ACCESS_LINES_SIZE)};
    struct log program = {.stream = open_memstream(&text, &size), .level = LOG_INFO};
    struct access_log *log = access_log_create("-", &program, &failure);
    assert_true(access_log_wants(log));
    program.level = LOG_WARNING;
    assert_false(access_log_wants(log));
    access_log_add(log, &lines, &access, WALL);
    access_log_flush(log, &lines);
    int fd = access_log_prepare(log, &failure);
    assert_true(fd >= 0);
    assert_true(access_log_adopt(log, fd));
    assert_true(access_log_destroy(log));
    fclose(program.stream);
    assert_non_null(strstr(text, " INFO request method=GET path=\"/ping/push\""));
    free(text);
    free(lines.text);
}

static void a_file_that_cannot_be_opened(void **state)
{
    struct failure failure;
    struct log program = {.stream = stderr};
    assert_null(access_log_create("/nowhere/at/all", &program, &failure));
    assert_non_null(strstr(failure.text, "--access-log: cannot open /nowhere/at/all: "));
    assert_true(access_log_destroy(NULL));
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(the_form),
        WITH_FILE(paths),
        WITH_FILE(long_paths_are_cut),
        WITH_FILE(so_many_lines),
        WITH_FILE(as_json),
        WITH_FILE(the_file_is_exchanged),
        cmocka_unit_test(the_log_of_the_program),
        cmocka_unit_test(a_file_that_cannot_be_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
