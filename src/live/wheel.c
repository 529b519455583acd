/*
 * wheel.c - the slots are doubly linked lists. A link of 0 is nothing (which is what fresh memory
 * holds), and otherwise an entry's number and 1, or the number of a wheel's slot with the highest
 * bit: an entry is in the wheel exactly when it has a previous link.
 */
#include "wheel.h"

#include <sys/mman.h>

#define LINK_NONE 0
#define LINK_HEAD UINT32_C(0x80000000)
#define HEAD_DUE  (WHEEL_LEVELS * WHEEL_SLOTS)

/* Further away than any level reaches: the entry is looked at on the way. */
#define TICKS_MAX ((INT64_C(1) << (WHEEL_LEVELS * WHEEL_BITS)) - 1)

static int64_t tick_of(int64_t time)
{
    return time >> WHEEL_TICK_BITS;
}

static int64_t time_of(int64_t tick)
{
    return tick * (1 << WHEEL_TICK_BITS);
}

bool wheel_init(struct wheel *wheel, uint32_t capacity, int64_t time)
{
    *wheel = (struct wheel){.tick = tick_of(time), .capacity = capacity};
    /* Addresses only: pages become memory when an entry in them is used. */
    void *links = mmap(NULL, (size_t)capacity * sizeof(wheel->links[0]), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    wheel->links = links == MAP_FAILED ? NULL : links;
    return wheel->links != NULL;
}

void wheel_finish(struct wheel *wheel)
{
    if (wheel->links != NULL)
        munmap(wheel->links, (size_t)wheel->capacity * sizeof(wheel->links[0]));
    wheel->links = NULL;
}

static void mark(struct wheel *wheel, uint32_t head, bool occupied)
{
    if (head == HEAD_DUE)
        return;
    uint64_t *word = &wheel->occupied[head / WHEEL_SLOTS][head % WHEEL_SLOTS / 64];
    uint64_t bit = UINT64_C(1) << (head % 64);
    *word = occupied ? *word | bit : *word & ~bit;
}

static void link_entry(struct wheel *wheel, uint32_t entry, uint32_t head)
{
    uint32_t first = wheel->heads[head];
    wheel->links[entry] = (struct wheel_links){.next = first, .previous = LINK_HEAD | head};
    if (first != LINK_NONE)
        wheel->links[first - 1].previous = entry + 1;
    wheel->heads[head] = entry + 1;
    mark(wheel, head, true);
}

void wheel_remove(struct wheel *wheel, uint32_t entry)
{
    struct wheel_links links = wheel->links[entry];
    if (links.previous == LINK_NONE)
        return;
    if (links.next != LINK_NONE)
        wheel->links[links.next - 1].previous = links.previous;
    if ((links.previous & LINK_HEAD) == 0) {
        wheel->links[links.previous - 1].next = links.next;
    } else {
        uint32_t head = links.previous & ~LINK_HEAD;
        wheel->heads[head] = links.next;
        mark(wheel, head, links.next != LINK_NONE);
    }
    wheel->links[entry] = (struct wheel_links){0};
}

void wheel_put(struct wheel *wheel, uint32_t entry, int64_t time)
{
    wheel_remove(wheel, entry);
    int64_t ahead = tick_of(time) - wheel->tick;
    if (ahead < 0)
        ahead = 0;
    if (ahead > TICKS_MAX)
        ahead = TICKS_MAX;
    uint32_t level = 0;
    while (ahead >> (WHEEL_BITS * (level + 1)) != 0)
        level++;
    uint64_t slot = (uint64_t)(wheel->tick + ahead) >> (WHEEL_BITS * level);
    link_entry(wheel, entry, level * WHEEL_SLOTS + (uint32_t)(slot % WHEEL_SLOTS));
}

/* How many slots behind FROM (0 to 255) the first occupied one lies; WHEEL_SLOTS if none does. */
static unsigned distance(const uint64_t *occupied, unsigned from)
{
    for (unsigned step = 0; step < WHEEL_SLOTS;) {
        unsigned at = (from + step) % WHEEL_SLOTS;
        uint64_t word = occupied[at / 64] >> (at % 64);
        if (word != 0)
            return step + (unsigned)__builtin_ctzll(word);
        step += 64 - at % 64;
    }
    return WHEEL_SLOTS;
}

/* The tick at which the next slot of LEVEL comes up; INT64_MAX if all are empty. */
static int64_t next_of(const struct wheel *wheel, unsigned level)
{
    unsigned shift = WHEEL_BITS * level;
    int64_t slot = wheel->tick >> shift;
    /* Beyond the lowest level the present slot has come up; what is in it is a turn away. */
    int64_t first = level == 0 ? slot : slot + 1;
    unsigned steps = distance(wheel->occupied[level], (unsigned)((uint64_t)first % WHEEL_SLOTS));
    if (steps >= WHEEL_SLOTS)
        return INT64_MAX;
    return (int64_t)((uint64_t)(first + steps) << shift);
}

static int64_t next_tick(const struct wheel *wheel)
{
    int64_t next = INT64_MAX;
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        int64_t tick = next_of(wheel, level);
        next = tick < next ? tick : next;
    }
    return next;
}

/* Puts the list that begins with FIRST before those that have come up already. */
static void prepend(struct wheel *wheel, uint32_t first)
{
    uint32_t others = wheel->heads[HEAD_DUE], last = first;
    wheel->links[first - 1].previous = LINK_HEAD | HEAD_DUE;
    wheel->heads[HEAD_DUE] = first;
    if (others == LINK_NONE)
        return;
    while (wheel->links[last - 1].next != LINK_NONE)
        last = wheel->links[last - 1].next;
    wheel->links[last - 1].next = others;
    wheel->links[others - 1].previous = last;
}

/* The entries of a slot have come up. */
static void bring_up(struct wheel *wheel, uint32_t head)
{
    uint32_t first = wheel->heads[head];
    if (first == LINK_NONE)
        return;
    wheel->heads[head] = LINK_NONE;
    mark(wheel, head, false);
    prepend(wheel, first);
}

bool wheel_has_due(const struct wheel *wheel)
{
    return wheel->heads[HEAD_DUE] != LINK_NONE;
}

void wheel_advance(struct wheel *wheel, int64_t time)
{
    int64_t target = tick_of(time);
    if (target < wheel->tick)
        target = wheel->tick;
    /* What was put back into the present tick waits until the others were looked at. */
    if (target == wheel->tick && wheel_has_due(wheel))
        return;
    for (int64_t tick; (tick = next_tick(wheel)) <= target;) {
        wheel->tick = tick;
        for (uint32_t level = 0; level < WHEEL_LEVELS; level++) {
            unsigned shift = WHEEL_BITS * level;
            uint64_t slot = (uint64_t)tick >> shift;
            if ((int64_t)(slot << shift) != tick)
                break;
            bring_up(wheel, level * WHEEL_SLOTS + (uint32_t)(slot % WHEEL_SLOTS));
        }
    }
    wheel->tick = target;
}

bool wheel_pop(struct wheel *wheel, uint32_t *entry)
{
    uint32_t first = wheel->heads[HEAD_DUE];
    if (first == LINK_NONE)
        return false;
    *entry = first - 1;
    wheel_remove(wheel, *entry);
    return true;
}

int64_t wheel_next(const struct wheel *wheel)
{
    if (wheel_has_due(wheel))
        return time_of(wheel->tick);
    int64_t tick = next_tick(wheel);
    return tick == INT64_MAX ? INT64_MAX : time_of(tick + 1);
}
