/*
 * timeline.c - stretches of heartbeats as marks that sort like plain numbers.
 *
 * A mark is a time with one of three kinds in its two lowest bits: a stretch opens, a single
 * heartbeat, a stretch closes. So a single heartbeat costs 8 bytes and a stretch 16, and marks of
 * any origin are joined by sorting them and sweeping over them once, counting the stretches open.
 */
#include <kairos/timeline.h>

#include <stdlib.h>
#include <string.h>

#include "sort.h"

enum mark_kind {
    MARK_OPEN,
    MARK_SINGLE,
    MARK_CLOSE,
};

struct kairos_marks {
    size_t count;
    size_t settled;  /* the first of them, which are in order */
    size_t capacity; /* the open stretch fits in always: count + 2 <= capacity */
    int64_t mark[];
};

/* Beside what is needed at once: little, since a log may have many services with one silence. */
#define CAPACITY_FIRST 2

/* So many unordered marks are sorted apart and merged into the others; more are sorted with them.
 */
#define MERGE_MAX 4096

static int64_t mark_of(int64_t time, enum mark_kind kind)
{
    return time * 4 + (int64_t)kind;
}

static int64_t mark_time(int64_t mark)
{
    return mark >> 2;
}

static enum mark_kind mark_kind(int64_t mark)
{
    return (enum mark_kind)(mark & 3);
}

static bool is_empty(const struct kairos_timeline *timeline)
{
    return timeline->first > timeline->last;
}

void kairos_timeline_init(struct kairos_timeline *timeline)
{
    *timeline = (struct kairos_timeline){.first = INT64_MAX, .last = INT64_MIN};
}

void kairos_timeline_finish(struct kairos_timeline *timeline)
{
    free(timeline->marks);
    kairos_timeline_init(timeline);
}

/* Writes the stretch FIRST to LAST behind the marks; room is there. */
static void put_stretch(struct kairos_marks *marks, int64_t first, int64_t last)
{
    if (first == last) {
        marks->mark[marks->count++] = mark_of(first, MARK_SINGLE);
    } else {
        marks->mark[marks->count++] = mark_of(first, MARK_OPEN);
        marks->mark[marks->count++] = mark_of(last, MARK_CLOSE);
    }
}

/*
 * Sweeps over sorted marks, joins the stretches no further apart than REACH, and writes them back
 * over what was read; the last one becomes the timeline's open stretch.
 */
static void join_sorted(struct kairos_timeline *timeline, int64_t reach)
{
    struct kairos_marks *marks = timeline->marks;
    size_t count = marks->count;
    int64_t first = mark_time(marks->mark[0]), last = first;
    int open = 0;
    marks->count = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t time = mark_time(marks->mark[i]);
        if (open == 0 && time - last > reach) {
            put_stretch(marks, first, last);
            first = time;
        }
        last = time;
        open += mark_kind(marks->mark[i]) == MARK_OPEN;
        open -= mark_kind(marks->mark[i]) == MARK_CLOSE;
    }
    timeline->first = first;
    timeline->last = last;
}

/*
 * Brings the marks in order. Those that were settled before are not sorted again, but merged with
 * the rest from the back.
 */
static void sort_marks(struct kairos_marks *marks)
{
    size_t settled = marks->settled, fresh = marks->count - settled;
    if (fresh > MERGE_MAX) {
        sort_int64(marks->mark, marks->count);
        return;
    }
    int64_t sorted[MERGE_MAX];
    memcpy(sorted, marks->mark + settled, fresh * sizeof(sorted[0]));
    sort_int64(sorted, fresh);
    for (size_t to = marks->count; fresh > 0; to--) {
        bool from_settled = settled > 0 && marks->mark[settled - 1] > sorted[fresh - 1];
        marks->mark[to - 1] = from_settled ? marks->mark[--settled] : sorted[--fresh];
    }
}

void kairos_timeline_settle(struct kairos_timeline *timeline, int64_t reach)
{
    struct kairos_marks *marks = timeline->marks;
    if (marks == NULL || is_empty(timeline))
        return;
    put_stretch(marks, timeline->first, timeline->last);
    sort_marks(marks);
    join_sorted(timeline, reach);
    marks->settled = marks->count;
}

