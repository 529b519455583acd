/*
 * test_registry_crash.c - what the registry's file is worth after the program was killed, or the
 * machine has lost its power.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ledger.h"

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

static struct registry *reopen(struct registry *registry)
{
    registry_close(registry);
    return den_open(&den, 1);
}

/* ---- Killed in the midst of a write ---- */

/* The writes of one change, in order: slots as they were and as they become. */
struct change {
    bool removes;       /* then the cell is emptied, when the slot is free */
    uint64_t last_seen; /* what is in the cell before */
    struct {
        uint32_t slot;
        struct slot before, after;
    } writes[2];
    size_t count;
};

static struct slot *bytes_of(const struct registry *registry, uint32_t slot)
{
    return map_slot(registry->base, slot);
}

static void begin_write(struct change *change, const struct registry *registry, uint32_t slot)
{
    change->writes[change->count].slot = slot;
    change->writes[change->count].before = *bytes_of(registry, slot);
    change->count++;
}

static void end_writes(struct change *change, const struct registry *registry)
{
    for (size_t i = 0; i < change->count; i++)
        change->writes[i].after = *bytes_of(registry, change->writes[i].slot);
}

/*
 * Makes the file what it is when the program is killed in write NUMBER: those before it are done,
 * those behind it are not. Of its bytes about PERCENT are written, which is up to the processor.
 */
static void interrupt(struct registry *registry, const struct change *change, size_t number,
                      unsigned percent, struct dice *dice)
{
    struct header_redo *redo = &registry->header->redo;
    for (size_t i = 0; i < change->count; i++) {
        struct slot *slot = bytes_of(registry, change->writes[i].slot);
        *slot = i < number ? change->writes[i].after : change->writes[i].before;
        for (size_t at = 0; i == number && at < SLOT_SIZE; at++) {
            if (dice_chance(dice, percent))
                slot->bytes[at] = change->writes[i].after.bytes[at];
        }
    }
    if (change->removes)
        atomic_store(registry_cell(registry, change->writes[0].slot), change->last_seen);
    redo->image = change->writes[number].after;
    redo->checksum = header_redo_checksum(change->writes[number].slot, &redo->image);
    atomic_store(&redo->slot, change->writes[number].slot + 1);
}

/* The same before the write began: its image is there, wholly or not, and does not count yet. */
static void interrupt_before(struct registry *registry, const struct change *change, size_t number,
                             struct dice *dice)
{
    struct header_redo *redo = &registry->header->redo;
    interrupt(registry, change, number, 0, dice);
    for (size_t at = 0; at < SLOT_SIZE; at++) {
        if (dice_chance(dice, 50))
            redo->image.bytes[at] = (unsigned char)dice_roll(dice);
    }
    atomic_store(&redo->slot, 0);
}

enum kind {
    STORE,
    ADD,
    REMOVE,
    KINDS,
};

/* Changes the service of ENTRY by KIND, and notes what that writes. */
static void make_change(struct registry *registry, enum kind kind, struct ledger_entry *entry,
                        const struct service *service, struct change *change)
{
    bool is_long = slot_name_is_long(entry->name.length);
    *change = (struct change){0};
    if (kind == STORE) {
        begin_write(change, registry, entry->slot);
        registry_store(registry, entry->slot, service);
    } else if (kind == ADD) {
        /* The slots that it will take: the last released comes first, and is given back last. */
        uint32_t slot = registry_add(registry, service, entry->last_seen);
        uint32_t second = registry->links[slot] - 1;
        registry_remove(registry, slot);
        if (is_long)
            begin_write(change, registry, slot);
        begin_write(change, registry, is_long ? second : slot);
        uint32_t again = registry_add(registry, service, entry->last_seen);
        assert_int_equal(again, is_long ? second : slot);
        entry->slot = again;
    } else {
        uint32_t second = registry->links[entry->slot] - 1;
        change->removes = true;
        change->last_seen = atomic_load(registry_cell(registry, entry->slot));
        begin_write(change, registry, entry->slot);
        if (is_long)
            begin_write(change, registry, second);
        registry_remove(registry, entry->slot);
    }
    end_writes(change, registry);
}

