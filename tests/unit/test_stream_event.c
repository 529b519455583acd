/*
 * test_stream_event.c - events as text, their ids, and the filter of a stream.
 */
#include "stream_event.h"

#include <stdio.h>

#include "stream_filter.h"
#include "support.h"

#define RUN UINT64_C(0x661111f4e9a7c)

static struct clock clock_at_zero(void)
{
    struct clock clock;
    const struct clock_reading reading = {.wall = 0, .boottime = 0, .monotonic = 0};
    clock_init(&clock, &reading, (const char[BOOT_ID_SIZE]){0}, NULL, TIME_NEVER);
    return clock;
}

/* Fails unless WRITER has TEXT; empties it. */
static void check_text(struct writer *writer, const char *text)
{
    writer_print(writer, "%c", '\0');
    assert_string_equal(writer->text, text);
    writer_finish(writer);
}

/* ---- Events ---- */

static void events_as_text(void **state)
{
    struct clock clock = clock_at_zero();
    struct writer writer = {0};
    struct feed_item status = {
        .number = 17,
        .type = FEED_STATUS,
        .change = {.service = "push", .from = SERVICE_NONE, .to = SERVICE_UP, .at = KAIROS_SECOND},
    };
    event_write(&writer, &clock, RUN, &status);
    check_text(&writer,
               "id: 661111f4e9a7c-17\nevent: status\ndata: {\"service\":\"push\",\"from\":null,"
               "\"to\":\"up\",\"at\":\"1970-01-01T00:00:01Z\"}\n\n");
    struct feed_item gap = {
        .number = UINT64_MAX,
        .type = FEED_GAP,
        .gap = {.from = 0, .to = KAIROS_SECOND, .reason = GAP_STALL},
    };
    event_write(&writer, &clock, 0, &gap);
    check_text(&writer,
               "id: 0-18446744073709551615\nevent: gap\ndata: {\"from\":\"1970-01-01T00:00:00Z\","
               "\"to\":\"1970-01-01T00:00:01Z\",\"reason\":\"stall\",\"seconds\":1}\n\n");
}

static void beginnings_and_comments(void **state)
{
    struct writer writer = {0};
    event_write_begin(&writer, RUN, 0, RESET_NONE);
    check_text(&writer, "retry: 2000\nid: 661111f4e9a7c-0\n\n");
    event_write_begin(&writer, RUN, 9, RESET_OVERTAKEN);
    check_text(&writer, "retry: 2000\nid: 661111f4e9a7c-9\nevent: reset\n"
                        "data: {\"reason\":\"overtaken\"}\n\n");
    event_write_comment(&writer, RUN, 0);
    check_text(&writer, ":\n\n");
    event_write_comment(&writer, RUN, 3);
    check_text(&writer, ":\nid: 661111f4e9a7c-3\n\n");
}

/* An item all of whose texts are as long as they can be. */
static struct feed_item longest(enum feed_type type)
{
    struct feed_item item = {.number = UINT64_MAX, .type = type};
    char name[KAIROS_SERVICE_SIZE] = {0};
    const int64_t time = KAIROS_TIME_MAX - 1;
    memset(name, 'n', 100);
    if (type == FEED_STATUS) {
        item.change =
            (struct status_change){.from = SERVICE_PAUSED, .to = SERVICE_PAUSED, .at = time};
        memcpy(item.change.service, name, sizeof(name));
    } else if (type == FEED_GAP) {
        item.gap = (struct gap){.from = time, .to = KAIROS_TIME_MIN, .reason = GAP_SUSPEND};
    } else {
        item.incident = (struct incident){
            .kind = INCIDENT_SILENCE,
            .end = type == FEED_ALERT ? INCIDENT_OPEN : INCIDENT_FORGOTTEN,
            .started_at = time,
            .raised_at = time,
            .last_seen = time,
            .ended_at = time,
            .acknowledged_at = time,
            .last_alert_at = time,
            .alert_count = UINT64_MAX,
            .fails = UINT64_MAX,
            .missed_count = UINT32_MAX,
        };
        if (type == FEED_RECOVERY)
            item.incident.end = INCIDENT_RECOVERED;
        memcpy(item.incident.service, name, sizeof(name));
    }
    return item;
}

static void no_event_is_too_long(void **state)
{
    struct clock clock = clock_at_zero();
    for (unsigned type = 0; type < FEED_TYPE_COUNT; type++) {
        struct writer writer = {0};
        struct feed_item item = longest((enum feed_type)type);
        event_write(&writer, &clock, UINT64_MAX, &item);
        check(writer.length <= EVENT_TEXT_MAX, "%s: %zu bytes", event_name(item.type),
              writer.length);
        writer_finish(&writer);
    }
}

/* ---- Ids ---- */

