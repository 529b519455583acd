#include "live_support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* As wheel.c has them. */
#define LINK_HEAD UINT32_C(0x80000000)
#define HEAD_DUE  (WHEEL_LEVELS * WHEEL_SLOTS)

/* ---- Directories and files ---- */

void den_init(struct den *den)
{
    const char *base = getenv("TMPDIR");
    snprintf(den->directory, sizeof(den->directory), "%s/kairos-live-XXXXXX",
             base != NULL && base[0] != '\0' ? base : "/tmp");
    check(mkdtemp(den->directory) != NULL, "%s: %s", den->directory, strerror(errno));
    snprintf(den->file, sizeof(den->file), "%s/registry", den->directory);
    snprintf(den->lock, sizeof(den->lock), "%s/lock", den->directory);
}

static void remove_all(int parent, const char *path)
{
    int fd = openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    assert_true(fd >= 0);
    DIR *directory = fdopendir(fd);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(fd, entry->d_name, 0) != 0 && (errno == EISDIR || errno == EPERM))
            remove_all(fd, entry->d_name);
    }
    closedir(directory);
    unlinkat(parent, path, AT_REMOVEDIR);
}

void den_finish(struct den *den)
{
    remove_all(AT_FDCWD, den->directory);
    assert_int_not_equal(access(den->directory, F_OK), 0);
}

size_t den_count(const struct den *den, const char *prefix)
{
    size_t count = 0;
    DIR *directory = opendir(den->directory);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    closedir(directory);
    return count;
}

struct blob blob_read(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    check(fd >= 0 && fstat(fd, &status) == 0, "%s: %s", path, strerror(errno));
    struct blob blob = {.bytes = malloc((size_t)status.st_size + 1),
                        .size = (size_t)status.st_size};
    assert_non_null(blob.bytes);
    assert_int_equal(read(fd, blob.bytes, blob.size), blob.size);
    close(fd);
    return blob;
}

void blob_write(const struct blob *blob, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(fd >= 0, "%s: %s", path, strerror(errno));
    assert_int_equal(write(fd, blob->bytes, blob->size), blob->size);
    assert_int_equal(close(fd), 0);
}

struct blob blob_copy(const struct blob *blob)
{
    struct blob copy = {.bytes = malloc(blob->size + 1), .size = blob->size};
    assert_non_null(copy.bytes);
    memcpy(copy.bytes, blob->bytes, blob->size);
    return copy;
}

