/*
 * test_keeper.c - changes of services by several threads: engine and catalog end up the same, and a
 * catalog that cannot be written changes nothing.
 */
#include "keeper.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live_support.h"

#define SERVICES 25
#define THREADS  4
#define ROUNDS   400

static struct den den;
static struct registry *registry;
static struct engine *engine;
static struct clock clock_of_test;
static struct keeper keeper;

static bool give_back(void *context, const struct catalog_row *row)
{
    return engine_label(engine, row->name.text, row->name.length, &row->label) == ENGINE_OK;
}

static void start(void)
{
    static const struct catalog_reader reader = {.take = give_back};
    const struct clock_reading reading = clock_read();
    struct engine_options options = engine_options_default();
    struct catalog_report report;
    struct failure failure;
    clock_init(&clock_of_test, &reading, (const char[BOOT_ID_SIZE]){0}, NULL, TIME_NEVER);
    registry = den_open(&den, SERVICES * 2);
    engine = engine_create(registry, &options, clock_now(&clock_of_test), &failure);
    assert_non_null(engine);
    keeper = (struct keeper){.engine = engine,
                             .catalog = catalog_open(den.directory, &reader, &report, &failure),
                             .clock = &clock_of_test};
    check(keeper.catalog != NULL, "%s", failure.text);
    assert_int_equal(report.dropped, 0);
}

static void stop(void)
{
    catalog_close(keeper.catalog);
    engine_destroy(engine);
    registry_close(registry);
}

static int create(void **state)
{
    den_init(&den);
    start();
    return 0;
}

static int destroy(void **state)
{
    stop();
    den_finish(&den);
    return 0;
}

static struct service_name service(size_t number)
{
    struct service_name name = {0};
    name.length = (uint8_t)snprintf(name.text, sizeof(name.text), "service-%zu", number);
    return name;
}

static struct service_change change_of(const char *tags, const char *description)
{
    struct service_change change = {.create = true, .has_tags = true, .has_description = true};
    tags_add_all(&change.label.tags, tags, strlen(tags));
    change.label.length = (uint16_t)strlen(description);
    memcpy(change.label.description, description, change.label.length);
    return change;
}

/* Several services, each once, from a random one on. */
static void change_some(struct dice *dice)
{
    struct keeping keepings[6];
    struct service_change changes[6];
    struct failure failure;
    size_t first = dice_below(dice, SERVICES), count = 1 + dice_below(dice, COUNT_OF(keepings));
    for (size_t i = 0; i < count; i++) {
        char description[20];
        snprintf(description, sizeof(description), "%zu", dice_below(dice, 1000));
        changes[i] =
            change_of(dice_chance(dice, 50) ? "a,b" : "", dice_chance(dice, 50) ? description : "");
        changes[i].create = dice_chance(dice, 70);
        keepings[i] = (struct keeping){.name = service((first + i) % SERVICES),
                                       .change = dice_chance(dice, 30) ? NULL : &changes[i]};
    }
    check(keeper_carry_out(&keeper, keepings, count, &failure), "%s", failure.text);
}

static void *change_all(void *argument)
{
    struct dice dice = {(uint64_t)(uintptr_t)argument};
    for (int round = 0; round < ROUNDS; round++) {
        struct service_name name = service(dice_below(&dice, SERVICES));
        change_some(&dice);
        engine_ping(engine, name.text, name.length, ENGINE_HEARTBEAT, clock_now(&clock_of_test));
    }
    return NULL;
}

static void engine_and_catalog_agree(void **state)
{
    pthread_t threads[THREADS];
    struct service_view before[SERVICES];
    bool found[SERVICES];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, change_all, (void *)(i + 1)), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < SERVICES; i++) {
        struct service_name name = service(i);
        found[i] = engine_find(engine, name.text, name.length, clock_now(&clock_of_test),
                               &before[i]) == ENGINE_OK;
    }
    stop();
    start();
    for (size_t i = 0; i < SERVICES; i++) {
        struct service_name name = service(i);
        struct service_view view;
        assert_int_equal(engine_find(engine, name.text, name.length, clock_now(&clock_of_test),
                                     &view) == ENGINE_OK,
                         found[i]);
        assert_true(!found[i] || label_equal(&view.label, &before[i].label));
    }
}

