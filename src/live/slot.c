#include "slot.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* How many bits of a word hold a duration in milliseconds: 366 days need 35. */
#define DURATION_BITS 36
#define DURATION_MASK ((UINT64_C(1) << DURATION_BITS) - 1)

/* As much as the bits beside a duration can hold. */
#define MISSES_MASK ((UINT64_C(1) << 20) - 1)
#define ALERTS_MASK ((UINT64_C(1) << 28) - 1)

enum flag {
    FLAG_DECLARED = 1 << 0,
    FLAG_PAUSED = 1 << 1,
    FLAG_KIND_SHIFT = 2, /* the incident's kind, in two bits */
};

/* The bytes of a slot in use. Numbers are little-endian in effect: the file stays on its machine.
 */
struct __attribute__((packed)) service_bytes {
    uint32_t checksum; /* of all bytes behind it */
    uint8_t use;
    uint8_t flags;
    uint64_t interval;  /* 36 bits: milliseconds; 20: allowed misses */
    uint64_t tolerance; /* 36 bits: milliseconds; 20: misses before the anchor; 8: gap number */
    uint64_t runtime;   /* 36 bits: milliseconds; 28: alerts before the anchor */
    uint64_t anchor;
    uint64_t listening_since;
    uint64_t incident_started;
    uint64_t run_started;
    uint32_t raised_after;
    uint16_t fails;
    uint8_t length;
    union {
        char name[SLOT_NAME_INLINE];
        struct __attribute__((packed)) {
            char begin[SLOT_NAME_BEGIN];
            uint32_t rest; /* checksum of the rest */
        };
    };
};

struct __attribute__((packed)) name_bytes {
    uint32_t checksum; /* of all bytes behind it */
    uint8_t use;
    uint32_t owner;
    char rest[SLOT_NAME_REST];
};

_Static_assert(sizeof(struct service_bytes) == SLOT_SIZE, "a service fills its slot");
_Static_assert(offsetof(struct service_bytes, length) == SLOT_STATE_SIZE, "the name stands last");
_Static_assert(sizeof(struct name_bytes) == SLOT_SIZE, "a continued name fills its slot");
_Static_assert(SLOT_SIZE *SLOTS_PER_PAGE <= 4096, "slots fit their page");
_Static_assert(SLOT_NAME_BEGIN + SLOT_NAME_REST == KAIROS_SERVICE_MAX, "any name fits");

_Static_assert(offsetof(struct service_bytes, use) == offsetof(struct name_bytes, use),
               "what a slot is stands at one place");

/* The checksum stands first, and is one of all bytes behind it. */
static uint32_t checksum(const struct slot *slot)
{
    return (uint32_t)XXH3_64bits(slot->bytes + sizeof(uint32_t), SLOT_SIZE - sizeof(uint32_t));
}

static void write_checksum(struct slot *slot)
{
    uint32_t sum = checksum(slot);
    memcpy(slot->bytes, &sum, sizeof(sum));
}

static uint32_t rest_checksum(const char *rest)
{
    return (uint32_t)XXH3_64bits(rest, SLOT_NAME_REST);
}

static uint64_t milliseconds(int64_t duration)
{
    return (uint64_t)(duration / KAIROS_MILLISECOND) & DURATION_MASK;
}

static int64_t microseconds(uint64_t word)
{
    return (int64_t)(word & DURATION_MASK) * KAIROS_MILLISECOND;
}

static uint64_t at_most(uint64_t number, uint64_t limit)
{
    return number < limit ? number : limit;
}

enum slot_use slot_use(const struct slot *slot)
{
    switch (slot->bytes[offsetof(struct service_bytes, use)]) {
    case SLOT_FREE:
        return SLOT_FREE;
    case SLOT_NAME:
        return SLOT_NAME;
    default:
        return SLOT_SERVICE;
    }
}

size_t slot_name_length(const struct slot *slot)
{
    return slot->bytes[offsetof(struct service_bytes, length)];
}

void slot_encode(struct slot *slot, const struct service *service)
{
    const struct expectation *expectation = &service->expectation;
    const struct kairos_policy *policy = &expectation->policy;
    struct service_bytes bytes = {
        .use = SLOT_SERVICE,
        .length = service->length,
        .flags = (uint8_t)((service->declared ? FLAG_DECLARED : 0) |
                           (service->paused ? FLAG_PAUSED : 0) |
                           (int)service->incident_kind << FLAG_KIND_SHIFT),
        .interval = milliseconds(policy->interval) | (uint64_t)policy->allowed_misses
                                                         << DURATION_BITS,
        .tolerance = milliseconds(policy->tolerance) |
                     at_most(expectation->misses_before, MISSES_MASK) << DURATION_BITS |
                     (uint64_t)service->gap_number << 56,
        .runtime = milliseconds(service->max_runtime) | at_most(service->alerts_before, ALERTS_MASK)
                                                            << DURATION_BITS,
        .anchor = time_encode(expectation->anchor),
        .listening_since = time_encode(expectation->listening_since),
        .incident_started = time_encode(service->incident_started),
        .run_started = time_encode(service->run_started),
        .raised_after = service->raised_after,
        .fails = service->fails,
    };
    memcpy(bytes.name, service->name, SLOT_NAME_INLINE);
    if (slot_name_is_long(service->length))
        bytes.rest = rest_checksum(service->name + SLOT_NAME_BEGIN);
    memcpy(slot->bytes, &bytes, SLOT_SIZE);
    write_checksum(slot);
}

