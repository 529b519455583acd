/*
 * test_accept.c - what a client would rather read.
 */
#include "accept.h"

#include "support.h"

static void what_is_wanted(void **state)
{
    static const struct {
        const char *header;
        const char *name;
        unsigned quality;
    } rows[] = {
        {NULL, "gzip", 0},
        {"", "gzip", 0},
        {"gzip", "gzip", 1000},
        {"GZip", "gzip", 1000},
        {" \tgzip\t ", "gzip", 1000},
        {"br, gzip", "gzip", 1000},
        {"br;q=1.0,gzip ; q=0.5", "gzip", 500},
        {"gzip;q=0", "gzip", 0},
        {"gzip;q=0.000", "gzip", 0},
        {"gzip;q=0.001", "gzip", 1},
        {"gzip;q=0.75", "gzip", 750},
        {"gzip;q=1.", "gzip", 1000},
        {"gzip;Q=0.3", "gzip", 300},
        {"*", "gzip", 1000},
        {"*;q=0.1", "gzip", 100},
        {"*;q=0, gzip", "gzip", 1000},
        {"gzip;q=0, *", "gzip", 0},
        {"x-gzip", "gzip", 0},
        {"gzipped", "gzip", 0},
        {"gzi", "gzip", 0},
        {"identity", "gzip", 0},
        {"text/html", "text/html", 1000},
        {"text/*;q=0.4", "text/html", 400},
        {"text/*, text/html;q=0.2, */*;q=0.9", "text/html", 200},
        {"*/*;q=0.9, text/*;q=0.2", "text/html", 200},
        {"*/*;q=0.9, application/*", "text/html", 900},
        {"*", "text/html", 0},
        {"text/htm", "text/html", 0},
        {"text", "text/html", 0},
        {"text/html;level=1;q=0.5", "text/html", 500},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check(accept_quality(rows[i].header, rows[i].name) == rows[i].quality, "%s of %s",
              rows[i].name, rows[i].header);
}

/* What is no quality says nothing. */
static void what_is_malformed(void **state)
{
    static const char *const rows[] = {
        "gzip;q=",   "gzip;q=x",   "gzip;q=2", "gzip;q=1.001", "gzip;q=0.0001", "gzip;q=.5",
        "gzip;q=-1", "gzip;q=0.x", "gzip;q",   "gzip;;;",      ",,gzip,,",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check(accept_quality(rows[i], "gzip") == ACCEPT_MOST, "%s", rows[i]);
}

/* Nothing is read behind the end. */
static void every_prefix(void **state)
{
    static const char header[] = "text/html ;q=0.75, */*;q=0.1, application/json;q=0.333";
    struct fence fence;
    fence_init(&fence, sizeof(header));
    for (size_t length = 0; length < sizeof(header); length++) {
        char copy[sizeof(header)] = {0};
        memcpy(copy, header, length);
        const char *placed = fence_place(&fence, copy, length + 1);
        assert_true(accept_quality(placed, "application/json") <= ACCEPT_MOST);
    }
    fence_finish(&fence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wanted),
        cmocka_unit_test(what_is_malformed),
        cmocka_unit_test(every_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
