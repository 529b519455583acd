#include "alloc_fail.h"

#include <stddef.h>

/* libFuzzer's own threads are not to be hit. */
static _Thread_local struct {
    unsigned left; /* allocations up to the one that fails, counting it; 0 for none */
    bool for_good;
    bool failed;
} plan;

void alloc_fail_arm(unsigned number, bool for_good)
{
    plan.left = number;
    plan.for_good = for_good;
    plan.failed = false;
}

bool alloc_fail_disarm(void)
{
    plan.left = 0;
    return plan.failed;
}

static bool fails(void)
{
    if (plan.left == 0)
        return false;
    if (plan.left > 1) {
        plan.left--;
        return false;
    }
    plan.failed = true;
    plan.left = plan.for_good ? 1 : 0;
    return true;
}

/* The linker's names. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}
