/*
 * decoder.h - the encodings that a log may come in, one file each in decoders/.
 *
 * A decoder takes raw bytes from a source and gives the bytes that they stand for. Which one is
 * meant shows in the first bytes (decoder_of), never in a name. The source holds what has come so
 * far: whoever reads a file fills it, whoever is sent a body hands over piece by piece.
 *
 *     const struct decoder *decoder = decoder_of(head, length);
 *     void *state = decoder->create();
 *     while (decoder->read(state, &source, data, size, &count, &failure)) {
 *         if (count > 0)
 *             use(data, count);
 *         else if (source.ended)
 *             break;                         all was decoded
 *         else
 *             ... more bytes into the source, or its end ...
 *     }
 *     decoder->destroy(state);
 */
#ifndef KAIROS_BASE_DECODER_H
#define KAIROS_BASE_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"

/* What the decoders need to see to know their own. */
#define DECODER_HEAD 4

/* Raw bytes as far as they have come. They are not the source's. */
struct source {
    const char *name;           /* for messages */
    const unsigned char *bytes; /* those not yet taken, */
    size_t size;                /* and how many; */
    uint64_t taken;             /* so many stood before them */
    bool ended;                 /* nothing follows them */
};

struct decoder {
    const char *name;

    /* Whether what begins with these bytes (at most DECODER_HEAD) is meant for it. */
    bool (*matches)(const unsigned char *head, size_t length);

    /* Returns the decoder's state, or NULL when memory ran out. */
    void *(*create)(void);
    void (*destroy)(void *state);

    /* Bytes that the state holds. */
    size_t (*memory)(const void *state);

    /*
     * Decodes up to SIZE (1 or more) bytes into DATA. *COUNT is 0 where the source has nothing more
     * to take: it needs more bytes, or has ended, and then all was decoded. Returns false and
     * describes the failure if the bytes are damaged, or end too early.
     */
    bool (*read)(void *state, struct source *source, void *data, size_t size, size_t *count,
                 struct failure *failure);
};

extern const struct decoder decoder_gzip;
extern const struct decoder decoder_zstd;
extern const struct decoder decoder_plain; /* matches everything */

/* The decoder for what begins with the LENGTH bytes at HEAD: DECODER_HEAD, or all that there are.
 */
const struct decoder *decoder_of(const unsigned char *head, size_t length);

/* Takes COUNT bytes off SOURCE. For decoders. */
static inline void source_take(struct source *source, size_t count)
{
    source->bytes += count;
    source->size -= count;
    source->taken += count;
}

#endif
