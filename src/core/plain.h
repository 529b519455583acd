/*
 * plain.h - the bytes of a JSON string that simply stand for themselves: ASCII but control
 * characters, the quote and the backslash. The one scanner for them, shared by both paths.
 */
#ifndef KAIROS_CORE_PLAIN_H
#define KAIROS_CORE_PLAIN_H

#include "words.h"

/* The first byte from C to END that is not plain; END if there is none. */
static inline const char *plain_end(const char *c, const char *end)
{
    for (; (size_t)(end - c) >= WORD_SIZE; c += WORD_SIZE) {
        uint64_t word = word_load(c), low7 = word & ~WORD_TOPS;
        uint64_t other = (word & WORD_TOPS) | word_between(low7, 0, 0x1f) | word_equal(low7, '"') |
                         word_equal(low7, '\\');
        if (other != 0)
            return c + word_first(other);
    }
    while (c < end && (unsigned char)*c >= 0x20 && (unsigned char)*c < 0x80 && *c != '"' &&
           *c != '\\')
        c++;
    return c;
}

#endif
