/*
 * test_reconciler.c - which rules are known to be followed, whatever happens in between.
 *
 * No ticker is ever ready here: the thread does nothing, as if it had not come to it yet.
 */
#include "reconciler.h"

#include <stdio.h>

#include "live_support.h"
#include "rules.h"

#define CAPACITY 1000
#define PATTERN  "backup-*"

static struct den den;
static struct log log_file;
static struct clock rig_clock;
static struct registry *registry;
static struct keeper keeper;
static struct journal *journal;
static struct reconciler *reconciler;

static bool take(void *context, const struct catalog_row *row)
{
    return true;
}

static int create(void **state)
{
    const struct log_options log_options = {.level = LOG_ERROR};
    const struct catalog_reader reader = {.take = take};
    const struct clock_reading reading = clock_read();
    const char boot_id[BOOT_ID_SIZE] = {0};
    struct engine_options options = engine_options_default();
    struct catalog_report report;
    struct failure failure;
    den_init(&den);
    clock_init(&rig_clock, &reading, boot_id, NULL, TIME_NEVER);
    registry = den_open(&den, CAPACITY);
    assert_true(log_open(&log_file, &log_options, &failure));
    keeper.clock = &rig_clock;
    keeper.engine = engine_create(registry, &options, clock_now(&rig_clock), &failure);
    keeper.catalog = catalog_open(den.directory, &reader, &report, &failure);
    journal = journal_create(&log_file, &rig_clock, &failure);
    assert_true(keeper.engine != NULL && keeper.catalog != NULL && journal != NULL);
    reconciler = reconciler_create(&keeper, journal, &failure);
    assert_non_null(reconciler);
    return 0;
}

static int destroy(void **state)
{
    reconciler_destroy(reconciler);
    assert_true(journal_destroy(journal));
    catalog_close(keeper.catalog);
    engine_destroy(keeper.engine);
    registry_close(registry);
    log_close(&log_file);
    den_finish(&den);
    return 0;
}

/* Applies rules of one pattern, which expects a heartbeat each INTERVAL. */
static void apply(int64_t interval)
{
    struct failure failure;
    struct declaration pattern = {
        .name = PATTERN,
        .is_pattern = true,
        .has_interval = true,
        .policy.interval = interval,
    };
    const struct declarations declarations = {.list = &pattern, .count = 1};
    const struct kairos_policy defaults = kairos_policy_default();
    check(reconciler_apply(reconciler, &declarations, &defaults, clock_now(&rig_clock), &failure),
          "%s", failure.text);
}

static bool is_known(uint64_t *fingerprint)
{
    bool known;
    struct failure failure;
    catalog_lock(keeper.catalog);
    assert_true(catalog_fingerprint(keeper.catalog, fingerprint, &known, &failure));
    catalog_unlock(keeper.catalog);
    return known;
}

static void all_have_followed(uint64_t fingerprint)
{
    struct failure failure;
    catalog_lock(keeper.catalog);
    assert_true(catalog_keep_fingerprint(keeper.catalog, fingerprint, &failure));
    catalog_unlock(keeper.catalog);
}

static uint64_t fingerprint_of(int64_t interval)
{
    const struct kairos_policy defaults = kairos_policy_default();
    const struct service_change change = {.has_interval = true, .policy.interval = interval};
    struct rules *rules = rules_create(&defaults);
    assert_true(rules_add(rules, PATTERN, &change));
    uint64_t fingerprint = rules_fingerprint(rules);
    rules_destroy(rules);
    return fingerprint;
}

static void the_same_rules_stay_followed(void **state)
{
    uint64_t fingerprint;
    all_have_followed(fingerprint_of(KAIROS_HOUR));
    apply(KAIROS_HOUR);
    assert_true(is_known(&fingerprint));
    assert_true(fingerprint == fingerprint_of(KAIROS_HOUR));
}

/* Some may follow the others already when the first come back, or the machine stops. */
static void other_rules_are_not_followed_until_all_have(void **state)
{
    uint64_t fingerprint;
    all_have_followed(fingerprint_of(KAIROS_DAY));
    apply(KAIROS_HOUR);
    assert_false(is_known(&fingerprint));
    apply(KAIROS_DAY);
    assert_false(is_known(&fingerprint));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_rules_stay_followed, create, destroy),
        cmocka_unit_test_setup_teardown(other_rules_are_not_followed_until_all_have, create,
                                        destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
