/*
 * test_parser.c - events and errors of logs in both formats.
 */
#include <kairos/parser.h>

#include <kairos/timestamp.h>

#include "json_texts.h"
#include "outcome.h"
#include "support.h"

static struct fence fence;

/* Every way to hand over a log: as a whole or byte by byte, on both paths. */
static const struct reading readings[] = {
    {.fence = &fence},
    {.fence = &fence, .complete_path = true},
    {.fence = &fence, .block_max = 1, .dice = &(struct dice){1}},
    {.fence = &fence, .block_max = 1, .complete_path = true, .dice = &(struct dice){1}},
    {.fence = &fence, .block_max = 9, .events_max = 2, .dice = &(struct dice){2}},
};

/* An event and what it is; TEXT is the service's name, or what was refused. */
struct row {
    struct bytes event;
    enum kairos_reason reason;
    const char *text;
    int64_t time;
};

#define T0 INT64_C(1754301900000000) /* 2025-08-04T10:05:00Z */

static const struct row rows[] = {
    /* Heartbeats. */
    {BYTES("{\"service\":\"push\",\"timestamp\":\"2025-08-04T10:05:00Z\"}"), KAIROS_VALID, "push",
     T0},
    {BYTES("{\"timestamp\":\"2025-08-04T10:05:00Z\",\"service\":\"push\"}"), KAIROS_VALID, "push",
     T0},
    {BYTES("{ \"service\" : \"push\" ,\t\"timestamp\" : \"2025-08-04T10:05:00Z\" }"), KAIROS_VALID,
     "push", T0},
    {BYTES("{\"service\":\"push\",\"timestamp\":1754301900}"), KAIROS_VALID, "push", T0},
    {BYTES("{\"service\":\"push\",\"timestamp\":1754301900000}"), KAIROS_VALID, "push", T0},
    {BYTES("{\"service\":\"push\",\"timestamp\":1754301900.123456789}"), KAIROS_VALID, "push",
     T0 + 123456},
    {BYTES("{\"service\":\"push\",\"timestamp\":1.7543019e9 }"), KAIROS_VALID, "push", T0},
    {BYTES("{\"service\":\"push\",\"timestamp\":-1}"), KAIROS_VALID, "push", -1000000},
    {BYTES("{\"service\":\"push\",\"timestamp\":0}"), KAIROS_VALID, "push", 0},
    {BYTES("{\"service\":\"PUSH\",\"timestamp\":0}"), KAIROS_VALID, "push", 0},
    {BYTES("{\"service\":\"  Push\\t\\n\",\"timestamp\":0}"), KAIROS_VALID, "push", 0},
    {BYTES("{\"service\":\"\\u0050\\u0075sh\",\"timestamp\":0}"), KAIROS_VALID, "push", 0},
    {BYTES("{\"service\":\"0\",\"timestamp\":0}"), KAIROS_VALID, "0", 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":\"2025-08-04T10:05:00."
           "1234567890123456789012345678901234567890"
           "12345678901234567890123456789012345678901234567890123456789012345678901234567890+00:"
           "00\"}"),
     KAIROS_VALID, "push", T0 + 123456},
    {BYTES("{\"service\":\"push\",\"timestamp\":\"2025-08-04\\u005410:05\\u003a00\\u005A\"}"),
     KAIROS_VALID, "push", T0},
    {BYTES("{\"s\\u0065rvice\":\"push\",\"\\u0074imestamp\":0}"), KAIROS_VALID, "push", 0},

    /* Other members are ignored, whatever they hold. */
    {BYTES(
         "{\"id\":7,\"service\":\"push\",\"x\":null,\"timestamp\":0,\"y\":[{\"service\":\"a\"}]}"),
     KAIROS_VALID, "push", 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":0,\"Service\":\"a\",\"TIMESTAMP\":1,\" "
           "service\":1,\"service \":2}"),
     KAIROS_VALID, "push", 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":0,\"n\":{\"service\":\"a\",\"timestamp\":1}}"),
     KAIROS_VALID, "push", 0},
    {BYTES("{\"n\":{\"service\":\"a\",\"timestamp\":1},\"service\":\"push\",\"timestamp\":0}"),
     KAIROS_VALID, "push", 0},
    {BYTES("{\"service\\u0000\":\"a\",\"service\":\"push\",\"timestamp\":0,\"timestampx\":1,"
           "\"timestam\":1}"),
     KAIROS_VALID, "push", 0},
    {BYTES(
         "{\"service\":\"push\",\"timestamp\":0,\"x\":1e400,\"y\":\"\\ud83d\",\"z\":\"\\u0000\"}"),
     KAIROS_VALID, "push", 0},
    {BYTES("{\"\":\"\",\"service\":\"push\",\"timestamp\":0}"), KAIROS_VALID, "push", 0},

    /* Of members with one name the last counts, whatever it holds. */
    {BYTES("{\"service\":\"a\",\"service\":\"push\",\"timestamp\":0}"), KAIROS_VALID, "push", 0},
    {BYTES("{\"service\":null,\"service\":\"push\",\"timestamp\":0}"), KAIROS_VALID, "push", 0},
    {BYTES("{\"service\":7,\"service\":\"push\",\"timestamp\":\"x\",\"timestamp\":0}"),
     KAIROS_VALID, "push", 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":1,\"timestamp\":\"2025-08-04T10:05:00Z\"}"),
     KAIROS_VALID, "push", T0},
    {BYTES("{\"service\":\"push\",\"timestamp\":\"2025-08-04T10:05:00Z\",\"timestamp\":1}"),
     KAIROS_VALID, "push", 1000000},
    {BYTES("{\"service\":\"push\",\"service\":\"\\u0020\",\"timestamp\":0}"), KAIROS_EMPTY_SERVICE,
     NULL, 0},
    {BYTES("{\"service\":\"push\",\"service\":null,\"timestamp\":0}"), KAIROS_EMPTY_SERVICE, NULL,
     0},
    {BYTES("{\"service\":\"push\",\"\\u0073ervice\":7,\"timestamp\":0}"),
     KAIROS_INVALID_SERVICE_FORMAT, "", 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":0,\"timestamp\":null}"), KAIROS_EMPTY_TIMESTAMP,
     NULL, 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":0,\"timestamp\":\"x\"}"),
     KAIROS_INVALID_TIMESTAMP_FORMAT, "x", 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":0,\"timestamp\":[1,2]}"),
     KAIROS_INVALID_TIMESTAMP_FORMAT, "", 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":0,\"timestamp\":1e400}"),
     KAIROS_INVALID_TIMESTAMP_FORMAT, "", 0},

    /* Not an object. */
    {BYTES("null"), KAIROS_NOT_AN_OBJECT, NULL, 0},
    {BYTES("true"), KAIROS_NOT_AN_OBJECT, NULL, 0},
    {BYTES("false"), KAIROS_NOT_AN_OBJECT, NULL, 0},
    {BYTES("7"), KAIROS_NOT_AN_OBJECT, NULL, 0},
    {BYTES("-1.5e3"), KAIROS_NOT_AN_OBJECT, NULL, 0},
    {BYTES("\"push\""), KAIROS_NOT_AN_OBJECT, NULL, 0},
    {BYTES("\"{\""), KAIROS_NOT_AN_OBJECT, NULL, 0},
    {BYTES("[]"), KAIROS_NOT_AN_OBJECT, NULL, 0},
    {BYTES("[\"service\",\"timestamp\"]"), KAIROS_NOT_AN_OBJECT, NULL, 0},
    {BYTES("[{\"service\":\"push\",\"timestamp\":0}]"), KAIROS_NOT_AN_OBJECT, NULL, 0},

    /* Missing. */
    {BYTES("{}"), KAIROS_MISSING_SERVICE, NULL, 0},
    {BYTES("{ }"), KAIROS_MISSING_SERVICE, NULL, 0},
    {BYTES("{\"timestamp\":0}"), KAIROS_MISSING_SERVICE, NULL, 0},
    {BYTES("{\"Service\":\"push\",\"timestamp\":0}"), KAIROS_MISSING_SERVICE, NULL, 0},
    {BYTES("{\"n\":{\"service\":\"push\"},\"timestamp\":0}"), KAIROS_MISSING_SERVICE, NULL, 0},
    {BYTES("{\"n\":\"service\",\"timestamp\":null}"), KAIROS_MISSING_SERVICE, NULL, 0},
    {BYTES("{\"service\":\"push\"}"), KAIROS_MISSING_TIMESTAMP, NULL, 0},
    {BYTES("{\"service\":null}"), KAIROS_MISSING_TIMESTAMP, NULL, 0},
    {BYTES("{\"service\":\"not one\"}"), KAIROS_MISSING_TIMESTAMP, NULL, 0},
    {BYTES("{\"service\":\"push\",\"n\":[{\"timestamp\":0}]}"), KAIROS_MISSING_TIMESTAMP, NULL, 0},

    /* Empty. */
    {BYTES("{\"service\":null,\"timestamp\":0}"), KAIROS_EMPTY_SERVICE, NULL, 0},
    {BYTES("{\"service\":\"\",\"timestamp\":0}"), KAIROS_EMPTY_SERVICE, NULL, 0},
    {BYTES("{\"service\":\" \",\"timestamp\":0}"), KAIROS_EMPTY_SERVICE, NULL, 0},
    {BYTES("{\"service\":\" \\t\\n\\u000b\\f\\r\",\"timestamp\":\"\"}"), KAIROS_EMPTY_SERVICE, NULL,
     0},
    {BYTES("{\"service\":null,\"timestamp\":null}"), KAIROS_EMPTY_SERVICE, NULL, 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":null}"), KAIROS_EMPTY_TIMESTAMP, NULL, 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":\"\"}"), KAIROS_EMPTY_TIMESTAMP, NULL, 0},
    {BYTES("{\"service\":\"not one\",\"timestamp\":\"\"}"), KAIROS_EMPTY_TIMESTAMP, NULL, 0},
    {BYTES("{\"service\":7,\"timestamp\":null}"), KAIROS_EMPTY_TIMESTAMP, NULL, 0},

    /* No name. */
    {BYTES("{\"service\":\"two words\",\"timestamp\":0}"), KAIROS_INVALID_SERVICE_FORMAT,
     "two words", 0},
    {BYTES("{\"service\":\"p\\u00fcsh\",\"timestamp\":0}"), KAIROS_INVALID_SERVICE_FORMAT,
     "p\xc3\xbcsh", 0},
    {BYTES("{\"service\":\"p\xc3\xbcsh\",\"timestamp\":0}"), KAIROS_INVALID_SERVICE_FORMAT,
     "p\xc3\xbcsh", 0},
    {BYTES("{\"service\":\"a.b\",\"timestamp\":\"x\"}"), KAIROS_INVALID_SERVICE_FORMAT, "a.b", 0},
    {BYTES("{\"service\":\"a/b\",\"timestamp\":0}"), KAIROS_INVALID_SERVICE_FORMAT, "a/b", 0},
    {BYTES("{\"service\":\"\\\"\",\"timestamp\":0}"), KAIROS_INVALID_SERVICE_FORMAT, "\"", 0},
    {BYTES("{\"service\":7,\"timestamp\":0}"), KAIROS_INVALID_SERVICE_FORMAT, "", 0},
    {BYTES("{\"service\":true,\"timestamp\":0}"), KAIROS_INVALID_SERVICE_FORMAT, "", 0},
    {BYTES("{\"service\":false,\"timestamp\":0}"), KAIROS_INVALID_SERVICE_FORMAT, "", 0},
    {BYTES("{\"service\":[],\"timestamp\":0}"), KAIROS_INVALID_SERVICE_FORMAT, "", 0},
    {BYTES("{\"service\":[\"push\"],\"timestamp\":0}"), KAIROS_INVALID_SERVICE_FORMAT, "", 0},
    {BYTES("{\"service\":{},\"timestamp\":0}"), KAIROS_INVALID_SERVICE_FORMAT, "", 0},
    {BYTES("{\"service\":{\"service\":\"push\"},\"timestamp\":0}"), KAIROS_INVALID_SERVICE_FORMAT,
     "", 0},

    /* No moment. */
    {BYTES("{\"service\":\"push\",\"timestamp\":\"yesterday\"}"), KAIROS_INVALID_TIMESTAMP_FORMAT,
     "yesterday", 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":\" \"}"), KAIROS_INVALID_TIMESTAMP_FORMAT, " ", 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":\"2025-02-29T00:00:00Z\"}"),
     KAIROS_INVALID_TIMESTAMP_FORMAT, "2025-02-29T00:00:00Z", 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":\" 2025-08-04T10:05:00Z\"}"),
     KAIROS_INVALID_TIMESTAMP_FORMAT, " 2025-08-04T10:05:00Z", 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":\"1754301900\"}"), KAIROS_INVALID_TIMESTAMP_FORMAT,
     "1754301900", 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":\"2025-08-04T10:05:00Z\\u0020\"}"),
     KAIROS_INVALID_TIMESTAMP_FORMAT, "2025-08-04T10:05:00Z ", 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":1e400}"), KAIROS_INVALID_TIMESTAMP_FORMAT, "", 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":-1e400}"), KAIROS_INVALID_TIMESTAMP_FORMAT, "", 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":253402300800000}"), KAIROS_INVALID_TIMESTAMP_FORMAT,
     "", 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":true}"), KAIROS_INVALID_TIMESTAMP_FORMAT, "", 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":false}"), KAIROS_INVALID_TIMESTAMP_FORMAT, "", 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":{}}"), KAIROS_INVALID_TIMESTAMP_FORMAT, "", 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":[1754301900]}"), KAIROS_INVALID_TIMESTAMP_FORMAT,
     "", 0},
};

