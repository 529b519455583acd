/*
 * support.h - what the unit tests share: random numbers that are the same in every run, memory that
 * ends at a forbidden page, text that grows, and a check that can say which row it was.
 */
#ifndef KAIROS_TESTS_SUPPORT_H
#define KAIROS_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Fails the test with a message, a literal and its arguments as for printf, unless CONDITION. */
#define check(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg(__VA_ARGS__);                                                                 \
    } while (0)

/* Bytes that may hold NULs, from a string literal. */
struct bytes {
    const char *text;
    size_t length;
};

#define BYTES(literal)                                                                             \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

/* What is printable of the LENGTH bytes at TEXT, for messages; good until four further calls. */
const char *shown(const char *text, size_t length);

/*
 * Random numbers. Source: Sebastiano Vigna, splitmix64 (https://prng.di.unimi.it/splitmix64.c).
 */
struct dice {
    uint64_t state; /* set it to any seed */
};

uint64_t dice_roll(struct dice *dice);

/* From 0 to BOUND - 1. */
size_t dice_below(struct dice *dice, size_t bound);

/* From LOW to HIGH, both included. */
int64_t dice_between(struct dice *dice, int64_t low, int64_t high);

/* True PERCENT times in a hundred. */
bool dice_chance(struct dice *dice, unsigned percent);

/* One of the characters of CHOICES. */
char dice_char(struct dice *dice, const char *choices);

/*
 * Memory behind which a page may not be touched: whoever reads one byte too many crashes.
 */
struct fence {
    char *memory;
    char *end; /* the first forbidden byte */
    size_t size;
};

/* Room for SIZE bytes at least. */
void fence_init(struct fence *fence, size_t size);

void fence_finish(struct fence *fence);

/* Copies the LENGTH bytes at TEXT right before the forbidden page, and returns where they begin. */
const char *fence_place(struct fence *fence, const char *text, size_t length);

/* Text that grows; all zero is an empty one. A NUL stands behind it, which is not counted. */
struct text {
    char *bytes;
    size_t length;
    size_t capacity;
};

void text_add(struct text *text, const char *bytes, size_t length);
void text_print(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_finish(struct text *text);

#endif