static void ids(void **state)
{
    static const struct {
        const char *text;
        bool valid;
        uint64_t run, number;
    } rows[] = {
        {"661111f4e9a7c-17", true, RUN, 17},
        {"0-0", true, 0, 0},
        {"ffffffffffffffff-18446744073709551615", true, UINT64_MAX, UINT64_MAX},
        {"00ff-007", true, 255, 7},
        {"ffffffffffffffff0-1", false, 0, 0},
        {"1-18446744073709551616", false, 0, 0},
        {"", false, 0, 0},
        {"-", false, 0, 0},
        {"1-", false, 0, 0},
        {"-1", false, 0, 0},
        {"1", false, 0, 0},
        {"A-1", false, 0, 0},
        {"g-1", false, 0, 0},
        {"1-a", false, 0, 0},
        {"1-1-1", false, 0, 0},
        {"1--1", false, 0, 0},
        {" 1-1", false, 0, 0},
        {"1-1 ", false, 0, 0},
        {"0x1-1", false, 0, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t run, number;
        bool valid =
            event_id_parse((struct slice){rows[i].text, strlen(rows[i].text)}, &run, &number);
        check(valid == rows[i].valid, "'%s'", rows[i].text);
        if (valid)
            check(run == rows[i].run && number == rows[i].number, "'%s'", rows[i].text);
    }
}

/* ---- Filters ---- */

static struct feed_item item_of(enum feed_type type, const char *service)
{
    struct feed_item item = {.type = type};
    char *name = type == FEED_STATUS ? item.change.service : item.incident.service;
    if (type != FEED_GAP)
        strcpy(name, service);
    return item;
}

static void filters(void **state)
{
    static const struct {
        const char *types, *services;
        enum feed_type type;
        const char *service;
        bool wants;
    } rows[] = {
        {NULL, NULL, FEED_ALERT, "push", true},
        {NULL, NULL, FEED_GAP, "", true},
        {"alert", NULL, FEED_ALERT, "push", true},
        {"alert", NULL, FEED_RECOVERY, "push", false},
        {"gap,recovery", NULL, FEED_RECOVERY, "push", true},
        {"gap,recovery", NULL, FEED_CLOSED, "push", false},
        {"status,status", NULL, FEED_STATUS, "push", true},
        {NULL, "push", FEED_ALERT, "push", true},
        {NULL, "push", FEED_STATUS, "push", true},
        {NULL, "push", FEED_CLOSED, "push2", false},
        {NULL, "push", FEED_RECOVERY, "pus", false},
        {NULL, "sms, PUSH ,sms", FEED_ALERT, "push", true},
        {NULL, "push", FEED_GAP, "", true},
        {"alert", "push", FEED_GAP, "", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct stream_filter filter;
        struct failure failure;
        struct feed_item item = item_of(rows[i].type, rows[i].service);
        assert_true(stream_filter_parse(&filter, rows[i].types, rows[i].services, NULL, &failure));
        check(stream_filter_wants(&filter, &item) == rows[i].wants, "row %zu", i);
        assert_int_equal(stream_filter_is_all(&filter),
                         rows[i].types == NULL && rows[i].services == NULL);
        stream_filter_finish(&filter);
    }
}

static void filters_that_are_none(void **state)
{
    static const char *const rows[][2] = {
        {"", NULL},      {",", NULL},      {"alert,", NULL}, {"Alert", NULL},
        {"reset", NULL}, {"alert ", NULL}, {NULL, ""},       {NULL, "a,"},
        {NULL, ",a"},    {NULL, "a b"},    {"gap", "a;b"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct stream_filter filter;
        struct failure failure;
        check(!stream_filter_parse(&filter, rows[i][0], rows[i][1], NULL, &failure), "row %zu", i);
        assert_null(filter.services);
        assert_non_null(strstr(failure.text, rows[i][1] == NULL ? "types: " : "service: "));
    }
}

/* As many names as there may be, and one more. */
static void very_many_services(void **state)
{
    char text[4 * FILTER_SERVICES_MAX + 8] = "s00";
    struct stream_filter filter;
    struct failure failure;
    for (int i = 1; i < FILTER_SERVICES_MAX; i++)
        snprintf(text + strlen(text), 8, ",s%02d", i);
    assert_true(stream_filter_parse(&filter, NULL, text, NULL, &failure));
    struct feed_item item = item_of(FEED_ALERT, "s49");
    assert_true(stream_filter_wants(&filter, &item));
    stream_filter_finish(&filter);
    strcat(text, ",s50");
    assert_false(stream_filter_parse(&filter, NULL, text, NULL, &failure));
}

static void filters_by_tag(void **state)
{
    struct stream_filter filter;
    struct failure failure;
    assert_true(stream_filter_parse(&filter, NULL, NULL, "Prod,team-x,prod", &failure));
    assert_string_equal(filter.tags->text, "prod,team-x");
    assert_false(stream_filter_is_all(&filter));
    stream_filter_finish(&filter);
    static const char *const wrong[] = {"", ",", "a,", "a b",
                                        "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        check(!stream_filter_parse(&filter, NULL, "a", wrong[i], &failure), "'%s'", wrong[i]);
        assert_null(filter.tags);
        assert_null(filter.services);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_as_text),
        cmocka_unit_test(beginnings_and_comments),
        cmocka_unit_test(no_event_is_too_long),
        cmocka_unit_test(ids),
        cmocka_unit_test(filters),
        cmocka_unit_test(filters_that_are_none),
        cmocka_unit_test(very_many_services),
        cmocka_unit_test(filters_by_tag),
    };
    return cmocka_run_group_tests_name("stream_event", tests, NULL, NULL);
}
