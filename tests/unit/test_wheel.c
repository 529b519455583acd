/*
 * test_wheel.c - the timer wheel against an oracle: an array of times.
 */
#include "wheel.h"

#include <kairos/timestamp.h>

#include "live_support.h"

#define TICK         (INT64_C(1) << WHEEL_TICK_BITS)
#define YEAR         (365 * KAIROS_DAY)
#define LONG_AGO     KAIROS_TIME_MIN
#define NOT_IN_WHEEL INT64_MIN

#define ENTRIES      500

static int64_t tick_of(int64_t time)
{
    return time >> WHEEL_TICK_BITS;
}

/* ---- The oracle ---- */

struct oracle {
    struct wheel wheel;
    int64_t times[ENTRIES]; /* when each comes up, or NOT_IN_WHEEL */
    int64_t tick;           /* up to which time has passed */
    bool came_up[ENTRIES];  /* in this advance */
    size_t early;           /* how often one came up to be looked at and put back */
};

static void init(struct oracle *oracle, int64_t time)
{
    memset(oracle, 0, sizeof(*oracle));
    assert_true(wheel_init(&oracle->wheel, ENTRIES, time));
    for (size_t entry = 0; entry < ENTRIES; entry++)
        oracle->times[entry] = NOT_IN_WHEEL;
    oracle->tick = tick_of(time);
}

static void finish(struct oracle *oracle)
{
    wheel_finish(&oracle->wheel);
    assert_null(oracle->wheel.links);
}

static void put(struct oracle *oracle, uint32_t entry, int64_t time)
{
    wheel_put(&oracle->wheel, entry, time);
    oracle->times[entry] = time;
}

static void take_out(struct oracle *oracle, uint32_t entry)
{
    wheel_remove(&oracle->wheel, entry);
    oracle->times[entry] = NOT_IN_WHEEL;
}

static bool is_due(const struct oracle *oracle, uint32_t entry)
{
    return oracle->times[entry] != NOT_IN_WHEEL && tick_of(oracle->times[entry]) <= oracle->tick;
}

static size_t count_entries(const struct oracle *oracle)
{
    size_t count = 0;
    for (uint32_t entry = 0; entry < ENTRIES; entry++)
        count += oracle->times[entry] != NOT_IN_WHEEL;
    return count;
}

/* The wheel says to be back in time for the next entry, and says it for no other reason. */
static void check_next(const struct oracle *oracle)
{
    int64_t first = INT64_MAX;
    for (uint32_t entry = 0; entry < ENTRIES; entry++) {
        if (oracle->times[entry] != NOT_IN_WHEEL && oracle->times[entry] < first)
            first = oracle->times[entry];
    }
    int64_t next = wheel_next(&oracle->wheel);
    if (first == INT64_MAX) {
        assert_int_equal(next, INT64_MAX);
        return;
    }
    int64_t tick = tick_of(first) > oracle->tick ? tick_of(first) : oracle->tick;
    check(next <= (tick + 1) * TICK, "next is %jd, and an entry comes up at %jd", (intmax_t)next,
          (intmax_t)first);
    check(next >= oracle->tick * TICK, "next is %jd, which is past", (intmax_t)next);
}

/*
 * Lets time pass, and looks at what comes up: those that are due are taken out, the others go back
 * with their own time. Returns how many came up.
 */
static size_t advance(struct oracle *oracle, int64_t time)
{
    size_t popped = 0;
    uint32_t entry;
    wheel_advance(&oracle->wheel, time);
    if (tick_of(time) > oracle->tick) /* else it is later than that already */
        oracle->tick = tick_of(time);
    memset(oracle->came_up, 0, sizeof(oracle->came_up));
    for (; wheel_pop(&oracle->wheel, &entry); popped++) {
        assert_true(entry < ENTRIES);
        check(oracle->times[entry] != NOT_IN_WHEEL, "entry %u was taken out", entry);
        check(!oracle->came_up[entry], "entry %u came up twice", entry);
        assert_int_equal(wheel_has_due(&oracle->wheel),
                         wheel_next(&oracle->wheel) <= oracle->tick * TICK);
        oracle->came_up[entry] = true;
        if (is_due(oracle, entry)) {
            oracle->times[entry] = NOT_IN_WHEEL;
        } else {
            wheel_put(&oracle->wheel, entry, oracle->times[entry]);
            oracle->early++;
        }
    }
    for (entry = 0; entry < ENTRIES; entry++)
        check(!is_due(oracle, entry), "entry %u did not come up", entry);
    return popped;
}

