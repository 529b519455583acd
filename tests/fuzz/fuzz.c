#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fuzz_fail(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
    abort();
}

uint8_t fuzz_take(const uint8_t **data, size_t *size)
{
    if (*size == 0)
        return 0;
    --*size;
    return *(*data)++;
}

void *fuzz_allocate(size_t count, size_t size)
{
    void *memory = malloc(count * size > 0 ? count * size : 1);
    EXPECT(memory != NULL);
    return memory;
}

char *fuzz_copy(const void *data, size_t size)
{
    char *copy = malloc(size);
    EXPECT(copy != NULL || size == 0);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

/* Source: Sebastiano Vigna, "splitmix64.c" (public domain). */
size_t fuzz_below(struct fuzz_random *random, size_t bound)
{
    uint64_t mixed = random->state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return (size_t)(mixed ^ mixed >> 31) % bound;
}
