/*
 * alloc_fail.h - allocations that fail when they are told to.
 *
 * Programs that use it are linked with --wrap for malloc, calloc and realloc, so that every call of
 * them in objects linked in (not in shared libraries) comes here.
 */
#ifndef KAIROS_FUZZ_ALLOC_FAIL_H
#define KAIROS_FUZZ_ALLOC_FAIL_H

#include <stdbool.h>

/* From now on the NUMBER-th allocation (from 1) fails, and with FOR_GOOD all behind it; 0: none. */
void alloc_fail_arm(unsigned number, bool for_good);

/* From now on none fails. Returns whether any did. */
bool alloc_fail_disarm(void);

#endif
