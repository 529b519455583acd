/*
 * decoder.h - the encodings that an input may come in, one file each in decoders/.
 *
 * A decoder takes raw bytes from a source and gives the bytes that they stand for. Which one is
 * meant shows in the first bytes of the input, never in its name.
 */
#ifndef KAIROS_CLI_DECODER_H
#define KAIROS_CLI_DECODER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"

#define SOURCE_SIZE (256 * 1024)

/* Raw bytes from a descriptor, which the source does not own. */
struct source {
    int fd;
    const char *name;     /* for messages */
    _Atomic uint64_t raw; /* bytes read from the descriptor so far */
    size_t begin, end;    /* of the bytes not yet taken from the buffer */
    unsigned char buffer[SOURCE_SIZE];
};

/* Reads once into DATA; *COUNT is 0 at the end. */
bool source_read(struct source *source, void *data, size_t size, size_t *count,
                 struct failure *failure);

/* Fills the buffer, which must be used up; at the end of the input it stays empty. */
bool source_fill(struct source *source, struct failure *failure);

struct decoder {
    const char *name;

    /* Whether an input that begins with these bytes (at most 4 are there) is meant for it. */
    bool (*matches)(const unsigned char *head, size_t length);

    /* Returns the decoder's state, or NULL when memory ran out. */
    void *(*create)(void);
    void (*destroy)(void *state);

    /* Decodes up to SIZE bytes into DATA; *COUNT is 0 at the end of the input, and only there. */
    bool (*read)(void *state, struct source *source, void *data, size_t size, size_t *count,
                 struct failure *failure);
};

extern const struct decoder decoder_gzip;
extern const struct decoder decoder_zstd;
extern const struct decoder decoder_plain; /* matches everything */

#endif
