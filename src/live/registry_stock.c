/*
 * registry_stock.c - looks at every slot of a registry that is opened: which are free, which belong
 * together, and whether any is damaged. Until that is known, nothing is changed.
 */
#include <pthread.h>
#include <string.h>

#include "registry_map.h"

/* Threads that look at the slots; more would wait for memory. */
#define PARTS 4

static bool is_long(const struct slot *slot)
{
    return slot_name_is_long(slot_name_length(slot));
}

static bool is_zero(const struct slot *slot)
{
    static const struct slot nothing;
    return memcmp(slot->bytes, nothing.bytes, SLOT_SIZE) == 0;
}

uint32_t map_owner(char *base, uint32_t slots, uint32_t slot)
{
    uint32_t owner;
    const struct slot *name = map_slot(base, slot);
    if (!slot_owner(name, &owner) || owner >= slots)
        return SLOT_NONE;
    const struct slot *service = map_slot(base, owner);
    bool belongs = slot_use(service) == SLOT_SERVICE && slot_is_intact(service) &&
                   is_long(service) && slot_continues(name, service);
    return belongs ? owner : SLOT_NONE;
}

/* Whether the service in SLOT can be used. */
static bool is_sound(const struct registry *registry, uint32_t slot)
{
    struct service service;
    uint32_t link = registry->links[slot];
    return slot_decode(map_slot(registry->base, slot),
                       link == 0 ? NULL : map_slot(registry->base, link - 1), &service) &&
           atomic_load(registry_cell(registry, slot)) <= time_encode(KAIROS_TIME_MAX);
}

/* All slots before SLOT that are not known yet are free. */
static void note_used(struct registry *registry, uint32_t slot)
{
    for (; registry->unused < slot; registry->unused++) {
        registry->links[registry->unused] = registry->released;
        registry->released = registry->unused + 1;
        registry->released_count++;
    }
    registry->unused = slot + 1;
}

/* A part of the slots, looked at by one thread. */
struct part {
    const struct registry *registry;
    uint32_t begin, end;
    bool names;   /* there are long ones */
    bool damaged; /* then it has not looked further */
};

/* Looks at each slot of a part by itself, and changes nothing. */
static void *look_at_part(void *argument)
{
    struct part *part = argument;
    for (uint32_t slot = part->begin; slot < part->end && !part->damaged; slot++) {
        const struct slot *bytes = map_slot(part->registry->base, slot);
        enum slot_use use = slot_use(bytes);
        bool in_pieces = use == SLOT_NAME || (use == SLOT_SERVICE && is_long(bytes));
        part->names |= in_pieces;
        if (use == SLOT_FREE)
            part->damaged = !is_zero(bytes);
        else
            part->damaged = !(in_pieces ? slot_is_intact(bytes) : is_sound(part->registry, slot));
    }
    return NULL;
}

/* The first look: at each slot by itself, on several cores. *NAMES tells that there are long ones.
 */
static bool look_at_slots(const struct registry *registry, bool *names)
{
    struct part parts[PARTS];
    pthread_t threads[PARTS];
    bool running[PARTS] = {false}, damaged = false;
    uint32_t slots = registry_slots(registry), size = slots / PARTS + 1;
    for (uint32_t i = 0; i < PARTS; i++) {
        uint32_t begin = i * size < slots ? i * size : slots;
        parts[i] = (struct part){.registry = registry,
                                 .begin = begin,
                                 .end = slots - begin < size ? slots : begin + size};
        running[i] = i > 0 && slots > SEGMENT_SLOTS &&
                     pthread_create(&threads[i], NULL, look_at_part, &parts[i]) == 0;
    }
    for (uint32_t i = 0; i < PARTS; i++) {
        if (running[i])
            pthread_join(threads[i], NULL);
        else
            look_at_part(&parts[i]); /* the first, and those for which there is no thread */
        *names |= parts[i].names;
        damaged |= parts[i].damaged;
    }
    return !damaged;
}

static void note_all_used(struct registry *registry)
{
    for (uint32_t slot = 0; slot < registry_slots(registry); slot++) {
        if (registry_use(registry, slot) != SLOT_FREE)
            note_used(registry, slot);
    }
}

static void link_names(struct registry *registry)
{
    uint32_t slots = registry_slots(registry);
    for (uint32_t slot = 0; slot < slots; slot++) {
        if (registry_use(registry, slot) != SLOT_NAME)
            continue;
        uint32_t owner = map_owner(registry->base, slots, slot);
        if (owner != SLOT_NONE)
            registry->links[owner] = slot + 1;
    }
}

/*
 * Of a long name that was entered, or removed, when the process was killed or the machine crashed,
 * one half may be there without the other: what the last sync has seen is whole.
 */
static bool is_half(const struct registry *registry, uint32_t slot)
{
    const struct slot *bytes = map_slot(registry->base, slot);
    if (slot_use(bytes) == SLOT_SERVICE)
        return is_long(bytes) && registry->links[slot] == 0;
    if (slot_use(bytes) == SLOT_FREE)
        return false;
    uint32_t owner = map_owner(registry->base, registry_slots(registry), slot);
    return owner == SLOT_NONE || registry->links[owner] != slot + 1;
}

/* The second look, at services together with the rest of their names. */
static bool look_at_names(struct registry *registry)
{
    uint32_t slots = registry_slots(registry);
    link_names(registry);
    for (uint32_t slot = 0; slot < slots; slot++) {
        const struct slot *bytes = map_slot(registry->base, slot);
        if (slot_use(bytes) == SLOT_SERVICE && is_long(bytes) && !is_half(registry, slot) &&
            !is_sound(registry, slot))
            return false;
    }
    return true;
}

static void free_halves(struct registry *registry)
{
    uint32_t slots = registry_slots(registry);
    for (uint32_t slot = 0; slot < slots; slot++) {
        if (is_half(registry, slot))
            registry_remove(registry, slot);
    }
}

bool registry_take_stock(struct registry *registry)
{
    bool names = false;
    struct header_redo *redo = &registry->header->redo;
    uint32_t pending = header_redo_slot(registry->header);
    struct slot *target = NULL, before;
    if (pending < registry_slots(registry)) {
        /* What the process was killed in the midst of is written once more; taken back if there is
         * damage. */
        target = map_slot(registry->base, pending);
        before = *target;
        *target = redo->image;
    }
    if (look_at_slots(registry, &names) && (!names || look_at_names(registry))) {
        atomic_store(&redo->slot, 0);
        note_all_used(registry);
        if (names)
            free_halves(registry);
        return true;
    }
    if (target != NULL)
        *target = before;
    return false;
}
