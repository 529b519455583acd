/*
 * test_registry_damage.c - files that are not as a registry should be: they are set aside with all
 * their bytes, what is intact of them is saved, and other programs' and versions' files are left
 * alone.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "ledger.h"

#define SERVICES 150

static struct den den;

/* A registry in good order: its file, and what is in it. */
static struct blob good;
static struct ledger ledger;

static int make_good(void **state)
{
    struct dice dice = {1};
    struct clock_memory memory = {.boot_id = "abcdefghijklmno", .offset = -5, .skew = 7};
    struct gap gap = {BEGIN, BEGIN + 1, GAP_STALL};
    den_init(&den);
    ledger_init(&ledger, SERVICES);
    ledger.registry = den_open(&den, 1);
    ledger_fill(&ledger, &dice);
    for (size_t i = 0; i < 300; i++)
        ledger_step(&ledger, &dice);
    ledger_fill(&ledger, &dice);
    registry_add_gap(ledger.registry, &gap);
    registry_keep_clock(ledger.registry, &memory);
    registry_sync(ledger.registry, BEGIN + 10);
    registry_stamp_alive(ledger.registry, BEGIN + 20);
    registry_close(ledger.registry);
    good = blob_read(den.file);
    return 0;
}

static int clear(void **state)
{
    blob_free(&good);
    den_finish(&den);
    return 0;
}

static char *slot_bytes(struct blob *file, uint32_t slot)
{
    return (char *)map_slot(file->bytes, slot)->bytes;
}

/* The slot of the rest of ENTRY's name; SLOT_NONE for short ones. */
static uint32_t second_of(const struct ledger_entry *entry)
{
    uint32_t owner;
    for (uint32_t slot = 0; slot < 10 * SERVICES; slot++) {
        if (slot_owner(map_slot(good.bytes, slot), &owner) && owner == entry->slot)
            return slot;
    }
    return SLOT_NONE;
}

/* Opens FILE, which is damaged: it must get another name and keep its bytes. */
static struct registry *open_damaged(const struct blob *file, struct registry_report *report)
{
    struct failure failure = {0};
    blob_write(file, den.file);
    struct registry *registry = registry_open(den.directory, 1, report, &failure);
    check(registry != NULL, "%s", failure.text);
    check(report->set_aside && report->damage != NULL, "it was not noticed");
    assert_false(report->created);
    assert_int_equal(strncmp(report->aside, den.file, strlen(den.file)), 0);
    assert_int_equal(strncmp(report->aside + strlen(den.file), ".damaged-", 9), 0);
    struct blob aside = blob_read(report->aside);
    check(blob_equals(&aside, file), "the bytes of the file that was set aside have changed");
    blob_free(&aside);
    assert_int_equal(unlink(report->aside), 0);
    return registry;
}

/* A service that was saved is as it was in all that is kept. Returns whether it was. */
static bool is_saved(const struct registry *registry, size_t i)
{
    if (slot_of(registry, &ledger.entries[i].name) == SLOT_NONE)
        return false;
    check(ledger_agrees(registry, &ledger.entries[i]), "%s is not as it was",
          ledger.entries[i].name.text);
    return true;
}

/* Goes on with the new file: it is in order, can be used, and is found in order again. */
static void check_usable(struct registry *registry, size_t services)
{
    struct name name = name_numbered(4711, 60);
    struct service service = service_named(&name);
    struct engine_options options = engine_options_default();
    struct failure failure;
    assert_int_equal(walk_registry(registry), services);
    struct engine *engine = engine_create(registry, &options, BEGIN, &failure);
    assert_non_null(engine);
    walk_engine(engine, TIME_NEVER);
    engine_destroy(engine);
    assert_int_not_equal(registry_add(registry, &service, BEGIN), SLOT_NONE);
    registry_close(registry);
    registry = den_open(&den, 1);
    assert_int_equal(walk_registry(registry), services + 1);
    registry_close(registry);
}

