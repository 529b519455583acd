/*
 * zstd.c - one or more Zstandard frames behind one another (RFC 8878).
 *
 * The library's own bound on a frame's window holds, 128 MiB: what `zstd --long=28` and beyond
 * writes is refused with its message.
 */
#include <stdlib.h>
#include <string.h>

#include <zstd.h>
#include <zstd_errors.h>

#include "decoder.h"

struct zstd {
    ZSTD_DStream *stream;
    bool inside; /* a frame has begun and not ended */
};

/* A frame, or one to be skipped: `pzstd` begins with such a one. */
static bool matches(const unsigned char *head, size_t length)
{
    static const unsigned char frame[] = {0x28, 0xb5, 0x2f, 0xfd};
    static const unsigned char skippable[] = {0x2a, 0x4d, 0x18}; /* behind 0x50 to 0x5f */
    return length >= 4 && (memcmp(head, frame, 4) == 0 ||
                           ((head[0] & 0xf0) == 0x50 && memcmp(head + 1, skippable, 3) == 0));
}

static void *create(void)
{
    struct zstd *zstd = calloc(1, sizeof(*zstd));
    if (zstd != NULL && (zstd->stream = ZSTD_createDStream()) != NULL)
        return zstd;
    free(zstd);
    return NULL;
}

static void destroy(void *state)
{
    struct zstd *zstd = state;
    ZSTD_freeDStream(zstd->stream);
    free(zstd);
}

static size_t memory(const void *state)
{
    const struct zstd *zstd = state;
    return sizeof(*zstd) + ZSTD_sizeof_DStream(zstd->stream);
}

static bool damaged(const struct source *source, const char *what, struct failure *failure)
{
    return failure_set(failure,
                       "%s: damaged zstd data near compressed byte %llu: %s; `zstd -t` tells more",
                       source->name, (unsigned long long)source->taken + 1, what);
}

static bool decode(void *state, struct source *source, void *data, size_t size, size_t *count,
                   struct failure *failure)
{
    struct zstd *zstd = state;
    ZSTD_outBuffer out = {.dst = data, .size = size};
    while (out.pos == 0 && (source->size > 0 || zstd->inside)) {
        ZSTD_inBuffer in = {.src = source->bytes, .size = source->size};
        size_t result = ZSTD_decompressStream(zstd->stream, &out, &in);
        if (ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge)
            return failure_set(failure,
                               "%s: needs a window above 128 MiB; compress it without --long",
                               source->name);
        if (ZSTD_isError(result))
            return damaged(source, ZSTD_getErrorName(result), failure);
        source_take(source, in.pos);
        zstd->inside = result != 0;
        if (zstd->inside && out.pos == 0 && in.pos == 0) {
            if (source->ended || source->size > 0)
                return damaged(source, "unexpected end; is the file complete?", failure);
            break;
        }
    }
    *count = out.pos;
    return true;
}

const struct decoder decoder_zstd = {
    .name = "zstd",
    .matches = matches,
    .create = create,
    .destroy = destroy,
    .memory = memory,
    .read = decode,
};
