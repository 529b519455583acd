#include "roster.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "words.h"

#define SLOTS_FIRST   1024
#define RECORDS_FIRST (64 * 1024)

bool roster_init(struct roster *roster, uint64_t seed)
{
    *roster = (struct roster){.seed = seed, .mask = SLOTS_FIRST - 1, .capacity = RECORDS_FIRST};
    roster->slots = calloc(SLOTS_FIRST, sizeof(roster->slots[0]));
    roster->records = malloc(RECORDS_FIRST);
    if (roster->slots != NULL && roster->records != NULL)
        return true;
    roster_finish(roster);
    return false;
}

void roster_finish(struct roster *roster)
{
    size_t position = 0;
    for (struct record *record; (record = roster_next(roster, &position)) != NULL;)
        kairos_timeline_finish(&record->timeline);
    free(roster->slots);
    free(roster->records);
    *roster = (struct roster){0};
}

size_t roster_memory(const struct roster *roster)
{
    return roster->capacity + (roster->mask + 1) * sizeof(roster->slots[0]);
}

uint64_t roster_hash(const struct roster *roster, const char *name, size_t length)
{
    return XXH3_64bits_withSeed(name, length, roster->seed);
}

static struct record *record_at(const struct roster *roster, uint32_t reference)
{
    return (struct record *)(roster->records + ((size_t)reference - 1) * RECORD_UNIT);
}

static inline bool same_name(const struct record *record, const char *name, size_t length)
{
    if (record->length != length)
        return false;
    for (size_t at = 0; at < length; at += WORD_SIZE) {
        if (word_load(record->name + at) != word_load(name + at))
            return false;
    }
    return true;
}

/* The slot with this tag and name, or the free one where it belongs. */
static inline struct roster_slot *find_slot(const struct roster *roster, const char *name,
                                            size_t length, uint32_t tag)
{
    for (size_t i = tag & roster->mask;; i = (i + 1) & roster->mask) {
        struct roster_slot *slot = &roster->slots[i];
        if (slot->reference == 0)
            return slot;
        if (slot->tag == tag && same_name(record_at(roster, slot->reference), name, length))
            return slot;
    }
}

static bool grow_slots(struct roster *roster)
{
    size_t mask = roster->mask * 2 + 1;
    struct roster_slot *slots = calloc(mask + 1, sizeof(slots[0]));
    if (slots == NULL)
        return false;
    for (size_t i = 0; i <= roster->mask; i++) {
        if (roster->slots[i].reference == 0)
            continue;
        size_t to = roster->slots[i].tag & mask;
        while (slots[to].reference != 0)
            to = (to + 1) & mask;
        slots[to] = roster->slots[i];
    }
    free(roster->slots);
    roster->slots = slots;
    roster->mask = mask;
    return true;
}

/* Writes a new record behind the others. Returns its reference, or 0 when memory ran out. */
static uint32_t append(struct roster *roster, const char *name, size_t length)
{
    size_t padded = (length / WORD_SIZE + 1) * WORD_SIZE;
    size_t size = sizeof(struct record) + padded;
    if (roster->used / RECORD_UNIT >= UINT32_MAX - size)
        return 0;
    if (roster->used + size > roster->capacity) {
        char *records = realloc(roster->records, roster->capacity * 2);
        if (records == NULL)
            return 0;
        roster->records = records;
        roster->capacity *= 2;
    }
    uint32_t reference = (uint32_t)(roster->used / RECORD_UNIT) + 1;
    roster->used += size;

    struct record *record = record_at(roster, reference);
    kairos_timeline_init(&record->timeline);
    record->size = (uint32_t)(size / RECORD_UNIT);
    record->length = (uint32_t)length;
    memset(record->name, 0, padded);
    memcpy(record->name, name, length);
    return reference;
}

struct record *roster_intern(struct roster *roster, const char *name, size_t length, uint64_t hash)
{
    uint32_t tag = (uint32_t)hash;
    struct roster_slot *slot = find_slot(roster, name, length, tag);
    if (slot->reference != 0)
        return record_at(roster, slot->reference);

    if (roster->services >= (roster->mask + 1) / 4 * 3) {
        if (!grow_slots(roster))
            return NULL;
        slot = find_slot(roster, name, length, tag);
    }
    uint32_t reference = append(roster, name, length);
    if (reference == 0)
        return NULL;
    *slot = (struct roster_slot){.tag = tag, .reference = reference};
    roster->services++;
    return record_at(roster, reference);
}

struct record *roster_next(const struct roster *roster, size_t *position)
{
    if (*position >= roster->used)
        return NULL;
    struct record *record = (struct record *)(roster->records + *position);
    *position += (size_t)record->size * RECORD_UNIT;
    return record;
}
