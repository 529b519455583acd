/*
 * fuzz_upload.c - the body of a request to /monitor: a log, or a form with one, plain or
 * compressed.
 *
 * The first bytes: how the body is sent (a form or not, and its Content-Encoding), the size of the
 * pieces in which it comes, and the allocation that fails. In pieces all must be as in one, and
 * what failed for want of memory must say so. The fields of a form are held against a reader that
 * is slow and plain.
 */
#include <stdlib.h>
#include <string.h>

#include "alloc_fail.h"
#include "fuzz.h"
#include "upload.h"

/* Compressed bytes may become no more than this. */
#define UNPACKED_MAX (256 * 1024)

#define NOW          INT64_C(1754301900000000)

static const char *const encodings[] = {NULL, "gzip", "zstd", "identity"};

static struct upload *read_upload(const struct upload_options *options, const uint8_t *data,
                                  size_t size, size_t piece_size)
{
    struct upload *upload = fuzz_allocate(1, sizeof(*upload));
    upload_init(upload, options);
    size_t at = 0;
    do {
        size_t length = size - at < piece_size ? size - at : piece_size;
        char *piece = fuzz_copy(data + at, length);
        at += length;
        upload_put(upload, piece, length, at == size);
        while (upload_step(upload))
            EXPECT(upload_memory(upload) < UINT64_C(1) << 30);
        free(piece);
    } while (upload->status == 0 && at < size);
    EXPECT(upload->status != 0 || (upload->analysis != NULL && upload->concluded));
    EXPECT(upload->status == 0 || upload->failure.text[0] != '\0');
    return upload;
}

/*
 * What a library gives out of damaged bytes before it notices, and whether a stream does so at all
 * (fuzz_input.c), depends on the pieces.
 */
static bool is_damaged(const struct upload *upload)
{
    return upload->status == 400 && strstr(upload->failure.text, ": damaged ") != NULL;
}

static void expect_same(const struct upload *a, const struct upload *b)
{
    if (is_damaged(a) || is_damaged(b))
        return;
    EXPECT(a->status == b->status);
    if (a->status != 0) {
        EXPECT(strcmp(a->failure.text, b->failure.text) == 0);
        return;
    }
    struct kairos_alert_cursor cursor = {0}, other = {0};
    EXPECT(a->alerts == b->alerts && a->alerts <= a->terms.max_alerts);
    EXPECT(kairos_analysis_total(a->analysis) == kairos_analysis_total(b->analysis));
    for (int i = 0; i < 1000 && kairos_analysis_next_alert(a->analysis, &cursor); i++) {
        EXPECT(kairos_analysis_next_alert(b->analysis, &other));
        EXPECT(strcmp(cursor.service, other.service) == 0);
        EXPECT(cursor.alert.alert_at == other.alert.alert_at);
        EXPECT(cursor.alert.last_seen == other.alert.last_seen);
        EXPECT(cursor.alert.missed_count == other.alert.missed_count);
    }
}

static void destroy(struct upload *upload)
{
    upload_finish(upload);
    free(upload);
}

/* The same while the allocation FAILING fails, and with FOR_GOOD all behind it. */
static void check_starved(const struct upload_options *options, const uint8_t *data, size_t size,
                          unsigned failing, bool for_good, const struct upload *whole)
{
    struct upload *starved = fuzz_allocate(1, sizeof(*starved));
    alloc_fail_arm(failing, for_good);
    upload_init(starved, options);
    upload_put(starved, (const char *)data, size, true);
    while (upload_step(starved))
        ;
    bool failed = alloc_fail_disarm();
    EXPECT(failed || starved->status != 503);
    if (starved->status != 503)
        expect_same(whole, starved);
    destroy(starved);
}

/* ---- Values of a form whose lines end in CR LF, by looking for boundaries from the beginning ----
 */

/* The value that begins at AT; its end, or SIZE if there is no boundary behind it. */
static size_t end_of_value(const uint8_t *data, size_t size, size_t at)
{
    const uint8_t *end = size > at ? memmem(data + at, size - at, "\r\n--b", 5) : NULL;
    return end == NULL ? size : (size_t)(end - data);
}

/* What multipart makes of the first value of a form is what stands there. */
static void check_first_value(const uint8_t *data, size_t size, size_t piece_size)
{
    static struct multipart multipart;
    struct failure failure;
    EXPECT(multipart_open(&multipart, "multipart/form-data; boundary=b", &failure));
    size_t begin = 0, length = 0;
    bool ended = false, bad = false;
    uint8_t *found = fuzz_allocate(size + 1, 1);
    for (size_t at = 0; at < size && !ended && !bad; at += piece_size) {
        size_t count = size - at < piece_size ? size - at : piece_size;
        char *copy = fuzz_copy(data + at, count);
        struct slice piece = {copy, count}, value;
        enum multipart_event event = MULTIPART_FIELD;
        while (!ended && !bad && event != MULTIPART_MORE) {
            event = multipart_read(&multipart, &piece, &value);
            EXPECT(multipart.offset <= size);
            if (event == MULTIPART_FIELD)
                begin = (size_t)multipart.offset;
            if (event == MULTIPART_VALUE) {
                EXPECT(begin > 0 && value.length > 0 && value.length <= size - length);
                memcpy(found + length, value.text, value.length);
                length += value.length;
            }
            ended = event == MULTIPART_END;
            bad = event == MULTIPART_BAD;
        }
        free(copy);
    }
    EXPECT(!bad || strlen(multipart.error) > 0);
    if (ended && multipart.delimiter[0] == '\r') {
        /* The line end ahead of the value may be the boundary's. */
        bool empty = begin >= 2 && end_of_value(data, size, begin - 2) == begin - 2;
        size_t end = empty ? begin : end_of_value(data, size, begin);
        EXPECT(end - begin == length && memcmp(found, data + begin, length) == 0);
    }
    free(found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t way = fuzz_take(&data, &size);
    size_t piece_size = 1 + fuzz_take(&data, &size) % 64;
    unsigned failing = fuzz_take(&data, &size);
    struct upload_options options = {
        .content_type = way & 1 ? "multipart/form-data; boundary=b" : "application/json",
        .content_encoding = encodings[way / 2 % 4],
        .unpacked_max = UNPACKED_MAX,
    };
    terms_init(&options.terms, NOW);
    struct upload *whole = read_upload(&options, data, size, size > 0 ? size : 1);
    struct upload *pieces = read_upload(&options, data, size, piece_size);
    expect_same(whole, pieces);
    destroy(pieces);

    check_starved(&options, data, size, failing, (way & 64) != 0, whole);
    destroy(whole);
    if (way & 1)
        check_first_value(data, size, piece_size);
    return 0;
}
