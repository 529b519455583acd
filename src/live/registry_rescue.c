/*
 * registry_rescue.c - what is done with a damaged registry: whatever is intact of it is copied into
 * a new file, and only when that is whole and on the disk does it take the old one's place, which
 * gets a new name and keeps its bytes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "registry_map.h"

/* The damaged file in private memory; what it lacks of whole segments is zero. */
struct wreck {
    char *base;
    size_t size;
    uint32_t segments;
    uint32_t slots;
};

static bool wreck_open(struct wreck *wreck, int fd, size_t size)
{
    size_t behind = size > HEADER_SIZE ? size - HEADER_SIZE : 0;
    uint32_t segments = (uint32_t)((behind + SEGMENT_SIZE - 1) / SEGMENT_SIZE);
    wreck->segments = segments > 0 ? segments : 1;
    wreck->slots = wreck->segments * SEGMENT_SLOTS;
    wreck->size = map_size(wreck->segments);
    wreck->base = mmap(NULL, wreck->size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (wreck->base == MAP_FAILED)
        return false;
    return size == 0 || mmap(wreck->base, size, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, fd, 0) != MAP_FAILED;
}

static void wreck_close(struct wreck *wreck)
{
    if (wreck->base != MAP_FAILED)
        munmap(wreck->base, wreck->size);
}

/* What is known of Kairós itself; without it, the newest heartbeat says when it could hear last. */
static void save_header(struct registry *registry, const struct wreck *wreck, uint64_t newest)
{
    const struct header *old = (const struct header *)wreck->base;
    struct header *header = registry->header;
    if (header_check(old) == HEADER_OK) {
        uint32_t segments = atomic_load(&header->segments);
        memcpy(header, old, sizeof(*header));
        atomic_store(&header->segments, segments);
        atomic_store(&header->redo.slot, 0);
        return;
    }
    atomic_store(&header->alive_at, newest);
    atomic_store(&header->synced_until, newest);
}

/* Copies the service in SLOT, with the rest of its name in SECOND, if it is intact. */
static bool save_service(struct registry *registry, const struct wreck *wreck, uint32_t slot,
                         uint32_t second)
{
    struct service service;
    const struct slot *old = map_slot(wreck->base, slot);
    const struct slot *name = second == SLOT_NONE ? NULL : map_slot(wreck->base, second);
    uint64_t cell = atomic_load(map_cell(wreck->base, slot));
    if (!slot_decode(old, name, &service) || cell > time_encode(KAIROS_TIME_MAX))
        return false;
    *map_slot(registry->base, slot) = *old;
    if (name != NULL)
        *map_slot(registry->base, second) = *name;
    atomic_store(map_cell(registry->base, slot), cell);
    return true;
}

/* Completes what the process was killed in the midst of, if the header can be believed. */
static void redo(const struct wreck *wreck)
{
    const struct header *header = (const struct header *)wreck->base;
    uint32_t slot = header_check(header) == HEADER_OK ? header_redo_slot(header) : SLOT_NONE;
    if (slot < wreck->slots)
        *map_slot(wreck->base, slot) = header->redo.image;
}

/* Copies all that is intact, slot by slot to the same places. Returns how many services. */
static size_t save(struct registry *registry, const struct wreck *wreck)
{
    size_t saved = 0;
    uint64_t newest = 0;
    redo(wreck);
    for (uint32_t slot = 0; slot < wreck->slots; slot++) {
        uint32_t owner = slot, second = SLOT_NONE;
        enum slot_use use = slot_use(map_slot(wreck->base, slot));
        if (use == SLOT_NAME) {
            owner = map_owner(wreck->base, wreck->slots, slot);
            second = slot;
        }
        if (use == SLOT_FREE || owner == SLOT_NONE || !save_service(registry, wreck, owner, second))
            continue;
        uint64_t cell = atomic_load(map_cell(wreck->base, owner));
        newest = cell > newest ? cell : newest;
        saved++;
    }
    save_header(registry, wreck, newest);
    return saved;
}

/* Gives the damaged file a second name, for good. */
static bool set_aside(const struct paths *paths, struct registry_report *report,
                      struct failure *failure)
{
    char date[32];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &utc);
    for (int try = 0; try < 100; try++) {
        snprintf(report->aside, sizeof(report->aside), "%s.damaged-%s-%d", paths->file, date, try);
        if (link(paths->file, report->aside) == 0) {
            report->set_aside = true;
            return true;
        }
        if (errno != EEXIST)
            break;
    }
    return failure_set(failure, "%s is damaged, and cannot be set aside as %s: %s", paths->file,
                       report->aside, strerror(errno));
}

/* Fills the new file, which is mapped, and puts it into the damaged one's place. */
static bool replace(struct registry *registry, const struct paths *paths, const struct wreck *wreck,
                    struct registry_report *report, struct failure *failure)
{
    report->saved = save(registry, wreck);
    if (msync(registry->base, map_size(registry->mapped), MS_SYNC) != 0)
        return failure_set(failure, "cannot write %s: %s", paths->new_file, strerror(errno));
    if (!set_aside(paths, report, failure))
        return false;
    if (rename(paths->new_file, paths->file) != 0 || !paths_sync(paths))
        return failure_set(failure, "cannot replace %s: %s", paths->file, strerror(errno));
    return registry_take_stock(registry) ||
           failure_set(failure, "%s cannot be read back; is the disk broken?", paths->file);
}

bool registry_rescue(struct registry *registry, const struct paths *paths, size_t size,
                     struct registry_report *report, struct failure *failure)
{
    struct wreck wreck;
    int damaged = registry->file;
    bool done = false;
    registry->file = -1;
    if (!wreck_open(&wreck, damaged, size)) {
        failure_set(failure, "%s is damaged, and cannot be mapped: %s", paths->file,
                    strerror(errno));
    } else {
        registry->file = paths_create(paths, wreck.segments, failure);
        done = registry->file >= 0 && registry_map(registry, wreck.segments, failure) &&
               replace(registry, paths, &wreck, report, failure);
        if (!done)
            unlink(paths->new_file);
    }
    wreck_close(&wreck);
    close(damaged);
    return done;
}
