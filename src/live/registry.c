/*
 * registry.c - the mapped file: its segments, their slots and cells, and how they reach the disk.
 * How it is opened, and what is done with a damaged one, stands in registry_open.c.
 */
#include "registry_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void registry_close(struct registry *registry)
{
    if (registry == NULL)
        return;
    if (registry->base != NULL)
        munmap(registry->base, registry->reserved);
    if (registry->links != NULL)
        munmap(registry->links, registry->links_size);
    if (registry->file >= 0)
        close(registry->file);
    if (registry->lock >= 0)
        close(registry->lock); /* and so unlocks */
    pthread_mutex_destroy(&registry->growing);
    free(registry);
}

uint32_t registry_slots(const struct registry *registry)
{
    return atomic_load_explicit(&registry->segments, memory_order_acquire) * SEGMENT_SLOTS;
}

size_t registry_bytes(const struct registry *registry)
{
    return map_size(atomic_load_explicit(&registry->segments, memory_order_acquire));
}

uint32_t registry_capacity(const struct registry *registry)
{
    return (uint32_t)(registry->reserved / SEGMENT_SIZE) * SEGMENT_SLOTS;
}

_Atomic uint64_t *registry_cell(const struct registry *registry, uint32_t slot)
{
    return map_cell(registry->base, slot);
}

uint64_t registry_see(const struct registry *registry, uint32_t slot, uint64_t code)
{
    _Atomic uint64_t *cell = registry_cell(registry, slot);
    uint64_t found = atomic_load_explicit(cell, memory_order_relaxed);
    while (found < code) {
        if (atomic_compare_exchange_weak(cell, &found, code))
            return code;
    }
    return found;
}

void registry_prefetch(const struct registry *registry, uint32_t slot)
{
    const struct slot *cold = map_slot(registry->base, slot);
    __builtin_prefetch(registry_cell(registry, slot), 1);
    __builtin_prefetch(cold);
    __builtin_prefetch(cold->bytes + SLOT_SIZE - 1);
}

/* The continuation of a long name; NULL for others. */
static const struct slot *continuation_of(const struct registry *registry, uint32_t slot)
{
    uint32_t link = registry->links[slot];
    return link == 0 ? NULL : map_slot(registry->base, link - 1);
}

enum slot_use registry_use(const struct registry *registry, uint32_t slot)
{
    return slot_use(map_slot(registry->base, slot));
}

void registry_load(const struct registry *registry, uint32_t slot, struct service *service)
{
    slot_read(map_slot(registry->base, slot), continuation_of(registry, slot), service);
}

bool registry_has_name(const struct registry *registry, uint32_t slot, const char *name,
                       size_t length)
{
    const struct slot *continuation =
        slot_name_is_long(length) ? continuation_of(registry, slot) : NULL;
    return slot_has_name(map_slot(registry->base, slot), continuation, name, length);
}

/* ---- Writing ---- */

/* What was written before stays before, also for a signal that ends the process here. */
static void in_order(void)
{
    atomic_signal_fence(memory_order_seq_cst);
}

/* Replaces the first SIZE bytes of SLOT by those of NEW; the others are the same already. */
static void write_slot(struct registry *registry, uint32_t slot, const struct slot *new,
                       size_t size)
{
    struct header_redo *redo = &registry->header->redo;
    redo->image = *new;
    redo->checksum = header_redo_checksum(slot, new);
    in_order();
    atomic_store_explicit(&redo->slot, slot + 1, memory_order_relaxed);
    in_order();
    memcpy(map_slot(registry->base, slot)->bytes, new->bytes, size);
    in_order();
    atomic_store_explicit(&redo->slot, 0, memory_order_relaxed);
    in_order();
}

void registry_store(struct registry *registry, uint32_t slot, const struct service *service)
{
    /* Whoever compares names, without this lock, finds them untouched. */
    struct slot new;
    slot_encode(&new, service);
    write_slot(registry, slot, &new, SLOT_STATE_SIZE);
}

static uint32_t take(struct registry *registry)
{
    uint32_t slot;
    if (registry->released != 0) {
        slot = registry->released - 1;
        registry->released = registry->links[slot];
        registry->links[slot] = 0;
        registry->released_count--;
        return slot;
    }
    if (registry->unused == registry_slots(registry))
        return SLOT_NONE;
    return registry->unused++;
}

static void release(struct registry *registry, uint32_t slot)
{
    static const struct slot nothing;
    write_slot(registry, slot, &nothing, SLOT_SIZE);
    /* Should the page of the next service's cell be lost, it is no heir. */
    atomic_store(registry_cell(registry, slot), time_encode(TIME_NEVER));
    registry->links[slot] = registry->released;
    registry->released = slot + 1;
    registry->released_count++;
}

/* Gives the service that will be in SLOT a second one for the rest of its name. */
static bool add_continuation(struct registry *registry, const struct service *service,
                             uint32_t slot)
{
    uint32_t second = take(registry);
    if (second == SLOT_NONE)
        return false;
    struct slot new;
    slot_encode_name(&new, service, slot);
    write_slot(registry, second, &new, SLOT_SIZE);
    registry->links[slot] = second + 1;
    return true;
}