/* The registry agrees with the ledger, but for one service, which is as it was or as it becomes. */
static void check_old_or_new(struct ledger *ledger, const struct ledger_entry *entry,
                             const struct ledger_entry *before, const struct ledger_entry *after)
{
    size_t others = 0;
    for (size_t i = 0; i < ledger->count; i++) {
        const struct ledger_entry *other = &ledger->entries[i];
        if (other == entry)
            continue;
        assert_true(ledger_agrees(ledger->registry, other));
        others += other->present;
    }
    bool there = slot_of(ledger->registry, &entry->name) != SLOT_NONE;
    assert_int_equal(walk_registry(ledger->registry), others + there);
    assert_true(ledger_agrees(ledger->registry, before) || ledger_agrees(ledger->registry, after));
}

static void try_change(struct ledger *ledger, struct dice *dice, enum kind kind, bool is_long)
{
    struct ledger_entry *entry = &ledger->entries[is_long ? 3 : 4], before, after;
    struct change change;
    ledger_fill(ledger, dice);
    if (kind == ADD) {
        registry_remove(ledger->registry, entry->slot);
        entry->present = false;
    }
    before = after = *entry;
    after.service = random_service(dice, &entry->name);
    after.present = kind != REMOVE;
    if (kind == ADD)
        after.last_seen = BEGIN;
    struct ledger_entry scratch = after;
    make_change(ledger->registry, kind, &scratch, &after.service, &change);
    assert_int_equal(change.count, is_long && kind != STORE ? 2 : 1);
    for (size_t number = 0; number < change.count; number++) {
        for (unsigned percent = 0; percent <= 100; percent += 10) {
            if (percent == 50)
                interrupt_before(ledger->registry, &change, number, dice);
            else
                interrupt(ledger->registry, &change, number, percent, dice);
            ledger->registry = reopen(ledger->registry);
            check_old_or_new(ledger, entry, &before, &after);
            ledger->registry = reopen(ledger->registry);
            check_old_or_new(ledger, entry, &before, &after);
        }
    }
    /* The last one went through, wholly. */
    *entry = after;
    ledger_attach(ledger, ledger->registry);
    ledger_check(ledger);
}

static void a_write_that_is_interrupted(void **state)
{
    static struct ledger ledger;
    struct dice dice = {1};
    ledger_init(&ledger, 10);
    ledger.registry = den_open(&den, 1);
    for (int round = 0; round < 2; round++) {
        for (int kind = STORE; kind < KINDS; kind++) {
            try_change(&ledger, &dice, (enum kind)kind, false);
            try_change(&ledger, &dice, (enum kind)kind, true);
        }
    }
    registry_close(ledger.registry);
}

/* A redo record of a slot that there is not, or whose checksum is wrong, is none. */
static void a_redo_record_that_is_none(void **state)
{
    static const uint32_t slots[] = {SEGMENT_SLOTS, 2 * SEGMENT_SLOTS, UINT32_MAX - 1, 0, 5};
    static struct ledger ledger;
    struct dice dice = {2};
    ledger_init(&ledger, 10);
    ledger.registry = den_open(&den, 1);
    ledger_fill(&ledger, &dice);
    for (size_t i = 0; i < COUNT_OF(slots); i++) {
        struct header_redo *redo = &ledger.registry->header->redo;
        assert_int_not_equal(registry_use(ledger.registry, 5), SLOT_FREE);
        redo->image = (struct slot){{0}};
        redo->checksum = header_redo_checksum(slots[i], &redo->image);
        if (slots[i] < SEGMENT_SLOTS)
            redo->image.bytes[dice_below(&dice, SLOT_SIZE)] ^= 1;
        atomic_store(&redo->slot, slots[i] + 1);
        ledger_attach(&ledger, reopen(ledger.registry));
        ledger_check(&ledger);
    }
    registry_close(ledger.registry);
}

