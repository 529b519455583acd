/*
 * registry.h - what Kairós knows of its services, in memory that outlives the program.
 *
 * One file in the data directory is mapped into memory: a header page, then segments of
 * SEGMENT_SLOTS slots each. A segment is a dense column of last-seen cells (8 bytes each) and
 * behind it the cold slots (slot.h). Segments are allocated on disk before they are mapped, at
 * fixed places, and never move. See docs/ARCHITECTURE.md, "The registry's file".
 *
 * A killed process loses nothing that was stored: the memory is the kernel's. What must change
 * together in a slot is written through a redo record in the header. A crash of the machine can
 * leave any page as it was at the last sync or later; no page depends on another.
 *
 * Slots are numbers from 0. Slots may be read and written by one thread at a time (the engine's
 * lock); cells, stamps and syncing have no such limit.
 */
#ifndef KAIROS_LIVE_REGISTRY_H
#define KAIROS_LIVE_REGISTRY_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "failure.h"
#include "gap.h"
#include "slot.h"

#define REGISTRY_VERSION 1

/* Whole pages of both kinds: 90 of cells, 1,024 of slots. */
#define SEGMENT_SLOTS (1024 * SLOTS_PER_PAGE)

/* No slot. */
#define SLOT_NONE UINT32_MAX

/* As many as 32 bits can number, in whole segments. */
#define REGISTRY_SLOTS_MAX (UINT32_MAX / SEGMENT_SLOTS * SEGMENT_SLOTS)

struct registry;

/* What opening found. */
struct registry_report {
    bool created;   /* there was no registry */
    bool set_aside; /* the file was damaged: it has a new name, and what was intact was copied */
    char aside[PATH_MAX + 128];
    const char *damage;  /* what was wrong with it */
    size_t saved;        /* services copied from it */
    const char *warning; /* of the file system, or NULL */
};

/*
 * Opens the registry in DIRECTORY, creates both if need be, and locks it against other processes;
 * room is reserved for SLOTS slots (addresses, not memory). Returns NULL and describes the failure:
 * another process has it, it was written by a newer version, or the system refuses.
 */
struct registry *registry_open(const char *directory, size_t slots, struct registry_report *report,
                               struct failure *failure);

/* Unmaps and unlocks, without syncing; accepts NULL. */
void registry_close(struct registry *registry);

/* ---- Slots ---- */

/* How many slots there are, used or free: all numbers below. */
uint32_t registry_slots(const struct registry *registry);

/* Bytes of its file. */
size_t registry_bytes(const struct registry *registry);

/* How many there can ever be: so much room was reserved. */
uint32_t registry_capacity(const struct registry *registry);

/* The last-seen cell of SLOT: a time_encode'd time. A store into it is a heartbeat kept. */
_Atomic uint64_t *registry_cell(const struct registry *registry, uint32_t slot);

/*
 * Stores CODE, a time_encode'd time, into the cell of SLOT unless that has a newer one. Returns
 * what is in the cell then. The one way to enter a heartbeat, for any thread.
 */
uint64_t registry_see(const struct registry *registry, uint32_t slot, uint64_t code);

/* Asks for the memory of SLOT and its cell. */
void registry_prefetch(const struct registry *registry, uint32_t slot);

/* What is in SLOT. */
enum slot_use registry_use(const struct registry *registry, uint32_t slot);

/* Reads the service in SLOT, which must be one. */
void registry_load(const struct registry *registry, uint32_t slot, struct service *service);

/* Whether the service in SLOT is called NAME, padded with NULs to whole words. */
bool registry_has_name(const struct registry *registry, uint32_t slot, const char *name,
                       size_t length);

/*
 * Puts a new service into a free slot, with the time of its last heartbeat. Returns the slot, or
 * SLOT_NONE when the registry has to grow first.
 */
uint32_t registry_add(struct registry *registry, const struct service *service, int64_t last_seen);

/*
 * Replaces what is kept of the service in SLOT, wholly or not at all should the process be killed
 * meanwhile. Its name must be the same.
 */
void registry_store(struct registry *registry, uint32_t slot, const struct service *service);

/* Frees SLOT. */
void registry_remove(struct registry *registry, uint32_t slot);

/* Slots that registry_add can still use. */
size_t registry_free(const struct registry *registry);

enum registry_growth {
    REGISTRY_GROWN,
    REGISTRY_NO_SPACE, /* the disk is full, or the file may not grow; errno tells */
    REGISTRY_AT_LIMIT, /* the room reserved is used up */
};

/*
 * Allocates one more segment on the disk and maps it: slow, and to be called without the engine's
 * lock. registry_adopt then makes it part of the registry, under that lock. At most one thread
 * grows at a time; a second one waits.
 */
enum registry_growth registry_grow(struct registry *registry);
void registry_adopt(struct registry *registry);

/* ---- Gaps, stamps, syncing ---- */

/* How many gaps were ever recorded; the newest is registry_gap(registry, count). */
uint32_t registry_gap_count(const struct registry *registry);

/* The gap numbered NUMBER, from 1; the newest GAPS_KEPT are kept. */
struct gap registry_gap(const struct registry *registry, uint32_t number);

void registry_add_gap(struct registry *registry, const struct gap *gap);

/* Stamps that the program is alive, and can hear, at TIME. */
void registry_stamp_alive(struct registry *registry, int64_t time);

/* Keeps what the clock needs for the next start. */
void registry_keep_clock(struct registry *registry, const struct clock_memory *memory);

/* What was kept before this start; returns false if there is nothing. */
bool registry_clock(const struct registry *registry, struct clock_memory *memory);

/* The last `alive_at`, and up to when all had reached the disk; TIME_NEVER before the first. */
int64_t registry_alive_at(const struct registry *registry);
int64_t registry_synced_until(const struct registry *registry);

/*
 * Brings all that is stored to the disk, and then records HEARD as synced_until: up to when, before
 * this began, all was heard. Returns false, with errno, if that failed; synced_until then stays for
 * good: what the disk holds is unknown from then on.
 */
bool registry_sync(struct registry *registry, int64_t heard);

/* errno of the sync that failed, or 0. */
int registry_sync_error(const struct registry *registry);

#endif
