#include "incident.h"

const char *incident_kind_name(enum incident_kind kind)
{
    static const char *const names[] = {
        [INCIDENT_SILENCE] = "silence",
        [INCIDENT_FAIL] = "fail",
        [INCIDENT_OVERRUN] = "overrun",
    };
    return names[kind];
}

const char *incident_end_name(enum incident_end end)
{
    static const char *const names[] = {
        [INCIDENT_OPEN] = "open",           [INCIDENT_RECOVERED] = "recovered",
        [INCIDENT_PAUSED] = "paused",       [INCIDENT_DELETED] = "deleted",
        [INCIDENT_FORGOTTEN] = "forgotten",
    };
    return names[end];
}