static const char *rest_of(const struct slot *continuation)
{
    return (const char *)continuation->bytes + offsetof(struct name_bytes, rest);
}

void slot_read(const struct slot *slot, const struct slot *continuation, struct service *service)
{
    struct service_bytes bytes;
    memcpy(&bytes, slot->bytes, SLOT_SIZE);
    *service = (struct service){
        .length = bytes.length,
        .declared = (bytes.flags & FLAG_DECLARED) != 0,
        .paused = (bytes.flags & FLAG_PAUSED) != 0,
        .expectation =
            {
                .policy =
                    {
                        .interval = microseconds(bytes.interval),
                        .tolerance = microseconds(bytes.tolerance),
                        .allowed_misses = (uint32_t)(bytes.interval >> DURATION_BITS & MISSES_MASK),
                    },
                .anchor = time_decode(bytes.anchor),
                .listening_since = time_decode(bytes.listening_since),
                .misses_before = (uint32_t)(bytes.tolerance >> DURATION_BITS & MISSES_MASK),
            },
        .max_runtime = microseconds(bytes.runtime),
        .run_started = time_decode(bytes.run_started),
        .gap_number = (uint8_t)(bytes.tolerance >> 56),
        .incident_started = time_decode(bytes.incident_started),
        .incident_kind = (enum incident_kind)(bytes.flags >> FLAG_KIND_SHIFT & 3),
        .raised_after = bytes.raised_after,
        .alerts_before = (uint32_t)(bytes.runtime >> DURATION_BITS),
        .fails = bytes.fails,
    };
    memcpy(service->name, bytes.name, SLOT_NAME_INLINE);
    if (continuation != NULL)
        memcpy(service->name + SLOT_NAME_BEGIN, rest_of(continuation), SLOT_NAME_REST);
}

static bool is_time(int64_t time)
{
    return time == TIME_NEVER || (time >= KAIROS_TIME_MIN && time <= KAIROS_TIME_MAX);
}

/* What the checksum cannot know: that the values are ones that the engine may calculate with. */
static bool is_sound(const struct service *service)
{
    char name[KAIROS_SERVICE_SIZE];
    size_t length;
    const struct expectation *expectation = &service->expectation;
    return is_time(expectation->anchor) && is_time(expectation->listening_since) &&
           (expectation->anchor == TIME_NEVER) == (expectation->listening_since == TIME_NEVER) &&
           is_time(service->incident_started) && is_time(service->run_started) &&
           kairos_service_parse(service->name, service->length, name, &length) ==
               KAIROS_SERVICE_OK &&
           length == service->length && memcmp(name, service->name, KAIROS_SERVICE_SIZE) == 0 &&
           kairos_policy_validate(&service->expectation.policy) == KAIROS_POLICY_OK &&
           service->max_runtime <= KAIROS_INTERVAL_MAX &&
           service->incident_kind <= INCIDENT_OVERRUN;
}

bool slot_is_intact(const struct slot *slot)
{
    struct service_bytes bytes;
    memcpy(&bytes, slot->bytes, SLOT_SIZE);
    return (bytes.use == SLOT_NAME ||
            (bytes.use == SLOT_SERVICE && bytes.length <= KAIROS_SERVICE_MAX)) &&
           bytes.checksum == checksum(slot);
}

bool slot_decode(const struct slot *slot, const struct slot *continuation, struct service *service)
{
    if (slot_use(slot) != SLOT_SERVICE || !slot_is_intact(slot) ||
        slot_name_is_long(slot_name_length(slot)) != (continuation != NULL))
        return false;
    if (continuation != NULL &&
        (!slot_is_intact(continuation) || !slot_continues(continuation, slot)))
        return false;
    slot_read(slot, continuation, service);
    return is_sound(service);
}

bool slot_has_name(const struct slot *slot, const struct slot *continuation, const char *name,
                   size_t length)
{
    if (slot_name_length(slot) != length)
        return false;
    const char *inlined = (const char *)slot->bytes + offsetof(struct service_bytes, name);
    if (!slot_name_is_long(length))
        return memcmp(inlined, name, length) == 0;
    return memcmp(inlined, name, SLOT_NAME_BEGIN) == 0 &&
           memcmp(rest_of(continuation), name + SLOT_NAME_BEGIN, length - SLOT_NAME_BEGIN) == 0;
}

void slot_encode_name(struct slot *slot, const struct service *service, uint32_t owner)
{
    struct name_bytes bytes = {.use = SLOT_NAME, .owner = owner};
    memcpy(bytes.rest, service->name + SLOT_NAME_BEGIN, SLOT_NAME_REST);
    memcpy(slot->bytes, &bytes, SLOT_SIZE);
    write_checksum(slot);
}

bool slot_owner(const struct slot *continuation, uint32_t *owner)
{
    struct name_bytes bytes;
    memcpy(&bytes, continuation->bytes, SLOT_SIZE);
    *owner = bytes.owner;
    return bytes.use == SLOT_NAME && slot_is_intact(continuation);
}

bool slot_continues(const struct slot *continuation, const struct slot *slot)
{
    struct service_bytes service;
    memcpy(&service, slot->bytes, SLOT_SIZE);
    return slot_use(continuation) == SLOT_NAME &&
           service.rest == rest_checksum(rest_of(continuation));
}