/* NUL bytes in what was refused. */
static const struct row rows_with_nuls[] = {
    {BYTES("{\"service\":\"pu\\u0000sh\",\"timestamp\":0}"), KAIROS_INVALID_SERVICE_FORMAT, "pu",
     5},
    {BYTES("{\"service\":\"\\u0000\",\"timestamp\":0}"), KAIROS_INVALID_SERVICE_FORMAT, "", 1},
    {BYTES("{\"service\":\"push\",\"timestamp\":\"2025-08-04T10:05:00Z\\u0000\"}"),
     KAIROS_INVALID_TIMESTAMP_FORMAT, "2025-08-04T10:05:00Z", 21},
};

static void check_row(const struct kairos_event *event, const struct row *row, size_t offset)
{
    const char *text = row->text == NULL ? "" : row->text;
    check(event->reason == row->reason, "%s: %s", shown(row->event.text, row->event.length),
          kairos_reason_name(event->reason));
    check(event->length == strlen(text) && memcmp(event->text, text, event->length) == 0, "%s: %s",
          shown(row->event.text, row->event.length), shown(event->text, event->length));
    if (row->reason == KAIROS_VALID)
        assert_int_equal(event->time, row->time);
    else
        assert_int_equal(event->offset, offset);
}

/* Reads BEFORE, the row's event and AFTER; its place among the events is 1, if others surround it.
 */
