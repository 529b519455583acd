/*
 * test_rules.c - what is expected of services that nobody declared, and how they follow it.
 */
#include "rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "live_support.h"

#define SERVICES 60

static const struct kairos_policy minute = {
    .interval = KAIROS_MINUTE, .tolerance = 0, .allowed_misses = 3};

static struct service_change change_of(int64_t interval, int64_t max_runtime, const char *tags)
{
    struct service_change change = {
        .has_interval = interval > 0,
        .has_max_runtime = max_runtime > 0,
        .has_tags = *tags != '\0',
        .policy.interval = interval,
        .max_runtime = max_runtime,
    };
    tags_add_all(&change.label.tags, tags, strlen(tags));
    return change;
}

static void add(struct rules *rules, const char *pattern, int64_t interval, int64_t max_runtime,
                const char *tags)
{
    struct service_change change = change_of(interval, max_runtime, tags);
    assert_true(rules_add(rules, pattern, &change));
}

static void the_first_that_matches_counts(void **state)
{
    static const struct {
        const char *name, *pattern;
    } rows[] = {
        {"backup-db", "backup-*"}, {"backup-", "backup-*"}, {"backup", NULL},
        {"mail-1", "mail-[0-9]"},  {"mail-x", "*-x"},       {"backup-x", "backup-*"},
        {"mail-10", NULL},         {"abc", "a?c"},          {"abbc", NULL},
    };
    struct rules *rules = rules_create(&minute);
    add(rules, "backup-*", KAIROS_DAY, 0, "");
    add(rules, "mail-[0-9]", KAIROS_DAY, 0, "");
    add(rules, "*-x", KAIROS_DAY, 0, "");
    add(rules, "a?c", KAIROS_DAY, 0, "");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct rule *rule = rules_match(rules, rows[i].name);
        if (rows[i].pattern == NULL)
            assert_null(rule);
        else
            assert_string_equal(rule->pattern, rows[i].pattern);
    }
    rules_destroy(rules);
    rules_destroy(NULL);
}

static struct rules *rules_of(const char *pattern, int64_t interval, int64_t runtime,
                              const char *tags)
{
    struct rules *rules = rules_create(&minute);
    add(rules, pattern, interval, runtime, tags);
    return rules;
}

static void fingerprints_tell_rules_apart(void **state)
{
    struct kairos_policy other = minute;
    other.tolerance = KAIROS_SECOND;
    struct rules *rows[] = {
        rules_create(&minute),
        rules_create(&other),
        rules_of("a*", KAIROS_HOUR, 0, ""),
        rules_of("b*", KAIROS_HOUR, 0, ""),
        rules_of("a*", KAIROS_DAY, 0, ""),
        rules_of("a*", 0, 0, ""),
        rules_of("a*", KAIROS_HOUR, KAIROS_HOUR, ""),
        rules_of("a*", 0, KAIROS_HOUR, ""),
    };
    struct rules *same = rules_of("a*", KAIROS_HOUR, 0, "");
    struct rules *labels = rules_of("a*", KAIROS_HOUR, 0, "prod");
    assert_true(rules_fingerprint(same) == rules_fingerprint(rows[2]));
    assert_true(rules_fingerprint(labels) == rules_fingerprint(rows[2]));
    assert_false(rules_give_labels(same));
    assert_true(rules_give_labels(labels));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t k = 0; k < i; k++)
            check(rules_fingerprint(rows[i]) != rules_fingerprint(rows[k]), "%zu and %zu", i, k);
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        rules_destroy(rows[i]);
    rules_destroy(same);
    rules_destroy(labels);
}

/* ---- Services that follow ---- */

static struct den den;
static struct registry *registry;
static struct engine *engine;
static struct rules *present;
static int64_t now;

static void start(void)
{
    struct engine_options options = engine_options_default();
    struct failure failure;
    options.max_services = SERVICES;
    registry = den_open(&den, SERVICES);
    engine = engine_create(registry, &options, now, &failure);
    assert_non_null(engine);
}

static int create(void **state)
{
    den_init(&den);
    now = BEGIN;
    start();
    present = rules_create(&minute);
    assert_null(engine_set_rules(engine, present));
    return 0;
}

static int destroy(void **state)
{
    engine_destroy(engine);
    registry_close(registry);
    rules_destroy(present);
    den_finish(&den);
    return 0;
}

static void replace(struct rules *rules)
{
    assert_ptr_equal(engine_set_rules(engine, rules), present);
    rules_destroy(present);
    present = rules;
}

static size_t follow_all(void)
{
    size_t changed = 0;
    uint64_t cursor = 0;
    do {
        changed += engine_follow(engine, now, &cursor);
    } while (cursor != 0);
    return changed;
}

static struct service_view view_of(const char *text)
{
    struct name name = name_of(text);
    struct service_view view;
    assert_int_equal(engine_find(engine, name.text, name.length, now, &view), ENGINE_OK);
    return view;
}

