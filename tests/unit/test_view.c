/*
 * test_view.c - what the API shows, in JSON.
 */
#include "view.h"

#include "support.h"

static struct clock clock_of_tests(void)
{
    const struct clock_reading reading = {.wall = 0, .boottime = 0, .monotonic = 0};
    struct clock clock;
    clock_init(&clock, &reading, (const char[BOOT_ID_SIZE]){0}, NULL, TIME_NEVER);
    return clock;
}

static void check_text(struct writer *writer, const char *text)
{
    assert_int_equal(writer->length, strlen(text));
    assert_memory_equal(writer->text, text, writer->length);
    writer_finish(writer);
}

static void a_service(void **state)
{
    struct clock clock = clock_of_tests();
    struct writer writer = {0};
    struct service_view view = {
        .name = "push",
        .length = 4,
        .status = SERVICE_NEW,
        .declared = true,
        .policy = {.interval = 60 * KAIROS_SECOND, .allowed_misses = 3},
        .last_seen = TIME_NEVER,
        .next_deadline = TIME_NEVER,
        .running_since = TIME_NEVER,
    };
    view_service(&writer, &clock, &view);
    check_text(&writer,
               "{\"service\":\"push\",\"status\":\"new\",\"declared\":true,\"interval\":60,"
               "\"allowed_misses\":3,\"tolerance\":0,\"max_runtime\":null,"
               "\"last_seen\":null,\"next_deadline\":null,\"running_since\":null,"
               "\"missed_count\":0,\"incident\":null,\"description\":\"\",\"tags\":[]}");

    view.status = SERVICE_DOWN;
    view.declared = false;
    view.policy.tolerance = 500000;
    view.max_runtime = KAIROS_HOUR;
    view.last_seen = view.running_since = KAIROS_SECOND;
    view.missed_count = 2;
    view.has_incident = true;
    view.label = (struct label){.tags = {.count = 2, .length = 5, .text = "a,b.1"},
                                .length = 7,
                                .description = "Say \"x\""};
    view.incident = (struct incident){.service = "push", .started_at = 1234567};
    view_service(&writer, &clock, &view);
    check_text(&writer, "{\"service\":\"push\",\"status\":\"down\",\"declared\":false,"
                        "\"interval\":60,\"allowed_misses\":3,\"tolerance\":0.5,"
                        "\"max_runtime\":3600,\"last_seen\":\"1970-01-01T00:00:01Z\","
                        "\"next_deadline\":null,\"running_since\":\"1970-01-01T00:00:01Z\","
                        "\"missed_count\":2,\"incident\":\"push@1234567\","
                        "\"description\":\"Say \\\"x\\\"\",\"tags\":[\"a\",\"b.1\"]}");
}

static void an_incident_and_its_alerts(void **state)
{
    struct clock clock = clock_of_tests();
    struct writer writer = {0};
    struct incident incident = {
        .service = "push",
        .kind = INCIDENT_SILENCE,
        .end = INCIDENT_RECOVERED,
        .started_at = 3 * KAIROS_SECOND,
        .raised_at = 4 * KAIROS_SECOND,
        .last_seen = 0,
        .ended_at = 9 * KAIROS_SECOND,
        .acknowledged_at = 5 * KAIROS_SECOND,
        .last_alert_at = 6 * KAIROS_SECOND,
        .alert_count = 2,
        .missed_count = 3,
    };
    view_incident(&writer, &clock, &incident);
    check_text(&writer,
               "{\"id\":\"push@3000000\",\"service\":\"push\",\"kind\":\"silence\",\"state\":"
               "\"closed\",\"end\":\"recovered\",\"started_at\":\"1970-01-01T00:00:03Z\","
               "\"raised_at\":\"1970-01-01T00:00:04Z\",\"last_seen\":\"1970-01-01T00:00:00Z\","
               "\"ended_at\":\"1970-01-01T00:00:09Z\",\"recovered_at\":\"1970-01-01T00:00:09Z\","
               "\"acknowledged_at\":\"1970-01-01T00:00:05Z\","
               "\"alert_count\":2,\"last_alert_at\":\"1970-01-01T00:00:06Z\",\"fails\":0,"
               "\"missed_count\":3}");

    const struct alert first = {.ordinal = 1, .alert_at = 3 * KAIROS_SECOND, .missed_count = 3};
    view_alert(&writer, &clock, &incident, &first);
    check_text(&writer,
               "{\"service\":\"push\",\"alert_at\":\"1970-01-01T00:00:03Z\",\"missed_count\":3,"
               "\"last_seen\":\"1970-01-01T00:00:00Z\",\"kind\":\"silence\","
               "\"raised_at\":\"1970-01-01T00:00:04Z\",\"incident\":\"push@3000000\","
               "\"ordinal\":1}");
    const struct alert repeat = {.ordinal = 2, .alert_at = 6 * KAIROS_SECOND, .missed_count = 3};
    view_alert(&writer, &clock, &incident, &repeat);
    check_text(&writer,
               "{\"service\":\"push\",\"alert_at\":\"1970-01-01T00:00:06Z\",\"missed_count\":3,"
               "\"last_seen\":\"1970-01-01T00:00:00Z\",\"kind\":\"silence\",\"raised_at\":null,"
               "\"incident\":\"push@3000000\",\"ordinal\":2}");
}

static void a_gap(void **state)
{
    struct clock clock = clock_of_tests();
    struct writer writer = {0};
    const struct gap gap = {.from = 0, .to = 12500000, .reason = GAP_RESTART};
    view_gap(&writer, &clock, &gap);
    check_text(&writer, "{\"from\":\"1970-01-01T00:00:00Z\",\"to\":\"1970-01-01T00:00:12.500000Z\","
                        "\"reason\":\"restart\",\"seconds\":12.5}");
}

static void ids(void **state)
{
    static const struct {
        const char *text;
        bool valid;
        int64_t started_at;
    } rows[] = {
        {"push@0", true, 0},
        {"Push@12", true, 12},
        {"push@-12", true, -12},
        {"push@9223372036854775807", true, INT64_MAX},
        {"push@-9223372036854775808", true, INT64_MIN},
        {"push@9223372036854775808", false, 0},
        {"push@-9223372036854775809", false, 0},
        {"push@", false, 0},
        {"push@-", false, 0},
        {"push@+1", false, 0},
        {"push@1x", false, 0},
        {"push@ 1", false, 0},
        {"push", false, 0},
        {"@1", false, 0},
        {"a@b@1", false, 0},
        {"", false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct incident_id id;
        struct slice text = {rows[i].text, strlen(rows[i].text)};
        check(incident_id_parse(text, &id) == rows[i].valid, "%s", rows[i].text);
        if (!rows[i].valid)
            continue;
        assert_string_equal(id.service, "push");
        assert_true(id.started_at == rows[i].started_at);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service),
        cmocka_unit_test(an_incident_and_its_alerts),
        cmocka_unit_test(a_gap),
        cmocka_unit_test(ids),
    };
    return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
