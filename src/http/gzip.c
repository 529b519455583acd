#include "gzip.h"

#include <limits.h>
#include <stdlib.h>

#include <zlib.h>

/* The fastest: JSON becomes a tenth, and no other level makes much less of it. */
#define LEVEL        1

#define WINDOW_BITS  (15 + 16) /* the largest, in gzip's format */
#define MEMORY_LEVEL 8         /* the default */

struct gzip {
    z_stream stream;
};

struct gzip *gzip_create(void)
{
    struct gzip *gzip = calloc(1, sizeof(*gzip));
    if (gzip == NULL)
        return NULL;
    if (deflateInit2(&gzip->stream, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) == Z_OK)
        return gzip;
    free(gzip);
    return NULL;
}

void gzip_destroy(struct gzip *gzip)
{
    if (gzip == NULL)
        return;
    deflateEnd(&gzip->stream);
    free(gzip);
}

bool gzip_text(struct gzip *gzip, struct writer *writer)
{
    z_stream *stream = &gzip->stream;
    if (writer->failed || writer->length == 0 || writer->length > UINT_MAX)
        return false;
    /* What does not fit is not shorter. */
    char *shorter = malloc(writer->length);
    if (shorter == NULL || deflateReset(stream) != Z_OK) {
        free(shorter);
        return false;
    }
    stream->next_in = (unsigned char *)writer->text;
    stream->avail_in = (unsigned)writer->length;
    stream->next_out = (unsigned char *)shorter;
    stream->avail_out = (unsigned)writer->length;
    if (deflate(stream, Z_FINISH) != Z_STREAM_END) {
        free(shorter);
        return false;
    }
    size_t capacity = writer->length, length = capacity - stream->avail_out;
    writer_finish(writer);
    *writer = (struct writer){.text = shorter, .length = length, .capacity = capacity};
    return true;
}
