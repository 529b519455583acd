/*
 * words.h - eight bytes at a time: loads, and tests on all bytes of a word at once.
 *
 * In every word the byte at the lowest address stands in the lowest bits, whatever the machine. The
 * tests give a mask with the top bit of each byte that passes, and take bytes below 0x80: the
 * caller rules the others out first.
 */
#ifndef KAIROS_CORE_WORDS_H
#define KAIROS_CORE_WORDS_H

#include <stdint.h>
#include <string.h>

#define WORD_SIZE sizeof(uint64_t)

/* The byte VALUE in every place. */
#define WORD_OF(value) (UINT64_C(0x0101010101010101) * (uint64_t)(value))

#define WORD_TOPS      WORD_OF(0x80)

static inline uint64_t word_load(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline void word_store(char *bytes, uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    memcpy(bytes, &word, sizeof(word));
}

/* A word that keeps the COUNT (0 to 7) lowest bytes. */
static inline uint64_t word_mask(size_t count)
{
    return (UINT64_C(1) << (8 * count)) - 1;
}

/* Bytes from LOW to HIGH, both below 0x80. Adding cannot carry from one byte into the next. */
static inline uint64_t word_between(uint64_t word, unsigned char low, unsigned char high)
{
    return (word + WORD_OF(0x80 - low)) & ~(word + WORD_OF(0x7f - high)) & WORD_TOPS;
}

/* Bytes equal to VALUE, below 0x80. */
static inline uint64_t word_equal(uint64_t word, unsigned char value)
{
    return ~((word ^ WORD_OF(value)) + WORD_OF(0x7f)) & WORD_TOPS;
}

/* How many of the lowest bytes come before the first that is set in MASK (not 0). */
static inline size_t word_first(uint64_t mask)
{
    return (size_t)__builtin_ctzll(mask) / 8;
}

#endif
