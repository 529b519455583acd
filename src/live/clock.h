/*
 * clock.h - engine time: a clock that neither a step of the wall clock nor a suspend can bend.
 *
 * Engine time runs with CLOCK_BOOTTIME, which counts suspends and is never set. It began as wall
 * time, and is wall time as long as nobody steps the wall clock; what the two differ by since then
 * is the skew. Times are kept as engine times and become wall times only where people or senders
 * see them: clock_to_wall, clock_from_wall. A restart in the same boot goes on with the same axis.
 * After another boot the wall clock says where on it the present is; while it says a time before
 * the last one that is known, it is not sane, and engine time stands still there.
 *
 * Reading is a matter of system calls (clock_read) and kept apart from the arithmetic, so that
 * tests can step any clock. All but clock_init may be called from any thread.
 */
#ifndef KAIROS_LIVE_CLOCK_H
#define KAIROS_LIVE_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* No time at all; earlier than any. */
#define TIME_NEVER INT64_MIN

/* What the system's clocks say, in microseconds. */
struct clock_reading {
    int64_t wall;      /* CLOCK_REALTIME: since the Unix epoch */
    int64_t boottime;  /* CLOCK_BOOTTIME: since the boot, suspends included */
    int64_t monotonic; /* CLOCK_MONOTONIC: since the boot, suspends left out */
};

#define BOOT_ID_SIZE 16

/* What a clock needs to go on after a restart. */
struct clock_memory {
    char boot_id[BOOT_ID_SIZE];
    int64_t offset; /* engine time less CLOCK_BOOTTIME, in that boot */
    int64_t skew;   /* wall time less engine time */
};

struct clock {
    char boot_id[BOOT_ID_SIZE];
    _Atomic int64_t offset;
    _Atomic int64_t skew;
    _Atomic bool sane;
    int64_t floor; /* where engine time stands while the wall clock is not sane */
};

/* Reads the system's clocks. */
struct clock_reading clock_read(void);

/* The kernel's random name of this boot; all zero when it cannot be read. */
void clock_boot_id(char boot_id[BOOT_ID_SIZE]);

/*
 * Starts engine time at READING in the boot BOOT_ID. MEMORY is what clock_memory gave before the
 * restart, or NULL; FLOOR is the last engine time that is known, or TIME_NEVER. Returns whether
 * this is the same boot, in which engine time has gone on in between.
 */
bool clock_init(struct clock *clock, const struct clock_reading *reading,
                const char boot_id[BOOT_ID_SIZE], const struct clock_memory *memory, int64_t floor);

/* What to keep for clock_init. */
struct clock_memory clock_memory(const struct clock *clock);

/*
 * Looks after steps of the wall clock; to be called a few times a second. Returns true when the
 * skew has changed, or the wall clock has become sane.
 */
bool clock_check(struct clock *clock, const struct clock_reading *reading);

/* Whether the wall clock is, or was once since the start, at or behind the floor. */
bool clock_is_sane(const struct clock *clock);

/* Engine time at READING. */
int64_t clock_at(const struct clock *clock, const struct clock_reading *reading);

/* Engine time now. */
int64_t clock_now(const struct clock *clock);

/* Wall time at the engine time TIME, and the other way round; TIME_NEVER stays. */
int64_t clock_to_wall(const struct clock *clock, int64_t time);
int64_t clock_from_wall(const struct clock *clock, int64_t time);

#endif
