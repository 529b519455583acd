/*
 * test_fields.c - header fields that may stand together, and those that may not.
 */
#include "fields.h"

#include <stdio.h>

#include "support.h"

static struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

/* Adds the fields of TEXT, a line each. */
static void add_lines(struct fields *fields, const char *text)
{
    while (*text != '\0') {
        const char *end = strchrnul(text, '\n'), *colon = strchr(text, ':');
        assert_non_null(colon);
        fields_add(fields, (struct slice){text, (size_t)(colon - text)},
                   (struct slice){colon + 1, (size_t)(end - colon - 1)});
        text = *end == '\0' ? end : end + 1;
    }
}

static void what_may_stand_together(void **state)
{
    static const struct {
        const char *lines;
        const char *wrong; /* a piece of what is said; NULL if nothing is wrong */
    } rows[] = {
        {"", NULL},
        {"Host:x\nContent-Length:5", NULL},
        {"Host:x\ntransfer-encoding:Chunked", NULL},
        {"Content-Length:0", NULL},
        {"Content-Length:18446744073709551616", NULL}, /* the library refuses it */
        {"A:\nA:\nA:", NULL},
        {"A:\ttab\x80\xff", NULL},
        {"!#$%&'*+-.^_`|~09azAZ:", NULL},
        {"Content-Lengths:5\nContent-Lengths:6", NULL},
        {"Content-Length:5\ncontent-length:5", "more than one Content-Length"},
        {"Transfer-Encoding:chunked\nTRANSFER-ENCODING:chunked", "more than one Transfer-Encoding"},
        {"Transfer-Encoding:chunked\nContent-Length:5", "both"},
        {"Content-Length:5\nTransfer-Encoding:chunked", "both"},
        {"Host:x\nhost:x", "more than one Host"},
        {"Content-Length:", "no number"},
        {"Content-Length:+5", "no number"},
        {"Content-Length:5 ", "no number"},
        {"Content-Length:5,5", "no number"},
        {"Transfer-Encoding:", "chunked alone"},
        {"Transfer-Encoding:gzip, chunked", "chunked alone"},
        {"Transfer-Encoding:chunked ", "chunked alone"},
        {":x", "name"},
        {"A :x", "name"},
        {"A\t:x", "name"},
        {"(:x", "name"},
        {"\x80:x", "name"},
        {"\x7f:x", "name"},
        {"A:\x01", "control"},
        {"A:\r", "control"},
        {"A:\x7f", "control"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fields fields = {0};
        add_lines(&fields, rows[i].lines);
        const char *wrong = fields_wrong(&fields, false);
        bool expected = rows[i].wrong == NULL
                            ? wrong == NULL
                            : wrong != NULL && strstr(wrong, rows[i].wrong) != NULL;
        check(expected, "%s: %s", rows[i].lines, wrong == NULL ? "nothing" : wrong);
    }
}

static void nuls_are_wrong(void **state)
{
    struct fields fields = {0};
    fields_add(&fields, (struct slice){"A\0", 2}, slice_of(""));
    assert_non_null(fields_wrong(&fields, false));
    fields = (struct fields){0};
    fields_add(&fields, slice_of("A"), (struct slice){"\0", 1});
    assert_non_null(fields_wrong(&fields, false));
}

static void chunks_in_http_1_0(void **state)
{
    struct fields fields = {0};
    add_lines(&fields, "Content-Length:5");
    assert_null(fields_wrong(&fields, true));
    fields = (struct fields){0};
    add_lines(&fields, "Transfer-Encoding:chunked");
    assert_non_null(fields_wrong(&fields, true));
}

static void what_is_read(void **state)
{
    struct fields fields = {0};
    add_lines(&fields, "x-request-id:no good\nX-Request-Id:one\nX-REQUEST-ID:two\nX-Request-Id:\n"
                       "X-Forwarded-For:192.0.2.1\n"
                       "Content-Length:77");
    assert_int_equal(fields.request_id.length, 3);
    assert_memory_equal(fields.request_id.text, "two", 3);
    assert_true(fields.forwarded);
    assert_int_equal(fields.lengths, 1);
    assert_memory_equal(fields.length.text, "77", 2);
    fields = (struct fields){0};
    add_lines(&fields, "X-Forwarded-Fox:192.0.2.1\nX-Request-Ie:a");
    assert_false(fields.forwarded || fields.request_id.length > 0);
}

static void request_ids(void **state)
{
    char longest[REQUEST_ID_MAX + 2];
    memset(longest, 'a', sizeof(longest));
    assert_true(is_request_id((struct slice){longest, REQUEST_ID_MAX}));
    assert_false(is_request_id((struct slice){longest, REQUEST_ID_MAX + 1}));
    for (unsigned c = 0; c < 256; c++) {
        char text = (char)c;
        bool good =
            c != 0 && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
                             (int)c) != NULL;
        check(is_request_id((struct slice){&text, 1}) == good, "%u", c);
    }
    assert_false(is_request_id(slice_of("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_stand_together),
        cmocka_unit_test(nuls_are_wrong),
        cmocka_unit_test(chunks_in_http_1_0),
        cmocka_unit_test(what_is_read),
        cmocka_unit_test(request_ids),

    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
