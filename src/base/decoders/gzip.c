/*
 * gzip.c - one or more gzip members behind one another, as `cat a.gz b.gz` makes them (RFC 1952).
 */
#include <limits.h>
#include <stdlib.h>

#include <zlib.h>

#include "decoder.h"

/* The largest window, and a gzip header is expected. */
#define WINDOW_GZIP (15 + 16)

struct gzip {
    z_stream stream;
    bool inside; /* a member has begun and not ended */
};

static bool matches(const unsigned char *head, size_t length)
{
    return length >= 2 && head[0] == 0x1f && head[1] == 0x8b;
}

static void *create(void)
{
    struct gzip *gzip = calloc(1, sizeof(*gzip));
    if (gzip != NULL && inflateInit2(&gzip->stream, WINDOW_GZIP) == Z_OK)
        return gzip;
    free(gzip);
    return NULL;
}

static void destroy(void *state)
{
    struct gzip *gzip = state;
    inflateEnd(&gzip->stream);
    free(gzip);
}

/* The library's own figure for inflating, by its manual (zconf.h). */
static size_t memory(const void *state)
{
    (void)state;
    return sizeof(struct gzip) + (1 << 15) + 7 * 1024;
}

static bool damaged(const struct gzip *gzip, const struct source *source, const char *what,
                    struct failure *failure)
{
    return failure_set(failure,
                       "%s: damaged gzip data near compressed byte %llu: %s; `gzip -t` tells more",
                       source->name, (unsigned long long)source->taken + 1,
                       what != NULL ? what : (gzip->stream.msg ? gzip->stream.msg : "no gzip"));
}

/* Inflates what the source holds. */
static int step(struct gzip *gzip, struct source *source)
{
    size_t available = source->size < UINT_MAX ? source->size : UINT_MAX;
    gzip->stream.next_in = (Bytef *)(uintptr_t)source->bytes; /* zlib only reads it */
    gzip->stream.avail_in = (uInt)available;
    int result = inflate(&gzip->stream, Z_NO_FLUSH);
    source_take(source, available - gzip->stream.avail_in);
    return result;
}

static bool decode(void *state, struct source *source, void *data, size_t size, size_t *count,
                   struct failure *failure)
{
    struct gzip *gzip = state;
    gzip->stream.next_out = data;
    gzip->stream.avail_out = (uInt)size;
    while (gzip->stream.avail_out == size && source->size > 0) {
        gzip->inside = true;
        switch (step(gzip, source)) {
        case Z_OK:
        case Z_BUF_ERROR:
            break;
        case Z_STREAM_END:
            gzip->inside = false;
            inflateReset(&gzip->stream);
            break;
        case Z_MEM_ERROR:
            return failure_set(failure, "%s: out of memory", source->name);
        default:
            return damaged(gzip, source, NULL, failure);
        }
    }
    *count = size - gzip->stream.avail_out;
    if (*count == 0 && source->ended && gzip->inside)
        return damaged(gzip, source, "unexpected end; is the file complete?", failure);
    return true;
}

const struct decoder decoder_gzip = {
    .name = "gzip",
    .matches = matches,
    .create = create,
    .destroy = destroy,
    .memory = memory,
    .read = decode,
};