static void check_all(const struct oracle *oracle)
{
    assert_int_equal(walk_wheel(&oracle->wheel, NULL), count_entries(oracle));
    check_next(oracle);
}

/* ---- Random ones ---- */

/* As long as a few ticks, a turn of each level, and beyond: each about as often as the others. */
static int64_t random_span(struct dice *dice)
{
    static const int64_t spans[] = {
        1,
        3 * TICK,
        256 * TICK,
        KAIROS_SECOND,
        KAIROS_MINUTE,
        65536 * TICK,
        KAIROS_HOUR,
        5 * KAIROS_HOUR,
        51 * KAIROS_DAY,
        366 * KAIROS_DAY,
        36 * YEAR,
        3000 * YEAR,
    };
    int64_t span = dice_between(dice, 0, spans[dice_below(dice, COUNT_OF(spans))]);
    if (dice_chance(dice, 20)) /* round ones, where slots begin */
        span &= ~((INT64_C(1) << (WHEEL_TICK_BITS + 8 * dice_below(dice, 4))) - 1);
    return span + (dice_chance(dice, 20) ? dice_between(dice, -1, 1) : 0);
}

/* The spans that time jumps by: shorter than those of the entries, for there to be something. */
static int64_t random_jump(struct dice *dice, const struct oracle *oracle, int64_t now)
{
    int64_t next = wheel_next(&oracle->wheel);
    if (dice_chance(dice, 40) && next != INT64_MAX)
        return next - now + (dice_chance(dice, 50) ? 0 : dice_between(dice, -2 * TICK, TICK));
    if (dice_chance(dice, 5))
        return -random_span(dice) % KAIROS_DAY;
    int64_t span = random_span(dice);
    return span > YEAR && dice_chance(dice, 80) ? span % KAIROS_DAY : span;
}

static void any_order_agrees_with_the_oracle(void **state)
{
    static const int64_t begins[] = {0, 1, -1, BEGIN, LONG_AGO, -KAIROS_HOUR, TICK - 1};
    static struct oracle oracle;
    struct dice dice = {1};
    for (size_t round = 0; round < 200; round++) {
        int64_t now = begins[round % COUNT_OF(begins)];
        uint32_t entries = 1 + (uint32_t)dice_below(&dice, round % 2 == 0 ? ENTRIES : 20);
        init(&oracle, now);
        for (size_t step = 0; step < 500 && now < KAIROS_TIME_MAX; step++) {
            uint32_t entry = (uint32_t)dice_below(&dice, entries);
            size_t choice = dice_below(&dice, 10);
            if (choice < 5)
                put(&oracle, entry, now + random_span(&dice));
            else if (choice < 6)
                put(&oracle, entry, now - random_span(&dice) % YEAR); /* past: as soon as can be */
            else if (choice < 7)
                take_out(&oracle, entry);
            else
                advance(&oracle, now += random_jump(&dice, &oracle, now));
            if (step % 20 == 0)
                check_all(&oracle);
        }
        check_all(&oracle);
        finish(&oracle);
    }
}

/* Whoever comes back whenever the wheel says so misses nothing and finds something each time. */
static void going_by_what_the_wheel_says(void **state)
{
    static struct oracle oracle;
    struct dice dice = {2};
    for (size_t round = 0; round < 100; round++) {
        int64_t now = dice_between(&dice, -KAIROS_DAY, 100 * YEAR);
        size_t entries = 1 + dice_below(&dice, ENTRIES), turns = 0;
        init(&oracle, now);
        for (uint32_t entry = 0; entry < entries; entry++)
            put(&oracle, entry, now + random_span(&dice) % (70 * YEAR));
        while ((now = wheel_next(&oracle.wheel)) != INT64_MAX) {
            assert_true(advance(&oracle, now) > 0);
            check_next(&oracle);
            check(turns++ < 10 * entries, "entries are looked at too often");
        }
        assert_int_equal(walk_wheel(&oracle.wheel, NULL), 0);
        assert_int_equal(count_entries(&oracle), 0);
        finish(&oracle);
    }
}

/* ---- Single ones ---- */

static void an_empty_wheel(void **state)
{
    struct wheel wheel;
    uint32_t entry;
    assert_true(wheel_init(&wheel, 10, KAIROS_TIME_MAX));
    assert_int_equal(wheel_next(&wheel), INT64_MAX);
    wheel_advance(&wheel, INT64_MAX);
    wheel_advance(&wheel, INT64_MIN);
    assert_false(wheel_pop(&wheel, &entry));
    for (entry = 0; entry < 10; entry++)
        wheel_remove(&wheel, entry);
    assert_int_equal(wheel_next(&wheel), INT64_MAX);
    assert_int_equal(walk_wheel(&wheel, NULL), 0);
    wheel_finish(&wheel);
    wheel_finish(&wheel);
}