/* Opens FILE, in which service GONE alone is damaged; SERVICES: none is. */
static void check_all_but(const struct blob *file, size_t gone)
{
    struct registry_report report;
    struct registry *registry = open_damaged(file, &report);
    for (size_t i = 0; i < SERVICES; i++)
        check(is_saved(registry, i) == (i != gone), "%s, where %zu was damaged",
              ledger.entries[i].name.text, gone);
    assert_int_equal(report.saved, SERVICES - (gone < SERVICES));
    check_usable(registry, SERVICES - (gone < SERVICES));
}

/* ---- Damaged slots ---- */

static void a_byte_of_a_slot(void **state)
{
    struct dice dice = {2};
    for (size_t round = 0; round < 150; round++) {
        struct blob file = blob_copy(&good);
        size_t i = dice_below(&dice, SERVICES), at = dice_below(&dice, SLOT_SIZE);
        uint32_t slot = ledger.entries[i].slot, second = second_of(&ledger.entries[i]);
        if (second != SLOT_NONE && dice_chance(&dice, 50))
            slot = second;
        slot_bytes(&file, slot)[at] ^= (char)(1 << dice_below(&dice, 8));
        check_all_but(&file, i);
        blob_free(&file);
    }
}

/* The byte that says what is in a slot: one that now says "free", or anything else, is damage. */
static void a_slot_that_says_something_else(void **state)
{
    static const size_t services[] = {3, 4}; /* a long name, a short one */
    for (size_t s = 0; s < COUNT_OF(services); s++) {
        for (int use = 0; use < 8; use++) {
            const struct ledger_entry *entry = &ledger.entries[services[s]];
            uint32_t slots[] = {entry->slot, second_of(entry)};
            for (size_t i = 0; i < COUNT_OF(slots) && slots[i] != SLOT_NONE; i++) {
                struct blob file = blob_copy(&good);
                char *byte = &slot_bytes(&file, slots[i])[4];
                if (*byte != (char)use) {
                    *byte = (char)use;
                    check_all_but(&file, services[s]);
                }
                blob_free(&file);
            }
        }
    }
}

/* Bytes in slots that were free: nothing is lost. */
static void a_byte_where_nothing_was(void **state)
{
    struct blob file = blob_copy(&good);
    slot_bytes(&file, 20000)[4] = SLOT_SERVICE;
    check_all_but(&file, SERVICES);
    blob_free(&file);
}

/* A heartbeat at a time that no calendar has. */
static void a_cell_beyond_the_calendar(void **state)
{
    static const uint64_t codes[] = {UINT64_MAX, UINT64_C(1) << 63};
    for (size_t i = 0; i <= COUNT_OF(codes); i++) {
        struct blob file = blob_copy(&good);
        atomic_store(map_cell(file.bytes, ledger.entries[7].slot),
                     i < COUNT_OF(codes) ? codes[i] : time_encode(KAIROS_TIME_MAX) + 1);
        check_all_but(&file, 7);
        blob_free(&file);
    }
}

/* Whole pages of slots, or runs of bytes: whoever does not lie there is saved. */
static void many_bytes(void **state)
{
    struct dice dice = {3};
    for (int round = 0; round < 60; round++) {
        struct blob file = blob_copy(&good);
        struct registry_report report;
        uint32_t slots = 5 * SLOTS_PER_PAGE;
        for (size_t runs = 1 + dice_below(&dice, 4); runs > 0; runs--) {
            char *at = slot_bytes(&file, (uint32_t)dice_below(&dice, slots));
            for (size_t size = 1 + dice_below(&dice, 5000); size > 0; size--)
                *at++ ^= (char)(1 + dice_below(&dice, 255));
        }
        struct registry *registry = open_damaged(&file, &report);
        size_t saved = 0;
        for (size_t i = 0; i < SERVICES; i++) {
            uint32_t slot = ledger.entries[i].slot, second = second_of(&ledger.entries[i]);
            bool intact =
                memcmp(slot_bytes(&file, slot), slot_bytes(&good, slot), SLOT_SIZE) == 0 &&
                (second == SLOT_NONE ||
                 memcmp(slot_bytes(&file, second), slot_bytes(&good, second), SLOT_SIZE) == 0);
            assert_int_equal(is_saved(registry, i), intact);
            saved += intact;
        }
        assert_int_equal(report.saved, saved);
        check_usable(registry, saved);
        blob_free(&file);
    }
}