static void read_row(const char *before, const struct row *row, const char *after,
                     enum kairos_format format)
{
    struct text log = {0};
    struct outcome outcome;
    text_print(&log, "%s", before);
    size_t offset = log.length;
    text_add(&log, row->event.text, row->event.length);
    text_print(&log, "%s", after);
    size_t place = strchr(before, '0') != NULL;
    for (size_t i = 0; i < COUNT_OF(readings); i++) {
        outcome_read(&outcome, &readings[i], log.bytes, log.length);
        check(!outcome.failed, "error %d at %ju: %s", (int)outcome.error.code,
              (uintmax_t)outcome.error.offset, shown(log.bytes, log.length));
        assert_int_equal(outcome.format, format);
        assert_int_equal(outcome.count, place == 0 ? 1 : 3);
        check_row(&outcome.events[place], row, offset);
        outcome_finish(&outcome);
    }
    text_finish(&log);
}

static void every_reason_in_an_array(void **state)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        read_row("[", &rows[i], "]", KAIROS_FORMAT_ARRAY);
        read_row(" \n[\t", &rows[i], " ] ", KAIROS_FORMAT_ARRAY);
        read_row("[{\"service\":\"push\",\"timestamp\":0},\n", &rows[i],
                 ",{\"service\":\"push\",\"timestamp\":1}]", KAIROS_FORMAT_ARRAY);
    }
}

static void every_reason_in_ndjson(void **state)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        static const char before[] = "{\"service\":\"push\",\"timestamp\":0}\n";
        static const char after[] = "\n{\"service\":\"push\",\"timestamp\":1}";
        read_row(before, &rows[i], after, KAIROS_FORMAT_NDJSON);
        if (rows[i].event.text[0] == '[')
            continue; /* that would be an array */
        read_row("", &rows[i], "", KAIROS_FORMAT_NDJSON);
        read_row("", &rows[i], "\n", KAIROS_FORMAT_NDJSON);
        read_row("\n \t", &rows[i], " \t\r\n\n", KAIROS_FORMAT_NDJSON);
    }
}

static void nul_bytes_are_kept_of_what_was_refused(void **state)
{
    for (size_t i = 0; i < COUNT_OF(rows_with_nuls); i++) {
        const struct row *row = &rows_with_nuls[i];
        struct outcome outcome;
        outcome_read(&outcome, &readings[0], row->event.text, row->event.length);
        assert_int_equal(outcome.count, 1);
        assert_int_equal(outcome.events[0].reason, row->reason);
        assert_int_equal(outcome.events[0].length, row->time);
        assert_string_equal(outcome.events[0].text, row->text);
        outcome_finish(&outcome);
    }
}

#define NOW INT64_C(1754301911123456)

/* Where a timestamp may be left out. */
static const struct row rows_with_default[] = {
    {BYTES("{\"service\":\"push\"}"), KAIROS_VALID, "push", NOW},
    {BYTES("{ \"service\" : \" Push \" }"), KAIROS_VALID, "push", NOW},
    {BYTES("{\"service\":null,\"service\":\"push\"}"), KAIROS_VALID, "push", NOW},
    {BYTES("{\"id\":7,\"service\":\"push\",\"x\":\"y\"}"), KAIROS_VALID, "push", NOW},
    {BYTES("{\"service\":\"push\",\"Timestamp\":1,\"timestamps\":2}"), KAIROS_VALID, "push", NOW},
    {BYTES("{\"service\":\"push\",\"n\":{\"timestamp\":1}}"), KAIROS_VALID, "push", NOW},
    {BYTES("{\"service\":\"push\",\"n\":\"timestamp\"}"), KAIROS_VALID, "push", NOW},
    {BYTES(
         "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"service\":\"push\"}"),
     KAIROS_VALID, "push", NOW},

    /* One that is there counts. */
    {BYTES("{\"service\":\"push\",\"timestamp\":\"2025-08-04T10:05:00Z\"}"), KAIROS_VALID, "push",
     T0},
    {BYTES("{\"service\":\"push\",\"timestamp\":0}"), KAIROS_VALID, "push", 0},
    {BYTES("{\"\\u0074imestamp\":0,\"service\":\"push\"}"), KAIROS_VALID, "push", 0},
    {BYTES("{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"service\":\"push\","
           "\"timestamp\":8}"),
     KAIROS_VALID, "push", 8000000},
    {BYTES("{\"service\":\"push\",\"timestamp\":null}"), KAIROS_EMPTY_TIMESTAMP, NULL, 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":\"\"}"), KAIROS_EMPTY_TIMESTAMP, NULL, 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":0,\"timestamp\":null}"), KAIROS_EMPTY_TIMESTAMP,
     NULL, 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":\" \"}"), KAIROS_INVALID_TIMESTAMP_FORMAT, " ", 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":false}"), KAIROS_INVALID_TIMESTAMP_FORMAT, "", 0},
    {BYTES("{\"service\":\"push\",\"timestamp\":{}}"), KAIROS_INVALID_TIMESTAMP_FORMAT, "", 0},

    /* The service is needed as ever. */
    {BYTES("{}"), KAIROS_MISSING_SERVICE, NULL, 0},
    {BYTES("{\"Service\":\"push\"}"), KAIROS_MISSING_SERVICE, NULL, 0},
    {BYTES("{\"service\":null}"), KAIROS_EMPTY_SERVICE, NULL, 0},
    {BYTES("{\"service\":\" \"}"), KAIROS_EMPTY_SERVICE, NULL, 0},
    {BYTES("{\"service\":\"not one\"}"), KAIROS_INVALID_SERVICE_FORMAT, "not one", 0},
    {BYTES("{\"service\":7}"), KAIROS_INVALID_SERVICE_FORMAT, "", 0},
    {BYTES("\"push\""), KAIROS_NOT_AN_OBJECT, NULL, 0},
};

