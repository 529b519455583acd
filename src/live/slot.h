/*
 * slot.h - a service as it lies in the registry's file: 91 bytes, 45 to a page, none across two.
 *
 * A slot is free (all zero), a service, or the rest of a name that does not fit into its service's
 * slot. It carries a checksum of its bytes, so that damage is noticed; a service with a long name
 * also one of the rest of it, so that no other rest is taken for that one when a page was lost in a
 * crash of the machine. Durations are kept in whole milliseconds, and times so that zero bytes mean
 * "never": what a fresh file holds is valid.
 *
 * A slot is read into a struct service, changed there, and written as a whole.
 */
#ifndef KAIROS_LIVE_SLOT_H
#define KAIROS_LIVE_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kairos/service.h>
#include <kairos/timestamp.h>

#include "clock.h"
#include "expectation.h"
#include "incident.h"

#define SLOT_SIZE      91
#define SLOTS_PER_PAGE 45

/* Characters of a name that fits into its service's slot; of a longer one the beginning and rest.
 */
#define SLOT_NAME_INLINE 22
#define SLOT_NAME_BEGIN  18
#define SLOT_NAME_REST   82

/* The bytes of a service that may change while it exists; its name stands behind them. */
#define SLOT_STATE_SIZE 68

enum slot_use {
    SLOT_FREE,
    SLOT_SERVICE,
    SLOT_NAME,
};

struct slot {
    unsigned char bytes[SLOT_SIZE];
};

/* All that is kept of a service beside the time of its last heartbeat. */
struct service {
    char name[KAIROS_SERVICE_SIZE]; /* padded with NULs */
    uint8_t length;
    bool declared;
    bool paused;
    struct expectation expectation;
    int64_t max_runtime;      /* microseconds; 0 if runs may take any time */
    int64_t run_started;      /* TIME_NEVER if no run is under way */
    uint8_t gap_number;       /* the newest gap that was taken into account, modulo 256 */
    int64_t incident_started; /* TIME_NEVER if none is open */
    enum incident_kind incident_kind;
    uint32_t raised_after;  /* milliseconds from incident_started to its raising; at most */
    uint32_t alerts_before; /* of the open incident, before the expectation's anchor; at most */
    uint16_t fails;         /* further ones while it is open; at most */
};

/* Times in the file: 0 is TIME_NEVER, and order is kept. */
static inline uint64_t time_encode(int64_t time)
{
    return time == TIME_NEVER ? 0 : (uint64_t)(time - KAIROS_TIME_MIN) + 1;
}

static inline int64_t time_decode(uint64_t code)
{
    return code == 0 ? TIME_NEVER : (int64_t)(code - 1 + (uint64_t)KAIROS_TIME_MIN);
}

/* What the slot's bytes claim to be; anything unknown counts as SLOT_SERVICE, and is damaged. */
enum slot_use slot_use(const struct slot *slot);

/* Whether a name of LENGTH characters needs a continuation. */
static inline bool slot_name_is_long(size_t length)
{
    return length > SLOT_NAME_INLINE;
}

/* How long the name of the service in the slot is. */
size_t slot_name_length(const struct slot *slot);

/* Writes SERVICE; of a long name the beginning. */
void slot_encode(struct slot *slot, const struct service *service);

/* Whether the checksum of a slot in use is right. */
bool slot_is_intact(const struct slot *slot);

/*
 * Reads a service; CONTINUATION is that of a long name, or NULL. Returns false when a checksum, or
 * what it covers, is not right, or the two do not belong together.
 */
bool slot_decode(const struct slot *slot, const struct slot *continuation, struct service *service);

/* The same without checking: for a slot that was checked when the registry was opened. */
void slot_read(const struct slot *slot, const struct slot *continuation, struct service *service);

/* Whether the slot's name is NAME, padded with NULs to whole words. */
bool slot_has_name(const struct slot *slot, const struct slot *continuation, const char *name,
                   size_t length);

/* Writes the continuation of the name of the service in slot OWNER. */
void slot_encode_name(struct slot *slot, const struct service *service, uint32_t owner);

/*
 * The slot of the service whose name CONTINUATION continues; returns false when its checksum is not
 * right.
 */
bool slot_owner(const struct slot *continuation, uint32_t *owner);

/* Whether it is the rest of the name of the service in SLOT, by the checksum that is kept there. */
bool slot_continues(const struct slot *continuation, const struct slot *slot);

#endif
