/*
 * budget.h - memory that many uploads may hold together, and the share that each of them has.
 *
 * A share grows and shrinks with what its owner holds; it can only grow while the budget has room.
 */
#ifndef KAIROS_HTTP_BUDGET_H
#define KAIROS_HTTP_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* May be used from any thread. */
struct budget {
    uint64_t max;          /* bytes */
    _Atomic uint64_t used; /* by all shares */
};

/* Its owner's alone. All zero but for the budget is an empty one. */
struct share {
    struct budget *budget;
    uint64_t held; /* bytes */
};

/*
 * The owner holds BYTES from now on. Returns false if the budget has no room for them; the share is
 * left as it was.
 */
static inline bool share_set(struct share *share, uint64_t bytes)
{
    struct budget *budget = share->budget;
    if (bytes > share->held) {
        uint64_t more = bytes - share->held;
        uint64_t used = atomic_fetch_add(&budget->used, more) + more;
        if (used > budget->max) {
            atomic_fetch_sub(&budget->used, more);
            return false;
        }
    } else {
        atomic_fetch_sub(&budget->used, share->held - bytes);
    }
    share->held = bytes;
    return true;
}

#endif
