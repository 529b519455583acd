#include "gap.h"

const char *gap_reason_name(enum gap_reason reason)
{
    static const char *const names[] = {
        [GAP_RESTART] = "restart",
        [GAP_STALL] = "stall",
        [GAP_SUSPEND] = "suspend",
    };
    return names[reason];
}
