/*
 * test_value.c - the table of keys, and how their values are read.
 */
#include "key.h"
#include "settings.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "support.h"

/* ---- The table ---- */

static void every_row_is_whole(void **state)
{
    for (size_t i = 0; i < key_count; i++) {
        const struct key *key = &keys[i];
        struct failure failure;
        check(strspn(key->name, "abcdefghijklmnopqrstuvwxyz_") == strlen(key->name), "%s",
              key->name);
        check(key->group < GROUP_COUNT && key->type != NULL, "%s", key->name);
        check(key->size > 0 && key->offset + key->size <= sizeof(struct settings), "%s", key->name);
        check((key->fallback != NULL) != (key->otherwise != NULL), "%s: one default", key->name);
        check(key->fallback != NULL || key->example != NULL, "%s: for the sample", key->name);
        check(key->flag == (key->argument == NULL), "%s: a flag has no argument", key->name);
        check(!key->flag || key->type == &value_boolean, "%s: a flag is on or off", key->name);
        check((key->type == &value_choice) == (key->choices != NULL), "%s", key->name);
        check(key->help[strlen(key->help) - 1] != '.', "%s: help has no full stop", key->name);
        check(key->more == NULL || key->more[strlen(key->more) - 1] == '.', "%s: more has one",
              key->name);
        check(key->fallback == NULL || settings_may_be(key, key->fallback, &failure), "%s: %s",
              key->name, failure.text);
        check(key->example == NULL || settings_may_be(key, key->example, &failure), "%s: %s",
              key->name, failure.text);
    }
}

static void no_two_rows_are_the_same(void **state)
{
    for (size_t i = 0; i < key_count; i++) {
        assert_ptr_equal(key_find(keys[i].name), &keys[i]);
        assert_int_equal(key_index(&keys[i]), i);
        for (size_t j = 0; j < i; j++) {
            check(keys[i].letter == 0 || keys[i].letter != keys[j].letter, "%s", keys[i].name);
            check(keys[i].offset >= keys[j].offset + keys[j].size ||
                      keys[j].offset >= keys[i].offset + keys[i].size,
                  "%s and %s have the same member", keys[i].name, keys[j].name);
        }
    }
    assert_null(key_find("services"));
}

static void guises(void **state)
{
    char text[KEY_GUISE_SIZE];
    key_environment(key_find("max_services"), text);
    assert_string_equal(text, "KAIROS_MAX_SERVICES");
    key_option(key_find("max_services"), text);
    assert_string_equal(text, "max-services");
    assert_string_equal(key_nearest("max-servces"), "max_services");
    assert_string_equal(key_nearest("service"), "services");
    assert_null(key_nearest("workers"));
    for (size_t i = 0; i < key_count; i++)
        assert_true(strlen(keys[i].name) + strlen("KAIROS__FILE") < KEY_GUISE_SIZE);
}