/* What is left of a name whose service was not written any more is freed. */
static void rests_of_names_are_freed(void **state)
{
    static struct ledger ledger;
    struct dice dice = {3};
    struct name name = name_numbered(77, 77);
    struct service service = service_named(&name);
    ledger_init(&ledger, 10);
    ledger.registry = den_open(&den, 1);
    ledger_fill(&ledger, &dice);
    uint32_t owners[] = {ledger.entries[0].slot, ledger.entries[1].slot, 1000,
                         SEGMENT_SLOTS - 1,      SEGMENT_SLOTS,          UINT32_MAX};
    for (size_t i = 0; i < COUNT_OF(owners); i++) {
        uint32_t slot = ledger.registry->unused + (uint32_t)i;
        slot_encode_name(bytes_of(ledger.registry, slot), &service, owners[i]);
    }
    /* And one that is the very same as another's, but has lost its place. */
    uint32_t owner = ledger.entries[3].slot;
    struct slot twin = *bytes_of(ledger.registry, ledger.registry->links[owner] - 1);
    *bytes_of(ledger.registry, ledger.registry->unused + 100) = twin;
    ledger_attach(&ledger, reopen(ledger.registry));
    ledger_check(&ledger);
    registry_close(ledger.registry);
}

/* ---- Killed at any moment ---- */

/* How far the child has got; in memory that both see. */
struct progress {
    _Atomic size_t begun, finished;
};