static void what_became_of_each(void **state)
{
    struct service_change change = change_of("a", "x"), no_create = change;
    struct failure failure;
    no_create.create = false;
    struct keeping keepings[] = {
        {.name = service(1), .change = &change},
        {.name = service(2), .change = &no_create},
        {.name = service(3), .change = NULL},
    };
    assert_true(keeper_carry_out(&keeper, keepings, 3, &failure));
    assert_int_equal(keepings[0].result, ENGINE_CREATED);
    assert_true(keepings[0].altered);
    assert_string_equal(keepings[0].view.label.tags.text, "a");
    assert_int_equal(keepings[1].result, ENGINE_UNKNOWN);
    assert_int_equal(keepings[2].result, ENGINE_UNKNOWN);
    assert_true(keeper_carry_out(&keeper, keepings, 1, &failure));
    assert_int_equal(keepings[0].result, ENGINE_OK);
    assert_false(keepings[0].altered);
    change.has_interval = true;
    change.policy.interval = KAIROS_HOUR;
    assert_true(keeper_carry_out(&keeper, keepings, 1, &failure));
    assert_true(keepings[0].altered);
    keepings[0].change = NULL;
    assert_true(keeper_carry_out(&keeper, keepings, 1, &failure));
    assert_int_equal(keepings[0].result, ENGINE_OK);
}

/* Exits with 0 if a full disk is told, and neither policy nor label has changed. */
static void change_on_a_full_disk(void)
{
    struct rlimit limit = {.rlim_cur = 1, .rlim_max = 1};
    struct service_change change = change_of("b", "y");
    struct failure failure;
    struct service_name name = service(1);
    struct service_view view;
    struct keeping keepings[] = {{.name = name, .change = &change},
                                 {.name = service(2), .change = &change}};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    change.has_interval = true;
    change.policy.interval = KAIROS_HOUR;
    if (keeper_carry_out(&keeper, keepings, 2, &failure))
        _exit(1);
    keepings[0].change = NULL;
    if (keeper_carry_out(&keeper, keepings, 1, &failure))
        _exit(2);
    if (engine_find(engine, name.text, name.length, clock_now(&clock_of_test), &view) !=
            ENGINE_OK ||
        view.policy.interval == KAIROS_HOUR || strcmp(view.label.tags.text, "a") != 0)
        _exit(3);
    name = keepings[1].name;
    if (engine_find(engine, name.text, name.length, clock_now(&clock_of_test), &view) == ENGINE_OK)
        _exit(4);
    _exit(0);
}

static void a_full_disk_changes_nothing(void **state)
{
    struct service_change change = change_of("a", "x");
    struct keeping keeping = {.name = service(1), .change = &change};
    struct failure failure;
    int status;
    assert_true(keeper_carry_out(&keeper, &keeping, 1, &failure));
    pid_t child = fork();
    if (child == 0)
        change_on_a_full_disk();
    assert_int_equal(waitpid(child, &status, 0), child);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
}

static void what_concerns_the_catalog(void **state)
{
    struct service_view plain = {.declared = true}, labelled = {.declared = true},
                        derived = {.declared = false};
    struct service_change label = {.has_tags = true}, policy = {.has_interval = true},
                          replace = {.replace = true};
    tags_add(&labelled.label.tags, "a", 1);
    tags_add(&derived.label.tags, "a", 1);
    assert_true(keeper_is_concerned(NULL, &plain)); /* a deletion */
    assert_true(keeper_is_concerned(&label, NULL));
    assert_true(keeper_is_concerned(&label, &plain));
    assert_false(keeper_is_concerned(&policy, NULL));
    assert_false(keeper_is_concerned(&policy, &plain));
    assert_false(keeper_is_concerned(&replace, &plain));
    assert_false(keeper_is_concerned(&policy, &labelled));
    assert_true(keeper_is_concerned(&replace, &labelled));
    assert_true(keeper_is_concerned(&policy, &derived)); /* it is declared with what it has */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(engine_and_catalog_agree, create, destroy),
        cmocka_unit_test_setup_teardown(what_became_of_each, create, destroy),
        cmocka_unit_test_setup_teardown(a_full_disk_changes_nothing, create, destroy),
        cmocka_unit_test(what_concerns_the_catalog),
    };
    return cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
}
