/*
 * detector.h - which alerts a silence raises.
 *
 * A silence lies between a heartbeat at FROM and the next one, or the present, at TO. At each miss
 * in it whose number is a multiple of the allowed misses an alert is raised. All is arithmetic: a
 * silence of a thousand years costs what one of a minute does.
 */
#ifndef KAIROS_DETECTOR_H
#define KAIROS_DETECTOR_H

#include <stdint.h>

#include <kairos/policy.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kairos_alert {
    int64_t alert_at;      /* when the missed heartbeat was expected, microseconds */
    int64_t last_seen;     /* the last heartbeat that really came, microseconds */
    uint32_t missed_count; /* the policy's allowed misses: the count starts again at an alert */
};

/* How many alerts the silence from FROM to TO raises (FROM <= TO, both valid moments). */
uint64_t kairos_detector_count(const struct kairos_policy *policy, int64_t from, int64_t to);

/* The alert numbered ORDINAL (1 to kairos_detector_count) of the silence that begins at FROM. */
struct kairos_alert kairos_detector_alert(const struct kairos_policy *policy, int64_t from,
                                          uint64_t ordinal);

#ifdef __cplusplus
}
#endif

#endif
