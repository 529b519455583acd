#include "sort.h"

#include <stdbool.h>

#define RADIX_BITS 8
#define BUCKETS    (1 << RADIX_BITS)

/* Up to this many values moving each into its place beats counting into buckets. */
#define INSERTION_MAX 32

static void insertion_sort(int64_t *values, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        int64_t value = values[i];
        size_t at = i;
        for (; at > 0 && values[at - 1] > value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
}

/* Whether VALUES are in order; *DIFFER has the bits set in which any two of them differ. */
static bool survey(const int64_t *values, size_t count, uint64_t *differ)
{
    bool ordered = true;
    *differ = 0;
    for (size_t i = 1; i < count; i++) {
        ordered &= values[i - 1] <= values[i];
        *differ |= (uint64_t)values[i - 1] ^ (uint64_t)values[i];
    }
    return ordered;
}

/* The bucket of VALUE by the bits from SHIFT up; with the sign flipped, order is that of unsigned.
 */
static size_t bucket_of(int64_t value, int shift)
{
    uint64_t key = (uint64_t)value ^ UINT64_C(1) << 63;
    return (size_t)(key >> shift) & (BUCKETS - 1);
}

void sort_int64(int64_t *values, size_t count)
{
    if (count <= INSERTION_MAX) {
        insertion_sort(values, count);
        return;
    }
    uint64_t differ;
    if (survey(values, count, &differ))
        return;
    int highest = 63 - __builtin_clzll(differ);
    int shift = highest < RADIX_BITS ? 0 : highest - RADIX_BITS + 1;

    size_t begin[BUCKETS + 1] = {0};
    for (size_t i = 0; i < count; i++)
        begin[bucket_of(values[i], shift) + 1]++;
    for (size_t b = 0; b < BUCKETS; b++)
        begin[b + 1] += begin[b];

    /* Each value is carried to its bucket's next free place, and the one found there carried on. */
    size_t next[BUCKETS];
    for (size_t b = 0; b < BUCKETS; b++)
        next[b] = begin[b];
    for (size_t b = 0; b < BUCKETS; b++) {
        while (next[b] < begin[b + 1]) {
            int64_t value = values[next[b]];
            size_t home = bucket_of(value, shift);
            values[next[b]] = values[next[home]];
            values[next[home]++] = value;
        }
    }

    for (size_t b = 0; shift > 0 && b < BUCKETS; b++)
        sort_int64(values + begin[b], begin[b + 1] - begin[b]);
}
