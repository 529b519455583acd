#include "unpacker.h"

#include <stdlib.h>
#include <string.h>

/* What comes out at a time: in the second-level cache when it is read. */
#define BUFFER_SIZE (128 * 1024)

void unpacker_init(struct unpacker *unpacker, const char *name, const struct decoder *decoder,
                   uint64_t max)
{
    *unpacker = (struct unpacker){
        .max = max,
        .decoder = decoder,
        .source = {.name = name, .bytes = unpacker->head},
        .rest = {"", 0},
    };
}

void unpacker_finish(struct unpacker *unpacker)
{
    if (unpacker->state != NULL)
        unpacker->decoder->destroy(unpacker->state);
    free(unpacker->buffer);
    unpacker->state = NULL;
    unpacker->buffer = NULL;
}

void unpacker_put(struct unpacker *unpacker, const char *bytes, size_t size)
{
    unpacker->rest = size > 0 ? (struct slice){bytes, size} : (struct slice){"", 0};
}

void unpacker_end(struct unpacker *unpacker)
{
    unpacker->ended = true;
}

static void move_on(struct slice *slice, size_t count)
{
    slice->text += count;
    slice->length -= count;
}

/* Gathers the first bytes. Returns whether they tell which decoder is meant. */
static bool read_head(struct unpacker *unpacker)
{
    struct slice *rest = &unpacker->rest;
    size_t missing = DECODER_HEAD - unpacker->head_length;
    size_t count = rest->length < missing ? rest->length : missing;
    if (count > 0)
        memcpy(unpacker->head + unpacker->head_length, rest->text, count);
    unpacker->head_length += count;
    move_on(rest, count);
    if (unpacker->head_length < DECODER_HEAD && !unpacker->ended)
        return false;
    unpacker->source.size = unpacker->head_length;
    unpacker->decoder = decoder_of(unpacker->head, unpacker->head_length);
    return true;
}

static enum unpacker_result no_memory(struct unpacker *unpacker)
{
    failure_set(&unpacker->failure, "%s: out of memory", unpacker->source.name);
    return UNPACKER_NO_MEMORY;
}

static bool begin(struct unpacker *unpacker)
{
    if (unpacker->decoder != &decoder_plain && (unpacker->buffer = malloc(BUFFER_SIZE)) == NULL)
        return false;
    unpacker->state = unpacker->decoder->create();
    return unpacker->state != NULL;
}

/* The source goes on with what was put in. */
static void fill(struct unpacker *unpacker)
{
    struct source *source = &unpacker->source;
    if (source->size == 0) {
        source->bytes = (const unsigned char *)unpacker->rest.text;
        source->size = unpacker->rest.length;
        unpacker->rest.length = 0;
    }
    source->ended = unpacker->ended && unpacker->rest.length == 0;
}

/* Plain bytes are given as they are. */
static bool decode(struct unpacker *unpacker, struct slice *piece)
{
    struct source *source = &unpacker->source;
    if (unpacker->decoder == &decoder_plain) {
        *piece = (struct slice){(const char *)source->bytes, source->size};
        source_take(source, source->size);
        return true;
    }
    piece->text = unpacker->buffer;
    return unpacker->decoder->read(unpacker->state, source, unpacker->buffer, BUFFER_SIZE,
                                   &piece->length, &unpacker->failure);
}

enum unpacker_result unpacker_next(struct unpacker *unpacker, struct slice *piece)
{
    *piece = (struct slice){"", 0};
    if (unpacker->decoder == NULL && !read_head(unpacker))
        return UNPACKER_OK;
    if (unpacker->state == NULL && !begin(unpacker))
        return no_memory(unpacker);
    do {
        fill(unpacker);
        if (!decode(unpacker, piece))
            return UNPACKER_DAMAGED;
    } while (piece->length == 0 && unpacker->rest.length > 0);

    unpacker->given += piece->length;
    if (unpacker->given <= unpacker->max)
        return UNPACKER_OK;
    failure_set(&unpacker->failure, "%s: becomes longer than %llu bytes when it is decompressed",
                unpacker->source.name, (unsigned long long)unpacker->max);
    return UNPACKER_TOO_LONG;
}

size_t unpacker_memory(const struct unpacker *unpacker)
{
    if (unpacker->state == NULL)
        return 0;
    return unpacker->decoder->memory(unpacker->state) +
           (unpacker->buffer == NULL ? 0 : BUFFER_SIZE);
}