/* What is known of Kairós itself outlives damage to slots. */
static void the_header_is_saved(void **state)
{
    struct blob file = blob_copy(&good);
    struct registry_report report;
    struct clock_memory memory;
    slot_bytes(&file, ledger.entries[0].slot)[10] ^= 1;
    struct registry *registry = open_damaged(&file, &report);
    assert_int_equal(registry_alive_at(registry), BEGIN + 20);
    assert_int_equal(registry_synced_until(registry), BEGIN + 10);
    assert_int_equal(registry_gap_count(registry), 1);
    assert_int_equal(registry_gap(registry, 1).to, BEGIN + 1);
    assert_true(registry_clock(registry, &memory));
    assert_int_equal(memory.skew, 7);
    registry_close(registry);
    blob_free(&file);
}

/* ---- A damaged header ---- */

/* All services are saved; the newest heartbeat says up to when Kairós could hear. */
static void check_header_lost(const struct blob *file)
{
    struct registry_report report;
    int64_t newest = TIME_NEVER;
    struct registry *registry = open_damaged(file, &report);
    for (size_t i = 0; i < SERVICES; i++) {
        assert_true(is_saved(registry, i));
        newest = ledger.entries[i].last_seen > newest ? ledger.entries[i].last_seen : newest;
    }
    assert_int_equal(report.saved, SERVICES);
    assert_int_equal(registry_alive_at(registry), newest);
    assert_int_equal(registry_synced_until(registry), newest);
    check_usable(registry, SERVICES);
}

static void a_byte_of_the_identity(void **state)
{
    struct dice dice = {4};
    for (size_t at = 0; at < sizeof(struct header_identity); at++) {
        struct blob file = blob_copy(&good);
        file.bytes[at] ^= (char)(1 + dice_below(&dice, 255));
        check_header_lost(&file);
        blob_free(&file);
    }
}

static void a_header_of_rubbish(void **state)
{
    struct dice dice = {5};
    struct blob file = blob_copy(&good);
    memset(file.bytes, 0, HEADER_SIZE);
    check_header_lost(&file);
    for (size_t at = 0; at < HEADER_SIZE; at++)
        file.bytes[at] = (char)dice_roll(&dice);
    check_header_lost(&file);
    blob_free(&file);
}

static void a_wrong_number_of_segments(void **state)
{
    static const uint32_t segments[] = {0, 2, 3, 1000000, UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(segments); i++) {
        struct blob file = blob_copy(&good);
        atomic_store(&((struct header *)file.bytes)->segments, segments[i]);
        check_all_but(&file, SERVICES);
        blob_free(&file);
    }
}

/* Numbers of the header that have no checksum may be anything, and nothing breaks. */
static void numbers_of_the_header(void **state)
{
    static const uint32_t numbers[] = {1, 7, 255, 256, 1000000, UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        struct blob file = blob_copy(&good);
        struct header *header = (struct header *)file.bytes;
        struct clock_memory memory;
        struct gap gaps[GAPS_KEPT];
        struct failure failure;
        struct engine_options options = engine_options_default();
        atomic_store(&header->gap_count, numbers[i]);
        atomic_store(&header->clock_number, numbers[i]);
        blob_write(&file, den.file);
        struct registry *registry = den_open(&den, 1);
        registry_clock(registry, &memory);
        struct engine *engine = engine_create(registry, &options, BEGIN, &failure);
        assert_non_null(engine);
        engine_gaps(engine, gaps);
        engine_tick(engine, BEGIN, BEGIN);
        struct gap gap = {BEGIN, BEGIN + KAIROS_HOUR, GAP_RESTART};
        for (int again = 0; again < 10; again++)
            engine_record_gap(engine, &gap);
        walk_engine(engine, TIME_NEVER);
        assert_int_equal(registry_gap_count(registry), numbers[i] + 10);
        engine_destroy(engine);
        registry_close(registry);
        blob_free(&file);
    }
}

/* ---- Another size ---- */

