/*
 * registry_map.h - where everything lies in the registry's file and in the memory that maps it: for
 * the files that make up the registry, and for nobody else.
 *
 *   | header | cells … | slots …        | cells … | slots …        |
 *     1 page   90 pages  1,024 pages      second segment
 */
#ifndef KAIROS_LIVE_REGISTRY_MAP_H
#define KAIROS_LIVE_REGISTRY_MAP_H

#include <pthread.h>

#include "header.h"
#include "registry.h"

#define PAGE_SIZE    4096
#define COLUMN_SIZE  (SEGMENT_SLOTS * sizeof(uint64_t))
#define SEGMENT_SIZE (COLUMN_SIZE + (SEGMENT_SLOTS / SLOTS_PER_PAGE) * (size_t)PAGE_SIZE)

_Static_assert(COLUMN_SIZE % PAGE_SIZE == 0, "a column is whole pages");

struct registry {
    int lock, file; /* descriptors */
    char *base;     /* the mapping begins here; addresses are reserved for all it may grow to */
    size_t reserved;
    struct header *header; /* at base */

    _Atomic uint32_t segments; /* that are part of the registry */
    _Atomic uint32_t mapped;   /* and the one that will be; changed under `growing` alone */
    pthread_mutex_t growing;

    uint32_t unused;   /* slots from here on were never used */
    uint32_t released; /* a free slot before that, and 1; 0 if there is none */
    size_t released_count;
    /*
     * By slot, each number and 1: of a service with a long name the continuation, of a free slot
     * the next one. Addresses only, until used.
     */
    uint32_t *links;
    size_t links_size;

    _Atomic int sync_error;
};

/* Bytes of a file with so many segments. */
static inline size_t map_size(uint32_t segments)
{
    return HEADER_SIZE + segments * SEGMENT_SIZE;
}

static inline char *map_segment(char *base, uint32_t slot)
{
    return base + map_size(slot / SEGMENT_SLOTS);
}

static inline _Atomic uint64_t *map_cell(char *base, uint32_t slot)
{
    return (_Atomic uint64_t *)map_segment(base, slot) + slot % SEGMENT_SLOTS;
}

static inline struct slot *map_slot(char *base, uint32_t slot)
{
    uint32_t number = slot % SEGMENT_SLOTS;
    return (struct slot *)(map_segment(base, slot) + COLUMN_SIZE +
                           (size_t)(number / SLOTS_PER_PAGE) * PAGE_SIZE +
                           (size_t)(number % SLOTS_PER_PAGE) * SLOT_SIZE);
}

/*
 * The slot of the service whose name the continuation in SLOT belongs to; SLOT_NONE if there is
 * none among the SLOTS slots, or it is damaged.
 */
uint32_t map_owner(char *base, uint32_t slots, uint32_t slot);

/* Paths of one opening. */
struct paths {
    char directory[PATH_MAX];
    char file[PATH_MAX + 32];
    char new_file[PATH_MAX + 32]; /* of a file that is not whole yet */
    char lock[PATH_MAX + 32];
};

/*
 * Makes a registry with so many empty segments under its working name, on the disk. Returns a
 * descriptor, or -1 and describes the failure.
 */
int paths_create(const struct paths *paths, uint32_t segments, struct failure *failure);

/* Brings the directory's names to the disk. */
bool paths_sync(const struct paths *paths);

/* Maps the registry's file, and takes it that nothing is known of it. */
bool registry_map(struct registry *registry, uint32_t segments, struct failure *failure);

/* Looks at every slot that is mapped. Returns false, and has changed nothing, if any is damaged. */
bool registry_take_stock(struct registry *registry);

/*
 * Puts a new file with all that is intact into the place of the damaged one, which has SIZE bytes;
 * maps it. On failure the damaged one is where it was.
 */
bool registry_rescue(struct registry *registry, const struct paths *paths, size_t size,
                     struct registry_report *report, struct failure *failure);

#endif
