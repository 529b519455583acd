/*
 * test_upload.c - a log in the body of a request: what becomes of it however it is cut, and how
 * terms, the intake and the budget behave.
 */
#include "upload.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include <zlib.h>
#include <zstd.h>

#include "budget.h"
#include "intake.h"
#include "support.h"

#define TYPE "multipart/form-data; boundary=b"
#define PART(name, value)                                                                          \
    "--b\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
#define LOG                                                                                        \
    "[{\"service\":\"a\",\"timestamp\":0},{\"service\":\"a\"},\r\n"                                \
    "{\"service\":\"a\",\"timestamp\":500},{\"service\":\"b\",\"timestamp\":0}]"

/* What the log comes to with the default policy, and with other terms. */
#define DEFAULT "a 180 3 0;a 360 3 0;"
#define HOURLY  ""
#define STRICT  "a 250 1 0;"

static struct text gzipped(struct bytes bytes)
{
    struct text text = {0};
    unsigned char packed[4096];
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)bytes.text, .avail_in = (uInt)bytes.length};
    stream.next_out = packed;
    stream.avail_out = sizeof(packed);
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    text_add(&text, (char *)packed, stream.total_out);
    deflateEnd(&stream);
    return text;
}

static struct text zstded(struct bytes bytes)
{
    struct text text = {0};
    char packed[4096];
    size_t size = ZSTD_compress(packed, sizeof(packed), bytes.text, bytes.length, 3);
    assert_false(ZSTD_isError(size));
    text_add(&text, packed, size);
    return text;
}

static void describe(const struct upload *upload, struct text *text)
{
    text->length = 0;
    if (upload->status != 0) {
        text_print(text, "%u %s", upload->status, upload->failure.text);
        return;
    }
    struct kairos_alert_cursor cursor = {0};
    text_print(text, "%s", "");
    while (kairos_analysis_next_alert(upload->analysis, &cursor))
        text_print(text, "%s %jd %u %jd;", cursor.service,
                   (intmax_t)(cursor.alert.alert_at / KAIROS_SECOND), cursor.alert.missed_count,
                   (intmax_t)(cursor.alert.last_seen / KAIROS_SECOND));
}

/* Sends a body in pieces of up to SIZE bytes, each in memory of its own. */
static void send_body(const struct upload_options *options, struct bytes body, size_t size,
                      struct text *text)
{
    static struct upload upload;
    upload_init(&upload, options);
    size_t at = 0;
    do {
        size_t count = body.length - at < size ? body.length - at : size;
        char *piece = malloc(count + 1);
        assert_non_null(piece);
        memcpy(piece, body.text + at, count);
        at += count;
        upload_put(&upload, piece, count, at == body.length);
        while (upload_step(&upload))
            assert_true(upload_memory(&upload) < 10 * 1024 * 1024);
        free(piece);
    } while (upload.status == 0 && at < body.length);
    describe(&upload, text);
    upload_finish(&upload);
}

static struct upload_options options_of(const char *type, const char *encoding)
{
    struct upload_options options = {
        .content_type = type, .content_encoding = encoding, .unpacked_max = 1000000};
    terms_init(&options.terms, 1000 * KAIROS_SECOND);
    return options;
}

static void check_body(const char *type, const char *encoding, struct bytes body,
                       const char *expected)
{
    struct upload_options options = options_of(type, encoding);
    struct text text = {0};
    for (size_t size = 1; size <= body.length + 1; size++) {
        send_body(&options, body, size, &text);
        check(strncmp(text.bytes, expected, strlen(expected)) == 0 &&
                  (expected[0] == '4' || strcmp(text.bytes, expected) == 0),
              "%s instead of %s: %s in pieces of %zu", text.bytes, expected,
              shown(body.text, body.length), size);
    }
    text_finish(&text);
}