/* Whoever lies before the cut, in both columns, is saved. */
static void check_cut(size_t size)
{
    struct blob file = {good.bytes, size};
    struct registry_report report;
    size_t saved = 0;
    struct registry *registry = open_damaged(&file, &report);
    for (size_t i = 0; i < SERVICES; i++) {
        uint32_t slot = ledger.entries[i].slot, second = second_of(&ledger.entries[i]);
        uint32_t last = second != SLOT_NONE && second > slot ? second : slot;
        size_t end = (size_t)(slot_bytes(&good, last) - good.bytes) + SLOT_SIZE;
        check(is_saved(registry, i) == (end <= size), "%s, of a file cut at byte %zu",
              ledger.entries[i].name.text, size);
        saved += end <= size;
    }
    assert_int_equal(report.saved, saved);
    if (size >= HEADER_SIZE)
        assert_int_equal(registry_synced_until(registry), BEGIN + 10);
    check_usable(registry, saved);
}

/* At every page up to the last one with a service, and behind it at some. */
static void cut_at_pages(void **state)
{
    size_t used = (size_t)(slot_bytes(&good, 5 * SLOTS_PER_PAGE) - good.bytes) + PAGE_SIZE;
    for (size_t size = 0; size < good.size; size += size < used ? PAGE_SIZE : 32 * PAGE_SIZE)
        check_cut(size);
}

static void cut_anywhere(void **state)
{
    static const size_t sizes[] = {1, 63, 64, 100, 4095, 4097, HEADER_SIZE + 8, 100000, 400000};
    struct dice dice = {6};
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        check_cut(sizes[i]);
    for (size_t i = 0; i < 20; i++)
        check_cut(dice_below(&dice, good.size));
    check_cut(good.size - 1);
}

/* Something was appended: what the header says is there, is there. */
static void longer_than_it_should_be(void **state)
{
    static const size_t sizes[] = {1, PAGE_SIZE, SEGMENT_SIZE - 1, SEGMENT_SIZE, SEGMENT_SIZE + 1};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct blob file = {.bytes = malloc(good.size + sizes[i]), .size = good.size + sizes[i]};
        assert_non_null(file.bytes);
        memcpy(file.bytes, good.bytes, good.size);
        memset(file.bytes + good.size, 0xa5, sizes[i]);
        blob_write(&file, den.file);
        blob_free(&file);
        ledger_attach(&ledger, den_open(&den, 1));
        ledger_check(&ledger);
        registry_close(ledger.registry);
    }
}

static void larger_than_any_registry(void **state)
{
    struct registry_report report;
    struct failure failure = {0};
    blob_write(&good, den.file);
    if (truncate(den.file, (off_t)1 << 43) != 0) { /* with a hole */
        print_message("skipped: no file of 8 TiB here: %s\n", strerror(errno));
        skip();
    }
    assert_null(registry_open(den.directory, 1, &report, &failure));
    assert_non_null(strstr(failure.text, "larger"));
    assert_int_equal(den_count(&den, "registry."), 0);
}

/* ---- No registry at all ---- */

static void check_foreign(const char *bytes, size_t size)
{
    struct blob file = {(char *)bytes, size};
    struct registry_report report;
    struct registry *registry = open_damaged(&file, &report);
    assert_int_equal(report.saved, 0);
    assert_int_equal(registry_alive_at(registry), TIME_NEVER);
    check_usable(registry, 0);
}

static void other_files(void **state)
{
    struct dice dice = {7};
    size_t size = map_size(2) + 5;
    char *bytes = calloc(size, 1);
    assert_non_null(bytes);
    check_foreign("", 0);
    check_foreign("kairos", 6);
    check_foreign("[{\"service\": \"push\", \"timestamp\": 0}]\n", 38);
    check_foreign(bytes, HEADER_SIZE);
    check_foreign(bytes, size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)dice_roll(&dice);
    check_foreign(bytes, 10000);
    check_foreign(bytes, size);
    free(bytes);
}

/* Rubbish in all places but the header. */
static void nothing_but_a_header(void **state)
{
    struct dice dice = {8};
    for (int round = 0; round < 5; round++) {
        struct registry_report report;
        struct blob file = blob_copy(&good);
        for (size_t at = HEADER_SIZE; at < file.size; at++)
            file.bytes[at] = (char)dice_below(&dice, round < 3 ? 256 : 3);
        struct registry *registry = open_damaged(&file, &report);
        assert_int_equal(report.saved, 0);
        check_usable(registry, 0);
        blob_free(&file);
    }
}

