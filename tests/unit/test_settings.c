/*
 * test_settings.c - settings of several sources, loaded again, and services that they declare.
 */
#include "monitor.h"
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "key.h"
#include "support.h"

/* A configuration that is written anew with each load. */
struct file {
    char path[64];
    struct settings_sources sources;
    struct problems problems;
};

static int set_up(void **state)
{
    struct file *file = calloc(1, sizeof(*file));
    strcpy(file->path, "/tmp/test-settings-XXXXXX");
    int fd = mkstemp(file->path);
    assert_true(fd >= 0);
    close(fd);
    file->sources.file = file->path;
    *state = file;
    return 0;
}

static int tear_down(void **state)
{
    struct file *file = *state;
    problems_finish(&file->problems);
    unlink(file->path);
    free(file);
    return 0;
}

static struct settings *load(struct file *file, const char *text)
{
    FILE *stream = fopen(file->path, "w");
    assert_non_null(stream);
    fputs(text, stream);
    fclose(stream);
    problems_finish(&file->problems);
    return settings_load(&file->sources, &file->problems);
}

/* Those in the table are the ones that the parts have of themselves. */
static void defaults(void **state)
{
    struct settings expected = {.host = "127.0.0.1",
                                .port = 8000,
                                .log.level = LOG_INFO,
                                .self_heartbeat_interval = 60 * KAIROS_SECOND};
    const struct key *changed[KEYS_MAX];
    struct settings *settings = load(*state, "");
    assert_non_null(settings);
    expected.server = server_options_default();
    expected.engine = engine_options_default();
    expected.server.workers = settings->server.workers;
    expected.monitor_body_max = MONITOR_BODY_DEFAULT;
    expected.monitor_threads = settings->monitor_threads;
    size_t count = settings_changes(settings, &expected, changed);
    check(count == 0, "%s", changed[0]->name);
    assert_true(settings->server.tcp && settings->server.workers >= 1);
    assert_true(settings->monitor_threads >= 2);
    assert_int_equal(settings->declarations.count, 0);
    settings_destroy(settings);
}

static void the_later_source_is_stronger(void **state)
{
    struct file *file = *state;
    file->sources.environment = true;
    file->sources.options[key_index(key_find("tolerance"))] = "3s";
    setenv("KAIROS_TOLERANCE", "2s", true);
    setenv("KAIROS_ALLOWED_MISSES", "2", true);
    setenv("KAIROS_DATA_DIR", "/x", true);
    struct settings *settings = load(file, "interval: 1\nallowed_misses: 1\ntolerance: 1\n");
    unsetenv("KAIROS_TOLERANCE");
    unsetenv("KAIROS_ALLOWED_MISSES");
    unsetenv("KAIROS_DATA_DIR");
    assert_non_null(settings);
    assert_int_equal(settings->engine.policy.interval, KAIROS_SECOND);
    assert_int_equal(settings->engine.policy.allowed_misses, 2);
    assert_int_equal(settings->engine.policy.tolerance, 3 * KAIROS_SECOND);
    assert_string_equal(settings->data_dir, "/x");
    assert_int_equal(settings->origins[key_index(key_find("interval"))].kind, ORIGIN_FILE);
    assert_int_equal(settings->origins[key_index(key_find("interval"))].line, 1);
    assert_int_equal(settings->origins[key_index(key_find("tolerance"))].kind, ORIGIN_OPTION);
    assert_int_equal(settings->origins[key_index(key_find("port"))].kind, ORIGIN_DEFAULT);
    settings_destroy(settings);
}

/* ---- Loading once more ---- */

static bool has(const struct key *const *changed, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(changed[i]->name, name) == 0)
            return true;
    }
    return false;
}

static void what_has_changed(void **state)
{
    const struct key *changed[KEYS_MAX];
    struct settings *before = load(*state, "interval: 60\nport: 1\nlog_file: a\n");
    struct settings *same = load(*state, "log_file: a\ninterval: 1m\nport: 1\nauto_create: on\n");
    struct settings *other = load(*state, "interval: 61\nlog_file: b\ntrusted_proxies: ::2\n");
    assert_true(before != NULL && same != NULL && other != NULL);
    assert_int_equal(settings_changes(before, same, changed), 0);
    size_t count = settings_changes(before, other, changed);
    assert_int_equal(count, 4);
    assert_true(has(changed, count, "interval") && has(changed, count, "port") &&
                has(changed, count, "log_file") && has(changed, count, "trusted_proxies"));
    assert_true(key_find("interval")->reload);
    assert_false(key_find("port")->reload);
    settings_destroy(before);
    settings_destroy(same);
    settings_destroy(other);
}

static void what_is_wrong_changes_nothing(void **state)
{
    struct file *file = *state;
    struct settings *settings = load(file, "interval: 5\n");
    assert_non_null(settings);
    assert_null(load(file, "interval: x\nport: y\nservices: [{service: '!'}]\n"));
    assert_int_equal(file->problems.count, 3);
    assert_false(file->problems.usage);
    assert_int_equal(settings->engine.policy.interval, 5 * KAIROS_SECOND);
    unlink(file->path);
    problems_finish(&file->problems);
    assert_null(settings_load(&file->sources, &file->problems));
    assert_int_equal(file->problems.count, 1);
    settings_destroy(settings);
}