/* Gives the marks room for NEEDED more beside the open stretch. */
static bool grow(struct kairos_timeline *timeline, size_t needed)
{
    struct kairos_marks *marks = timeline->marks;
    size_t count = marks == NULL ? 0 : marks->count;
    size_t settled = marks == NULL ? 0 : marks->settled;
    size_t capacity = count + count / 2 + needed + CAPACITY_FIRST;
    marks = realloc(marks, sizeof(*marks) + capacity * sizeof(marks->mark[0]));
    if (marks == NULL)
        return false;
    marks->count = count;
    marks->settled = settled;
    marks->capacity = capacity;
    timeline->marks = marks;
    return true;
}

/*
 * Makes room for NEEDED more marks beside the open stretch. Full marks are settled first; only
 * where that frees less than a third do they grow, so that each settling is paid for by many
 * additions.
 */
static bool reserve(struct kairos_timeline *timeline, int64_t reach, size_t needed)
{
    struct kairos_marks *marks = timeline->marks;
    if (marks != NULL && marks->count + needed + 2 <= marks->capacity)
        return true;
    kairos_timeline_settle(timeline, reach);
    if (marks != NULL && marks->count + needed + 2 <= marks->capacity - marks->capacity / 3)
        return true;
    return grow(timeline, needed);
}

bool kairos_timeline_add_apart(struct kairos_timeline *timeline, int64_t reach, int64_t time)
{
    if (is_empty(timeline)) {
        timeline->first = timeline->last = time;
        return true;
    }
    if (time < timeline->first && timeline->first - time <= reach) {
        timeline->first = time;
        return true;
    }
    if (!reserve(timeline, reach, 2))
        return false;
    if (time >= timeline->first && time - timeline->last <= reach)
        return kairos_timeline_add(timeline, reach, time); /* settling has moved the open stretch */
    if (time > timeline->last) {
        put_stretch(timeline->marks, timeline->first, timeline->last);
        timeline->first = timeline->last = time;
    } else {
        put_stretch(timeline->marks, time, time);
    }
    return true;
}

/* Extends the open stretch by the one from FIRST to LAST, if they are no further apart than REACH.
 */
static bool extend(struct kairos_timeline *timeline, int64_t reach, int64_t first, int64_t last)
{
    if (first - timeline->last > reach || timeline->first - last > reach)
        return false;
    if (first < timeline->first)
        timeline->first = first;
    if (last > timeline->last)
        timeline->last = last;
    return true;
}

bool kairos_timeline_join(struct kairos_timeline *timeline, int64_t reach,
                          struct kairos_timeline *other)
{
    if (is_empty(other))
        return true;
    if (is_empty(timeline)) {
        *timeline = *other;
        kairos_timeline_init(other);
        return true;
    }
    size_t count = other->marks == NULL ? 0 : other->marks->count;
    if (count == 0 && extend(timeline, reach, other->first, other->last)) {
        kairos_timeline_finish(other);
        return true;
    }
    if (!reserve(timeline, reach, count + 2))
        return false;
    for (size_t i = 0; i < count; i++)
        timeline->marks->mark[timeline->marks->count++] = other->marks->mark[i];
    put_stretch(timeline->marks, other->first, other->last);
    kairos_timeline_finish(other);
    return true;
}

bool kairos_timeline_next_silence(const struct kairos_timeline *timeline, size_t *position,
                                  struct kairos_silence *silence)
{
    const struct kairos_marks *marks = timeline->marks;
    if (marks == NULL || *position >= marks->count)
        return false;
    /* Behind a stretch: its last mark, and the first of the next stretch. */
    size_t at = *position;
    if (mark_kind(marks->mark[at]) == MARK_OPEN)
        at++;
    silence->from = mark_time(marks->mark[at++]);
    silence->to = at < marks->count ? mark_time(marks->mark[at]) : timeline->first;
    *position = at;
    return true;
}

size_t kairos_timeline_memory(const struct kairos_timeline *timeline)
{
    const struct kairos_marks *marks = timeline->marks;
    return marks == NULL ? 0 : sizeof(*marks) + marks->capacity * sizeof(marks->mark[0]);
}