/* Pages that have changed places: whatever comes of it can be used. */
static void pages_in_disorder(void **state)
{
    struct dice dice = {9};
    size_t first = (HEADER_SIZE + COLUMN_SIZE) / PAGE_SIZE;
    for (int round = 0; round < 20; round++) {
        struct blob file = blob_copy(&good);
        struct failure failure = {0};
        struct registry_report report;
        for (int swaps = 0; swaps < 10; swaps++) {
            char page[PAGE_SIZE];
            char *a = file.bytes + (first + dice_below(&dice, 8)) * PAGE_SIZE;
            char *b = file.bytes + (first + dice_below(&dice, 20)) * PAGE_SIZE;
            memcpy(page, a, PAGE_SIZE);
            memcpy(a, b, PAGE_SIZE);
            memcpy(b, page, PAGE_SIZE);
        }
        blob_write(&file, den.file);
        struct registry *registry = registry_open(den.directory, 1, &report, &failure);
        check(registry != NULL, "%s", failure.text);
        check_usable(registry, walk_registry(registry));
        blob_free(&file);
    }
}

/* ---- Others' files are left alone ---- */

static void check_left_alone(const struct blob *file, const char *words)
{
    struct registry_report report;
    struct failure failure = {0};
    blob_write(file, den.file);
    struct registry *registry = registry_open(den.directory, 1, &report, &failure);
    check(registry == NULL && !report.set_aside, "a file of another version was taken");
    check(strstr(failure.text, words) != NULL && strstr(failure.text, den.file) != NULL, "%s",
          failure.text);
    struct blob found = blob_read(den.file);
    assert_true(blob_equals(&found, file));
    assert_int_equal(den_count(&den, "registry"), 1);
    blob_free(&found);
}

static void seal(struct header_identity *identity)
{
    identity->checksum = XXH3_64bits(identity, offsetof(struct header_identity, checksum));
}

static void other_versions(void **state)
{
    struct blob file = blob_copy(&good);
    struct header_identity *identity = &((struct header *)file.bytes)->identity;
    identity->version = REGISTRY_VERSION + 1;
    seal(identity);
    check_left_alone(&file, "version 2");
    identity->version = 0;
    seal(identity);
    check_left_alone(&file, "version 0");
    identity->version = REGISTRY_VERSION;
    identity->byte_order = UINT32_C(0x04030201);
    seal(identity);
    check_left_alone(&file, "machine");
    blob_free(&file);
}

/* Of a later version no more is known than where its version stands. */
static void a_later_version_may_look_different(void **state)
{
    static const size_t sizes[] = {HEADER_SIZE, 2 * HEADER_SIZE, 100000};
    struct dice dice = {10};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct blob file = blob_copy(&good);
        struct header *header = (struct header *)file.bytes;
        header->identity.version = REGISTRY_VERSION + 1;
        header->identity.header_size = 2 * HEADER_SIZE;
        header->identity.slot_size = 100;
        seal(&header->identity);
        check_left_alone(&file, "version 2");
        for (size_t at = sizeof(struct header_identity); at < sizes[i]; at++)
            file.bytes[at] = i == 0 ? '\0' : (char)dice_roll(&dice);
        check_left_alone(&file, "version 2");
        struct blob shorter = {file.bytes, sizes[i]};
        check_left_alone(&shorter, "version 2");
        blob_free(&file);
    }
}

static void check_no_file(const char *words)
{
    struct registry_report report;
    struct failure failure = {0};
    struct registry *registry = registry_open(den.directory, 1, &report, &failure);
    assert_null(registry);
    check(strstr(failure.text, den.file) != NULL && strstr(failure.text, words) != NULL, "%s",
          failure.text);
    assert_false(report.set_aside);
}