/*
 * The row's event, again and again, between others with a timestamp and without one: whichever
 * layout was learnt last, each event is what it is.
 */
static void a_timestamp_may_be_left_out(void **state)
{
    static const char *const others[] = {
        "{\"service\":\"push\"}",
        "{\"service\":\"push\",\"timestamp\":0}",
        "{\"service\":\"push\",\"timestamp\":\"2025-08-04T10:05:00Z\"}",
    };
    struct text log = {0};
    for (size_t i = 0; i < COUNT_OF(rows_with_default) * COUNT_OF(others) * 2; i++) {
        const struct row *row = &rows_with_default[i % COUNT_OF(rows_with_default)];
        const char *other = others[i / COUNT_OF(rows_with_default) % COUNT_OF(others)];
        bool array = i < COUNT_OF(rows_with_default) * COUNT_OF(others);
        const char *comma = array ? ",\n" : "\n";
        size_t offsets[32];
        log.length = 0;
        text_print(&log, "%s%s", array ? "[" : "", other);
        for (size_t event = 1; event < COUNT_OF(offsets); event++) {
            text_print(&log, "%s", comma);
            offsets[event] = log.length;
            if (event % 16 < 8)
                text_print(&log, "%s", other);
            else
                text_add(&log, row->event.text, row->event.length);
        }
        /* Enough bytes behind the last one for the fast path to try it. */
        text_print(&log, "%s%*s", array ? "]" : "", 300, "");

        for (size_t r = 0; r < COUNT_OF(readings); r++) {
            struct reading reading = readings[r];
            struct outcome outcome;
            reading.default_time = &(const int64_t){NOW};
            outcome_read(&outcome, &reading, log.bytes, log.length);
            assert_false(outcome.failed);
            assert_int_equal(outcome.count, COUNT_OF(offsets));
            for (size_t event = 8; event < COUNT_OF(offsets); event += event % 16 < 15 ? 1 : 9)
                check_row(&outcome.events[event], row, offsets[event]);
            outcome_finish(&outcome);
        }
    }
    text_finish(&log);
}

/* A later moment counts from then on, also on the fast path. */
static void the_moment_that_counts_may_move_on(void **state)
{
    static const char log[] = "{\"service\":\"push\"}\n{\"service\":\"push\"}\n"
                              "{\"service\":\"push\"}\n{\"service\":\"push\"}\n";
    char padded[1024];
    struct kairos_parser *parser = kairos_parser_create();
    assert_non_null(parser);
    memset(padded, ' ', sizeof(padded));
    memcpy(padded, log, strlen(log));
    for (int64_t moment = -1; moment < 10; moment++) {
        struct kairos_event events[8];
        const char *cursor = padded, *end = padded + sizeof(padded);
        if (moment >= 0)
            kairos_parser_set_default_time(parser, moment);
        assert_int_equal(kairos_parser_read(parser, &cursor, end, events, COUNT_OF(events)), 4);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(events[i].reason,
                             moment < 0 ? KAIROS_MISSING_TIMESTAMP : KAIROS_VALID);
            if (moment >= 0)
                assert_int_equal(events[i].time, moment);
        }
        assert_int_equal(kairos_parser_read(parser, &cursor, end, events, COUNT_OF(events)), 0);
    }
    kairos_parser_destroy(parser);
}

/* Names and what was refused, of every length. */
static void services_of_every_length(void **state)
{
    struct text log = {0};
    for (size_t length = 1; length < 300; length++) {
        struct outcome outcome;
        log.length = 0;
        text_print(&log, "[{\"service\":\"%.*s\",\"timestamp\":0}]", (int)length,
                   "Qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"
                   "qqqqqqqqqqqqqqqqqqqqq"
                   "Qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"
                   "qqqqqqqqqqqqqqqqqqqqq"
                   "Qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"
                   "qqqqqqqqqqqqqqqqqqqqq");
        outcome_read(&outcome, &readings[length % COUNT_OF(readings)], log.bytes, log.length);
        assert_int_equal(outcome.count, 1);
        const struct kairos_event *event = &outcome.events[0];
        assert_int_equal(event->reason,
                         length <= 100 ? KAIROS_VALID : KAIROS_INVALID_SERVICE_FORMAT);
        assert_int_equal(event->length,
                         length <= KAIROS_SERVICE_SIZE ? length : KAIROS_SERVICE_SIZE);
        assert_int_equal(event->text[0], length <= 100 ? 'q' : 'Q');
        outcome_finish(&outcome);
    }
    text_finish(&log);
}

/* Lines that are not one JSON text; each is one bad event, and the next line is read again. */
static const struct bytes no_json_lines[] = {
    BYTES("x"),
    BYTES("{"),
    BYTES("}"),
    BYTES("]"),
    BYTES("{\"service\":\"push\",\"timestamp\":0"),
    BYTES("{\"service\":\"push\",\"timestamp\":0}}"),
    BYTES("{\"service\":\"push\",\"timestamp\":0},"),
    BYTES("{\"service\":\"push\",\"timestamp\":0}{\"service\":\"push\",\"timestamp\":0}"),
    BYTES("{\"service\":\"push\",\"timestamp\":0} x"),
    BYTES("{\"service\":\"push\" \"timestamp\":0}"),
    BYTES("{\"service\":\"pu\\xsh\",\"timestamp\":0}"),
    BYTES("{\"service\":\"\xff\",\"timestamp\":0}"),
    BYTES("{\"service\":\"push\",\"timestamp\":01}"),
    BYTES("{\"service\":\"push\",\"timestamp\":1.}"),
    BYTES("{\"service\":\"push\",\"timestamp\":-}"),
    BYTES("{\"service\":\"push"),
    BYTES("{\"service"),
    BYTES("nul"),
    BYTES("-"),
    BYTES("1."),
    BYTES("1 2"),
    BYTES("\""),
    BYTES("\\"),
    BYTES("\0"),
    BYTES("{\0}"),
    BYTES("\xef\xbb\xbf{}"),
    BYTES(",{\"service\":\"push\",\"timestamp\":0}"),
    BYTES("# a comment"),
    BYTES("{\"a\":[}"),
    BYTES("{\"a\":[1,2}"),
    BYTES("\v"),
};

