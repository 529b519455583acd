/*
 * test_gzip.c - answers that are compressed, and those that are left alone.
 */
#include "gzip.h"

#include <stdlib.h>

#include <zlib.h>

#include "support.h"

static struct writer text_of(const char *text, size_t length)
{
    struct writer writer = {.text = malloc(length + 1), .length = length, .capacity = length + 1};
    assert_non_null(writer.text);
    memcpy(writer.text, text, length);
    return writer;
}

static void expect_text(const struct writer *writer, const char *text, size_t length)
{
    z_stream stream = {.next_in = (unsigned char *)writer->text,
                       .avail_in = (unsigned)writer->length};
    unsigned char *back = malloc(length + 1);
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    stream.next_out = back;
    stream.avail_out = (unsigned)length + 1;
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, length);
    assert_int_equal(stream.avail_in, 0);
    assert_memory_equal(back, text, length);
    inflateEnd(&stream);
    free(back);
}

static void one_text_after_the_other(void **state)
{
    static char text[300000];
    struct dice dice = {7};
    struct gzip *gzip = gzip_create();
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = dice_char(&dice, "{}\":,0123456789abcdef");
    for (size_t length = 100; length <= sizeof(text); length *= 3) {
        struct writer writer = text_of(text, length);
        assert_true(gzip_text(gzip, &writer));
        assert_true(writer.length < length);
        expect_text(&writer, text, length);
        writer_finish(&writer);
    }
    gzip_destroy(gzip);
    gzip_destroy(NULL);
}

static void what_gets_no_shorter_stays(void **state)
{
    char text[5000];
    struct dice dice = {11};
    struct gzip *gzip = gzip_create();
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)dice_roll(&dice);
    struct writer writer = text_of(text, sizeof(text));
    assert_false(gzip_text(gzip, &writer));
    assert_int_equal(writer.length, sizeof(text));
    assert_memory_equal(writer.text, text, sizeof(text));
    writer_finish(&writer);
    assert_false(gzip_text(gzip, &writer));
    writer.failed = true;
    assert_false(gzip_text(gzip, &writer));

    writer = text_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 56);
    assert_true(gzip_text(gzip, &writer)); /* it is as good as before */
    writer_finish(&writer);
    gzip_destroy(gzip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_text_after_the_other),
        cmocka_unit_test(what_gets_no_shorter_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