static void ping(const char *text)
{
    struct name name = name_of(text);
    assert_true(engine_ping(engine, name.text, name.length, ENGINE_HEARTBEAT, now) <= ENGINE_OLDER);
}

static void declare(const char *text, const struct service_change *change)
{
    struct name name = name_of(text);
    struct service_view view;
    assert_true(engine_change(engine, name.text, name.length, change, now, &view) <=
                ENGINE_CREATED);
}

static void a_service_that_appears_follows(void **state)
{
    replace(rules_of("backup-*", KAIROS_DAY, KAIROS_HOUR, "backup,prod"));
    ping("backup-db");
    ping("mail");
    struct service_view view = view_of("backup-db");
    assert_int_equal(view.policy.interval, KAIROS_DAY);
    assert_int_equal(view.policy.allowed_misses, 3);
    assert_int_equal(view.max_runtime, KAIROS_HOUR);
    assert_string_equal(view.label.tags.text, "backup,prod");
    assert_false(view.declared);
    view = view_of("mail");
    assert_int_equal(view.policy.interval, KAIROS_MINUTE);
    assert_int_equal(view.label.tags.count, 0);
}

static void the_declared_are_left_alone(void **state)
{
    struct service_change change = {.create = true};
    replace(rules_of("*", KAIROS_DAY, 0, "all"));
    declare("backup-db", &change);
    assert_int_equal(view_of("backup-db").policy.interval, KAIROS_MINUTE);
    assert_int_equal(view_of("backup-db").label.tags.count, 0);
    replace(rules_of("*", KAIROS_HOUR, 0, "all"));
    assert_int_equal(follow_all(), 0);
    assert_int_equal(view_of("backup-db").policy.interval, KAIROS_MINUTE);
    assert_int_equal(view_of("backup-db").label.tags.count, 0);
}

/* What was derived stays when somebody declares the service. */
static void a_change_declares_with_what_the_rules_gave(void **state)
{
    struct service_change change = {.has_allowed_misses = true, .policy.allowed_misses = 7};
    replace(rules_of("*", KAIROS_DAY, 0, "all"));
    ping("mail");
    declare("mail", &change);
    replace(rules_create(&minute));
    assert_int_equal(follow_all(), 0);
    struct service_view view = view_of("mail");
    assert_int_equal(view.policy.interval, KAIROS_DAY);
    assert_int_equal(view.policy.allowed_misses, 7);
    assert_string_equal(view.label.tags.text, "all");
    assert_true(view.declared);
}

static void who_is_undeclared_follows(void **state)
{
    struct service_change change = {
        .create = true, .has_interval = true, .has_tags = true, .policy.interval = KAIROS_HOUR};
    struct name never = name_of("never"), beat = name_of("beat");
    struct service_view view;
    tags_add(&change.label.tags, "own", 3);
    replace(rules_of("b*", KAIROS_DAY, 0, "all"));
    declare("never", &change);
    declare("beat", &change);
    ping("beat");
    assert_string_equal(view_of("beat").label.tags.text, "own");
    assert_int_equal(engine_undeclare(engine, never.text, never.length, now), ENGINE_OK);
    assert_int_equal(engine_undeclare(engine, beat.text, beat.length, now), ENGINE_OK);
    assert_int_equal(engine_undeclare(engine, never.text, never.length, now), ENGINE_UNKNOWN);
    assert_int_equal(engine_find(engine, never.text, never.length, now, &view), ENGINE_UNKNOWN);
    view = view_of("beat");
    assert_false(view.declared);
    assert_int_equal(view.policy.interval, KAIROS_DAY);
    assert_string_equal(view.label.tags.text, "all");
    assert_int_equal(view.last_seen, BEGIN);
}

static void labels_are_kept_for_the_declared_alone(void **state)
{
    struct name mail = name_of("mail"), job = name_of("job");
    struct service_change change = {.create = true};
    struct label label = {.length = 4, .description = "Jobs"};
    ping("mail");
    declare("job", &change);
    assert_int_equal(engine_label(engine, mail.text, mail.length, &label), ENGINE_UNKNOWN);
    assert_int_equal(engine_label(engine, job.text, job.length, &label), ENGINE_OK);
    assert_string_equal(view_of("job").label.description, "Jobs");
    assert_int_equal(engine_delete(engine, job.text, job.length, now), ENGINE_OK);
    assert_int_equal(engine_label(engine, job.text, job.length, &label), ENGINE_UNKNOWN);
    ping("job");
    assert_int_equal(view_of("job").label.length, 0);
}

/* ---- A property: whatever the rules become, what a service has done and missed stays ---- */

static struct rules *random_rules(struct dice *dice)
{
    static const char *const patterns[] = {"a*", "*1", "?b*", "[ab]*", "*", "c*"};
    struct kairos_policy policy = minute;
    policy.interval = dice_between(dice, 1, 3) * KAIROS_MINUTE;
    struct rules *rules = rules_create(&policy);
    for (size_t n = dice_below(dice, 4); n > 0; n--)
        add(rules, patterns[dice_below(dice, COUNT_OF(patterns))],
            dice_between(dice, 0, 3) * KAIROS_HOUR, dice_between(dice, 0, 1) * KAIROS_HOUR,
            dice_chance(dice, 50) ? "prod,x" : "");
    return rules;
}