static void lines_that_are_not_json(void **state)
{
    struct text log = {0};
    for (size_t i = 0; i < COUNT_OF(no_json_lines); i++) {
        const struct bytes *line = &no_json_lines[i];
        for (int last = 0; last < 2; last++) {
            log.length = 0;
            text_print(&log, "{}\n ");
            text_add(&log, line->text, line->length);
            text_print(&log, "%s", last ? "" : "\n{}\n");
            for (size_t r = 0; r < COUNT_OF(readings); r++) {
                struct outcome outcome;
                outcome_read(&outcome, &readings[r], log.bytes, log.length);
                check(outcome.count == (last ? 2 : 3), "%s: %zu events",
                      shown(line->text, line->length), outcome.count);
                check(outcome.events[1].reason == KAIROS_INVALID_JSON, "%s: %s",
                      shown(line->text, line->length),
                      kairos_reason_name(outcome.events[1].reason));
                assert_int_equal(outcome.events[1].offset, 4);
                assert_int_equal(outcome.events[1].length, 0);
                assert_false(outcome.failed);
                if (!last)
                    assert_int_equal(outcome.events[2].offset, log.length - 3);
                outcome_finish(&outcome);
            }
        }
    }
    text_finish(&log);
}

/* What JSON forbids is, in a line, one bad event; in an array it ends the log at its byte. */
static void forbidden_texts_in_both_formats(void **state)
{
    struct text log = {0};
    for (size_t i = 0; i < json_forbidden_count; i++) {
        const struct json_forbidden *row = &json_forbidden[i];
        bool newline = memchr(row->begin.text, '\n', row->begin.length) != NULL ||
                       memchr(row->rest.text, '\n', row->rest.length) != NULL;
        struct outcome outcome;
        if (!newline && row->begin.length + row->rest.length > 0) {
            log.length = 0;
            text_print(&log, "{}\n");
            text_add(&log, row->begin.text, row->begin.length);
            text_add(&log, row->rest.text, row->rest.length);
            text_print(&log, "\n{}");
            outcome_read(&outcome, &readings[i % COUNT_OF(readings)], log.bytes, log.length);
            check(outcome.count == 3 && outcome.events[1].reason == KAIROS_INVALID_JSON, "%s",
                  shown(log.bytes, log.length));
            assert_false(outcome.failed);
            outcome_finish(&outcome);
        }

        /* Behind a value, and where a number may be cut short, an array goes on differently. */
        if (row->code == KAIROS_PARSE_TRAILING ||
            (row->code == KAIROS_PARSE_NUMBER && row->rest.length == 0))
            continue;
        log.length = 0;
        text_print(&log, "[{}, ");
        size_t before = log.length;
        text_add(&log, row->begin.text, row->begin.length);
        text_add(&log, row->rest.text, row->rest.length);
        outcome_read(&outcome, &readings[i % COUNT_OF(readings)], log.bytes, log.length);
        check(outcome.failed && outcome.error.code == row->code &&
                  outcome.error.offset == before + row->begin.length,
              "%s: %d at %ju", shown(log.bytes, log.length), (int)outcome.error.code,
              (uintmax_t)outcome.error.offset);
        assert_int_equal(outcome.count, 1);
        outcome_finish(&outcome);
    }
    text_finish(&log);
}

/* What JSON allows is at worst a bad event. */
static void allowed_texts_in_both_formats(void **state)
{
    struct text log = {0};
    for (size_t i = 0; i < json_allowed_count; i++) {
        const struct bytes *text = &json_allowed[i];
        struct outcome outcome;
        log.length = 0;
        text_print(&log, "[");
        text_add(&log, text->text, text->length);
        text_print(&log, ",");
        text_add(&log, text->text, text->length);
        text_print(&log, "]");
        for (size_t r = 0; r < COUNT_OF(readings); r++) {
            outcome_read(&outcome, &readings[r], log.bytes, log.length);
            check(!outcome.failed && outcome.count == 2, "%s: %d at %ju",
                  shown(log.bytes, log.length), (int)outcome.error.code,
                  (uintmax_t)outcome.error.offset);
            outcome_finish(&outcome);
        }
        if (memchr(text->text, '\n', text->length) != NULL)
            continue;
        log.length = 0;
        text_print(&log, "{}\n");
        text_add(&log, text->text, text->length);
        outcome_read(&outcome, &readings[i % COUNT_OF(readings)], log.bytes, log.length);
        check(outcome.count == 2 && outcome.events[1].reason != KAIROS_INVALID_JSON, "%s",
              shown(log.bytes, log.length));
        outcome_finish(&outcome);
    }
    text_finish(&log);
}