static const struct {
    const char *type, *encoding;
    struct bytes body;
    const char *expected; /* the beginning, if it is a status */
} bodies[] = {
    {NULL, NULL, BYTES(LOG), DEFAULT},
    {"x", "identity", BYTES(LOG), DEFAULT},
    {NULL, NULL, BYTES("[]"), ""},
    {NULL, NULL, BYTES("x"), ""},
    {NULL, NULL, BYTES(""), "400 body: line 1, column 1, byte 1: the input is empty"},
    {NULL, NULL, BYTES("[\n{}, x]"), "400 body: line 2, column 5, byte 7: "},
    {NULL, NULL, BYTES("[{}"), "400 body: line 1, column 4, byte 4: the input ends inside"},
    {NULL, "br", BYTES(LOG), "415 Content-Encoding: 'br'"},
    {NULL, "gzip", BYTES(LOG), "400 body: damaged gzip"},
    {TYPE, NULL, BYTES(PART("file", LOG) "--b--"), DEFAULT},
    {TYPE, NULL, BYTES(PART("interval", "1h") PART("file", LOG) "--b--"), HOURLY},
    {TYPE, NULL, BYTES(PART("file", LOG) PART("interval", "1h") "--b--"), HOURLY},
    {TYPE, NULL,
     BYTES(PART("interval", "250") PART("file", LOG) PART("allowed_misses", "1") "--b--"), STRICT},
    {TYPE, NULL, BYTES(PART("file", LOG) PART("interval", "2") PART("max_alerts", "82") "--b--"),
     "422 max_alerts: 83 alerts are more than 82"},
    {TYPE, NULL, BYTES(PART("file", LOG) PART("until", "100") PART("interval", "20s") "--b--"),
     "a 60 3 0;b 60 3 0;"},
    {TYPE, NULL, BYTES(PART("file", LOG) PART("until", "now") PART("interval", "300") "--b--"),
     "b 900 3 0;"},
    {TYPE, NULL, BYTES(PART("file", "") "--b--"), "400 file: line 1, column 1, byte 1: "},
    {TYPE, NULL, BYTES(PART("file", "[x") "--b--"), "400 file: line 1, column 2, byte 2: "},
    {TYPE, NULL, BYTES(PART("file", LOG) PART("file", LOG) "--b--"), "422 file: there are two"},
    {TYPE, NULL, BYTES(PART("x", LOG) "--b--"), "422 unknown field 'x'"},
    {TYPE, NULL, BYTES(PART("interval", "1") "--b--"), "422 file: is missing"},
    {TYPE, NULL, BYTES("--b--"), "422 file: is missing"},
    {TYPE, NULL, BYTES(PART("interval", "x") PART("file", LOG) "--b--"), "422 interval: 'x'"},
    {TYPE, NULL, BYTES(PART("interval", "1") PART("interval", "2") "--b--"), "422 interval: '2'"},
    {TYPE, NULL, BYTES(PART("interval", "60") PART("interval", "1m") PART("file", LOG) "--b--"),
     DEFAULT},
    {TYPE, NULL, BYTES(PART("tolerance", "") PART("file", LOG) "--b--"), DEFAULT},
    {TYPE, NULL, BYTES(PART("tolerance", "1\0") "--b--"), "422 tolerance: a NUL"},
    {TYPE, NULL, BYTES(PART("file", LOG)), "400 body: the form ends before its last boundary"},
    {TYPE, NULL, BYTES("--b\r\n\r\n"), "400 body: byte 8: the form has a part without"},
    {"multipart/form-data", NULL, BYTES(LOG), "400 Content-Type: "},
};

static void bodies_cut_anywhere(void **state)
{
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        check_body(bodies[i].type, bodies[i].encoding, bodies[i].body, bodies[i].expected);
}

