/*
 * unpacker.h - bytes as they were sent, and those that they stand for (decoder.h): piece by piece,
 * and no more of them than is allowed, since a few bytes can stand for gigabytes.
 *
 *     unpacker_init(&unpacker, "file", NULL, max);        NULL: told by the first bytes
 *     unpacker_put(&unpacker, bytes, size);
 *     while (unpacker_next(&unpacker, &piece) == UNPACKER_OK && piece.length > 0)
 *         use(piece);
 *     ... the next bytes ..., and after the last ones: unpacker_end(&unpacker), and the same loop
 */
#ifndef KAIROS_HTTP_UNPACKER_H
#define KAIROS_HTTP_UNPACKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoder.h"
#include "failure.h"
#include "percent.h"

enum unpacker_result {
    UNPACKER_OK,
    UNPACKER_DAMAGED,
    UNPACKER_TOO_LONG,
    UNPACKER_NO_MEMORY,
};

struct unpacker {
    uint64_t max;           /* bytes that may come out */
    struct failure failure; /* of any result but UNPACKER_OK */

    /* Internal. */
    const struct decoder *decoder; /* NULL: not known yet */
    void *state;                   /* NULL: nothing has come yet */
    struct source source;
    struct slice rest; /* of what was put in, behind what the source has */
    unsigned char head[DECODER_HEAD];
    size_t head_length;
    bool ended;
    char *buffer; /* for what comes out */
    uint64_t given;
};

/*
 * For bytes that are called NAME in messages, of which no more than MAX may come out. DECODER is
 * NULL if the first bytes tell which it is.
 */
void unpacker_init(struct unpacker *unpacker, const char *name, const struct decoder *decoder,
                   uint64_t max);

void unpacker_finish(struct unpacker *unpacker);

/* The next bytes, which must stay until all was got out of them; nothing may be left of others. */
void unpacker_put(struct unpacker *unpacker, const char *bytes, size_t size);

/* No more will be put in. */
void unpacker_end(struct unpacker *unpacker);

/*
 * The next piece, good until the next call. It is empty when more must be put in; at the end, when
 * all came out.
 */
enum unpacker_result unpacker_next(struct unpacker *unpacker, struct slice *piece);

/* Bytes that it holds. */
size_t unpacker_memory(const struct unpacker *unpacker);

#endif
