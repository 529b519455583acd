/*
 * test_engine_rules.c - the engine against the oracle of its rules: whatever happens, in whatever
 * order, both answer, count and tell the same.
 */
#include <stdlib.h>

#include "live_rig.h"

#define MINUTE KAIROS_MINUTE
#define HOUR   KAIROS_HOUR
#define DAY    KAIROS_DAY

static struct rig rig;

/* ---- Random lives ---- */

static int64_t whole(int64_t duration)
{
    return duration - duration % KAIROS_MILLISECOND;
}

static int64_t random_interval(struct dice *dice)
{
    static const int64_t seconds[] = {1, 10, 60, 60, 300, 301, 1200, 3600, 86400};
    int64_t interval = seconds[dice_below(dice, COUNT_OF(seconds))] * KAIROS_SECOND;
    return dice_chance(dice, 20) ? whole(dice_between(dice, interval, 2 * interval)) : interval;
}

static int64_t random_tolerance(struct dice *dice, int64_t interval)
{
    return dice_chance(dice, 50) ? 0 : whole(dice_between(dice, 0, 2 * interval));
}

static uint32_t random_allowed(struct dice *dice)
{
    return 1 + (uint32_t)dice_below(dice, dice_chance(dice, 90) ? 4 : 50);
}

static struct service_change random_change(struct dice *dice)
{
    struct service_change change = {
        .has_interval = dice_chance(dice, 40),
        .has_tolerance = dice_chance(dice, 30),
        .has_allowed_misses = dice_chance(dice, 30),
        .has_max_runtime = dice_chance(dice, 40),
        .replace = dice_chance(dice, 10),
        .create = dice_chance(dice, 70),
    };
    change.policy.interval = random_interval(dice);
    change.policy.tolerance = random_tolerance(dice, change.policy.interval);
    change.policy.allowed_misses = random_allowed(dice);
    if (dice_chance(dice, 80))
        change.max_runtime = whole(dice_between(dice, 0, 5 * change.policy.interval));
    return change;
}

static struct engine_options random_options(struct dice *dice)
{
    struct engine_options options = engine_options_default();
    options.policy.interval = random_interval(dice);
    options.policy.tolerance = random_tolerance(dice, options.policy.interval);
    options.policy.allowed_misses = random_allowed(dice);
    options.auto_create = dice_chance(dice, 90);
    options.max_services = dice_chance(dice, 80) ? 1000 : 5;
    if (dice_chance(dice, 40))
        options.forget_after = random_interval(dice) * 5;
    return options;
}

/* The deadline of some service, just before it or just after it; or any moment. */
static int64_t random_moment(struct dice *dice)
{
    const struct oracle_service *s = &rig.oracle.services[dice_below(dice, rig.oracle.count)];
    int64_t span = dice_between(dice, 0, 2 * s->policy.interval), time = rig.now + span;
    if (s->present && s->last_seen != TIME_NEVER && dice_chance(dice, 70)) {
        struct service_view view;
        engine_find(rig.engine, s->name.text, s->name.length, rig.now, &view);
        time = s->base + s->policy.interval + s->policy.tolerance;
        if (view.next_deadline != TIME_NEVER && dice_chance(dice, 70))
            time = view.next_deadline;
        time += dice_between(dice, -1, 1);
    }
    if (dice_chance(dice, 5))
        time = rig.now + dice_between(dice, 0, 30 * DAY);
    return time < rig.now ? rig.now : time;
}

/* A sender's time: mostly now, or a little or much too late or early. */
static int64_t random_time(struct dice *dice, size_t i)
{
    const struct oracle_service *s = &rig.oracle.services[i];
    size_t choice = dice_below(dice, 10);
    if (choice < 5)
        return rig.now;
    if (choice < 6)
        return rig.now + dice_between(dice, 0, 6 * MINUTE);
    if (choice < 8 || !s->present || s->last_seen == TIME_NEVER || s->last_seen >= rig.now)
        return rig.now - dice_between(dice, 0, 3 * HOUR);
    return dice_between(dice, s->last_seen - 1, rig.now);
}

static void random_batch(struct dice *dice)
{
    size_t services[100], count = 1 + dice_below(dice, COUNT_OF(services));
    int64_t times[COUNT_OF(services)];
    for (size_t k = 0; k < count; k++) {
        services[k] = dice_below(dice, rig.oracle.count);
        times[k] = random_time(dice, services[k]);
    }
    rig_beats(&rig, services, times, count);
}

static void random_act(struct dice *dice)
{
    size_t i = dice_below(dice, rig.oracle.count), choice = dice_below(dice, 100);
    struct service_change change = random_change(dice);
    if (choice < 45)
        rig_beat(&rig, i, random_time(dice, i));
    else if (choice < 55)
        random_batch(dice);
    else if (choice < 65)
        rig_ping(&rig, i, (enum engine_action)dice_below(dice, ENGINE_LOG + 1));
    else if (choice < 72)
        rig_ping(&rig, i, ENGINE_START);
    else if (choice < 88)
        rig_change(&rig, i, &change);
    else if (choice < 96)
        rig_pause(&rig, i, dice_chance(dice, 50));
    else
        rig_delete(&rig, i);
    rig_check(&rig, i, false);
}

/* Time passes; mostly everything was heard, sometimes not all, or nothing. */
static void random_time_passes(struct dice *dice)
{
    size_t choice = dice_below(dice, 100);
    rig_pass(&rig, random_moment(dice));
    if (choice < 70) {
        rig_tick(&rig, rig.now);
    } else if (choice < 80) {
        rig_tick(&rig, dice_between(dice, rig.heard, rig.now));
    } else if (choice < 90) {
        for (size_t waiting = dice_below(dice, 5); waiting > 0; waiting--)
            random_act(dice);
        rig_gap(&rig, GAP_STALL);
    } else if (choice < 95) {
        rig_restart(&rig);
        rig_check_all(&rig, false);
        for (size_t waiting = dice_below(dice, 5); waiting > 0; waiting--)
            random_act(dice);
        if (rig.heard < rig.now)
            rig_gap(&rig, GAP_RESTART);
    }
}

static void random_lives_agree_with_the_oracle(void **state)
{
    struct dice dice = {1};
    for (int round = 0; round < 60; round++) {
        struct engine_options options = random_options(&dice);
        size_t services = 1 + dice_below(&dice, round % 2 == 0 ? 4 : ORACLE_SERVICES);
        rig_init(&rig, &options, services, BEGIN + dice_between(&dice, -DAY, DAY));
        for (int step = 0; step < 400; step++) {
            if (dice_chance(&dice, 40))
                random_time_passes(&dice);
            else
                random_act(&dice);
            if (step % 8 == 0)
                rig_check_all(&rig, false);
        }
        rig_tick(&rig, rig.now);
        rig_check_all(&rig, true);
        rig_go(&rig, rig.now + 400 * DAY);
        rig_check_all(&rig, true);
        rig_finish(&rig);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_lives_agree_with_the_oracle),
    };
    return cmocka_run_group_tests_name("engine_rules", tests, NULL, NULL);
}
