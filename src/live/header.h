/*
 * header.h - the first page of the registry's file: what file this is, and what Kairós must know of
 * itself after a restart.
 *
 * Everything in it can be changed at any moment of a process that may be killed at any other: a
 * number by one store, a record by writing the copy that is not in use and switching over.
 */
#ifndef KAIROS_LIVE_HEADER_H
#define KAIROS_LIVE_HEADER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "gap.h"
#include "slot.h"

#define HEADER_SIZE 4096

/* What the file is. Never changes. */
struct header_identity {
    char magic[8];
    uint32_t version;
    uint32_t byte_order; /* 0x01020304 as this machine writes it */
    uint32_t header_size;
    uint32_t slot_size;
    uint32_t slots_per_page;
    uint32_t segment_slots;
    uint64_t checksum; /* of all before it */
};

struct header_clock {
    struct clock_memory memory;
    uint64_t checksum;
};

struct header_gap {
    uint64_t from, to; /* time_encode'd */
    uint32_t reason;
    uint32_t checksum;
};

/* A slot that is being written: should the process be killed meanwhile, it is written again. */
struct header_redo {
    _Atomic uint32_t slot; /* and 1; 0 if none is */
    uint32_t checksum;     /* of slot and image */
    struct slot image;
};

struct header {
    struct header_identity identity;
    _Atomic uint32_t segments; /* of the file, whole ones */
    _Atomic uint32_t clock_number;
    _Atomic uint32_t gap_count;              /* ever recorded */
    _Atomic uint64_t alive_at, synced_until; /* time_encode'd */
    struct header_clock clocks[2];           /* by clock_number: the other is free */
    struct header_gap gaps[GAPS_KEPT];
    struct header_redo redo;
};

_Static_assert(sizeof(struct header) <= HEADER_SIZE, "the header is one page");

/* Makes an all-zero page a header. */
void header_init(struct header *header);

enum header_result {
    HEADER_OK,
    HEADER_FOREIGN, /* no registry at all */
    HEADER_DAMAGED, /* a registry's, but its checksum is not right */
    HEADER_NEWER,   /* a later version's */
    HEADER_OTHER,   /* an earlier version's, or another kind of machine's */
};

/* Looks at what the header says the file is. */
enum header_result header_check(const struct header *header);

void header_keep_clock(struct header *header, const struct clock_memory *memory);

/* Returns false if none was kept, or it is damaged. */
bool header_clock(const struct header *header, struct clock_memory *memory);

void header_add_gap(struct header *header, const struct gap *gap);

/* The checksum of a redo record. */
uint32_t header_redo_checksum(uint32_t slot, const struct slot *image);

/* The slot that the redo record is about; SLOT_NONE if there is none, or it is damaged. */
uint32_t header_redo_slot(const struct header *header);

/* The gap numbered NUMBER; one that is damaged reads as one that lasts no time. */
struct gap header_gap(const struct header *header, uint32_t number);

#endif
