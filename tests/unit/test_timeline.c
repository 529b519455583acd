/*
 * test_timeline.c - timelines against an oracle that keeps every heartbeat.
 */
#include <kairos/timeline.h>

#include <stdlib.h>

#include <kairos/timestamp.h>

#include "support.h"

/* All heartbeats, in the order in which they were added. */
struct oracle {
    int64_t *times;
    size_t count;
    size_t capacity;
};

static void oracle_init(struct oracle *oracle, size_t capacity)
{
    *oracle = (struct oracle){.times = malloc(capacity * sizeof(int64_t)), .capacity = capacity};
    assert_non_null(oracle->times);
}

static void oracle_finish(struct oracle *oracle)
{
    free(oracle->times);
}

static void add(struct kairos_timeline *timeline, int64_t reach, struct oracle *oracle,
                int64_t time)
{
    assert_true(oracle->count < oracle->capacity);
    oracle->times[oracle->count++] = time;
    assert_true(kairos_timeline_add(timeline, reach, time));
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* What holds of every settled timeline: silences in order of time, each beyond the reach. */
static size_t walk(const struct kairos_timeline *timeline, int64_t reach)
{
    size_t position = 0, count = 0;
    int64_t before = INT64_MIN;
    struct kairos_silence silence;
    while (kairos_timeline_next_silence(timeline, &position, &silence)) {
        assert_true(silence.from >= before);
        assert_true(silence.to > silence.from && silence.to - silence.from > reach);
        before = silence.to;
        count++;
    }
    assert_false(kairos_timeline_next_silence(timeline, &position, &silence));
    assert_true(count == 0 || (timeline->first >= before && timeline->last >= timeline->first));
    return count;
}

/* 8 bytes per heartbeat at worst, half as many in reserve, and a few for the smallest ones. */
static void check_memory(const struct kairos_timeline *timeline, size_t heartbeats)
{
    size_t memory = kairos_timeline_memory(timeline);
    check(memory <= 12 * heartbeats + 160, "%zu bytes for %zu heartbeats", memory, heartbeats);
}

static void check_settled(struct kairos_timeline *timeline, int64_t reach,
                          const struct oracle *oracle)
{
    kairos_timeline_settle(timeline, reach);
    check_memory(timeline, oracle->count);
    size_t silences = walk(timeline, reach), found = 0, position = 0;
    if (oracle->count == 0) {
        assert_int_equal(silences, 0);
        assert_true(timeline->first > timeline->last);
        return;
    }
    qsort(oracle->times, oracle->count, sizeof(oracle->times[0]), compare);
    for (size_t i = 1; i < oracle->count; i++) {
        int64_t from = oracle->times[i - 1], to = oracle->times[i];
        if (to - from <= reach)
            continue;
        struct kairos_silence silence = {0};
        assert_true(kairos_timeline_next_silence(timeline, &position, &silence));
        check(silence.from == from && silence.to == to, "%jd to %jd instead of %jd to %jd",
              (intmax_t)silence.from, (intmax_t)silence.to, (intmax_t)from, (intmax_t)to);
        found++;
    }
    assert_int_equal(silences, found);
    assert_int_equal(timeline->last, oracle->times[oracle->count - 1]);
}

/* Orders in which heartbeats come: each fills COUNT times with gaps of about GAP. */
typedef void order(struct dice *dice, int64_t *times, size_t count, int64_t gap);

static void in_order(struct dice *dice, int64_t *times, size_t count, int64_t gap)
{
    int64_t time = dice_between(dice, -1000, 1000);
    for (size_t i = 0; i < count; i++)
        times[i] = time += dice_between(dice, 0, 2 * gap);
}

static void in_reverse(struct dice *dice, int64_t *times, size_t count, int64_t gap)
{
    in_order(dice, times, count, gap);
    for (size_t i = 0; i < count; i++)
        times[i] = -times[i];
}

static void shuffled(struct dice *dice, int64_t *times, size_t count, int64_t gap)
{
    in_order(dice, times, count, gap);
    for (size_t i = 0; i < count; i++) {
        size_t other = dice_below(dice, count);
        int64_t time = times[i];
        times[i] = times[other];
        times[other] = time;
    }
}

static void locally_disordered(struct dice *dice, int64_t *times, size_t count, int64_t gap)
{
    in_order(dice, times, count, gap);
    for (size_t i = 0; i < count; i++)
        times[i] += dice_between(dice, -5 * gap, 5 * gap);
}

static void with_duplicates(struct dice *dice, int64_t *times, size_t count, int64_t gap)
{
    for (size_t i = 0; i < count; i++)
        times[i] = gap * dice_between(dice, 0, 10) * 3;
}

/* Several sources whose clocks are far apart, one heartbeat of each in turn. */
static void interleaved(struct dice *dice, int64_t *times, size_t count, int64_t gap)
{
    for (size_t i = 0; i < count; i++)
        times[i] = (int64_t)(i % 3) * 100000 * gap + (int64_t)i * dice_between(dice, 0, gap);
}

static void late_stragglers(struct dice *dice, int64_t *times, size_t count, int64_t gap)
{
    in_order(dice, times, count, gap);
    for (size_t i = 1; i < count; i++) {
        if (dice_chance(dice, 5))
            times[i] = times[dice_below(dice, i)] + dice_between(dice, -gap, gap);
    }
}

static order *const orders[] = {
    in_order,        in_reverse,  shuffled,        locally_disordered,
    with_duplicates, interleaved, late_stragglers,
};

#define HEARTBEATS_MAX 3000

static size_t random_times(struct dice *dice, int64_t times[HEARTBEATS_MAX], int64_t gap)
{
    size_t count = dice_below(dice, dice_chance(dice, 70) ? 40 : HEARTBEATS_MAX + 1);
    orders[dice_below(dice, COUNT_OF(orders))](dice, times, count, gap);
    return count;
}

static void random_heartbeats_agree_with_the_oracle(void **state)
{
    struct dice dice = {1};
    static int64_t times[HEARTBEATS_MAX];
    for (int round = 0; round < 4000; round++) {
        struct kairos_timeline timeline;
        struct oracle oracle;
        int64_t gap = dice_between(&dice, 1, 100), reach = dice_between(&dice, 1, 4 * gap);
        size_t count = random_times(&dice, times, gap);
        unsigned settling = dice_chance(&dice, 50) ? 0 : 2; /* percent */
        kairos_timeline_init(&timeline);
        oracle_init(&oracle, count + 1);
        for (size_t i = 0; i < count; i++) {
            add(&timeline, reach, &oracle, times[i]);
            check_memory(&timeline, i + 1);
            if (dice_chance(&dice, settling))
                check_settled(&timeline, reach, &oracle);
        }
        check_settled(&timeline, reach, &oracle);
        check_settled(&timeline, reach, &oracle);
        kairos_timeline_finish(&timeline);
        oracle_finish(&oracle);
    }
}

/* However heartbeats are dealt out to timelines, joined these are what one timeline would be. */
static void joined_timelines_agree_with_the_oracle(void **state)
{
    struct dice dice = {2};
    static int64_t times[HEARTBEATS_MAX];
    for (int round = 0; round < 4000; round++) {
        struct kairos_timeline parts[3];
        struct oracle oracle;
        int64_t gap = dice_between(&dice, 1, 100), reach = dice_between(&dice, 1, 4 * gap);
        size_t count = random_times(&dice, times, gap), used = 1 + dice_below(&dice, 3);
        bool in_turn = dice_chance(&dice, 50);
        oracle_init(&oracle, count + 20);
        for (size_t p = 0; p < 3; p++)
            kairos_timeline_init(&parts[p]);
        for (size_t i = 0; i < count; i++) {
            size_t part = in_turn ? i * used / count : dice_below(&dice, used);
            add(&parts[part], reach, &oracle, times[i]);
        }
        for (size_t p = 1; p < 3; p++) {
            if (dice_chance(&dice, 30))
                kairos_timeline_settle(&parts[p], reach);
            if (dice_chance(&dice, 30))
                kairos_timeline_settle(&parts[0], reach);
            assert_true(kairos_timeline_join(&parts[0], reach, &parts[p]));
            assert_null(parts[p].marks);
            assert_true(parts[p].first > parts[p].last);
        }
        if (dice_chance(&dice, 50))
            check_settled(&parts[0], reach, &oracle);
        for (int more = 0; more < 10; more++)
            add(&parts[0], reach, &oracle, dice_between(&dice, -1000, 1000) * gap);
        check_settled(&parts[0], reach, &oracle);
        kairos_timeline_finish(&parts[0]);
        oracle_finish(&oracle);
    }
}

static void many_heartbeats_in_every_order(void **state)
{
    struct dice dice = {3};
    const size_t count = 60000;
    int64_t *times = malloc(count * sizeof(times[0]));
    assert_non_null(times);
    for (size_t o = 0; o < COUNT_OF(orders); o++) {
        struct kairos_timeline timeline, other;
        struct oracle oracle;
        kairos_timeline_init(&timeline);
        kairos_timeline_init(&other);
        oracle_init(&oracle, count);
        orders[o](&dice, times, count, 1000);
        for (size_t i = 0; i < count; i++) {
            add(i < count / 3 ? &other : &timeline, 1500, &oracle, times[i]);
            if (i == count / 2)
                kairos_timeline_settle(&timeline, 1500);
        }
        assert_true(kairos_timeline_join(&timeline, 1500, &other));
        check_settled(&timeline, 1500, &oracle);
        kairos_timeline_finish(&timeline);
        oracle_finish(&oracle);
    }
    free(times);
}

/* A heartbeat at either end of the calendar, and a reach longer than the calendar. */
static void the_whole_calendar(void **state)
{
    static const int64_t reaches[] = {1000, 366 * KAIROS_DAY, KAIROS_TIME_MAX, INT64_MAX};
    static const int64_t ends[] = {KAIROS_TIME_MIN,
                                   KAIROS_TIME_MAX,
                                   0,
                                   KAIROS_TIME_MIN + 1,
                                   KAIROS_TIME_MAX - 1,
                                   KAIROS_TIME_MIN,
                                   KAIROS_TIME_MAX,
                                   -1,
                                   1};
    for (size_t r = 0; r < COUNT_OF(reaches); r++) {
        struct kairos_timeline timeline, other;
        struct oracle oracle;
        kairos_timeline_init(&timeline);
        kairos_timeline_init(&other);
        oracle_init(&oracle, 2 * COUNT_OF(ends));
        for (size_t i = 0; i < COUNT_OF(ends); i++) {
            add(&timeline, reaches[r], &oracle, ends[i]);
            add(&other, reaches[r], &oracle, ends[COUNT_OF(ends) - 1 - i] / 2);
        }
        assert_true(kairos_timeline_join(&timeline, reaches[r], &other));
        check_settled(&timeline, reaches[r], &oracle);
        kairos_timeline_finish(&timeline);
        oracle_finish(&oracle);
    }
}

static void the_reach_itself_is_no_silence(void **state)
{
    struct kairos_timeline timeline;
    struct oracle oracle;
    kairos_timeline_init(&timeline);
    oracle_init(&oracle, 8);
    add(&timeline, 180, &oracle, 0);
    add(&timeline, 180, &oracle, 180);
    assert_int_equal(kairos_timeline_memory(&timeline), 0);
    add(&timeline, 180, &oracle, 361);
    add(&timeline, 180, &oracle, -180);
    add(&timeline, 180, &oracle, -361);
    check_settled(&timeline, 180, &oracle);
    assert_int_equal(walk(&timeline, 180), 2);
    kairos_timeline_finish(&timeline);
    oracle_finish(&oracle);
}

/* Two stretches, one before the other, joined in either order across a gap of REACH and one more.
 */
static void stretches_are_joined_within_the_reach(void **state)
{
    for (int64_t gap = 179; gap <= 181; gap++) {
        for (int late_first = 0; late_first < 2; late_first++) {
            struct kairos_timeline early, late;
            struct oracle oracle;
            kairos_timeline_init(&early);
            kairos_timeline_init(&late);
            oracle_init(&oracle, 4);
            add(&early, 180, &oracle, 0);
            add(&early, 180, &oracle, 100);
            add(&late, 180, &oracle, 100 + gap);
            add(&late, 180, &oracle, 200 + gap);
            struct kairos_timeline *timeline = late_first ? &late : &early;
            assert_true(kairos_timeline_join(timeline, 180, late_first ? &early : &late));
            check_settled(timeline, 180, &oracle);
            assert_int_equal(walk(timeline, 180), gap > 180);
            kairos_timeline_finish(timeline);
            oracle_finish(&oracle);
        }
    }
}

/* Behind many settled marks, about as many unordered ones as are merged at once, or more. */
static void merging_and_its_limit(void **state)
{
    const size_t limit = 4096, before = 20000;
    for (size_t fresh = limit - 6; fresh <= limit + 6; fresh++) {
        struct kairos_timeline timeline;
        struct oracle oracle;
        kairos_timeline_init(&timeline);
        oracle_init(&oracle, before + fresh);
        for (size_t i = 0; i < before; i++)
            add(&timeline, 10, &oracle, (int64_t)i * 1000);
        check_settled(&timeline, 10, &oracle);
        for (size_t i = 0; i < fresh; i++)
            add(&timeline, 10, &oracle, (int64_t)(i * 7919 % before) * 1000 + 500);
        check_settled(&timeline, 10, &oracle);
        kairos_timeline_finish(&timeline);
        oracle_finish(&oracle);
    }
}

static void an_empty_timeline_has_no_silence(void **state)
{
    struct kairos_timeline timeline, other;
    struct kairos_silence silence;
    size_t position = 0;
    kairos_timeline_init(&timeline);
    kairos_timeline_init(&other);
    kairos_timeline_settle(&timeline, 1);
    assert_false(kairos_timeline_next_silence(&timeline, &position, &silence));
    assert_true(kairos_timeline_join(&timeline, 1, &other));
    assert_true(timeline.first > timeline.last);

    assert_true(kairos_timeline_add(&timeline, 1, 7));
    kairos_timeline_settle(&timeline, 1);
    assert_false(kairos_timeline_next_silence(&timeline, &position, &silence));
    assert_int_equal(timeline.first, 7);
    assert_int_equal(timeline.last, 7);
    assert_true(kairos_timeline_join(&timeline, 1, &other));
    assert_true(kairos_timeline_join(&other, 1, &timeline));
    assert_int_equal(other.last, 7);
    assert_true(timeline.first > timeline.last);
}

/* A finished timeline is an empty one, and may be used again. */
static void finishing_empties(void **state)
{
    struct kairos_timeline timeline;
    kairos_timeline_init(&timeline);
    for (int64_t time = 0; time < 1000; time++)
        assert_true(kairos_timeline_add(&timeline, 1, time * 100));
    assert_true(kairos_timeline_memory(&timeline) > 0);
    kairos_timeline_finish(&timeline);
    assert_true(timeline.first > timeline.last);
    assert_int_equal(kairos_timeline_memory(&timeline), 0);
    assert_true(kairos_timeline_add(&timeline, 1, 5));
    kairos_timeline_finish(&timeline);
}

/* A service that never goes silent costs the same for any number of heartbeats. */
static void a_log_without_silences_costs_no_memory(void **state)
{
    struct dice dice = {4};
    struct kairos_timeline ordered, disordered;
    const int64_t reach = 180 * KAIROS_SECOND;
    kairos_timeline_init(&ordered);
    kairos_timeline_init(&disordered);
    for (int64_t i = 0; i < 1000000; i++) {
        assert_true(kairos_timeline_add(&ordered, reach, i * 60 * KAIROS_SECOND));
        int64_t early = dice_between(&dice, 0, 120) * KAIROS_SECOND;
        assert_true(kairos_timeline_add(&disordered, reach, i * 60 * KAIROS_SECOND - early));
    }
    assert_int_equal(kairos_timeline_memory(&ordered), 0);
    check(kairos_timeline_memory(&disordered) <= 256, "%zu bytes",
          kairos_timeline_memory(&disordered));
    kairos_timeline_settle(&disordered, reach);
    assert_int_equal(walk(&disordered, reach), 0);
    kairos_timeline_finish(&ordered);
    kairos_timeline_finish(&disordered);
}

/* At worst, with a silence after each heartbeat, 8 bytes for each, and some in reserve. */
static void silences_cost_8_bytes_each(void **state)
{
    struct dice dice = {5};
    struct kairos_timeline timeline;
    const size_t count = 200000;
    kairos_timeline_init(&timeline);
    for (size_t i = 0; i < count; i++)
        assert_true(kairos_timeline_add(&timeline, 10, dice_between(&dice, 0, INT64_C(1) << 50)));
    check_memory(&timeline, count);
    kairos_timeline_settle(&timeline, 10);
    check_memory(&timeline, count);
    assert_true(walk(&timeline, 10) > count - 100);
    kairos_timeline_finish(&timeline);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_heartbeats_agree_with_the_oracle),
        cmocka_unit_test(joined_timelines_agree_with_the_oracle),
        cmocka_unit_test(many_heartbeats_in_every_order),
        cmocka_unit_test(the_whole_calendar),
        cmocka_unit_test(the_reach_itself_is_no_silence),
        cmocka_unit_test(stretches_are_joined_within_the_reach),
        cmocka_unit_test(merging_and_its_limit),
        cmocka_unit_test(an_empty_timeline_has_no_silence),
        cmocka_unit_test(finishing_empties),
        cmocka_unit_test(a_log_without_silences_costs_no_memory),
        cmocka_unit_test(silences_cost_8_bytes_each),
    };
    return cmocka_run_group_tests_name("timeline", tests, NULL, NULL);
}
