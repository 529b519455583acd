/*
 * fuzz.h - what the fuzz targets share: the entry, the bytes that steer a test, and expectations.
 *
 * A target takes a few bytes from the front of its input to steer the test (where to cut, what to
 * let fail); all others are what is tested. So one input always does the same.
 */
#ifndef KAIROS_FUZZ_H
#define KAIROS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* The entry that libFuzzer and main.c call. Returns 0; what is wrong ends the process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process if CONDITION does not hold. */
#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fuzz_fail(__FILE__, __LINE__, #condition);                                             \
    } while (0)

_Noreturn void fuzz_fail(const char *file, int line, const char *condition);

/* Takes a byte from the front of the *SIZE bytes at *DATA; 0 when there is none left. */
uint8_t fuzz_take(const uint8_t **data, size_t *size);

/*
 * The SIZE bytes at DATA in an allocation of just that size, so that a sanitizer sees a read beyond
 * them. The caller frees it.
 */
char *fuzz_copy(const void *data, size_t size);

/* Memory for COUNT things of SIZE bytes, from malloc; never NULL. */
void *fuzz_allocate(size_t count, size_t size);

/* Numbers that look random and follow from the seed. */
struct fuzz_random {
    uint64_t state; /* the seed */
};

/* The next number below BOUND, which is not 0. */
size_t fuzz_below(struct fuzz_random *random, size_t bound);

#endif
