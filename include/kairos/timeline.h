/*
 * timeline.h - the heartbeats of one service, as far as they matter.
 *
 * Heartbeats may be added in any order. The only question asked of them is which silences exceed a
 * reach (kairos_policy_reach), and a heartbeat that falls between two others closer than that
 * cannot change the answer. So a timeline keeps stretches: from their first to their last heartbeat
 * no silence exceeds the reach. A service that never goes silent costs one stretch for any number
 * of heartbeats; at worst, with a silence after each, a timeline costs 8 bytes per heartbeat and
 * half as much in reserve.
 *
 * Heartbeats that come in order extend the newest stretch at once. Others are set aside as marks,
 * sorted and joined when their room is full. After kairos_timeline_settle the silences can be read.
 */
#ifndef KAIROS_TIMELINE_H
#define KAIROS_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kairos_marks;

struct kairos_timeline {
    int64_t first;              /* the open stretch: its first and last heartbeat, microseconds; */
    int64_t last;               /* empty while first > last */
    struct kairos_marks *marks; /* the other stretches; NULL while there are none */
};

/* A silence between two heartbeats of one service. */
struct kairos_silence {
    int64_t from; /* the heartbeat before it */
    int64_t to;   /* the heartbeat that ended it */
};

/* An empty timeline; needs no finish while nothing was added. */
void kairos_timeline_init(struct kairos_timeline *timeline);

/* Frees what the timeline holds; it is empty then. */
void kairos_timeline_finish(struct kairos_timeline *timeline);

/* kairos_timeline_add for a heartbeat that does not simply extend the open stretch. */
bool kairos_timeline_add_apart(struct kairos_timeline *timeline, int64_t reach, int64_t time);

/*
 * Adds a heartbeat at TIME (a valid moment). REACH must be the same in all calls for a timeline.
 * Returns false when memory ran out; the timeline then lacks the heartbeat and stays usable.
 */
static inline bool kairos_timeline_add(struct kairos_timeline *timeline, int64_t reach,
                                       int64_t time)
{
    if (time >= timeline->first && time - timeline->last <= reach) {
        if (time > timeline->last)
            timeline->last = time;
        return true;
    }
    return kairos_timeline_add_apart(timeline, reach, time);
}

/*
 * Adds all heartbeats of OTHER, which is empty afterwards and needs no finish. Returns false when
 * memory ran out; both then need finish, and their contents are lost.
 */
bool kairos_timeline_join(struct kairos_timeline *timeline, int64_t reach,
                          struct kairos_timeline *other);

/* Sorts and joins what was added, for the queries below. More heartbeats may follow. */
void kairos_timeline_settle(struct kairos_timeline *timeline, int64_t reach);

/*
 * Walks the silences of a settled timeline that exceed the reach, in order of time. *POSITION is 0
 * before the first call. Returns false when there is no further one.
 */
bool kairos_timeline_next_silence(const struct kairos_timeline *timeline, size_t *position,
                                  struct kairos_silence *silence);

/* Bytes that the timeline holds beside its own struct. */
size_t kairos_timeline_memory(const struct kairos_timeline *timeline);

#ifdef __cplusplus
}
#endif

#endif