static void no_regular_file(void **state)
{
    struct stat status;
    assert_int_equal(unlink(den.file), 0);
    assert_int_equal(mkdir(den.file, 0700), 0);
    check_no_file("");
    assert_int_equal(rmdir(den.file), 0);
    assert_int_equal(mkfifo(den.file, 0600), 0);
    check_no_file("regular");
    assert_int_equal(lstat(den.file, &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
}

/* A link may lead anywhere, by whoever may write in the directory. */
static void a_symbolic_link(void **state)
{
    struct text target = {0};
    struct stat status;
    text_print(&target, "%s/target", den.directory);
    for (int damaged = 0; damaged < 2; damaged++) {
        struct blob file = {good.bytes, damaged ? 100 : good.size};
        blob_write(&file, target.bytes);
        unlink(den.file);
        assert_int_equal(symlink(target.bytes, den.file), 0);
        check_no_file("");
        assert_int_equal(lstat(den.file, &status), 0);
        assert_true(S_ISLNK(status.st_mode));
        struct blob found = blob_read(target.bytes);
        assert_true(blob_equals(&found, &file));
        blob_free(&found);
    }
    /* Nor is a file made where it leads to. */
    struct registry_report report;
    struct failure failure;
    assert_int_equal(unlink(target.bytes), 0);
    registry_close(registry_open(den.directory, 1, &report, &failure));
    assert_int_equal(access(target.bytes, F_OK), -1);
    text_finish(&target);
}

/* ---- Setting aside ---- */

/* Damaged again and again within a second: each file keeps a name of its own. */
static void set_aside_again_and_again(void **state)
{
    struct blob file = {good.bytes, 5000};
    char names[5][sizeof(((struct registry_report *)0)->aside)];
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct registry_report report;
        struct failure failure;
        file.size = 5000 + i;
        blob_write(&file, den.file);
        registry_close(registry_open(den.directory, 1, &report, &failure));
        assert_true(report.set_aside);
        memcpy(names[i], report.aside, sizeof(names[i]));
    }
    assert_int_equal(den_count(&den, "registry.damaged-"), COUNT_OF(names));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct blob found = blob_read(names[i]);
        assert_int_equal(found.size, 5000 + i);
        blob_free(&found);
    }
}

/* No room for the new file: what is intact must be found when there is room again. */
static void a_full_disk_while_saving(void **state)
{
    struct blob file = blob_copy(&good);
    slot_bytes(&file, ledger.entries[0].slot)[10] ^= 1;
    blob_write(&file, den.file);
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit limit = {.rlim_cur = 100000, .rlim_max = RLIM_INFINITY};
        struct registry_report report;
        struct failure failure = {0};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        bool refused = registry_open(den.directory, 1, &report, &failure) == NULL;
        _exit(refused && failure.text[0] != '\0' ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    struct registry_report report;
    struct failure failure;
    struct registry *registry = registry_open(den.directory, 1, &report, &failure);
    assert_non_null(registry);
    for (size_t i = 1; i < SERVICES; i++)
        check(is_saved(registry, i), "%s is lost", ledger.entries[i].name.text);
    registry_close(registry);
    blob_free(&file);
}

#define ON_GOOD(test) cmocka_unit_test_setup_teardown(test, make_good, clear)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ON_GOOD(a_byte_of_a_slot),
        ON_GOOD(a_slot_that_says_something_else),
        ON_GOOD(a_byte_where_nothing_was),
        ON_GOOD(a_cell_beyond_the_calendar),
        ON_GOOD(many_bytes),
        ON_GOOD(the_header_is_saved),
        ON_GOOD(a_byte_of_the_identity),
        ON_GOOD(a_header_of_rubbish),
        ON_GOOD(a_wrong_number_of_segments),
        ON_GOOD(numbers_of_the_header),
        ON_GOOD(cut_at_pages),
        ON_GOOD(cut_anywhere),
        ON_GOOD(longer_than_it_should_be),
        ON_GOOD(larger_than_any_registry),
        ON_GOOD(other_files),
        ON_GOOD(nothing_but_a_header),
        ON_GOOD(pages_in_disorder),
        ON_GOOD(other_versions),
        ON_GOOD(a_later_version_may_look_different),
        ON_GOOD(no_regular_file),
        ON_GOOD(a_symbolic_link),
        ON_GOOD(set_aside_again_and_again),
        ON_GOOD(a_full_disk_while_saving),
    };
    return cmocka_run_group_tests_name("registry_damage", tests, NULL, NULL);
}
