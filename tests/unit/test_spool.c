/*
 * test_spool.c - beats in a directory: added, listed in order, read, removed.
 */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kairos/timestamp.h>

#include "support.h"

#define URL "http://127.0.0.1:8000"

static char folder[PATH_MAX], place[PATH_MAX + 32];

static int set_up(void **state)
{
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof(folder), "%s/kairos-spool-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(place, sizeof(place), "%s/a/b/spool", folder);
    return 0;
}

static int tear_down(void **state)
{
    char command[PATH_MAX + 32];
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static struct beat beat_at(int64_t time)
{
    return (struct beat){.service = "backup", .time = time};
}

static void add(int64_t time)
{
    struct failure failure;
    struct beat beat = beat_at(time);
    size_t dropped = 0;
    check(spool_add(place, URL, &beat, &dropped, &failure), "%s", failure.text);
    assert_int_equal(dropped, 0);
}

static void nothing_there(void **state)
{
    struct spool spool;
    struct failure failure;
    assert_int_equal(spool_open(&spool, place, &failure), SPOOL_EMPTY);
    assert_int_equal(mkdir(place, 0700), -1); /* nothing was made either */
    assert_int_equal(errno, ENOENT);
}

/* In whatever order they are added. */
static void in_order_of_time(void **state)
{
    struct spool spool;
    struct failure failure;
    struct dice dice = {1};
    bool seen[200] = {false};
    for (int i = 0; i < 200; i++) {
        size_t time = dice_below(&dice, 200);
        while (seen[time])
            time = (time + 1) % 200;
        seen[time] = true;
        add(KAIROS_DAY * 20000 + (int64_t)time * 977);
    }
    assert_int_equal(spool_open(&spool, place, &failure), SPOOL_OPEN);
    assert_int_equal(spool.count, 200);
    for (size_t i = 0; i < spool.count; i++) {
        struct beat beat;
        json_t *json;
        const char *url;
        bool damaged;
        assert_true(spool_read(&spool, i, &json, &beat, &url, &damaged));
        assert_int_equal(beat.time, KAIROS_DAY * 20000 + (int64_t)i * 977);
        assert_string_equal(beat.service, "backup");
        assert_string_equal(url, URL);
        json_decref(json);
        if (i % 2 == 0)
            spool_remove(&spool, i);
    }
    spool_close(&spool);
    assert_int_equal(spool_open(&spool, place, &failure), SPOOL_OPEN);
    assert_int_equal(spool.count, 100);
    spool_close(&spool);
}

static void one_delivers(void **state)
{
    struct spool first, second;
    struct failure failure;
    add(0);
    assert_int_equal(spool_open(&first, place, &failure), SPOOL_OPEN);
    assert_int_equal(spool_open(&second, place, &failure), SPOOL_BUSY);
    add(1); /* which needs no lock */
    spool_close(&first);
    assert_int_equal(spool_open(&second, place, &failure), SPOOL_OPEN);
    assert_int_equal(second.count, 2);
    spool_close(&second);
}

static void removed_by_another(void **state)
{
    struct spool spool;
    struct failure failure;
    struct beat beat;
    json_t *json;
    const char *url;
    bool damaged = true;
    add(0);
    assert_int_equal(spool_open(&spool, place, &failure), SPOOL_OPEN);
    spool_remove(&spool, 0);
    assert_false(spool_read(&spool, 0, &json, &beat, &url, &damaged));
    assert_false(damaged);
    assert_null(json);
    spool_close(&spool);
}

static void *add_many(void *argument)
{
    int64_t first = *(int64_t *)argument;
    for (int64_t i = 0; i < 50; i++)
        add(first + i);
    return NULL;
}

static void several_add(void **state)
{
    struct spool spool;
    struct failure failure;
    pthread_t threads[4];
    int64_t firsts[4] = {0, 0, 25, 1000}; /* moments may be the same */
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, &firsts[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(spool_open(&spool, place, &failure), SPOOL_OPEN);
    assert_int_equal(spool.count, 200);
    spool_close(&spool);
}

static void no_directory(void **state)
{
    struct spool spool;
    struct failure failure;
    struct beat beat = beat_at(0);
    size_t dropped = 0;
    assert_int_equal(close(open(place, O_CREAT | O_WRONLY, 0600)), -1);
    snprintf(place, sizeof(place), "%s/file", folder);
    assert_int_equal(close(open(place, O_CREAT | O_WRONLY, 0600)), 0);
    assert_false(spool_add(place, URL, &beat, &dropped, &failure));
    assert_non_null(strstr(failure.text, "cannot write to the spool"));
    assert_int_equal(spool_open(&spool, place, &failure), SPOOL_BROKEN);
    assert_non_null(strstr(failure.text, "cannot open the spool"));
}

/* Where it is, by what the environment says. */
static void found(void **state)
{
    char path[PATH_MAX];
    setenv("XDG_STATE_HOME", "/state", 1);
    setenv("HOME", "/home/kai", 1);
    assert_true(spool_find(path));
    assert_string_equal(path, "/state/kairos/spool");
    setenv("XDG_STATE_HOME", "state", 1);
    assert_true(spool_find(path));
    assert_string_equal(path, "/home/kai/.local/state/kairos/spool");
    unsetenv("XDG_STATE_HOME");
    unsetenv("HOME"); /* as the system knows the user, if it does */
    if (spool_find(path))
        assert_non_null(strstr(path, "/.local/state/kairos/spool"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(in_order_of_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_delivers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(removed_by_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(several_add, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_directory, set_up, tear_down),
        cmocka_unit_test(found),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