static const struct {
    struct bytes log;
    enum kairos_parse_error_code code; /* KAIROS_PARSE_OK: well-formed */
    size_t offset, events;
} logs[] = {
    /* Well-formed. */
    {BYTES("[]"), KAIROS_PARSE_OK, 0, 0},
    {BYTES(" [ ] "), KAIROS_PARSE_OK, 0, 0},
    {BYTES("\t\r\n[\n\r\t]\r\n\t"), KAIROS_PARSE_OK, 0, 0},
    {BYTES("[{}]"), KAIROS_PARSE_OK, 0, 1},
    {BYTES("[{},{}]"), KAIROS_PARSE_OK, 0, 2},
    {BYTES("[ {} , {} ]\n"), KAIROS_PARSE_OK, 0, 2},
    {BYTES("[1,2,3]"), KAIROS_PARSE_OK, 0, 3},
    {BYTES("[[[]]]"), KAIROS_PARSE_OK, 0, 1},
    {BYTES("{}"), KAIROS_PARSE_OK, 0, 1},
    {BYTES("{}\n"), KAIROS_PARSE_OK, 0, 1},
    {BYTES("{}\n{}"), KAIROS_PARSE_OK, 0, 2},
    {BYTES("{}\r\n{}\r\n"), KAIROS_PARSE_OK, 0, 2},
    {BYTES("\n\n{}\n\n \n{}\n\n"), KAIROS_PARSE_OK, 0, 2},
    {BYTES("  {}  "), KAIROS_PARSE_OK, 0, 1},
    {BYTES("x"), KAIROS_PARSE_OK, 0, 1}, /* a bad line */
    {BYTES("1\n2\n3\n"), KAIROS_PARSE_OK, 0, 3},
    {BYTES("1\n[\n]\n"), KAIROS_PARSE_OK, 0, 3},

    /* A byte-order mark. */
    {BYTES("\xef\xbb\xbf[]"), KAIROS_PARSE_OK, 0, 0},
    {BYTES("\xef\xbb\xbf [{}]"), KAIROS_PARSE_OK, 0, 1},
    {BYTES("\xef\xbb\xbf{}\n"), KAIROS_PARSE_OK, 0, 1},
    {BYTES("\xef\xbb\xbf\n{}\n"), KAIROS_PARSE_OK, 0, 1},
    {BYTES("\xef\xbb\xbf"), KAIROS_PARSE_EMPTY, 3, 0},
    {BYTES("\xef\xbb\xbf \n"), KAIROS_PARSE_EMPTY, 5, 0},
    {BYTES("\xef\xbb\xbf["), KAIROS_PARSE_TRUNCATED, 4, 0},
    {BYTES("\xef\xbb\xbf[x]"), KAIROS_PARSE_VALUE, 4, 0},
    {BYTES("[\xef\xbb\xbf]"), KAIROS_PARSE_VALUE, 1, 0},
    {BYTES("[]\xef\xbb\xbf"), KAIROS_PARSE_TRAILING, 2, 0},

    /* Nothing. */
    {BYTES(""), KAIROS_PARSE_EMPTY, 0, 0},
    {BYTES(" "), KAIROS_PARSE_EMPTY, 1, 0},
    {BYTES("\n\n \t\r\n"), KAIROS_PARSE_EMPTY, 6, 0},

    /* Cut short. */
    {BYTES("["), KAIROS_PARSE_TRUNCATED, 1, 0},
    {BYTES("[ \n"), KAIROS_PARSE_TRUNCATED, 3, 0},
    {BYTES("[{}"), KAIROS_PARSE_TRUNCATED, 3, 1},
    {BYTES("[{},"), KAIROS_PARSE_TRUNCATED, 4, 1},
    {BYTES("[{}, "), KAIROS_PARSE_TRUNCATED, 5, 1},
    {BYTES("[{"), KAIROS_PARSE_TRUNCATED, 2, 0},
    {BYTES("[1"), KAIROS_PARSE_TRUNCATED, 2, 0},
    {BYTES("[1."), KAIROS_PARSE_TRUNCATED, 3, 0},
    {BYTES("[\"a"), KAIROS_PARSE_TRUNCATED, 3, 0},
    {BYTES("[{\"service\":\"push\",\"timestamp\":0"), KAIROS_PARSE_TRUNCATED, 32, 0},

    /* Something behind. */
    {BYTES("[]]"), KAIROS_PARSE_TRAILING, 2, 0},
    {BYTES("[] []"), KAIROS_PARSE_TRAILING, 3, 0},
    {BYTES("[],"), KAIROS_PARSE_TRAILING, 2, 0},
    {BYTES("[]\n{}"), KAIROS_PARSE_TRAILING, 3, 0},
    {BYTES("[]\0"), KAIROS_PARSE_TRAILING, 2, 0},
    {BYTES("[{}]\n\nx"), KAIROS_PARSE_TRAILING, 6, 1},
    {BYTES("[]// end"), KAIROS_PARSE_TRAILING, 2, 0},

    /* Between events. */
    {BYTES("[{}{}]"), KAIROS_PARSE_SEPARATOR, 3, 1},
    {BYTES("[{} {}]"), KAIROS_PARSE_SEPARATOR, 4, 1},
    {BYTES("[{}:{}]"), KAIROS_PARSE_SEPARATOR, 3, 1},
    {BYTES("[{}}"), KAIROS_PARSE_SEPARATOR, 3, 1},
    {BYTES("[{};{}]"), KAIROS_PARSE_SEPARATOR, 3, 1},
    {BYTES("[1 2]"), KAIROS_PARSE_SEPARATOR, 3, 1},
    {BYTES("[01]"), KAIROS_PARSE_SEPARATOR, 2, 1},
    {BYTES("[1x]"), KAIROS_PARSE_SEPARATOR, 2, 1},
    {BYTES("[nullnull]"), KAIROS_PARSE_SEPARATOR, 5, 1},
    {BYTES("[\"a\"\"b\"]"), KAIROS_PARSE_SEPARATOR, 4, 1},
    {BYTES("[{}\0]"), KAIROS_PARSE_SEPARATOR, 3, 1},
    {BYTES("[{}\v]"), KAIROS_PARSE_SEPARATOR, 3, 1},

    /* Where an event must begin. */
    {BYTES("[,]"), KAIROS_PARSE_VALUE, 1, 0},
    {BYTES("[{},]"), KAIROS_PARSE_VALUE, 4, 1},
    {BYTES("[{}, ]"), KAIROS_PARSE_VALUE, 5, 1},
    {BYTES("[{},,{}]"), KAIROS_PARSE_VALUE, 4, 1},
    {BYTES("[}"), KAIROS_PARSE_VALUE, 1, 0},
    {BYTES("[x]"), KAIROS_PARSE_VALUE, 1, 0},
    {BYTES("[{}, x]"), KAIROS_PARSE_VALUE, 5, 1},
    {BYTES("[\0]"), KAIROS_PARSE_VALUE, 1, 0},
    {BYTES("[+1]"), KAIROS_PARSE_VALUE, 1, 0},
    {BYTES("[:]"), KAIROS_PARSE_VALUE, 1, 0},

    /* Inside an event. */
    {BYTES("[{},{\"a\" 1}]"), KAIROS_PARSE_COLON, 9, 1},
    {BYTES("[{a:1}]"), KAIROS_PARSE_KEY, 2, 0},
    {BYTES("[{\"a\":1,}]"), KAIROS_PARSE_KEY, 8, 0},
    {BYTES("[{\"a\":1]"), KAIROS_PARSE_MEMBER, 7, 0},
    {BYTES("[[1}]"), KAIROS_PARSE_ITEM, 3, 0},
    {BYTES("[tru]"), KAIROS_PARSE_LITERAL, 4, 0},
    {BYTES("[-]"), KAIROS_PARSE_NUMBER, 2, 0},
    {BYTES("[{\"service\":\"a\nb\"}]"), KAIROS_PARSE_CONTROL, 14, 0},
    {BYTES("[{\"service\":\"\\q\"}]"), KAIROS_PARSE_ESCAPE, 14, 0},
    {BYTES("[{\"service\":\"\xff\"}]"), KAIROS_PARSE_UTF8, 13, 0},
};

static void logs_and_their_errors(void **state)
{
    for (size_t i = 0; i < COUNT_OF(logs); i++) {
        for (size_t r = 0; r < COUNT_OF(readings); r++) {
            struct outcome outcome;
            const struct bytes *log = &logs[i].log;
            outcome_read(&outcome, &readings[r], log->text, log->length);
            bool failed = logs[i].code != KAIROS_PARSE_OK;
            check(outcome.failed == failed && outcome.count == logs[i].events, "%s: %s, %zu events",
                  shown(log->text, log->length), outcome.failed ? "in error" : "well-formed",
                  outcome.count);
            if (failed)
                check(outcome.error.code == logs[i].code && outcome.error.offset == logs[i].offset,
                      "%s: %d at %ju", shown(log->text, log->length), (int)outcome.error.code,
                      (uintmax_t)outcome.error.offset);
            outcome_finish(&outcome);
        }
    }
}

