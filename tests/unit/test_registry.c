/*
 * test_registry.c - services in a file that outlives the program: how it is made, what is found in
 * it again, how it grows.
 */
#include "registry.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ledger.h"

/* A file with room for two segments and no more. */
#define SMALLEST 1

static struct den den;

static int make_den(void **state)
{
    den_init(&den);
    return 0;
}

static int remove_den(void **state)
{
    den_finish(&den);
    return 0;
}

/* Opening DIRECTORY must fail; the message has to name WORDS. */
static void check_refused(const char *directory, const char *words)
{
    struct registry_report report;
    struct failure failure = {0};
    struct registry *registry = registry_open(directory, SMALLEST, &report, &failure);
    assert_null(registry);
    check(strstr(failure.text, words) != NULL, "'%s' does not say '%s'", failure.text, words);
}

/* ---- Life ---- */

static void a_new_registry(void **state)
{
    struct registry_report report;
    struct failure failure;
    struct stat status;
    struct clock_memory memory;
    struct registry *registry = registry_open(den.directory, SMALLEST, &report, &failure);
    assert_non_null(registry);
    assert_true(report.created);
    assert_false(report.set_aside);
    assert_null(report.damage);
    assert_int_equal(registry_slots(registry), SEGMENT_SLOTS);
    assert_int_equal(registry_free(registry), SEGMENT_SLOTS);
    assert_int_equal(registry_capacity(registry), 2 * SEGMENT_SLOTS);
    assert_int_equal(registry_gap_count(registry), 0);
    assert_int_equal(registry_alive_at(registry), TIME_NEVER);
    assert_int_equal(registry_synced_until(registry), TIME_NEVER);
    assert_false(registry_clock(registry, &memory));
    assert_int_equal(walk_registry(registry), 0);
    registry_close(registry);
    assert_int_equal(stat(den.file, &status), 0);
    assert_int_equal(status.st_size, map_size(1));
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(den_count(&den, "registry"), 1); /* no working file is left */

    registry = registry_open(den.directory, SMALLEST, &report, &failure);
    assert_non_null(registry);
    assert_false(report.created);
    assert_int_equal(walk_registry(registry), 0);
    registry_close(registry);
    registry_close(NULL);
}

static void directories_are_made(void **state)
{
    static const char *const paths[] = {"a", "b/c/d", "e/", "f//g/"};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct registry_report report;
        struct failure failure = {0};
        struct stat status;
        struct text path = {0};
        text_print(&path, "%s/%s", den.directory, paths[i]);
        struct registry *registry = registry_open(path.bytes, SMALLEST, &report, &failure);
        check(registry != NULL, "%s", failure.text);
        registry_close(registry);
        assert_int_equal(stat(path.bytes, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0700);
        text_finish(&path);
    }
}

static void paths_that_cannot_be(void **state)
{
    struct text path = {0};
    check_refused("", "empty");
    for (int i = 0; i < 2000; i++)
        text_print(&path, "/aa");
    check_refused(path.bytes, "too long");
    path.length = 0;
    text_print(&path, "%s/file", den.directory);
    struct blob blob = {"x", 1};
    blob_write(&blob, path.bytes);
    check_refused(path.bytes, path.bytes);
    text_print(&path, "/below");
    check_refused(path.bytes, "cannot create");
    check_refused("/proc/kairos", "/proc/kairos");
    text_finish(&path);
}

static void a_directory_that_may_not_be_written(void **state)
{
    if (geteuid() == 0) { /* to whom permissions mean nothing */
        print_message("skipped: running as root\n");
        skip();
    }
    assert_int_equal(chmod(den.directory, 0500), 0);
    check_refused(den.directory, "writable");
    assert_int_equal(chmod(den.directory, 0700), 0);
}

