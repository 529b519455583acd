#include "header.h"

#include <stddef.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "registry.h"

#define BYTE_ORDER_MARK UINT32_C(0x01020304)

static const char magic[8] = "kairos\x1aR";

static uint64_t identity_checksum(const struct header_identity *identity)
{
    return XXH3_64bits(identity, offsetof(struct header_identity, checksum));
}

static struct header_identity identity_of_this(void)
{
    struct header_identity identity = {
        .version = REGISTRY_VERSION,
        .byte_order = BYTE_ORDER_MARK,
        .header_size = HEADER_SIZE,
        .slot_size = SLOT_SIZE,
        .slots_per_page = SLOTS_PER_PAGE,
        .segment_slots = SEGMENT_SLOTS,
    };
    memcpy(identity.magic, magic, sizeof(magic));
    identity.checksum = identity_checksum(&identity);
    return identity;
}

void header_init(struct header *header)
{
    header->identity = identity_of_this();
}

enum header_result header_check(const struct header *header)
{
    struct header_identity expected = identity_of_this();
    const struct header_identity *identity = &header->identity;
    if (memcmp(identity->magic, magic, sizeof(magic)) != 0)
        return HEADER_FOREIGN;
    if (identity->checksum != identity_checksum(identity))
        return HEADER_DAMAGED;
    if (identity->version > REGISTRY_VERSION)
        return HEADER_NEWER;
    return memcmp(identity, &expected, sizeof(expected)) == 0 ? HEADER_OK : HEADER_OTHER;
}

static uint64_t clock_checksum(const struct clock_memory *memory)
{
    return XXH3_64bits(memory, sizeof(*memory));
}

void header_keep_clock(struct header *header, const struct clock_memory *memory)
{
    uint32_t number = atomic_load(&header->clock_number) + 1;
    struct header_clock *copy = &header->clocks[number % 2];
    copy->memory = *memory;
    copy->checksum = clock_checksum(memory);
    atomic_store(&header->clock_number, number);
}

bool header_clock(const struct header *header, struct clock_memory *memory)
{
    uint32_t number = atomic_load(&header->clock_number);
    const struct header_clock *copy = &header->clocks[number % 2];
    *memory = copy->memory;
    return number > 0 && copy->checksum == clock_checksum(memory);
}

static uint32_t gap_checksum(const struct header_gap *gap)
{
    return (uint32_t)XXH3_64bits(gap, offsetof(struct header_gap, checksum));
}

void header_add_gap(struct header *header, const struct gap *gap)
{
    uint32_t number = atomic_load(&header->gap_count) + 1;
    struct header_gap *copy = &header->gaps[number % GAPS_KEPT];
    copy->from = time_encode(gap->from);
    copy->to = time_encode(gap->to);
    copy->reason = (uint32_t)gap->reason;
    copy->checksum = gap_checksum(copy);
    atomic_store(&header->gap_count, number);
}

uint32_t header_redo_checksum(uint32_t slot, const struct slot *image)
{
    return (uint32_t)XXH3_64bits_withSeed(image->bytes, SLOT_SIZE, slot);
}

uint32_t header_redo_slot(const struct header *header)
{
    uint32_t slot = atomic_load(&header->redo.slot) - 1;
    bool valid = slot != SLOT_NONE &&
                 header->redo.checksum == header_redo_checksum(slot, &header->redo.image);
    return valid ? slot : SLOT_NONE;
}

struct gap header_gap(const struct header *header, uint32_t number)
{
    const struct header_gap *copy = &header->gaps[number % GAPS_KEPT];
    struct gap gap = {
        .from = time_decode(copy->from),
        .to = time_decode(copy->to),
        .reason = (enum gap_reason)copy->reason,
    };
    if (copy->checksum != gap_checksum(copy) || copy->reason > GAP_SUSPEND || gap.from > gap.to)
        return (struct gap){.from = KAIROS_TIME_MIN, .to = KAIROS_TIME_MIN};
    return gap;
}