/* What begins like a byte-order mark and is none is a line that is no JSON. */
static void a_broken_byte_order_mark(void **state)
{
    static const struct bytes rows_of_bytes[] = {
        BYTES("\xef"),           BYTES("\xef\xbb"),
        BYTES("\xef\xbb\xbe"),   BYTES("\xef{}"),
        BYTES("\xef\xbb[]"),     BYTES("\xef\xef\xbb\xbf{}"),
        BYTES("\xbb\xbf[]"),     BYTES("\xef\xbb\xbf\xef\xbb\xbf[]"),
        BYTES("\xff\xfe[\0]\0"), BYTES("\xfe\xff\0["),
    };
    struct text log = {0};
    for (size_t i = 0; i < COUNT_OF(rows_of_bytes); i++) {
        for (int more = 0; more < 2; more++) {
            log.length = 0;
            text_add(&log, rows_of_bytes[i].text, rows_of_bytes[i].length);
            text_print(&log, "%s", more ? "\n{}" : "");
            size_t mark = i == 7 ? 3 : 0;
            for (size_t r = 0; r < COUNT_OF(readings); r++) {
                struct outcome outcome;
                outcome_read(&outcome, &readings[r], log.bytes, log.length);
                check(outcome.count == (more ? 2 : 1), "%s: %zu events",
                      shown(log.bytes, log.length), outcome.count);
                assert_int_equal(outcome.events[0].reason, KAIROS_INVALID_JSON);
                assert_int_equal(outcome.events[0].offset, mark);
                if (more)
                    assert_int_equal(outcome.events[1].reason, KAIROS_MISSING_SERVICE);
                outcome_finish(&outcome);
            }
        }
    }
    text_finish(&log);
}

static void an_error_ends_the_log(void **state)
{
    struct kairos_parser *parser = kairos_parser_create();
    struct kairos_event event;
    struct kairos_parse_error error = {0};
    static const char log[] = "[x,{\"service\":\"push\",\"timestamp\":0}]";
    const char *cursor = log;
    assert_false(kairos_parser_error(parser, &error));
    assert_int_equal(kairos_parser_read(parser, &cursor, log + strlen(log), &event, 1), 0);
    assert_ptr_equal(cursor, log + 1);
    for (int again = 0; again < 3; again++) {
        const char *next = "{}";
        assert_int_equal(kairos_parser_read(parser, &next, next + 2, &event, 1), 0);
        assert_true(kairos_parser_error(parser, &error));
        assert_int_equal(error.code, KAIROS_PARSE_VALUE);
        assert_int_equal(error.offset, 1);
        assert_false(kairos_parser_at_border(parser));
    }
    assert_int_equal(kairos_parser_finish(parser, &event), 0);
    assert_true(kairos_parser_error(parser, &error));
    assert_int_equal(error.code, KAIROS_PARSE_VALUE);
    kairos_parser_destroy(parser);
    kairos_parser_destroy(NULL);
}

static void no_more_events_than_asked_for(void **state)
{
    static const char log[] = "[{},{},{},{},{}]";
    struct kairos_parser *parser = kairos_parser_create();
    struct kairos_event events[3];
    const char *cursor = log, *end = log + strlen(log);
    assert_int_equal(kairos_parser_read(parser, &cursor, end, events, 0), 0);
    assert_ptr_equal(cursor, log);
    assert_int_equal(kairos_parser_read(parser, &cursor, end, events, 3), 3);
    assert_int_equal(events[2].offset, 7);
    assert_ptr_equal(cursor, log + 9);
    assert_int_equal(kairos_parser_read(parser, &cursor, end, events, 3), 2);
    assert_int_equal(kairos_parser_read(parser, &cursor, end, events, 3), 0);
    assert_ptr_equal(cursor, end);
    assert_int_equal(kairos_parser_finish(parser, events), 0);
    kairos_parser_destroy(parser);
}

/* Whatever a small log begins with: of an array the events so far and one error, of NDJSON none. */
static void every_prefix_of_an_array_is_truncated(void **state)
{
    static const char log[] =
        "\xef\xbb\xbf [ {\"service\": \"push\", \"timestamp\": \"2025-08-04T10:05:00Z\"} ,\n"
        "{\"timestamp\":1754301900.5,\"service\":\"\\u0050ush\",\"tags\":[1,{\"a\":null}]}, -1e3,\n"
        "{\"service\":\"p\xc3\xbcsh\",\"timestamp\":true} ] \n";
    const size_t open = 5, close = strlen(log) - 2;
    struct outcome whole;
    outcome_read(&whole, &readings[1], log, strlen(log));
    assert_false(whole.failed);
    assert_int_equal(whole.count, 4);
    for (size_t length = 0; length < strlen(log); length++) {
        for (size_t r = 0; r < COUNT_OF(readings); r++) {
            struct outcome outcome;
            outcome_read(&outcome, &readings[r], log, length);
            if (length == 1 || length == 2) { /* half a byte-order mark: a bad line */
                assert_int_equal(outcome.format, KAIROS_FORMAT_NDJSON);
                assert_int_equal(outcome.count, 1);
                outcome_finish(&outcome);
                continue;
            }
            assert_int_equal(outcome.failed, length < close);
            if (outcome.failed) {
                assert_int_equal(outcome.error.code,
                                 length < open ? KAIROS_PARSE_EMPTY : KAIROS_PARSE_TRUNCATED);
                assert_int_equal(outcome.error.offset, length);
            }
            assert_true(outcome.count <= whole.count);
            for (size_t i = 0; i < outcome.count; i++)
                check_same_event(&outcome.events[i], &whole.events[i]);
            outcome_finish(&outcome);
        }
    }
    outcome_finish(&whole);
}

static void every_prefix_of_ndjson_is_good(void **state)
{
    static const char log[] =
        "{\"service\": \"push\", \"timestamp\": \"2025-08-04T10:05:00Z\"}\r\n"
        "\n"
        "{\"timestamp\":1754301900.5,\"service\":\"\\u0050ush\",\"tags\":[1,{\"a\":null}]}\n"
        "not json\n"
        "-1e3 \n"
        "{\"service\":\"p\xc3\xbcsh\",\"timestamp\":true}\n";
    struct outcome whole;
    outcome_read(&whole, &readings[1], log, strlen(log));
    assert_int_equal(whole.count, 5);
    size_t lines = 0; /* complete ones that hold an event */
    for (size_t length = 1; length <= strlen(log); length++) {
        if (log[length - 1] == '\n' && log[length - 2] != '\n')
            lines++;
        for (size_t r = 0; r < COUNT_OF(readings); r++) {
            struct outcome outcome;
            outcome_read(&outcome, &readings[r], log, length);
            assert_false(outcome.failed);
            bool rest = log[length - 1] != '\n'; /* a last line without a newline */
            assert_int_equal(outcome.count, lines + rest);
            for (size_t i = 0; i < lines; i++)
                check_same_event(&outcome.events[i], &whole.events[i]);
            outcome_finish(&outcome);
        }
    }
    outcome_finish(&whole);
}

