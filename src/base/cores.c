#include "cores.h"

#include <sched.h>

unsigned usable_cores(unsigned max)
{
    cpu_set_t set;
    unsigned cores = sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
    return cores < max ? cores : max;
}