static void compressed_bodies(void **state)
{
    static const struct bytes form = BYTES(PART("file", LOG) PART("interval", "1h") "--b--");
    struct text log = gzipped((struct bytes)BYTES(LOG)),
                log_zstd = zstded((struct bytes)BYTES(LOG));
    struct text twice = gzipped((struct bytes){log_zstd.bytes, log_zstd.length});
    struct text packed = gzipped(form), with_log = {0};
    check_body(NULL, NULL, (struct bytes){log.bytes, log.length}, DEFAULT);
    check_body(NULL, "gzip", (struct bytes){log.bytes, log.length}, DEFAULT);
    check_body(NULL, NULL, (struct bytes){log_zstd.bytes, log_zstd.length}, DEFAULT);
    check_body(NULL, "zstd", (struct bytes){log_zstd.bytes, log_zstd.length}, DEFAULT);
    check_body(NULL, "x-gzip", (struct bytes){twice.bytes, twice.length}, DEFAULT);
    check_body(NULL, NULL, (struct bytes){log.bytes, log.length - 1}, "400 body: damaged gzip");
    check_body(NULL, NULL, (struct bytes){log_zstd.bytes, log_zstd.length - 1},
               "400 body: damaged");
    check_body(TYPE, "GZIP", (struct bytes){packed.bytes, packed.length}, HOURLY);
    check_body(TYPE, "gzip", (struct bytes){packed.bytes, packed.length - 1}, "400 body: damaged");
    text_print(&with_log, "--b\r\nContent-Disposition: form-data; name=file\r\n\r\n");
    text_add(&with_log, log.bytes, log.length);
    text_print(&with_log, "\r\n--b--");
    check_body(TYPE, NULL, (struct bytes){with_log.bytes, with_log.length}, DEFAULT);
    text_finish(&log);
    text_finish(&log_zstd);
    text_finish(&twice);
    text_finish(&packed);
    text_finish(&with_log);
}

static void what_compressed_bytes_may_become(void **state)
{
    static char blanks[200000];
    struct text text = {0};
    memset(blanks, ' ', sizeof(blanks));
    blanks[0] = '[';
    blanks[sizeof(blanks) - 1] = ']';
    struct text packed = gzipped((struct bytes){blanks, sizeof(blanks)});
    for (int encoded = 0; encoded < 2; encoded++) {
        struct upload_options options = options_of(NULL, encoded ? "gzip" : NULL);
        options.unpacked_max = sizeof(blanks);
        send_body(&options, (struct bytes){packed.bytes, packed.length}, 100, &text);
        assert_string_equal(text.bytes, "");
        options.unpacked_max--;
        send_body(&options, (struct bytes){packed.bytes, packed.length}, 100, &text);
        assert_int_equal(strncmp(text.bytes, "413 body: becomes longer than 199999", 36), 0);
    }
    text_finish(&packed);
    text_finish(&text);
}

static void the_strictest_terms_that_may_still_come(void **state)
{
    struct terms terms;
    struct failure failure;
    terms_init(&terms, 0);
    assert_int_equal(kairos_policy_reach(&(struct kairos_policy){60 * KAIROS_SECOND, 0, 3}),
                     kairos_policy_reach(&terms.analysis.policy));
    struct kairos_policy policy = terms_strictest(&terms).policy;
    assert_int_equal(kairos_policy_reach(&policy), KAIROS_INTERVAL_MIN);
    assert_true(terms_set(&terms, TERM_INTERVAL, "2s", &failure));
    policy = terms_strictest(&terms).policy;
    assert_int_equal(kairos_policy_reach(&policy), 2 * KAIROS_SECOND);
    assert_true(terms_set(&terms, TERM_ALLOWED_MISSES, "4", &failure));
    assert_true(terms_set(&terms, TERM_TOLERANCE, "1s", &failure));
    policy = terms_strictest(&terms).policy;
    assert_int_equal(kairos_policy_reach(&policy), 9 * KAIROS_SECOND);
}

