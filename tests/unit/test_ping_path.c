/*
 * test_ping_path.c - what the path of a ping asks for.
 */
#include "ping_path.h"

#include "support.h"

/* The segments of PATH, which is what stands behind "/ping/". */
static enum ping_result parse(const char *path, struct ping *ping)
{
    struct slice segments[PING_SEGMENTS_MAX];
    size_t count = 0;
    for (const char *text = path;; text++) {
        const char *end = strchrnul(text, '/');
        assert_true(count < PING_SEGMENTS_MAX);
        segments[count++] = (struct slice){text, (size_t)(end - text)};
        text = end;
        if (*end == '\0')
            return ping_path_parse(segments, count, ping);
    }
}

#define A10  "aaaaaaaaaa"
#define A100 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10

static void what_is_asked_for(void **state)
{
    static const struct {
        const char *path, *name;
        enum engine_action action;
    } rows[] = {
        {"push", "push", ENGINE_HEARTBEAT},       {"Push", "push", ENGINE_HEARTBEAT},
        {"%20Push%20", "push", ENGINE_HEARTBEAT}, {"p%75sh", "push", ENGINE_HEARTBEAT},
        {"-_0", "-_0", ENGINE_HEARTBEAT},         {A100, A100, ENGINE_HEARTBEAT},
        {"push/fail", "push", ENGINE_FAIL},       {"push/start", "push", ENGINE_START},
        {"push/log", "push", ENGINE_LOG},         {"push/f%61il", "push", ENGINE_FAIL},
        {"push/0", "push", ENGINE_HEARTBEAT},     {"push/00", "push", ENGINE_HEARTBEAT},
        {"push/1", "push", ENGINE_FAIL},          {"push/255", "push", ENGINE_FAIL},
        {"fail/fail", "fail", ENGINE_FAIL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ping ping;
        check(parse(rows[i].path, &ping) == PING_OK, "%s", rows[i].path);
        assert_string_equal(ping.name, rows[i].name);
        assert_int_equal(ping.length, strlen(rows[i].name));
        assert_int_equal(ping.action, rows[i].action);
    }
}

static void what_is_refused(void **state)
{
    static const struct {
        const char *path;
        enum ping_result result;
    } rows[] = {
        {"", PING_EMPTY_NAME},
        {"%20", PING_EMPTY_NAME},
        {"/fail", PING_EMPTY_NAME},
        {"p%", PING_BAD_ESCAPE},
        {"p%0", PING_BAD_ESCAPE},
        {"p%00", PING_BAD_ESCAPE},
        {"push/%zz", PING_BAD_ESCAPE},
        {"p!sh", PING_BAD_NAME},
        {"p%2Fsh", PING_BAD_NAME},
        {"p sh", PING_BAD_NAME},
        {"caf\xc3\xa9", PING_BAD_NAME},
        {A100 "a", PING_BAD_NAME},
        {A100 A100 A100 A100 A100 A100, PING_BAD_NAME},
        {A100 A100 A100 A100 A100 A100 "%61", PING_BAD_NAME},
        {"push/", PING_BAD_ACTION},
        {"push/FAIL", PING_BAD_ACTION},
        {"push/failed", PING_BAD_ACTION},
        {"push/fai", PING_BAD_ACTION},
        {"push/256", PING_BAD_ACTION},
        {"push/999", PING_BAD_ACTION},
        {"push/0001", PING_BAD_ACTION},
        {"push/-1", PING_BAD_ACTION},
        {"push/+1", PING_BAD_ACTION},
        {"push/1.0", PING_BAD_ACTION},
        {"push/0x1", PING_BAD_ACTION},
        {"kp.abc/push", PING_KEY},
        {"kp.abc/push/fail", PING_KEY},
        {"kp%2eabc/push", PING_KEY},
        {"my.service", PING_KEY},
        {".", PING_KEY},
        {"push/fail/more", PING_UNKNOWN},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ping ping;
        check(parse(rows[i].path, &ping) == rows[i].result, "%s", rows[i].path);
        assert_true(strlen(ping_result_text(rows[i].result)) > 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_for),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests_name("ping_path", tests, NULL, NULL);
}
