/*
 * fuzz_input.c - an input of hostile bytes, plain or compressed, through a file in memory.
 *
 * Whatever zlib and zstd decode in one go must come out, and what they refuse must end in a
 * failure that can be shown. Reads of the file are cut short as a pipe's are, interrupted, and may
 * fail; so may allocations.
 *
 * The first bytes: the greatest size of a read, the read that fails, the allocation that fails. A
 * limit on memory is the fuzzer's to hold (-malloc_limit_mb=160).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "alloc_fail.h"
#include "fuzz.h"
#include "input.h"

/* A few bytes can stand for gigabytes: more than this is not looked at. */
#define OUTPUT_MAX (512 * 1024)

/* What input_read is asked for at most, as a power of two. */
#define PIECE_BITS 16

/* How the file is read. */
static struct {
    size_t max;       /* bytes at a time */
    unsigned failing; /* the read that fails; 0 for none */
    unsigned count;   /* reads so far */
    struct fuzz_random random;
} reads;

/* The linker's names. */
ssize_t __real_read(int fd, void *data, size_t size);
ssize_t __wrap_read(int fd, void *data, size_t size);

ssize_t __wrap_read(int fd, void *data, size_t size)
{
    if (reads.max == 0) /* not within a test */
        return __real_read(fd, data, size);
    if (++reads.count == reads.failing) {
        errno = EIO;
        return -1;
    }
    if (fuzz_below(&reads.random, 8) == 0) {
        errno = EINTR;
        return -1;
    }
    size_t limit = 1 + fuzz_below(&reads.random, reads.max);
    return __real_read(fd, data, size < limit ? size : limit);
}

static int make_file(const uint8_t *data, size_t size)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    EXPECT(fd >= 0);
    for (size_t at = 0; at < size;) {
        ssize_t written = write(fd, data + at, size - at);
        EXPECT(written > 0);
        at += (size_t)written;
    }
    return fd;
}

/* What came of reading. */
enum end {
    END_DECODED, /* all of it */
    END_REFUSED,
    END_LONGER, /* than OUTPUT_MAX; the rest was not read */
    END_OPEN,   /* refused in one go, where a stream may be more lenient */
};

struct output {
    enum end end;
    unsigned char *bytes; /* OUTPUT_MAX of them */
    size_t size;
};

static struct output output_begin(void)
{
    return (struct output){.bytes = fuzz_allocate(OUTPUT_MAX, 1)};
}

/* Reads INPUT to its end, or until it fails. */
static struct output read_input(struct input *input, uint64_t size, struct failure *failure)
{
    struct output output = output_begin();
    size_t count = 1;
    while (count > 0 && output.end == END_DECODED) {
        size_t room = (size_t)1 << fuzz_below(&reads.random, PIECE_BITS + 1);
        room -= fuzz_below(&reads.random, room);
        if (room > OUTPUT_MAX - output.size)
            room = OUTPUT_MAX - output.size;
        char *piece = fuzz_allocate(room, 1);
        if (room == 0)
            output.end = END_LONGER;
        else if (!input_read(input, piece, room, &count, failure))
            output.end = END_REFUSED;
        else
            memcpy(output.bytes + output.size, piece, count);
        EXPECT(output.end != END_DECODED || count <= room);
        output.size += output.end == END_DECODED ? count : 0;
        EXPECT(input_used(input) <= size);
        free(piece);
    }
    return output;
}

/* One gzip member behind the other, all in one piece. */
static struct output gunzip(const uint8_t *data, size_t size)
{
    struct output output = output_begin();
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)size};
    stream.next_out = output.bytes;
    stream.avail_out = OUTPUT_MAX;
    EXPECT(inflateInit2(&stream, 15 + 16) == Z_OK);
    int result = Z_STREAM_END;
    while (result == Z_STREAM_END && stream.avail_in > 0) {
        inflateReset(&stream);
        result = inflate(&stream, Z_FINISH);
    }
    if (result != Z_STREAM_END)
        output.end = stream.avail_out == 0 ? END_LONGER : END_REFUSED;
    output.size = OUTPUT_MAX - stream.avail_out;
    inflateEnd(&stream);
    return output;
}

/*
 * Where a frame ends in an empty block, a stream (zstd 1.5.4) fails to compare the size that the
 * frame promises with what came, if it gets the frame in small pieces.
 */
static enum end judge_zstd(size_t result)
{
    if (!ZSTD_isError(result))
        return END_DECODED;
    const char *error = ZSTD_getErrorName(result);
    if (strcmp(error, "Destination buffer is too small") == 0)
        return END_LONGER;
    return strcmp(error, "Data corruption detected") == 0 ? END_OPEN : END_REFUSED;
}

/* One frame behind the other, all in one piece. */
static struct output unzstd(const uint8_t *data, size_t size)
{
    struct output output = output_begin();
    size_t result = ZSTD_decompress(output.bytes, OUTPUT_MAX, data, size);
    output.end = judge_zstd(result);
    output.size = output.end == END_DECODED ? result : 0;
    return output;
}