static void a_share_grows_while_there_is_room(void **state)
{
    struct budget budget = {.max = 100};
    struct share a = {.budget = &budget}, b = {.budget = &budget};
    assert_true(share_set(&a, 60));
    assert_false(share_set(&b, 41));
    assert_true(share_set(&b, 40));
    assert_false(share_set(&a, 61));
    assert_true(share_set(&a, 10));
    assert_true(share_set(&b, 90));
    assert_true(share_set(&a, 0) && share_set(&b, 0));
    assert_int_equal(budget.used, 0);
}

/* ---- The intake: one thread puts in, another takes ---- */

#define SENT (10 * 1024 * 1024)

static char byte_at(size_t at)
{
    return (char)(at * 2654435761U >> 13);
}

static void *put_all(void *argument)
{
    struct intake *intake = argument;
    struct dice dice = {5};
    for (size_t at = 0; at < SENT;) {
        char piece[40000];
        size_t size = 1 + dice_below(&dice, sizeof(piece));
        size = size < SENT - at ? size : SENT - at;
        while (intake_is_full(intake))
            sched_yield();
        for (size_t i = 0; i < size; i++)
            piece[i] = byte_at(at + i);
        intake_put(intake, piece, size);
        at += size;
    }
    intake_end(intake);
    return NULL;
}

static void an_intake_gives_what_was_put_in(void **state)
{
    struct budget budget = {.max = 64 * INTAKE_BLOCK_SIZE};
    struct intake intake;
    pthread_t thread;
    intake_init(&intake, &budget);
    assert_int_equal(pthread_create(&thread, NULL, put_all, &intake), 0);
    size_t at = 0, wrong = 0;
    for (bool last = false; !last;) {
        struct slice block;
        if (!intake_next(&intake, &block, &last)) {
            sched_yield();
            continue;
        }
        for (size_t i = 0; i < block.length; i++)
            wrong += block.text[i] != byte_at(at + i);
        at += block.length;
    }
    pthread_join(thread, NULL);
    assert_int_equal(at, SENT);
    assert_int_equal(wrong, 0);
    assert_true(budget.used <= (INTAKE_BLOCKS + 3) * (INTAKE_BLOCK_SIZE + 64));
    intake_finish(&intake);
    assert_int_equal(budget.used, 0);
}

static void an_intake_without_memory_or_closed(void **state)
{
    static const char piece[INTAKE_BLOCK_SIZE];
    struct budget budget = {.max = INTAKE_BLOCK_FIRST + 1000};
    struct intake intake;
    struct slice block;
    bool last;
    intake_init(&intake, &budget);
    assert_false(intake_next(&intake, &block, &last));
    intake_put(&intake, piece, INTAKE_BLOCK_FIRST);
    assert_false(intake.no_memory);
    intake_put(&intake, piece, 1);
    assert_true(intake.no_memory);
    assert_true(intake_next(&intake, &block, &last) && block.length == INTAKE_BLOCK_FIRST && !last);
    intake_end(&intake);
    assert_true(intake_next(&intake, &block, &last) && block.length == 0 && last);
    intake_finish(&intake);

    budget.max = 1000 * INTAKE_BLOCK_SIZE;
    intake_init(&intake, &budget);
    for (int i = 0; i < INTAKE_BLOCKS + 1; i++)
        intake_put(&intake, piece, sizeof(piece));
    assert_true(intake_is_full(&intake) && !intake_has_room(&intake));
    intake_close(&intake);
    assert_true(!intake_is_full(&intake) && intake_has_room(&intake));
    uint64_t used = budget.used;
    assert_false(intake_put(&intake, piece, sizeof(piece)));
    assert_int_equal(budget.used, used);
    intake_finish(&intake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_cut_anywhere),
        cmocka_unit_test(compressed_bodies),
        cmocka_unit_test(what_compressed_bytes_may_become),
        cmocka_unit_test(the_strictest_terms_that_may_still_come),
        cmocka_unit_test(a_share_grows_while_there_is_room),
        cmocka_unit_test(an_intake_gives_what_was_put_in),
        cmocka_unit_test(an_intake_without_memory_or_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
