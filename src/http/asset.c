#include "asset.h"

#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>
#define ZLIB_CONST /* it reads only */
#include <zlib.h>

#include "accept.h"
#include "answer.h"

/* Bytes that are inflated at a time: a few dozen microseconds of the worker's thread. */
#define STEP ((size_t)16 * 1024)

/* A window of 32 KiB, behind a header of gzip. */
#define WINDOW_GZIP (15 + 16)

/* Our own files, pictures that stand in the style sheet, and nothing else. */
#define POLICY                                                                                     \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "              \
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const struct asset *asset_find(struct slice name)
{
    for (size_t i = 0; i < asset_count; i++) {
        if (strlen(assets[i].name) == name.length &&
            memcmp(assets[i].name, name.text, name.length) == 0)
            return &assets[i];
    }
    return NULL;
}

/* Whether the client has what ETAG names (RFC 9110, section 13.1.2: compared weakly). */
static bool has(const struct request *request, const char *etag)
{
    const char *header = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                                     MHD_HTTP_HEADER_IF_NONE_MATCH);
    if (header == NULL)
        return false;
    return strcmp(header, "*") == 0 || strstr(header, etag + strlen("W/")) != NULL;
}

static ssize_t inflate_piece(void *context, uint64_t position, char *text, size_t size)
{
    z_stream *stream = context;
    (void)position; /* it is asked for in order */
    stream->next_out = (unsigned char *)text;
    stream->avail_out = (unsigned)(size < STEP ? size : STEP);
    unsigned room = stream->avail_out;
    int result = inflate(stream, Z_NO_FLUSH);
    if (room == stream->avail_out)
        return result == Z_STREAM_END ? MHD_CONTENT_READER_END_OF_STREAM
                                      : MHD_CONTENT_READER_END_WITH_ERROR;
    return (ssize_t)(room - stream->avail_out);
}

static void free_stream(void *context)
{
    inflateEnd(context);
    free(context);
}

/* A response that inflates ASSET as it is sent; NULL if memory ran out. */
static struct MHD_Response *inflated(const struct asset *asset)
{
    z_stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL)
        return NULL;
    stream->next_in = asset->gzip;
    stream->avail_in = (unsigned)asset->gzip_size;
    if (inflateInit2(stream, WINDOW_GZIP) != Z_OK) {
        free(stream);
        return NULL;
    }
    struct MHD_Response *response =
        MHD_create_response_from_callback(asset->size, STEP, inflate_piece, stream, free_stream);
    if (response == NULL)
        free_stream(stream);
    return response;
}

static struct MHD_Response *compressed(const struct asset *asset)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        asset->gzip_size, (void *)asset->gzip, MHD_RESPMEM_PERSISTENT);
    if (response != NULL)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    return response;
}

static void add_headers(struct MHD_Response *response, const struct asset *asset, const char *vary)
{
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
    MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, asset->etag);
    MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, vary);
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_SECURITY_POLICY, POLICY);
}

void asset_answer(struct request *request, const struct asset *asset, const char *vary)
{
    bool known = has(request, asset->etag);
    struct MHD_Response *response = accept_gzip(request) ? compressed(asset) : inflated(asset);
    if (response != NULL) {
        add_headers(response, asset, vary);
        if (!known)
            MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, asset->content_type);
    }
    if (!known)
        request->sent = accept_gzip(request) ? asset->gzip_size : asset->size;
    answer_response(request, known ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response);
}