bool blob_equals(const struct blob *a, const struct blob *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

void blob_free(struct blob *blob)
{
    free(blob->bytes);
    *blob = (struct blob){0};
}

struct registry *den_open(const struct den *den, size_t slots)
{
    struct registry_report report;
    struct failure failure = {0};
    struct registry *registry = registry_open(den->directory, slots, &report, &failure);
    check(registry != NULL, "%s", failure.text);
    check(!report.set_aside && report.damage == NULL, "%s", report.damage);
    return registry;
}

/* ---- Services ---- */

struct name name_of(const char *text)
{
    struct name name = {.length = strlen(text)};
    assert_true(name.length <= KAIROS_SERVICE_MAX);
    memcpy(name.text, text, name.length);
    return name;
}

struct name name_numbered(size_t number, size_t length)
{
    struct name name = {.length = length};
    char digits[24];
    assert_true(length >= 10 && length <= KAIROS_SERVICE_MAX);
    memset(name.text, 'n', length);
    snprintf(digits, sizeof(digits), "%010zu", number);
    memcpy(name.text + length - 10, digits, 10);
    return name;
}

struct service service_named(const struct name *name)
{
    struct service service = {
        .length = (uint8_t)name->length,
        .expectation = {.policy = kairos_policy_default(),
                        .anchor = TIME_NEVER,
                        .listening_since = TIME_NEVER},
        .run_started = TIME_NEVER,
        .incident_started = TIME_NEVER,
    };
    memcpy(service.name, name->text, name->length);
    return service;
}

static int64_t random_time(struct dice *dice)
{
    static const int64_t times[] = {TIME_NEVER, KAIROS_TIME_MIN, KAIROS_TIME_MAX, -1, 0, BEGIN};
    if (dice_chance(dice, 50))
        return times[dice_below(dice, COUNT_OF(times))];
    return dice_between(dice, KAIROS_TIME_MIN, KAIROS_TIME_MAX);
}

static int64_t random_duration(struct dice *dice, int64_t least)
{
    int64_t longest = 366 * KAIROS_DAY / KAIROS_MILLISECOND;
    least /= KAIROS_MILLISECOND;
    if (dice_chance(dice, 30))
        return (dice_chance(dice, 50) ? least : longest) * KAIROS_MILLISECOND;
    return dice_between(dice, least, longest) * KAIROS_MILLISECOND;
}

/* From 0 to HIGH, often one of both. */
static uint32_t random_number(struct dice *dice, uint32_t high)
{
    if (dice_chance(dice, 30))
        return dice_chance(dice, 50) ? 0 : high;
    return (uint32_t)dice_between(dice, 0, high);
}

struct service random_service(struct dice *dice, const struct name *name)
{
    struct service service = service_named(name);
    service.declared = dice_chance(dice, 50);
    service.paused = dice_chance(dice, 50);
    service.expectation = (struct expectation){
        .policy =
            {
                .interval = random_duration(dice, KAIROS_MILLISECOND),
                .tolerance = random_duration(dice, 0),
                .allowed_misses = 1 + random_number(dice, KAIROS_ALLOWED_MISSES_MAX - 1),
            },
        .anchor = random_time(dice),
        .listening_since = random_time(dice),
        .misses_before = random_number(dice, KAIROS_ALLOWED_MISSES_MAX),
    };
    if (service.expectation.anchor == TIME_NEVER ||
        service.expectation.listening_since == TIME_NEVER)
        service.expectation.anchor = service.expectation.listening_since = TIME_NEVER;
    service.max_runtime = random_duration(dice, 0);
    service.run_started = random_time(dice);
    service.gap_number = (uint8_t)random_number(dice, UINT8_MAX);
    service.incident_started = random_time(dice);
    service.incident_kind = (enum incident_kind)dice_below(dice, INCIDENT_OVERRUN + 1);
    service.raised_after = random_number(dice, UINT32_MAX);
    service.alerts_before = random_number(dice, (1 << 28) - 1);
    service.fails = (uint16_t)random_number(dice, UINT16_MAX);
    return service;
}

void check_same_service(const struct service *a, const struct service *b)
{
    const struct expectation *x = &a->expectation, *y = &b->expectation;
    assert_memory_equal(a->name, b->name, KAIROS_SERVICE_SIZE);
    assert_int_equal(a->length, b->length);
    assert_int_equal(a->declared, b->declared);
    assert_int_equal(a->paused, b->paused);
    assert_int_equal(x->policy.interval, y->policy.interval);
    assert_int_equal(x->policy.tolerance, y->policy.tolerance);
    assert_int_equal(x->policy.allowed_misses, y->policy.allowed_misses);
    assert_int_equal(x->anchor, y->anchor);
    assert_int_equal(x->listening_since, y->listening_since);
    assert_int_equal(x->misses_before, y->misses_before);
    assert_int_equal(a->max_runtime, b->max_runtime);
    assert_int_equal(a->run_started, b->run_started);
    assert_int_equal(a->gap_number, b->gap_number);
    assert_int_equal(a->incident_started, b->incident_started);
    assert_int_equal(a->incident_kind, b->incident_kind);
    assert_int_equal(a->raised_after, b->raised_after);
    assert_int_equal(a->alerts_before, b->alerts_before);
    assert_int_equal(a->fails, b->fails);
}

uint32_t slot_of(const struct registry *registry, const struct name *name)
{
    for (uint32_t slot = 0; slot < registry->unused; slot++) {
        if (registry_use(registry, slot) == SLOT_SERVICE &&
            registry_has_name(registry, slot, name->text, name->length))
            return slot;
    }
    return SLOT_NONE;
}

/* ---- The wheel ---- */

/* The tick at which the slot HEAD of WHEEL comes up next. */
static int64_t tick_of_head(const struct wheel *wheel, uint32_t head)
{
    if (head == HEAD_DUE)
        return wheel->tick;
    unsigned level = head / WHEEL_SLOTS, shift = WHEEL_BITS * level;
    int64_t first = (wheel->tick >> shift) + (level > 0);
    int64_t steps = (int64_t)(((uint64_t)head - (uint64_t)first) % WHEEL_SLOTS);
    return (first + steps) * (INT64_C(1) << shift);
}

static uint32_t walk_list(const struct wheel *wheel, uint32_t head, int64_t *comes_up)
{
    uint32_t count = 0, before = LINK_HEAD | head;
    int64_t tick = tick_of_head(wheel, head);
    for (uint32_t link = wheel->heads[head]; link != 0; link = wheel->links[link - 1].next) {
        uint32_t entry = link - 1;
        assert_true(entry < wheel->capacity);
        check(comes_up[entry] == INT64_MAX, "entry %u is in two places", entry);
        check(wheel->links[entry].previous == before, "entry %u does not link back", entry);
        comes_up[entry] = tick;
        before = link;
        count++;
    }
    return count;
}

uint32_t walk_wheel(const struct wheel *wheel, int64_t *comes_up)
{
    int64_t *ticks = comes_up != NULL ? comes_up : malloc(wheel->capacity * sizeof(ticks[0]));
    uint32_t count = 0;
    assert_non_null(ticks);
    for (uint32_t entry = 0; entry < wheel->capacity; entry++)
        ticks[entry] = INT64_MAX;
    for (uint32_t head = 0; head <= HEAD_DUE; head++) {
        uint32_t length = walk_list(wheel, head, ticks);
        count += length;
        if (head == HEAD_DUE)
            continue;
        uint64_t word = wheel->occupied[head / WHEEL_SLOTS][head % WHEEL_SLOTS / 64];
        check((word >> (head % 64) & 1) == (length > 0), "the bit of slot %u is wrong", head);
    }
    for (uint32_t entry = 0; entry < wheel->capacity; entry++) {
        if (ticks[entry] == INT64_MAX)
            assert_true(wheel->links[entry].next == 0 && wheel->links[entry].previous == 0);
    }
    if (comes_up == NULL)
        free(ticks);
    return count;
}

/* ---- The index ---- */

/* Every entry can be found from its home on, without a free one between. */
static uint32_t walk_shard(const struct index_shard *shard, bool *seen, uint32_t slots)
{
    const struct index_entry *entries = atomic_load(&shard->entries);
    uint32_t mask = atomic_load(&shard->mask), used = 0;
    assert_int_equal(mask & (mask + 1), 0);
    for (uint32_t i = 0; i <= mask; i++) {
        if (entries[i].slot == 0)
            continue;
        uint32_t slot = entries[i].slot - 1;
        check(slot < slots && !seen[slot], "slot %u is there twice, or is none", slot);
        seen[slot] = true;
        for (uint32_t j = entries[i].tag & mask; j != i; j = (j + 1) & mask)
            check(entries[j].slot != 0, "slot %u cannot be found", slot);
        used++;
    }
    assert_int_equal(used, shard->used);
    assert_true((uint64_t)used * 4 <= ((uint64_t)mask + 1) * 3);
    return used;
}

size_t walk_index(struct index *index)
{
    uint32_t slots = registry_slots(index->registry);
    bool *seen = calloc(slots, sizeof(seen[0]));
    size_t count = 0;
    assert_non_null(seen);
    for (size_t i = 0; i < INDEX_SHARDS; i++)
        count += walk_shard(&index->shards[i], seen, slots);
    free(seen);
    return count;
}

/* ---- The registry ---- */

static const struct slot *slot_at(const struct registry *registry, uint32_t slot)
{
    return map_slot(registry->base, slot);
}

/* Marks the free slots that are linked. */
static size_t walk_released(const struct registry *registry, bool *released)
{
    size_t count = 0;
    for (uint32_t link = registry->released; link != 0; link = registry->links[link - 1]) {
        uint32_t slot = link - 1;
        assert_true(slot < registry->unused);
        check(!released[slot], "slot %u is released twice", slot);
        released[slot] = true;
        count++;
    }
    assert_int_equal(count, registry->released_count);
    return count;
}

static void check_free(const struct registry *registry, uint32_t slot)
{
    static const struct slot nothing;
    check(memcmp(slot_at(registry, slot), &nothing, SLOT_SIZE) == 0, "slot %u is not empty", slot);
}

/* What a service's slot holds is right, and its continuation is its own. */
static void check_service(const struct registry *registry, uint32_t slot)
{
    struct service service, loaded;
    uint32_t owner, link = registry->links[slot];
    const struct slot *second = link == 0 ? NULL : slot_at(registry, link - 1);
    check(slot_decode(slot_at(registry, slot), second, &service), "slot %u is damaged", slot);
    assert_int_equal(slot_name_is_long(service.length), link != 0);
    if (link != 0)
        assert_true(slot_owner(second, &owner) && owner == slot);
    registry_load(registry, slot, &loaded);
    check_same_service(&service, &loaded);
    assert_true(registry_has_name(registry, slot, service.name, service.length));
    assert_true(atomic_load(registry_cell(registry, slot)) <= time_encode(KAIROS_TIME_MAX));
}

size_t walk_registry(const struct registry *registry)
{
    uint32_t slots = registry_slots(registry), used = 0;
    bool *released = calloc(slots, sizeof(released[0]));
    size_t services = 0, names = 0, continued = 0;
    assert_non_null(released);
    assert_true(slots > 0 && slots <= registry_capacity(registry) && registry->unused <= slots);
    size_t free_slots = walk_released(registry, released);
    for (uint32_t slot = 0; slot < slots; slot++) {
        enum slot_use use = registry_use(registry, slot);
        check((use == SLOT_FREE) == (slot >= registry->unused || released[slot]),
              "slot %u is free and in use", slot);
        if (use == SLOT_FREE)
            check_free(registry, slot);
        if (use == SLOT_SERVICE) {
            check_service(registry, slot);
            continued += registry->links[slot] != 0;
        }
        used += use != SLOT_FREE;
        services += use == SLOT_SERVICE;
        names += use == SLOT_NAME;
    }
    assert_int_equal(names, continued);
    assert_int_equal(used + free_slots, registry->unused);
    assert_int_equal(registry_free(registry), slots - used);
    assert_int_equal(atomic_load(&registry->header->redo.slot), 0);
    free(released);
    return services;
}

/* ---- The engine ---- */

/* The state that a service has, but for UP and LATE, which are LATE for those with a miss. */
static enum state state_at(const struct watched *watched, int64_t judged)
{
    const struct service *service = &watched->service;
    if (service->paused)
        return STATE_PAUSED;
    if (watched_has_incident(watched))
        return STATE_DOWN;
    if (watched->last_seen == TIME_NEVER)
        return STATE_NEW;
    if (watched_is_running(watched))
        return STATE_RUNNING;
    return expectation_misses(&service->expectation, watched->last_seen, judged) > 0 ? STATE_LATE
                                                                                     : STATE_UP;
}

/*
 * Whether a service may be in STATE. Before it is looked at, it may be up that has missed a
 * heartbeat, and running whose run was forgotten in a gap.
 */
static bool fits(const struct engine *engine, const struct watched *watched, enum state state,
                 int64_t judged)
{
    enum state right = state_at(watched, judged != TIME_NEVER ? judged : engine->judged_until);
    if (state == right)
        return true;
    return judged == TIME_NEVER && (right == STATE_UP || right == STATE_LATE) &&
           (state == STATE_UP || state == STATE_RUNNING);
}

/* When the service is forgotten, INT64_MAX if never. */
static int64_t forget_at(const struct engine *engine, const struct watched *watched)
{
    const struct service *service = &watched->service;
    int64_t since = service->run_started;
    if (watched->last_seen != TIME_NEVER)
        since = watched->last_seen > service->expectation.anchor
                    ? watched->last_seen
                    : service->expectation.listening_since;
    bool kept = engine->options.forget_after == 0 || service->declared || since == TIME_NEVER;
    return kept ? INT64_MAX : since + engine->options.forget_after;
}

/* When the service can change its status next, as time passes. */
static int64_t next_change(const struct engine *engine, const struct watched *watched,
                           enum state state)
{
    const struct service *service = &watched->service;
    int64_t overrun = INT64_MAX;
    if (watched_is_running(watched))
        overrun = service->run_started + service->max_runtime;
    switch (state) {
    case STATE_NEW: /* a run may be under way */
        return overrun < forget_at(engine, watched) ? overrun : forget_at(engine, watched);
    case STATE_RUNNING:
        if (watched_is_running(watched))
            return overrun;
        return expectation_late_after(&service->expectation, watched->last_seen);
    case STATE_UP:
        return expectation_late_after(&service->expectation, watched->last_seen);
    case STATE_LATE:
        return expectation_alert_after(&service->expectation, watched->last_seen);
    case STATE_DOWN:
        return forget_at(engine, watched);
    default:
        return INT64_MAX;
    }
}

static void check_watched(struct engine *engine, uint32_t slot, const int64_t *comes_up,
                          int64_t judged)
{
    struct watched watched;
    enum state state = engine->states[slot];
    watched_load(engine, &watched, slot);
    const struct service *service = &watched.service;
    check(fits(engine, &watched, state, judged), "slot %u, %s, has not its state %d", slot,
          service->name, (int)state);
    uint64_t hash = index_hash(&engine->index, service->name, service->length);
    check(index_find(&engine->index, service->name, service->length, hash) == slot,
          "%s is not found", service->name);
    int64_t next = next_change(engine, &watched, state);
    if (next == INT64_MAX)
        return;
    /* Nothing is judged before the end of the last gap. */
    int64_t tick = next >> WHEEL_TICK_BITS, heard = engine->fresh_from >> WHEEL_TICK_BITS;
    tick = tick > engine->wheel.tick ? tick : engine->wheel.tick;
    tick = tick > heard ? tick : heard;
    check(comes_up[slot] <= tick, "slot %u, %s, in state %d, is looked at %jd ticks late", slot,
          service->name, (int)state, (intmax_t)(comes_up[slot] - tick));
}

void walk_engine(struct engine *engine, int64_t judged)
{
    uint32_t slots = registry_slots(engine->registry);
    int64_t *comes_up = malloc(engine->wheel.capacity * sizeof(comes_up[0]));
    uint64_t services[STATE_COUNT] = {0};
    assert_non_null(comes_up);
    assert_int_equal(engine->states_size, engine->wheel.capacity);
    assert_true(slots <= engine->wheel.capacity);
    size_t count = walk_registry(engine->registry);
    assert_int_equal(walk_index(&engine->index), count);
    walk_wheel(&engine->wheel, comes_up);
    for (uint32_t slot = 0; slot < engine->wheel.capacity; slot++) {
        enum state state = engine->states[slot];
        bool used = slot < slots && registry_use(engine->registry, slot) == SLOT_SERVICE;
        check(used == (state != STATE_NONE), "slot %u has the state %d", slot, (int)state);
        check(used || comes_up[slot] == INT64_MAX, "slot %u is free and in the wheel", slot);
        if (!used)
            continue;
        services[state]++;
        check_watched(engine, slot, comes_up, judged);
    }
    for (int state = STATE_NEW; state < STATE_COUNT; state++)
        assert_int_equal(services[state], engine->services[state]);
    assert_int_equal(atomic_load(&engine->waiting), 0);
    free(comes_up);
}