/* Changes the registry in a child, until that is killed after TARGET changes or more. */
static void change_until_killed(struct ledger *ledger, struct dice *dice, size_t target,
                                struct progress *progress)
{
    int status = 0;
    atomic_store(&progress->begun, 0);
    atomic_store(&progress->finished, 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        ledger_attach(ledger, den_open(&den, 1));
        for (size_t step = 1;; step++) {
            atomic_store(&progress->begun, step);
            ledger_step(ledger, dice);
            atomic_store(&progress->finished, step);
        }
    }
    while (atomic_load(&progress->finished) < target && waitpid(child, &status, WNOHANG) == 0)
        sched_yield();
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static bool all_agree(const struct ledger *ledger, const struct registry *registry)
{
    for (size_t i = 0; i < ledger->count; i++) {
        if (!ledger_agrees(registry, &ledger->entries[i]))
            return false;
    }
    return true;
}

static void killed_at_any_moment(void **state)
{
    static struct ledger ledger, next;
    struct dice dice = {4}, luck = {5};
    struct progress *progress =
        mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(progress != MAP_FAILED);
    ledger_init(&ledger, 60);
    for (int round = 0; round < 150; round++) {
        change_until_killed(&ledger, &dice, 1 + dice_below(&luck, 300), progress);
        size_t finished = atomic_load(&progress->finished);
        /* What the child did, once more. */
        ledger.registry = NULL;
        for (size_t step = 0; step < finished; step++)
            ledger_step(&ledger, &dice);
        struct registry *registry = den_open(&den, 1);
        if (!all_agree(&ledger, registry)) {
            next = ledger;
            struct dice next_dice = dice;
            ledger_step(&next, &next_dice);
            check(atomic_load(&progress->begun) > finished && all_agree(&next, registry),
                  "round %d, after %zu changes", round, finished);
            ledger = next;
            dice = next_dice;
        }
        ledger_attach(&ledger, registry);
        ledger_check(&ledger);
        registry_close(registry);
    }
    munmap(progress, sizeof(*progress));
}

/* ---- The machine loses its power ---- */

#define SNAPSHOTS 5

/* The file and what it held, at the last sync and at some moments after it. */
struct history {
    struct blob files[SNAPSHOTS];
    struct ledger ledgers[SNAPSHOTS];
    size_t count;
};

static void take_snapshot(struct history *history, const struct ledger *ledger)
{
    history->files[history->count] = blob_read(den.file);
    history->ledgers[history->count] = *ledger;
    history->count++;
}

static void forget(struct history *history)
{
    for (size_t i = 0; i < history->count; i++)
        blob_free(&history->files[i]);
    history->count = 0;
}

/* The kernel may write the header just when a slot is being written. */
static void spoil_header(struct blob *file, struct dice *dice, const struct ledger *ledger)
{
    struct header *header = (struct header *)file->bytes;
    const struct ledger_entry *entry = &ledger->entries[dice_below(dice, ledger->count)];
    if (!entry->present)
        return;
    slot_encode(&header->redo.image, &entry->service);
    header->redo.checksum = header_redo_checksum(entry->slot, &header->redo.image);
    atomic_store(&header->redo.slot, entry->slot + 1);
}

/* A sync, and then changes that no sync brings to the disk. */
static void make_history(struct history *history, struct ledger *ledger, struct dice *dice)
{
    for (size_t step = dice_below(dice, 800); step > 0; step--)
        ledger_step(ledger, dice);
    assert_true(registry_sync(ledger->registry, BEGIN));
    take_snapshot(history, ledger);
    while (history->count < SNAPSHOTS) {
        for (size_t step = dice_below(dice, 200); step > 0; step--)
            ledger_step(ledger, dice);
        take_snapshot(history, ledger);
        if (dice_chance(dice, 50))
            spoil_header(&history->files[history->count - 1], dice, ledger);
    }
}

/* Each page as it was at the sync or at any moment after it. */
static void lose_power(const struct history *history, struct dice *dice)
{
    struct blob file = blob_copy(&history->files[0]);
    unsigned stale = (unsigned)dice_below(dice, 101);
    for (size_t at = 0; at < file.size; at += PAGE_SIZE) {
        size_t number = dice_chance(dice, stale) ? 0 : dice_below(dice, SNAPSHOTS);
        memcpy(file.bytes + at, history->files[number].bytes + at, PAGE_SIZE);
    }
    blob_write(&file, den.file);
    blob_free(&file);
}

/* Whether the registry holds ENTRY's service as it was at the sync or at a later snapshot. */
static bool is_as_once(const struct history *history, const struct registry *registry, size_t i)
{
    struct ledger_entry entry = history->ledgers[0].entries[i];
    uint32_t slot = slot_of(registry, &entry.name);
    if (slot == SLOT_NONE)
        return false;
    int64_t last_seen = time_decode(atomic_load(registry_cell(registry, slot)));
    if (last_seen < entry.last_seen)
        return false;
    for (size_t number = 0; number < SNAPSHOTS; number++) {
        entry = history->ledgers[number].entries[i];
        entry.last_seen = last_seen; /* in a page of its own */
        if (ledger_agrees(registry, &entry))
            return true;
    }
    return false;
}

/* What was there at the sync and was not removed since. */
static void check_survivors(const struct history *history, const struct registry *registry)
{
    const struct ledger *first = &history->ledgers[0], *last = &history->ledgers[SNAPSHOTS - 1];
    for (size_t i = 0; i < first->count; i++) {
        const struct ledger_entry *entry = &first->entries[i];
        if (entry->present && last->entries[i].removals == entry->removals)
            check(is_as_once(history, registry, i), "%s is lost", entry->name.text);
    }
}

/* An engine takes up what is there, and each name once. */
static void check_engine(const struct history *history, struct registry *registry)
{
    struct engine_options options = engine_options_default();
    struct failure failure;
    struct engine *engine = engine_create(registry, &options, BEGIN, &failure);
    assert_non_null(engine);
    walk_engine(engine, TIME_NEVER);
    check_survivors(history, registry);
    engine_destroy(engine);
}

static void power_is_lost_at_any_moment(void **state)
{
    static struct ledger ledger;
    static struct history history;
    struct dice dice = {6};
    for (int round = 0; round < 25; round++) {
        ledger_init(&ledger, 100 + dice_below(&dice, LEDGER_MAX - 100));
        unlink(den.file);
        ledger.registry = den_open(&den, 1);
        make_history(&history, &ledger, &dice);
        registry_close(ledger.registry);
        for (int way = 0; way < 8; way++) {
            struct registry_report report;
            struct failure failure = {0};
            lose_power(&history, &dice);
            struct registry *registry = registry_open(den.directory, 1, &report, &failure);
            check(registry != NULL, "%s", failure.text);
            check(!report.set_aside, "round %d, %d: %s", round, way, report.damage);
            walk_registry(registry);
            check_survivors(&history, registry);
            assert_int_equal(registry_synced_until(registry), BEGIN);
            check_engine(&history, registry);
            registry_close(registry);
            registry_close(den_open(&den, 1));
        }
        forget(&history);
    }
}

/*
 * A service with a long name that came after the sync, of which one page reached the disk and the
 * other did not: the service is not there, and nothing is damaged.
 */
static void half_a_name_is_no_damage(void **state)
{
    for (int half = 0; half < 2; half++) {
        struct name name = name_of("push"), long_name = name_numbered(1, 50);
        struct service service = service_named(&name), long_one = service_named(&long_name);
        struct registry_report report;
        struct failure failure;
        unlink(den.file);
        struct registry *registry = den_open(&den, 1);
        /* Up to the last slot of a page, so that the two lie in different ones. */
        for (uint32_t slot = 0; slot < SLOTS_PER_PAGE - 1; slot++) {
            struct name other = name_numbered(slot, 12);
            struct service filler = service_named(&other);
            registry_add(registry, slot == 0 ? &service : &filler, BEGIN);
        }
        registry_sync(registry, BEGIN);
        uint32_t slot = registry_add(registry, &long_one, BEGIN);
        assert_int_equal(slot, SLOTS_PER_PAGE - 1);
        assert_int_equal(registry->links[slot], slot + 2);
        *bytes_of(registry, half == 0 ? slot : slot + 1) = (struct slot){{0}};
        registry_close(registry);
        registry = registry_open(den.directory, 1, &report, &failure);
        assert_non_null(registry);
        check(!report.set_aside, "half %d: %s", half, report.damage);
        assert_int_equal(walk_registry(registry), SLOTS_PER_PAGE - 1);
        assert_int_equal(slot_of(registry, &long_name), SLOT_NONE);
        assert_int_not_equal(slot_of(registry, &name), SLOT_NONE);
        registry_close(registry);
    }
}

/*
 * The file has grown, services are in the new segment, and then the header is as it was before:
 * they are lost, as no sync had come; but they do not rise again when the registry next grows.
 */
static void the_lost_do_not_come_back(void **state)
{
    struct registry *registry = den_open(&den, 2 * SEGMENT_SLOTS);
    struct name push = name_of("push"), other = name_of("other");
    struct service service = service_named(&push), filler = service_named(&other);
    assert_true(registry_sync(registry, BEGIN));
    struct blob before = blob_read(den.file);
    assert_int_equal(registry_grow(registry), REGISTRY_GROWN);
    registry_adopt(registry);
    for (uint32_t slot = 0; slot < SEGMENT_SLOTS + 10; slot++)
        registry_add(registry, &filler, BEGIN);
    assert_int_not_equal(registry_add(registry, &service, BEGIN), SLOT_NONE);
    registry_close(registry);

    struct blob after = blob_read(den.file);
    memcpy(after.bytes, before.bytes, before.size); /* the header, and all of the first segment */
    blob_write(&after, den.file);
    registry = den_open(&den, 2 * SEGMENT_SLOTS);
    assert_int_equal(walk_registry(registry), 0);
    assert_int_equal(registry_grow(registry), REGISTRY_GROWN);
    registry_adopt(registry);
    walk_registry(registry);
    registry_close(registry);
    registry = den_open(&den, 2 * SEGMENT_SLOTS);
    assert_int_equal(registry_slots(registry), 2 * SEGMENT_SLOTS);
    assert_int_equal(slot_of(registry, &push), SLOT_NONE);
    assert_int_equal(walk_registry(registry), 0);
    registry_close(registry);
    blob_free(&before);
    blob_free(&after);
}

#define IN_DEN(test) cmocka_unit_test_setup_teardown(test, make_den, remove_den)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        IN_DEN(a_write_that_is_interrupted), IN_DEN(a_redo_record_that_is_none),
        IN_DEN(rests_of_names_are_freed),    IN_DEN(killed_at_any_moment),
        IN_DEN(power_is_lost_at_any_moment), IN_DEN(half_a_name_is_no_damage),
        IN_DEN(the_lost_do_not_come_back),
    };
    return cmocka_run_group_tests_name("registry_crash", tests, NULL, NULL);
}