static struct output copy(const uint8_t *data, size_t size)
{
    struct output output = output_begin();
    output.end = size > OUTPUT_MAX ? END_LONGER : END_DECODED;
    output.size = size > OUTPUT_MAX ? OUTPUT_MAX : size;
    memcpy(output.bytes, data, output.size);
    return output;
}

/* The encoding that the first bytes tell. */
static const char *find_encoding(const uint8_t *data, size_t size)
{
    if (size >= 2 && memcmp(data, "\x1f\x8b", 2) == 0)
        return "gzip";
    bool skippable =
        size >= 4 && (data[0] & 0xf0) == 0x50 && memcmp(data + 1, "\x2a\x4d\x18", 3) == 0;
    if (skippable || (size >= 4 && memcmp(data, "\x28\xb5\x2f\xfd", 4) == 0))
        return "zstd";
    return "plain";
}

/* What the encoding's own library makes of it in one go. */
static struct output decode(const char *encoding, const uint8_t *data, size_t size)
{
    if (strcmp(encoding, "gzip") == 0)
        return gunzip(data, size);
    if (strcmp(encoding, "zstd") == 0)
        return unzstd(data, size);
    return copy(data, size);
}

static void check_failure(const struct failure *failure)
{
    size_t length = strnlen(failure->text, sizeof(failure->text));
    EXPECT(length > 0 && length < sizeof(failure->text));
    for (size_t i = 0; i < length; i++)
        EXPECT((unsigned char)failure->text[i] >= ' ');
}

/*
 * A stream may need a window as large as the frame says, and one too large is refused; in one go
 * the output itself is the window.
 */
static bool is_window_refused(const struct failure *failure)
{
    return strstr(failure->text, "needs a window above 128 MiB") != NULL;
}

static void check_output(const struct output *output, const struct output *expected,
                         const struct failure *failure)
{
    if (output->end == END_REFUSED) {
        check_failure(failure);
        EXPECT(expected->end != END_DECODED || is_window_refused(failure));
    } else if (output->end == END_LONGER) {
        EXPECT(expected->end != END_DECODED || expected->size == OUTPUT_MAX);
    } else {
        EXPECT(expected->end != END_REFUSED);
    }
    if (output->end == END_DECODED && expected->end == END_DECODED) {
        EXPECT(output->size == expected->size);
        EXPECT(memcmp(output->bytes, expected->bytes, output->size) == 0);
    }
}

/* Reads a seekable input from anywhere. */
static void check_seeks(const struct input *input, const uint8_t *data, size_t size)
{
    for (int i = 0; i < 4; i++) {
        struct failure failure;
        size_t from = fuzz_below(&reads.random, size + 2), count;
        size_t room = fuzz_below(&reads.random, size + 2);
        size_t expected = from >= size ? 0 : room < size - from ? room : size - from;
        char *piece = fuzz_allocate(room, 1);
        EXPECT(input_read_at(input, from, piece, room, &count, &failure));
        EXPECT(count == expected);
        EXPECT(memcmp(piece, data + from - (expected == 0 ? from : 0), expected) == 0);
        free(piece);
    }
}

static void check_input(struct input *input, const uint8_t *data, size_t size)
{
    struct failure failure = {.text = ""};
    const char *encoding = find_encoding(data, size);
    EXPECT(strcmp(input_encoding(input), encoding) == 0);
    struct output output = read_input(input, size, &failure);
    bool failed = reads.failing > 0 && reads.count >= reads.failing;
    if (failed) {
        EXPECT(output.end != END_DECODED);
    } else {
        struct output expected = decode(encoding, data, size);
        check_output(&output, &expected, &failure);
        free(expected.bytes);
    }
    EXPECT(output.end != END_DECODED || input_used(input) == size);
    EXPECT(input_size(input) == size);
    EXPECT(input_is_seekable(input) == (strcmp(encoding, "plain") == 0));
    if (input_is_seekable(input))
        check_seeks(input, data, size);
    free(output.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t max = fuzz_take(&data, &size);
    reads.random = (struct fuzz_random){.state = max};
    reads.max = (size_t)1 << max % 20;
    reads.failing = fuzz_take(&data, &size);
    reads.count = 0;
    unsigned failing_allocation = fuzz_take(&data, &size);

    char path[32];
    int fd = make_file(data, size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    struct failure failure = {.text = ""};
    alloc_fail_arm(failing_allocation, false);
    struct input *input = input_open(path, "name another", &failure);
    bool allocation_failed = alloc_fail_disarm();
    EXPECT(!allocation_failed || input == NULL);
    if (input != NULL)
        check_input(input, data, size);
    else
        check_failure(&failure);
    EXPECT(input != NULL || allocation_failed ||
           (reads.failing > 0 && reads.count >= reads.failing));
    input_close(input);
    close(fd);
    reads.max = 0;
    return 0;
}