/* In its own tick, not before, whatever the place of its time within the tick. */
static void comes_up_in_its_tick(void **state)
{
    static const int64_t ahead[] = {0, 1, 255, 256, 257, 65535, 65536, 65537, 1 << 24, 1 << 30};
    static struct oracle oracle;
    for (size_t i = 0; i < COUNT_OF(ahead); i++) {
        for (int64_t begin = -300; begin <= 300; begin += 50) {
            for (int64_t within = 0; within < TICK; within += TICK - 1) {
                int64_t time = (begin + ahead[i]) * TICK + within;
                init(&oracle, begin * TICK);
                put(&oracle, 7, time);
                if (ahead[i] > 0)
                    advance(&oracle, (begin + ahead[i]) * TICK - 1);
                assert_int_equal(oracle.times[7], time);
                assert_int_equal(advance(&oracle, (begin + ahead[i]) * TICK), 1);
                assert_int_equal(oracle.times[7], NOT_IN_WHEEL);
                finish(&oracle);
            }
        }
    }
}

/* What was due long ago comes up at the next advance, even one that lets no time pass. */
static void past_times_come_up_at_once(void **state)
{
    static const int64_t past[] = {1, TICK, KAIROS_HOUR, YEAR, 4000 * YEAR};
    static struct oracle oracle;
    for (size_t i = 0; i < COUNT_OF(past); i++) {
        int64_t now = (BEGIN / TICK) * TICK + 5;
        init(&oracle, now);
        advance(&oracle, now);
        put(&oracle, 3, now - past[i]);
        check_all(&oracle);
        assert_true(wheel_next(&oracle.wheel) <= now + TICK);
        assert_int_equal(advance(&oracle, i % 2 == 0 ? now : now - past[i]), 1);
        assert_int_equal(advance(&oracle, now), 0);
        finish(&oracle);
    }
}

/* While some that came up wait to be looked at, others of them are moved or taken out. */
static void moved_while_they_wait(void **state)
{
    enum { MOVED = 30, REMOVED = 60, COUNT = 100 };
    static struct oracle oracle;
    uint32_t entry, popped;
    init(&oracle, 0);
    for (entry = 0; entry < COUNT; entry++)
        put(&oracle, entry, KAIROS_SECOND);
    wheel_advance(&oracle.wheel, KAIROS_SECOND);
    assert_int_equal(walk_wheel(&oracle.wheel, NULL), COUNT);
    assert_true(wheel_next(&oracle.wheel) <= KAIROS_SECOND);
    for (entry = 0; entry < REMOVED; entry++) {
        if (entry < MOVED)
            wheel_put(&oracle.wheel, entry, KAIROS_MINUTE);
        else
            wheel_remove(&oracle.wheel, entry);
        assert_int_equal(walk_wheel(&oracle.wheel, NULL),
                         entry < MOVED ? COUNT : COUNT - 1 - (entry - MOVED));
    }
    for (popped = 0; wheel_pop(&oracle.wheel, &entry); popped++)
        assert_true(entry >= REMOVED);
    assert_int_equal(popped, COUNT - REMOVED);
    wheel_advance(&oracle.wheel, KAIROS_MINUTE);
    for (popped = 0; wheel_pop(&oracle.wheel, &entry); popped++)
        assert_true(entry < MOVED);
    assert_int_equal(popped, MOVED);
    finish(&oracle);
}

