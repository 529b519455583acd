/*
 * name.h - the one scanner of service names, shared by kairos_service_parse and the parser's fast
 * path.
 */
#ifndef KAIROS_CORE_NAME_H
#define KAIROS_CORE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kairos/service.h>

#include "words.h"

/* The characters that may stand around a name: space, \t, \n, \v, \f, \r. */
static inline bool name_is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/*
 * The bytes of WORD that names may have, as a mask; *LOWER is the word with its letters
 * lower-cased.
 */
static inline uint64_t name_bytes(uint64_t word, uint64_t *lower)
{
    uint64_t ascii = ~word & WORD_TOPS;
    uint64_t low7 = word & ~WORD_TOPS;
    /* With bit 5 set, A-Z fall on a-z and nothing else does. */
    uint64_t letters = word_between(low7 | WORD_OF(0x20), 'a', 'z');
    *lower = word | (letters >> 2); /* 0x80 >> 2 is bit 5 */
    return ascii &
           (letters | word_between(low7, '0', '9') | word_equal(low7, '-') | word_equal(low7, '_'));
}

/*
 * Copies the characters at TEXT that names may have to NAME, lower-cased and padded with NULs to a
 * whole word, up to the first other byte. Returns how many there were, or KAIROS_SERVICE_SIZE when
 * all of that many were. Reads and writes whole words: KAIROS_SERVICE_SIZE bytes must be readable.
 */
static inline size_t name_scan(const char *text, char name[KAIROS_SERVICE_SIZE])
{
    for (size_t at = 0; at < KAIROS_SERVICE_SIZE; at += WORD_SIZE) {
        uint64_t lower;
        uint64_t other = ~name_bytes(word_load(text + at), &lower) & WORD_TOPS;
        if (other != 0) {
            size_t count = word_first(other);
            word_store(name + at, lower & word_mask(count));
            return at + count;
        }
        word_store(name + at, lower);
    }
    return KAIROS_SERVICE_SIZE;
}

#endif