/* Brackets inside an event nest up to the limit, and memory does not depend on them. */
static void nesting(void **state)
{
    static const char *const formats[] = {"[", "{}\n"};
    for (size_t f = 0; f < COUNT_OF(formats); f++) {
        for (size_t over = 0; over < 2; over++) {
            struct text log = {0};
            struct outcome outcome;
            size_t depth = KAIROS_NESTING_MAX - 1 + over; /* inside the event's own bracket */
            text_print(&log, "%s{\"service\":\"push\",\"deep\":", formats[f]);
            size_t before = log.length;
            for (size_t i = 0; i < depth; i++)
                text_add(&log, "[", 1);
            for (size_t i = 0; i < depth; i++)
                text_add(&log, "]", 1);
            text_print(&log, ",\"timestamp\":0}%s", f == 0 ? "]" : "\n");
            outcome_read(&outcome, &(struct reading){0}, log.bytes, log.length);
            if (over == 0) {
                assert_false(outcome.failed);
                assert_int_equal(outcome.events[outcome.count - 1].reason, KAIROS_VALID);
            } else if (f == 0) {
                assert_true(outcome.failed);
                assert_int_equal(outcome.error.code, KAIROS_PARSE_NESTING);
                assert_int_equal(outcome.error.offset, before + depth - 1);
            } else {
                assert_false(outcome.failed);
                assert_int_equal(outcome.events[outcome.count - 1].reason, KAIROS_INVALID_JSON);
            }
            outcome_finish(&outcome);
            text_finish(&log);
        }
    }
}

/* A string of any length costs nothing, and neither does a number. */
static void endless_values(void **state)
{
    static const struct {
        const char *begin, *piece, *end;
        enum kairos_reason reason;
    } values[] = {
        {"[{\"service\":\"push\",\"timestamp\":0,\"x\":\"", "abcdefgh\\u0000", "\"}]",
         KAIROS_VALID},
        {"[{\"service\":\"push\",\"timestamp\":0,\"x\":1", "0123456789", "}]", KAIROS_VALID},
        {"[{\"service\":\"push\",\"timestamp\":0,\"", "service", "\":null}]", KAIROS_VALID},
        {"[{\"service\":\"push\",\"timestamp\":0.", "0000000000", "}]", KAIROS_VALID},
        {"[{\"service\":\"push\",\"timestamp\":\"1970-01-01T00:00:00.", "0000000000", "Z\"}]",
         KAIROS_VALID},
        {"[{\"service\":\"push", " \\t\\n", "\",\"timestamp\":0}]", KAIROS_VALID},
        {"[{\"service\":\"", "push", "\",\"timestamp\":0}]", KAIROS_INVALID_SERVICE_FORMAT},
        {"[{\"service\":\"push\",\"timestamp\":\"", "2025-08-04", "\"}]",
         KAIROS_INVALID_TIMESTAMP_FORMAT},
        {"[{\"service\":\"push\",\"timestamp\":1", "0123456789", "}]",
         KAIROS_INVALID_TIMESTAMP_FORMAT},
        {"{}\nx", "xxxxxxxxxxx", "", KAIROS_INVALID_JSON},
    };
    for (size_t v = 0; v < COUNT_OF(values); v++) {
        struct kairos_parser *parser = kairos_parser_create();
        struct kairos_event events[4];
        struct text block = {0};
        size_t count = 0;
        const char *cursor = values[v].begin;
        for (int i = 0; i < 1000; i++)
            text_print(&block, "%s", values[v].piece);
        count += kairos_parser_read(parser, &cursor, cursor + strlen(cursor), events + count, 3);
        for (int i = 0; i < 300; i++) {
            cursor = block.bytes;
            count += kairos_parser_read(parser, &cursor, cursor + block.length, events + count, 3);
        }
        cursor = values[v].end;
        count += kairos_parser_read(parser, &cursor, cursor + strlen(cursor), events + count, 3);
        count += kairos_parser_finish(parser, events + count);
        struct kairos_parse_error error;
        assert_false(kairos_parser_error(parser, &error));
        assert_true(count >= 1);
        check(events[count - 1].reason == values[v].reason, "%s: %s", values[v].begin,
              kairos_reason_name(events[count - 1].reason));
        text_finish(&block);
        kairos_parser_destroy(parser);
    }
}

static void the_format_shows_with_the_first_byte(void **state)
{
    struct kairos_parser *parser = kairos_parser_create();
    struct kairos_event event;
    static const char array[] = "\xef\xbb\xbf \n[";
    const char *cursor = array;
    assert_int_equal(kairos_parser_format(parser), KAIROS_FORMAT_UNKNOWN);
    kairos_parser_read(parser, &cursor, array + 5, &event, 1);
    assert_int_equal(kairos_parser_format(parser), KAIROS_FORMAT_UNKNOWN);
    assert_false(kairos_parser_at_border(parser));
    kairos_parser_read(parser, &cursor, array + 6, &event, 1);
    assert_int_equal(kairos_parser_format(parser), KAIROS_FORMAT_ARRAY);
    kairos_parser_destroy(parser);

    parser = kairos_parser_create_at(KAIROS_FORMAT_NDJSON, 100);
    assert_int_equal(kairos_parser_format(parser), KAIROS_FORMAT_NDJSON);
    kairos_parser_destroy(parser);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_in_an_array),
        cmocka_unit_test(every_reason_in_ndjson),
        cmocka_unit_test(nul_bytes_are_kept_of_what_was_refused),
        cmocka_unit_test(a_timestamp_may_be_left_out),
        cmocka_unit_test(the_moment_that_counts_may_move_on),
        cmocka_unit_test(services_of_every_length),
        cmocka_unit_test(lines_that_are_not_json),
        cmocka_unit_test(forbidden_texts_in_both_formats),
        cmocka_unit_test(allowed_texts_in_both_formats),
        cmocka_unit_test(logs_and_their_errors),
        cmocka_unit_test(a_broken_byte_order_mark),
        cmocka_unit_test(an_error_ends_the_log),
        cmocka_unit_test(no_more_events_than_asked_for),
        cmocka_unit_test(every_prefix_of_an_array_is_truncated),
        cmocka_unit_test(every_prefix_of_ndjson_is_good),
        cmocka_unit_test(nesting),
        cmocka_unit_test(endless_values),
        cmocka_unit_test(the_format_shows_with_the_first_byte),
    };
    fence_init(&fence, 65536);
    int failed = cmocka_run_group_tests_name("parser", tests, NULL, NULL);
    fence_finish(&fence);
    return failed;
}