/* Whoever looks at a few in each round, and puts them back into the present, sees all in turn. */
static void looked_at_a_few_at_a_time(void **state)
{
    enum { COUNT = 100, FEW = 7 };
    static struct oracle oracle;
    size_t looks[COUNT] = {0};
    uint32_t entry;
    init(&oracle, 0);
    for (entry = 0; entry < COUNT; entry++)
        put(&oracle, entry, 10 * TICK + entry);
    for (size_t round = 0; round < 200; round++) {
        wheel_advance(&oracle.wheel, 10 * TICK + (int64_t)round % TICK);
        size_t looked = 0, least = SIZE_MAX, most = 0;
        for (; looked < FEW && wheel_pop(&oracle.wheel, &entry); looked++) {
            looks[entry]++;
            wheel_put(&oracle.wheel, entry, 10 * TICK - (int64_t)round);
        }
        assert_true(looked == FEW || !wheel_has_due(&oracle.wheel));
        for (size_t i = 0; i < COUNT; i++) {
            least = looks[i] < least ? looks[i] : least;
            most = looks[i] > most ? looks[i] : most;
        }
        check(most - least <= 1, "one was looked at %zu times, another %zu times", most, least);
        assert_int_equal(walk_wheel(&oracle.wheel, NULL), COUNT);
    }
    /* Time goes on while some wait: none is lost, and those that come up join them. */
    assert_true(wheel_has_due(&oracle.wheel));
    wheel_advance(&oracle.wheel, 11 * TICK);
    size_t popped = 0;
    for (; wheel_pop(&oracle.wheel, &entry); popped++)
        ;
    assert_int_equal(popped, COUNT);
    assert_int_equal(wheel_next(&oracle.wheel), INT64_MAX);
    finish(&oracle);
}

/* An entry that is far away is looked at once a level on its way, and beyond the levels once a
 * turn of the last. */
static void far_entries_are_looked_at_rarely(void **state)
{
    static const struct {
        int64_t ahead;
        size_t looks;
    } rows[] = {
        {255 * TICK, 1},       {KAIROS_MINUTE, 2}, {KAIROS_HOUR, 3}, {KAIROS_DAY, 4},
        {366 * KAIROS_DAY, 5}, {30 * YEAR, 5},     {100 * YEAR, 8},  {8000 * YEAR, 240},
    };
    struct dice dice = {3};
    static struct oracle oracle;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int round = 0; round < 20; round++) {
            int64_t now = dice_between(&dice, 0, YEAR);
            init(&oracle, now);
            put(&oracle, 1, now + rows[i].ahead);
            size_t looks = 0;
            for (int64_t next; (next = wheel_next(&oracle.wheel)) != INT64_MAX; looks++)
                assert_int_equal(advance(&oracle, next), 1);
            check(looks <= rows[i].looks, "%zu looks at what is %jd away", looks,
                  (intmax_t)rows[i].ahead);
            finish(&oracle);
        }
    }
}

/* However far time jumps, and wherever it began, nothing stays behind. */
static void one_jump_over_everything(void **state)
{
    static const int64_t begins[] = {KAIROS_TIME_MIN, -1, 0, BEGIN};
    struct dice dice = {4};
    static struct oracle oracle;
    for (size_t i = 0; i < COUNT_OF(begins); i++) {
        init(&oracle, begins[i]);
        for (uint32_t entry = 0; entry < ENTRIES; entry++)
            put(&oracle, entry, begins[i] + random_span(&dice));
        assert_int_equal(advance(&oracle, KAIROS_TIME_MAX), ENTRIES);
        assert_int_equal(oracle.early, 0);
        check_all(&oracle);
        finish(&oracle);
    }
}

/* The longest deadlines there are: an alert after a million intervals of a year. */
static void times_beyond_the_calendar(void **state)
{
    static const int64_t far[] = {KAIROS_TIME_MAX, INT64_MAX / 2, INT64_MAX - 1, INT64_MAX};
    static struct oracle oracle;
    init(&oracle, KAIROS_TIME_MIN);
    for (uint32_t entry = 0; entry < COUNT_OF(far); entry++)
        put(&oracle, entry, far[entry]);
    for (int64_t now = KAIROS_TIME_MIN; now < KAIROS_TIME_MAX - 1000 * YEAR; now += 1000 * YEAR)
        advance(&oracle, now);
    check_all(&oracle);
    assert_int_equal(count_entries(&oracle), COUNT_OF(far));
    advance(&oracle, KAIROS_TIME_MAX);
    assert_int_equal(count_entries(&oracle), COUNT_OF(far) - 1);
    finish(&oracle);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_agrees_with_the_oracle),
        cmocka_unit_test(going_by_what_the_wheel_says),
        cmocka_unit_test(an_empty_wheel),
        cmocka_unit_test(comes_up_in_its_tick),
        cmocka_unit_test(past_times_come_up_at_once),
        cmocka_unit_test(moved_while_they_wait),
        cmocka_unit_test(looked_at_a_few_at_a_time),
        cmocka_unit_test(far_entries_are_looked_at_rarely),
        cmocka_unit_test(one_jump_over_everything),
        cmocka_unit_test(times_beyond_the_calendar),
    };
    return cmocka_run_group_tests_name("wheel", tests, NULL, NULL);
}
