/*
 * tail.h - the last bytes of something that may be of any length.
 */
#ifndef KAIROS_CLI_TAIL_H
#define KAIROS_CLI_TAIL_H

#include <stddef.h>
#include <stdint.h>

#define TAIL_MAX 10000

/* All zero is an empty one. */
struct tail {
    uint64_t total;       /* bytes that were added */
    char bytes[TAIL_MAX]; /* the byte at position P of all stands at P modulo TAIL_MAX */
};

void tail_add(struct tail *tail, const char *bytes, size_t size);

/*
 * Copies what is there: the last TAIL_MAX bytes, less what is left of a character of UTF-8 that was
 * cut in front. Returns the size.
 */
size_t tail_copy(const struct tail *tail, char copy[TAIL_MAX]);

#endif