static void bounds(void **state)
{
    static const struct {
        const char *key, *bounds;
    } rows[] = {
        {"port", "0 to 65535"},
        {"interval", "1s to 366d"},
        {"tolerance", "0 to 366d"},
        {"header_timeout", "1s to 1d"},
        {"forget_after", "1s or more"},
        {"log_format", "text or json"},
        {"log_level", "DEBUG, INFO, WARNING or ERROR"},
        {"host", ""},
        {"unix_socket_mode", "0 to 777"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[VALUE_BOUNDS_SIZE];
        const struct key *key = key_find(rows[i].key);
        key->type->bounds(key, text);
        assert_string_equal(text, rows[i].bounds);
    }
}

/* ---- Values ---- */

/* What KEY becomes of TEXT: the settings, for settings_destroy; NULL if it is refused. */
static struct settings *read(const char *name, const char *text, struct failure *failure)
{
    struct problems problems = {0};
    struct settings *settings = calloc(1, sizeof(*settings));
    assert_non_null(settings);
    settings_set(settings, key_find(name), text, (struct origin){.kind = ORIGIN_OPTION}, &problems);
    if (!problems_exist(&problems))
        return settings;
    failure_set(failure, "%s", problems.texts[0]);
    problems_finish(&problems);
    settings_destroy(settings);
    return NULL;
}

static void accepted(void **state)
{
    static const struct {
        const char *key, *text;
        int64_t value;
    } rows[] = {
        {"port", "0", 0},
        {"port", "8000", 8000},
        {"port", "0080", 80},
        {"port", "65535", 65535},
        {"threads", "1", 1},
        {"threads", "256", 256},
        {"max_services", "100000000", 100000000},
        {"allowed_misses", "1000000", 1000000},
        {"interval", "1", KAIROS_SECOND},
        {"interval", "1000ms", KAIROS_SECOND},
        {"interval", "366d", 366 * KAIROS_DAY},
        {"interval", "5m", 5 * KAIROS_MINUTE},
        {"tolerance", "0", 0},
        {"tolerance", "1ms", KAIROS_MILLISECOND},
        {"forget_after", "never", 0},
        {"forget_after", "1s", KAIROS_SECOND},
        {"forget_after", "100000d", 100000 * KAIROS_DAY},
        {"auto_create", "on", 1},
        {"auto_create", "true", 1},
        {"auto_create", "True", 1},
        {"auto_create", "OFF", 0},
        {"auto_create", "false", 0},
        {"unix_socket_mode", "660", 0660},
        {"unix_socket_mode", "0660", 0660},
        {"unix_socket_mode", "0o600", 0600},
        {"unix_socket_mode", "0", 0},
        {"unix_socket_mode", "777", 0777},
        {"log_level", "DEBUG", LOG_DEBUG},
        {"log_level", "warning", LOG_WARNING},
        {"log_format", "Json", LOG_JSON},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t value = 0;
        struct failure failure;
        const struct key *key = key_find(rows[i].key);
        struct settings *settings = read(rows[i].key, rows[i].text, &failure);
        check(settings != NULL, "%s", failure.text);
        memcpy(&value, (const char *)settings + key->offset, key->size); /* of little endian */
        check(value == rows[i].value, "%s: %s", rows[i].key, rows[i].text);
        settings_destroy(settings);
    }
}

static void texts(void **state)
{
    struct failure failure;
    struct settings *settings = read("host", "db.example.org", &failure);
    assert_string_equal(settings->host, "db.example.org");
    settings_destroy(settings);
    settings = read("log_file", "\xc3\xa9 \n", &failure);
    assert_string_equal(settings->log.file, "\xc3\xa9 \n");
    settings_destroy(settings);
    settings = read("trusted_proxies", "10.0.0.0/8, ::1", &failure);
    assert_int_equal(settings->server.limits.trusted_proxies.count, 2);
    settings_destroy(settings);
}

static void refused(void **state)
{
    static const struct {
        const char *key, *text;
    } rows[] = {
        {"port", ""},
        {"port", " 1"},
        {"port", "1 "},
        {"port", "-1"},
        {"port", "+1"},
        {"port", "65536"},
        {"port", "18446744073709551616"},
        {"port", "0x50"},
        {"port", "1e3"},
        {"port", "80.0"},
        {"port", "never"},
        {"threads", "0"},
        {"threads", "257"},
        {"allowed_misses", "0"},
        {"interval", ""},
        {"interval", "0"},
        {"interval", "999ms"},
        {"interval", "367d"},
        {"interval", "-1s"},
        {"interval", "1.5"},
        {"interval", "60 s"},
        {"interval", "never"},
        {"interval", "9223372036854775807d"},
        {"forget_after", "0"},
        {"forget_after", "Never"},
        {"auto_create", ""},
        {"auto_create", "yes"},
        {"auto_create", "1"},
        {"auto_create", "onn"},
        {"unix_socket_mode", ""},
        {"unix_socket_mode", "0o"},
        {"unix_socket_mode", "8"},
        {"unix_socket_mode", "1000"},
        {"unix_socket_mode", "00660"},
        {"unix_socket_mode", "-1"},
        {"unix_socket_mode", "u=rw"},
        {"log_level", ""},
        {"log_level", "WARN"},
        {"log_level", "1"},
        {"log_format", "yaml"},
        {"host", ""},
        {"data_dir", ""},
        {"trusted_proxies", "localhost"},
        {"trusted_proxies", "10.0.0.0/33"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct failure failure;
        struct settings *settings = read(rows[i].key, rows[i].text, &failure);
        check(settings == NULL, "%s: %s", rows[i].key, rows[i].text);
    }
}

static void sizes(void **state)
{
    static const struct key key = {.name = "x",
                                   .type = &value_size,
                                   .offset = offsetof(struct settings, engine.max_services),
                                   .size = sizeof(size_t),
                                   .min = 1024,
                                   .max = INT64_C(4) << 30};
    static const char *const good[] = {"1024", "1KiB",    "1kib",      "512MiB",
                                       "4GiB", "4096MiB", "4294967296"};
    static const char *const bad[] = {"",     "KiB",        "1023",  "0KiB",
                                      "5GiB", "4294967297", "1 KiB", "1.5MiB",
                                      "1KB",  "1K",         "-1",    "18446744073709551615GiB"};
    char text[VALUE_BOUNDS_SIZE];
    struct failure failure;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        check(settings_may_be(&key, good[i], &failure), "%s: %s", good[i], failure.text);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        check(!settings_may_be(&key, bad[i], &failure), "%s", bad[i]);
    key.type->bounds(&key, text);
    assert_string_equal(text, "1KiB to 4GiB");
}

static void long_texts(void **state)
{
    static const struct {
        const char *key;
        size_t most;
    } rows[] = {{"host", 255}, {"data_dir", PATH_MAX - 1}, {"unix_socket", 107}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[PATH_MAX + 1];
        struct failure failure;
        memset(text, 'x', sizeof(text));
        text[rows[i].most] = '\0';
        assert_true(settings_may_be(key_find(rows[i].key), text, &failure));
        text[rows[i].most] = 'x';
        text[rows[i].most + 1] = '\0';
        assert_false(settings_may_be(key_find(rows[i].key), text, &failure));
    }
}

static void messages(void **state)
{
    struct failure failure;
    assert_null(read("port", "8o", &failure));
    assert_string_equal(failure.text, "--port: '8o' is not a whole number from 0 to 65535");
    assert_null(read("port", "\x1b[31m", &failure));
    assert_string_equal(failure.text, "--port: '?[31m' is not a whole number from 0 to 65535");
    char text[1000];
    memset(text, '1', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    assert_null(read("port", text, &failure));
    assert_non_null(strstr(failure.text, "111...' is not"));
    assert_true(strlen(failure.text) < 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(no_two_rows_are_the_same),
        cmocka_unit_test(guises),
        cmocka_unit_test(bounds),
        cmocka_unit_test(accepted),
        cmocka_unit_test(texts),
        cmocka_unit_test(refused),
        cmocka_unit_test(sizes),
        cmocka_unit_test(long_texts),
        cmocka_unit_test(messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
