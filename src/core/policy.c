#include <kairos/policy.h>

struct kairos_policy kairos_policy_default(void)
{
    return (struct kairos_policy){.interval = KAIROS_MINUTE, .tolerance = 0, .allowed_misses = 3};
}

struct kairos_policy kairos_policy_strictest(void)
{
    return (struct kairos_policy){.interval = KAIROS_INTERVAL_MIN, .allowed_misses = 1};
}

enum kairos_policy_result kairos_policy_validate(const struct kairos_policy *policy)
{
    if (policy->interval < KAIROS_INTERVAL_MIN || policy->interval > KAIROS_INTERVAL_MAX)
        return KAIROS_POLICY_INTERVAL;
    if (policy->allowed_misses < 1 || policy->allowed_misses > KAIROS_ALLOWED_MISSES_MAX)
        return KAIROS_POLICY_ALLOWED_MISSES;
    if (policy->tolerance < 0 || policy->tolerance > KAIROS_TOLERANCE_MAX)
        return KAIROS_POLICY_TOLERANCE;
    return KAIROS_POLICY_OK;
}

int64_t kairos_policy_expected(const struct kairos_policy *policy, int64_t last_seen, uint64_t k)
{
    return last_seen + (int64_t)k * policy->interval;
}

uint64_t kairos_policy_misses(const struct kairos_policy *policy, int64_t last_seen, int64_t now)
{
    /* last_seen + k·I + T < now, in whole microseconds: k·I <= now - last_seen - T - 1. */
    int64_t room = now - last_seen - policy->tolerance - 1;
    return room < 0 ? 0 : (uint64_t)(room / policy->interval);
}

int64_t kairos_policy_reach(const struct kairos_policy *policy)
{
    int64_t reach;
    if (__builtin_mul_overflow(policy->interval, (int64_t)policy->allowed_misses, &reach) ||
        __builtin_add_overflow(reach, policy->tolerance, &reach))
        return INT64_MAX;
    return reach;
}