/* Another process has it, or this one: the message names it. */
static void nobody_opens_it_twice(void **state)
{
    struct text pid = {0};
    struct registry *registry = den_open(&den, SMALLEST);
    text_print(&pid, "process %ld", (long)getpid());
    check_refused(den.directory, pid.bytes);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct registry_report report;
        struct failure failure;
        bool refused = registry_open(den.directory, SMALLEST, &report, &failure) == NULL &&
                       strstr(failure.text, pid.bytes) != NULL;
        _exit(refused ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(walk_registry(registry), 0);
    registry_close(registry);
    registry_close(den_open(&den, SMALLEST));
    text_finish(&pid);
}

/* A lock whose owner was killed is no lock, whatever its file says. */
static void a_lock_dies_with_its_owner(void **state)
{
    struct blob blob = {"1\n", 2};
    blob_write(&blob, den.lock);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct registry_report report;
        struct failure failure;
        registry_open(den.directory, SMALLEST, &report, &failure);
        raise(SIGKILL);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    registry_close(den_open(&den, SMALLEST));
}

/* ---- Services ---- */

static void services_come_and_go(void **state)
{
    static struct ledger ledger;
    struct dice dice = {1};
    ledger_init(&ledger, 300);
    ledger.registry = den_open(&den, SMALLEST);
    for (int round = 0; round < 60; round++) {
        for (int i = 0; i < 100; i++)
            ledger_step(&ledger, &dice);
        ledger_check(&ledger);
        if (round % 5 != 0)
            continue;
        registry_close(ledger.registry);
        ledger_attach(&ledger, den_open(&den, SMALLEST));
        ledger_check(&ledger);
        for (size_t i = 0; i < ledger.count; i++) {
            if (ledger.entries[i].present)
                registry_prefetch(ledger.registry, ledger.entries[i].slot);
        }
    }
    registry_close(ledger.registry);
}

/* Slots that were freed are used again; the file's end stays where it was. */
static void freed_slots_are_used_again(void **state)
{
    struct registry *registry = den_open(&den, SMALLEST);
    for (size_t round = 0; round < 1000; round++) {
        uint32_t slots[20], last = 0;
        for (size_t i = 0; i < COUNT_OF(slots); i++) {
            struct name name = name_numbered(i, 10 + (round + i * 7) % 91);
            struct service service = service_named(&name);
            slots[i] = registry_add(registry, &service, BEGIN);
            last = slots[i] > last ? slots[i] : last;
        }
        assert_true(last < 2 * COUNT_OF(slots));
        for (size_t i = 0; i < COUNT_OF(slots); i++)
            registry_remove(registry, slots[i]);
    }
    assert_int_equal(walk_registry(registry), 0);
    assert_int_equal(registry_free(registry), registry_slots(registry));
    registry_close(registry);
}

static void any_name_is_found(void **state)
{
    struct registry *registry = den_open(&den, SMALLEST);
    uint32_t slots[KAIROS_SERVICE_MAX + 1];
    for (int reopened = 0; reopened < 2; reopened++) {
        for (size_t length = 10; length <= KAIROS_SERVICE_MAX; length++) {
            struct name name = name_numbered(length, length), other = name;
            struct service service = service_named(&name);
            if (!reopened)
                slots[length] = registry_add(registry, &service, BEGIN + (int64_t)length);
            uint32_t slot = slots[length];
            assert_true(registry_has_name(registry, slot, name.text, length));
            other.text[0] = 'm';
            assert_false(registry_has_name(registry, slot, other.text, length));
            assert_false(registry_has_name(registry, slot, name.text, length - 1));
            assert_int_equal(registry_use(registry, slot), SLOT_SERVICE);
            assert_int_equal(time_decode(atomic_load(registry_cell(registry, slot))),
                             BEGIN + (int64_t)length);
        }
        walk_registry(registry);
        registry_close(registry);
        registry = den_open(&den, SMALLEST);
    }
    registry_close(registry);
}

/* Whoever compares names at the same time finds them untouched: a store leaves them alone. */
static void a_store_does_not_touch_the_name(void **state)
{
    struct registry *registry = den_open(&den, SMALLEST);
    struct name name = name_of("push");
    struct service service = service_named(&name);
    uint32_t slot = registry_add(registry, &service, BEGIN);
    struct slot before = *map_slot(registry->base, slot), after;
    service.expectation.policy.interval = KAIROS_HOUR;
    registry_store(registry, slot, &service);
    after = *map_slot(registry->base, slot);
    assert_memory_equal(before.bytes + SLOT_STATE_SIZE, after.bytes + SLOT_STATE_SIZE,
                        SLOT_SIZE - SLOT_STATE_SIZE);
    assert_memory_not_equal(before.bytes, after.bytes, SLOT_STATE_SIZE);
    registry_close(registry);
}

/* ---- Growing ---- */

/* Adds services with short names until LEFT slots are free. */
static void fill(struct registry *registry, size_t left)
{
    while (registry_free(registry) > left) {
        struct name name = name_numbered(registry_free(registry), 12);
        struct service service = service_named(&name);
        assert_int_not_equal(registry_add(registry, &service, BEGIN), SLOT_NONE);
    }
}

static void grows_by_segments_up_to_its_room(void **state)
{
    struct stat status;
    struct registry *registry = den_open(&den, SMALLEST);
    struct name long_name = name_numbered(1, 50), short_name = name_of("push");
    struct service long_one = service_named(&long_name), short_one = service_named(&short_name);
    fill(registry, 1);
    assert_int_equal(registry_add(registry, &long_one, BEGIN), SLOT_NONE);
    assert_int_equal(registry_free(registry), 1);
    walk_registry(registry);

    assert_int_equal(registry_grow(registry), REGISTRY_GROWN);
    assert_int_equal(registry_slots(registry), SEGMENT_SLOTS); /* until it is adopted */
    assert_int_equal(registry_add(registry, &long_one, BEGIN), SLOT_NONE);
    assert_int_equal(registry_grow(registry), REGISTRY_GROWN); /* that one still */
    registry_adopt(registry);
    registry_adopt(registry);
    assert_int_equal(registry_slots(registry), 2 * SEGMENT_SLOTS);
    assert_int_equal(registry_free(registry), SEGMENT_SLOTS + 1);
    uint32_t slot = registry_add(registry, &long_one, BEGIN); /* across the border */
    assert_int_equal(slot, SEGMENT_SLOTS - 1);
    walk_registry(registry);

    assert_int_equal(registry_grow(registry), REGISTRY_AT_LIMIT);
    registry_adopt(registry);
    assert_int_equal(registry_slots(registry), 2 * SEGMENT_SLOTS);
    fill(registry, 0);
    assert_int_equal(registry_add(registry, &short_one, BEGIN), SLOT_NONE);
    assert_int_equal(stat(den.file, &status), 0);
    assert_int_equal(status.st_size, map_size(2));
    assert_int_equal(walk_registry(registry), 2 * SEGMENT_SLOTS - 1);
    registry_remove(registry, slot);
    assert_int_equal(registry_free(registry), 2);
    assert_int_not_equal(registry_add(registry, &short_one, BEGIN), SLOT_NONE);
    registry_close(registry);
    registry = den_open(&den, SMALLEST);
    assert_int_equal(walk_registry(registry), 2 * SEGMENT_SLOTS - 1);
    assert_int_equal(registry_free(registry), 1);
    registry_close(registry);
}

/* Ten segments, opened by somebody who has asked for room for fewer. */
static void a_file_larger_than_the_room_asked_for(void **state)
{
    struct registry *registry = den_open(&den, 10 * SEGMENT_SLOTS);
    for (int i = 1; i < 10; i++) {
        assert_int_equal(registry_grow(registry), REGISTRY_GROWN);
        registry_adopt(registry);
    }
    fill(registry, 5);
    registry_close(registry);
    registry = den_open(&den, SMALLEST);
    assert_int_equal(registry_slots(registry), 10 * SEGMENT_SLOTS);
    assert_true(registry_capacity(registry) >= 10 * SEGMENT_SLOTS);
    assert_int_equal(walk_registry(registry), 10 * SEGMENT_SLOTS - 5);
    assert_int_equal(registry_free(registry), 5);
    registry_close(registry);
}

/* Grown and killed before it was adopted: the next one has it. */
static void grown_and_not_adopted(void **state)
{
    struct stat status;
    struct registry *registry = den_open(&den, SMALLEST);
    assert_int_equal(registry_grow(registry), REGISTRY_GROWN);
    registry_close(registry);
    registry = den_open(&den, SMALLEST);
    assert_int_equal(registry_slots(registry), 2 * SEGMENT_SLOTS);
    fill(registry, 10);
    assert_int_equal(walk_registry(registry), 2 * SEGMENT_SLOTS - 10);
    registry_close(registry);
    assert_int_equal(stat(den.file, &status), 0);
    assert_int_equal(status.st_size, map_size(2));
}

/* Killed while it grew: what is more in the file than the header says is used when it grows again.
 */
static void killed_while_it_grew(void **state)
{
    static const size_t behind[] = {1, PAGE_SIZE, SEGMENT_SIZE - 1, SEGMENT_SIZE};
    for (size_t i = 0; i < COUNT_OF(behind); i++) {
        struct stat status;
        unlink(den.file);
        registry_close(den_open(&den, SMALLEST));
        assert_int_equal(truncate(den.file, (off_t)(map_size(1) + behind[i])), 0);
        struct registry *registry = den_open(&den, SMALLEST);
        assert_int_equal(registry_slots(registry), SEGMENT_SLOTS);
        assert_int_equal(registry_grow(registry), REGISTRY_GROWN);
        registry_adopt(registry);
        assert_int_equal(registry_slots(registry), 2 * SEGMENT_SLOTS);
        fill(registry, 10);
        registry_close(registry);
        assert_int_equal(stat(den.file, &status), 0);
        assert_int_equal(status.st_size, map_size(2));
    }
}

static void limit_file_size(rlim_t size)
{
    struct rlimit limit = {.rlim_cur = size, .rlim_max = RLIM_INFINITY};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* In a child, where a file may not grow further: the same to a program as a full disk. */
static void with_a_full_disk(void (*body)(void))
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        body();
        _exit(0); /* a failed check does not come here */
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* A child must not go on with the tests of its parent. */
#define expect(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static void grow_on_a_full_disk(void)
{
    struct registry *registry = den_open(&den, 4 * SEGMENT_SLOTS);
    struct stat status;
    struct name name = name_of("push");
    struct service service = service_named(&name);
    limit_file_size((rlim_t)map_size(1) + SEGMENT_SIZE / 2);
    for (int again = 0; again < 3; again++) {
        expect(registry_grow(registry) == REGISTRY_NO_SPACE);
        expect(errno == EFBIG || errno == ENOSPC);
        registry_adopt(registry);
        expect(registry_slots(registry) == SEGMENT_SLOTS);
        expect(stat(den.file, &status) == 0 && status.st_size == (off_t)map_size(1));
    }
    uint32_t slot = registry_add(registry, &service, BEGIN);
    expect(slot != SLOT_NONE);
    registry_store(registry, slot, &service);
    expect(registry_sync(registry, BEGIN));
    registry_remove(registry, slot);
    limit_file_size(RLIM_INFINITY);
    expect(registry_grow(registry) == REGISTRY_GROWN);
    registry_adopt(registry);
    expect(registry_slots(registry) == 2 * SEGMENT_SLOTS);
    fill(registry, 100);
    expect(walk_registry(registry) == 2 * SEGMENT_SLOTS - 100);
    registry_close(registry);
}

static void a_full_disk_while_growing(void **state)
{
    with_a_full_disk(grow_on_a_full_disk);
    struct registry *registry = den_open(&den, SMALLEST);
    assert_int_equal(walk_registry(registry), 2 * SEGMENT_SLOTS - 100);
    registry_close(registry);
}

static void create_on_a_full_disk(void)
{
    struct registry_report report;
    struct failure failure = {0};
    for (rlim_t size = 0; size < map_size(1); size += SEGMENT_SIZE / 3) {
        limit_file_size(size);
        expect(registry_open(den.directory, SMALLEST, &report, &failure) == NULL);
        expect(strstr(failure.text, den.file) != NULL);
        expect(den_count(&den, "registry") == 0);
    }
    limit_file_size(RLIM_INFINITY);
    registry_close(den_open(&den, SMALLEST));
}

static void a_full_disk_from_the_start(void **state)
{
    with_a_full_disk(create_on_a_full_disk);
    registry_close(den_open(&den, SMALLEST));
}

/* ---- Stamps, gaps, syncing ---- */

static void what_is_known_of_kairos_itself(void **state)
{
    struct registry *registry = den_open(&den, SMALLEST);
    struct clock_memory memory = {.boot_id = "abcdefghijklmno", .offset = -5, .skew = 7}, found;
    registry_stamp_alive(registry, BEGIN + 1);
    registry_keep_clock(registry, &memory);
    for (uint32_t number = 1; number <= 20; number++) {
        struct gap gap = {BEGIN + number, BEGIN + 2 * number, (enum gap_reason)(number % 3)};
        registry_add_gap(registry, &gap);
    }
    for (int reopened = 0; reopened < 2; reopened++) {
        assert_int_equal(registry_alive_at(registry), BEGIN + 1);
        assert_int_equal(registry_synced_until(registry), TIME_NEVER);
        assert_true(registry_clock(registry, &found));
        assert_memory_equal(&found, &memory, sizeof(memory));
        assert_int_equal(registry_gap_count(registry), 20);
        for (uint32_t number = 20 - GAPS_KEPT + 1; number <= 20; number++) {
            struct gap gap = registry_gap(registry, number);
            assert_int_equal(gap.from, BEGIN + number);
            assert_int_equal(gap.to, BEGIN + 2 * number);
            assert_int_equal(gap.reason, number % 3);
        }
        registry_close(registry);
        registry = den_open(&den, SMALLEST);
    }
    registry_close(registry);
}

static void syncing(void **state)
{
    struct registry *registry = den_open(&den, SMALLEST);
    for (int64_t time = BEGIN; time < BEGIN + 3; time++) {
        assert_true(registry_sync(registry, time));
        assert_int_equal(registry_synced_until(registry), time);
        assert_int_equal(registry_sync_error(registry), 0);
    }
    registry_close(registry);
    registry = den_open(&den, SMALLEST);
    assert_int_equal(registry_synced_until(registry), BEGIN + 2);
    registry_close(registry);
}

/* What the disk holds is unknown after that; it is not claimed ever again. */
static void a_sync_that_failed_is_the_last(void **state)
{
    struct registry *registry = den_open(&den, SMALLEST);
    assert_true(registry_sync(registry, BEGIN));
    /* A page of the mapping that is none any more: msync refuses. */
    size_t page = 100 * PAGE_SIZE;
    assert_int_equal(munmap(registry->base + page, PAGE_SIZE), 0);
    for (int again = 0; again < 3; again++) {
        errno = 0;
        assert_false(registry_sync(registry, BEGIN + 1));
        assert_int_equal(errno, ENOMEM);
        assert_int_equal(registry_sync_error(registry), ENOMEM);
        assert_int_equal(registry_synced_until(registry), BEGIN);
    }
    assert_true(mmap(registry->base + page, PAGE_SIZE, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_FIXED, registry->file, (off_t)page) != MAP_FAILED);
    assert_false(registry_sync(registry, BEGIN + 2));
    assert_int_equal(registry_synced_until(registry), BEGIN);
    registry_close(registry);
    registry = den_open(&den, SMALLEST);
    assert_true(registry_sync(registry, BEGIN + 3)); /* but by the next process */
    registry_close(registry);
}

#define IN_DEN(test) cmocka_unit_test_setup_teardown(test, make_den, remove_den)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        IN_DEN(a_new_registry),
        IN_DEN(directories_are_made),
        IN_DEN(paths_that_cannot_be),
        IN_DEN(a_directory_that_may_not_be_written),
        IN_DEN(nobody_opens_it_twice),
        IN_DEN(a_lock_dies_with_its_owner),
        IN_DEN(services_come_and_go),
        IN_DEN(freed_slots_are_used_again),
        IN_DEN(any_name_is_found),
        IN_DEN(a_store_does_not_touch_the_name),
        IN_DEN(grows_by_segments_up_to_its_room),
        IN_DEN(a_file_larger_than_the_room_asked_for),
        IN_DEN(grown_and_not_adopted),
        IN_DEN(killed_while_it_grew),
        IN_DEN(a_full_disk_while_growing),
        IN_DEN(a_full_disk_from_the_start),
        IN_DEN(what_is_known_of_kairos_itself),
        IN_DEN(syncing),
        IN_DEN(a_sync_that_failed_is_the_last),
    };
    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