static void many_problems_are_counted(void **state)
{
    struct file *file = *state;
    struct text text = {0};
    text_print(&text, "services:\n");
    for (size_t i = 0; i < 1000; i++)
        text_print(&text, "- %zu\n", i);
    assert_null(load(file, text.bytes));
    assert_int_equal(file->problems.count, PROBLEMS_MAX);
    assert_int_equal(file->problems.more, 1000 - PROBLEMS_MAX);
    text_finish(&text);
}

/* ---- Services ---- */

static void declared(void **state)
{
    struct settings *settings = load(*state, "services:\n"
                                             "- service: ' Backup '\n"
                                             "  interval: 1d\n"
                                             "  max_runtime: null\n"
                                             "  description: Database\n"
                                             "  tags: [team:x, B, b]\n"
                                             "- pattern: Web-[A-C]*\n"
                                             "  allowed_misses: 1\n"
                                             "  tolerance: 1.5\n");
    assert_non_null(settings);
    const struct declarations *declarations = &settings->declarations;
    assert_int_equal(declarations->count, 2);
    const struct declaration *backup = &declarations->list[0], *web = &declarations->list[1];
    assert_string_equal(backup->name, "backup");
    assert_false(backup->is_pattern);
    assert_int_equal(backup->line, 2);
    assert_string_equal(web->name, "web-[a-c]*");
    assert_true(web->is_pattern);
    assert_int_equal(web->line, 7);

    struct service_change change;
    declaration_change(backup, &change);
    assert_true(change.has_interval && change.has_max_runtime);
    assert_true(change.has_description && change.has_tags);
    assert_false(change.has_tolerance || change.has_allowed_misses || change.has_paused ||
                 change.create || change.replace);
    assert_string_equal(change.label.description, "Database");
    assert_int_equal(change.label.length, strlen("Database"));
    assert_string_equal(change.label.tags.text, "b,team:x");
    assert_int_equal(change.policy.interval, KAIROS_DAY);
    assert_int_equal(change.max_runtime, 0);
    declaration_change(web, &change);
    assert_true(change.has_allowed_misses && change.has_tolerance && !change.has_interval);
    assert_true(!change.has_description && !change.has_tags && label_is_empty(&change.label));
    assert_int_equal(change.policy.tolerance, 1500000);
    settings_destroy(settings);
}

static void declarations_compared(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } rows[] = {
        {"", "services:\n", true},
        {"services: []\n", "port: 0\n", true},
        {"services: [{service: a}]\n", "\n\nservices: [{service: A}]\n", true},
        {"services: [{service: a}]\n", "services: [{service: b}]\n", false},
        {"services: [{service: a}]\n", "services: [{pattern: a}]\n", false},
        {"services: [{service: a}]\n", "services: [{service: a}, {service: b}]\n", false},
        {"services: [{pattern: a*}, {pattern: b*}]\n", "services: [{pattern: b*}, {pattern: a*}]\n",
         false},
        {"services: [{service: a, interval: 60}]\n", "services: [{service: a, interval: 1m}]\n",
         true},
        {"services: [{service: a, interval: 60}]\n", "services: [{service: a}]\n", false},
        {"services: [{service: a, tolerance: 0}]\n", "services: [{service: a}]\n", false},
        {"services: [{service: a, allowed_misses: 1}]\n",
         "services: [{service: a, allowed_misses: 2}]\n", false},
        {"services: [{service: a, tags: [x, y]}]\n", "services: [{service: a, tags: [y, x, X]}]\n",
         true},
        {"services: [{service: a, tags: [x]}]\n", "services: [{service: a, tags: [y]}]\n", false},
        {"services: [{service: a, tags: []}]\n", "services: [{service: a}]\n", false},
        {"services: [{service: a, description: x}]\n", "services: [{service: a, description: y}]\n",
         false},
        {"services: [{service: a, max_runtime: 1}]\n", "services: [{service: a, max_runtime: 2}]\n",
         false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct settings *a = load(*state, rows[i].a), *b = load(*state, rows[i].b);
        assert_true(a != NULL && b != NULL);
        check(declarations_equal(&a->declarations, &b->declarations) == rows[i].equal, "%s and %s",
              rows[i].a, rows[i].b);
        settings_destroy(a);
        settings_destroy(b);
    }
}

static void patterns_refused(void **state)
{
    static const char *const rows[] = {"",     " ",    "a b", "a.b",   "a/b", "a[b",    "[",
                                       "a[b-", "a\\*", "é*",  "{a,b}", "a\"", "\"\\0\""};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[100];
        snprintf(text, sizeof(text), "services: [{pattern: '%s'}]\n", rows[i]);
        check(load(*state, text) == NULL, "%s", rows[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_later_source_is_stronger, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_has_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_wrong_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_problems_are_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(declared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(declarations_compared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(patterns_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
