/*
 * sort.h - sorts 64-bit integers in place.
 *
 * A radix sort on the highest bits that differ: at most eight levels whatever the values, so that
 * no input can make it slow, and no memory beyond the stack. What is sorted already costs one pass.
 */
#ifndef KAIROS_CORE_SORT_H
#define KAIROS_CORE_SORT_H

#include <stddef.h>
#include <stdint.h>

void sort_int64(int64_t *values, size_t count);

#endif
