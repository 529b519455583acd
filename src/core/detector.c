#include <kairos/detector.h>

uint64_t kairos_detector_count(const struct kairos_policy *policy, int64_t from, int64_t to)
{
    return kairos_policy_misses(policy, from, to) / policy->allowed_misses;
}

struct kairos_alert kairos_detector_alert(const struct kairos_policy *policy, int64_t from,
                                          uint64_t ordinal)
{
    return (struct kairos_alert){
        .alert_at = kairos_policy_expected(policy, from, ordinal * policy->allowed_misses),
        .last_seen = from,
        .missed_count = policy->allowed_misses,
    };
}