uint32_t registry_add(struct registry *registry, const struct service *service, int64_t last_seen)
{
    if (registry_free(registry) < (slot_name_is_long(service->length) ? 2 : 1))
        return SLOT_NONE;
    uint32_t slot = take(registry);
    if (slot_name_is_long(service->length))
        add_continuation(registry, service, slot);
    struct slot new;
    slot_encode(&new, service);
    atomic_store_explicit(registry_cell(registry, slot), time_encode(last_seen),
                          memory_order_relaxed);
    write_slot(registry, slot, &new, SLOT_SIZE);
    return slot;
}

void registry_remove(struct registry *registry, uint32_t slot)
{
    uint32_t second = registry->links[slot];
    release(registry, slot);
    if (second != 0)
        release(registry, second - 1);
}

size_t registry_free(const struct registry *registry)
{
    return registry->released_count + registry_slots(registry) - registry->unused;
}

/* ---- Growing ---- */

/* The system tells a failed write once, to whoever syncs next. Returns false. */
static bool note_sync_error(struct registry *registry)
{
    atomic_store(&registry->sync_error, errno);
    return false;
}

/* Allocates a segment on the disk and maps it; errno tells why not. */
static bool add_segment(struct registry *registry, off_t begin)
{
    /* A crash of the machine may have left something behind the end. */
    if (ftruncate(registry->file, begin) != 0)
        return false;
    int error = posix_fallocate(registry->file, begin, SEGMENT_SIZE);
    if (error != 0) {
        errno = error;
        return false;
    }
    if (fsync(registry->file) != 0)
        return note_sync_error(registry);
    return mmap(registry->base + begin, SEGMENT_SIZE, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_FIXED, registry->file, begin) != MAP_FAILED;
}

/* Before a slot of a segment is used, the header on the disk says that there is one. */
static bool count_segment(struct registry *registry)
{
    atomic_store(&registry->header->segments, registry->mapped + 1);
    if (msync(registry->base, HEADER_SIZE, MS_SYNC) == 0)
        return true;
    atomic_store(&registry->header->segments, registry->mapped);
    return note_sync_error(registry);
}

enum registry_growth registry_grow(struct registry *registry)
{
    enum registry_growth growth = REGISTRY_GROWN;
    pthread_mutex_lock(&registry->growing);
    off_t begin = (off_t)map_size(registry->mapped);
    if (registry->mapped > atomic_load(&registry->segments)) {
        growth = REGISTRY_GROWN; /* by another thread, just now */
    } else if (map_size(registry->mapped + 1) > registry->reserved) {
        growth = REGISTRY_AT_LIMIT;
    } else if (add_segment(registry, begin) && count_segment(registry)) {
        registry->mapped++;
    } else {
        int error = errno;
        (void)!ftruncate(registry->file, begin); /* gives back what was allocated of it */
        errno = error;
        growth = REGISTRY_NO_SPACE;
    }
    pthread_mutex_unlock(&registry->growing);
    return growth;
}

void registry_adopt(struct registry *registry)
{
    atomic_store_explicit(&registry->segments, atomic_load(&registry->mapped),
                          memory_order_release);
}

/* ---- Gaps, stamps, syncing ---- */

uint32_t registry_gap_count(const struct registry *registry)
{
    return atomic_load(&registry->header->gap_count);
}

struct gap registry_gap(const struct registry *registry, uint32_t number)
{
    return header_gap(registry->header, number);
}

void registry_add_gap(struct registry *registry, const struct gap *gap)
{
    header_add_gap(registry->header, gap);
}

void registry_stamp_alive(struct registry *registry, int64_t time)
{
    atomic_store_explicit(&registry->header->alive_at, time_encode(time), memory_order_relaxed);
}

void registry_keep_clock(struct registry *registry, const struct clock_memory *memory)
{
    header_keep_clock(registry->header, memory);
}

bool registry_clock(const struct registry *registry, struct clock_memory *memory)
{
    return header_clock(registry->header, memory);
}

int64_t registry_alive_at(const struct registry *registry)
{
    return time_decode(atomic_load(&registry->header->alive_at));
}

int64_t registry_synced_until(const struct registry *registry)
{
    return time_decode(atomic_load(&registry->header->synced_until));
}

bool registry_sync(struct registry *registry, int64_t heard)
{
    size_t size = map_size(atomic_load(&registry->segments));
    if (atomic_load(&registry->sync_error) != 0) {
        errno = atomic_load(&registry->sync_error);
        return false;
    }
    if (msync(registry->base, size, MS_SYNC) == 0) {
        atomic_store(&registry->header->synced_until, time_encode(heard));
        if (msync(registry->base, HEADER_SIZE, MS_SYNC) == 0)
            return true;
    }
    return note_sync_error(registry);
}

int registry_sync_error(const struct registry *registry)
{
    return atomic_load(&registry->sync_error);
}