static void random_name(struct dice *dice, char text[8])
{
    snprintf(text, 8, "%c%c%zu", dice_char(dice, "abc"), dice_char(dice, "abc"),
             dice_below(dice, 4));
}

static void do_something(struct dice *dice)
{
    char text[8];
    struct service_view view;
    struct service_change change = {
        .create = true, .has_interval = true, .policy.interval = 5 * KAIROS_HOUR};
    random_name(dice, text);
    struct name name = name_of(text);
    size_t what = dice_below(dice, 20);
    now += dice_between(dice, 0, 5 * KAIROS_MINUTE);
    if (what == 0)
        engine_change(engine, name.text, name.length, &change, now, &view);
    else if (what == 1)
        engine_pause(engine, name.text, name.length, dice_chance(dice, 50), now, &view);
    else if (what == 2)
        engine_delete(engine, name.text, name.length, now);
    else if (what < 6)
        engine_ping(engine, name.text, name.length, (enum engine_action)dice_between(dice, 1, 3),
                    now);
    else
        engine_ping(engine, name.text, name.length, ENGINE_HEARTBEAT, now);
    engine_tick(engine, now, now);
}

static void expect_as_the_rules_say(const struct service_view *view)
{
    const struct rule *rule = rules_match(present, view->name);
    const struct service_change *change = rule == NULL ? NULL : &rule->change;
    static const struct label none;
    bool interval = change != NULL && change->has_interval;
    bool runtime = change != NULL && change->has_max_runtime;
    assert_int_equal(view->policy.interval,
                     interval ? change->policy.interval : present->policy.interval);
    assert_int_equal(view->max_runtime, runtime ? change->max_runtime : 0);
    assert_true(label_equal(&view->label, change == NULL ? &none : &change->label));
}

/* What was there BEFORE is there still, or it is as nobody touched it. */
static void expect_kept(const struct service_view *before, const struct service_view *after)
{
    bool same_policy = memcmp(&before->policy, &after->policy, sizeof(before->policy)) == 0 &&
                       before->max_runtime == after->max_runtime;
    assert_int_equal(after->last_seen, before->last_seen);
    assert_int_equal(after->running_since, before->running_since);
    assert_int_equal(after->declared, before->declared);
    assert_int_equal(after->has_incident, before->has_incident);
    assert_int_equal(after->incident.started_at, before->incident.started_at);
    assert_int_equal(after->incident.fails, before->incident.fails);
    assert_int_equal(after->status == SERVICE_PAUSED, before->status == SERVICE_PAUSED);
    assert_true(after->incident.alert_count >= before->incident.alert_count);
    if (!before->has_incident)
        assert_true(after->missed_count >= before->missed_count || before->max_runtime > 0 ||
                    after->max_runtime > 0);
    if (!same_policy)
        return;
    assert_int_equal(after->next_deadline, before->next_deadline);
    assert_int_equal(after->missed_count, before->missed_count);
    assert_int_equal(after->status, before->status);
}

static size_t list_all(struct service_view views[SERVICES])
{
    struct engine_filter all = engine_filter_all();
    uint64_t cursor = 0;
    size_t count = engine_list(engine, &all, now, &cursor, views, SERVICES);
    assert_int_equal(cursor, 0);
    return count;
}

static void what_services_did_stays(void **state)
{
    static struct service_view before[SERVICES], after[SERVICES];
    struct dice dice = {31};
    for (int round = 0; round < 1500; round++) {
        for (int n = 0; n < 10; n++)
            do_something(&dice);
        size_t count = list_all(before);
        if (dice_chance(&dice, 80))
            replace(random_rules(&dice));
        follow_all();
        assert_int_equal(list_all(after), count);
        for (size_t i = 0; i < count; i++) {
            assert_string_equal(after[i].name, before[i].name);
            expect_kept(&before[i], &after[i]);
            if (!after[i].declared)
                expect_as_the_rules_say(&after[i]);
        }
        assert_int_equal(follow_all(), 0); /* once more changes nothing */
        walk_engine(engine, now);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_that_matches_counts),
        cmocka_unit_test(fingerprints_tell_rules_apart),
        cmocka_unit_test_setup_teardown(a_service_that_appears_follows, create, destroy),
        cmocka_unit_test_setup_teardown(the_declared_are_left_alone, create, destroy),
        cmocka_unit_test_setup_teardown(a_change_declares_with_what_the_rules_gave, create,
                                        destroy),
        cmocka_unit_test_setup_teardown(who_is_undeclared_follows, create, destroy),
        cmocka_unit_test_setup_teardown(labels_are_kept_for_the_declared_alone, create, destroy),
        cmocka_unit_test_setup_teardown(what_services_did_stays, create, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
