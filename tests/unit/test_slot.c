/*
 * test_slot.c - services as they lie in the registry's file.
 */
#include "slot.h"

#include <stdlib.h>

#include "live_support.h"

/* A service in a slot or two. */
struct pair {
    struct slot first, second;
    bool is_long;
};

#define OWNER 4711

static struct pair encode(const struct service *service)
{
    struct pair pair = {.is_long = slot_name_is_long(service->length)};
    slot_encode(&pair.first, service);
    if (pair.is_long)
        slot_encode_name(&pair.second, service, OWNER);
    return pair;
}

static const struct slot *second_of(const struct pair *pair)
{
    return pair->is_long ? &pair->second : NULL;
}

static bool decode(const struct pair *pair, struct service *service)
{
    return slot_decode(&pair->first, second_of(pair), service);
}

static void check_round_trip(const struct service *service)
{
    struct service decoded, loaded;
    uint32_t owner;
    struct pair pair = encode(service);
    check(decode(&pair, &decoded), "%s", service->name);
    check_same_service(service, &decoded);
    slot_read(&pair.first, second_of(&pair), &loaded);
    check_same_service(service, &loaded);
    assert_int_equal(slot_use(&pair.first), SLOT_SERVICE);
    assert_false(slot_owner(&pair.first, &owner));
    if (!pair.is_long)
        return;
    assert_int_equal(slot_use(&pair.second), SLOT_NAME);
    assert_true(slot_owner(&pair.second, &owner));
    assert_int_equal(owner, OWNER);
    assert_false(slot_decode(&pair.second, NULL, &decoded));
    assert_false(slot_decode(&pair.second, &pair.second, &decoded));
}

/* ---- What is written is read ---- */

static void any_service_comes_back(void **state)
{
    struct dice dice = {1};
    for (size_t i = 0; i < 50000; i++) {
        struct name name = name_numbered(i, 10 + dice_below(&dice, 91));
        struct service service = random_service(&dice, &name);
        check_round_trip(&service);
    }
}

/* The same for a service that is like SERVICE but for one field. */
#define check_field(field, value)                                                                  \
    do {                                                                                           \
        struct service like = service;                                                             \
        like.field = (value);                                                                      \
        check_round_trip(&like);                                                                   \
    } while (0)

/* Each field at its least and its most, the others as in any service. */
static void each_field_at_its_bounds(void **state)
{
    static const int64_t times[] = {TIME_NEVER, KAIROS_TIME_MIN, KAIROS_TIME_MIN + 1, -1,
                                    0,          KAIROS_TIME_MAX, KAIROS_TIME_MAX - 1};
    static const int64_t durations[] = {KAIROS_MILLISECOND, KAIROS_SECOND, 365 * KAIROS_DAY,
                                        366 * KAIROS_DAY - KAIROS_MILLISECOND, 366 * KAIROS_DAY};
    struct name name = name_of("push");
    struct service service = service_named(&name), with;
    check_round_trip(&service);
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        struct service both = service;
        both.expectation.anchor = times[i];
        both.expectation.listening_since = times[i];
        check_round_trip(&both);
        if (times[i] != TIME_NEVER) {
            both.expectation.listening_since = BEGIN;
            check_round_trip(&both);
        }
        check_field(run_started, times[i]);
        check_field(incident_started, times[i]);
    }
    for (size_t i = 0; i < COUNT_OF(durations); i++) {
        check_field(expectation.policy.interval, durations[i]);
        check_field(expectation.policy.tolerance, durations[i]);
        check_field(max_runtime, durations[i]);
    }
    for (uint32_t misses = 1; misses <= KAIROS_ALLOWED_MISSES_MAX; misses *= 10) {
        check_field(expectation.policy.allowed_misses, misses);
        check_field(expectation.misses_before, misses);
    }
    for (unsigned number = 0; number <= UINT8_MAX; number++) {
        check_field(gap_number, (uint8_t)number);
    }
    for (int kind = INCIDENT_SILENCE; kind <= INCIDENT_OVERRUN; kind++) {
        for (int flags = 0; flags < 4; flags++) {
            with = service;
            with.incident_kind = (enum incident_kind)kind;
            with.declared = (flags & 1) != 0;
            with.paused = (flags & 2) != 0;
            check_round_trip(&with);
        }
    }
    check_field(raised_after, UINT32_MAX);
    check_field(alerts_before, (1 << 28) - 1);
    check_field(fails, UINT16_MAX);
}

/* "At most": counts that a slot has no room for are kept as the largest it has. */
static void counts_stop_at_the_largest(void **state)
{
    static const uint32_t alerts[] = {1 << 28, (1 << 28) + 1, UINT32_MAX};
    struct name name = name_of("push");
    for (size_t i = 0; i < COUNT_OF(alerts); i++) {
        struct service service = service_named(&name), decoded;
        service.max_runtime = 366 * KAIROS_DAY;
        service.alerts_before = alerts[i];
        struct pair pair = encode(&service);
        assert_true(decode(&pair, &decoded));
        assert_int_equal(decoded.alerts_before, (1 << 28) - 1);
        service.alerts_before = decoded.alerts_before;
        check_same_service(&service, &decoded);
    }
}

static void names_of_any_length(void **state)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    for (size_t length = 1; length <= KAIROS_SERVICE_MAX; length++) {
        struct name name = {.length = length};
        for (size_t i = 0; i < length; i++)
            name.text[i] = letters[(i + length) % (sizeof(letters) - 1)];
        struct service service = service_named(&name);
        assert_int_equal(slot_name_is_long(length), length > SLOT_NAME_INLINE);
        check_round_trip(&service);
        struct pair pair = encode(&service);
        assert_true(slot_has_name(&pair.first, second_of(&pair), name.text, length));
        for (size_t at = 0; at < length; at++) {
            struct name other = name;
            other.text[at] = other.text[at] == 'x' ? 'y' : 'x';
            assert_false(slot_has_name(&pair.first, second_of(&pair), other.text, length));
        }
        if (length > 1)
            assert_false(slot_has_name(&pair.first, second_of(&pair), name.text, length - 1));
        assert_false(slot_has_name(&pair.first, second_of(&pair), name.text, length + 1));
    }
}

/* A name that is looked for is read in whole words and no further. */
static void reads_whole_words_of_a_name(void **state)
{
    struct fence fence;
    fence_init(&fence, KAIROS_SERVICE_SIZE);
    for (size_t length = 10; length <= KAIROS_SERVICE_MAX; length++) {
        struct name name = name_numbered(length, length);
        struct service service = service_named(&name);
        struct pair pair = encode(&service);
        const char *placed = fence_place(&fence, name.text, (length + 7) / 8 * 8);
        assert_true(slot_has_name(&pair.first, second_of(&pair), placed, length));
    }
    fence_finish(&fence);
}

/* Zero bytes are a free slot, and a cell that never saw a heartbeat; order is kept. */
static void times_in_the_file(void **state)
{
    static const int64_t times[] = {TIME_NEVER, KAIROS_TIME_MIN, -1, 0, 1, BEGIN, KAIROS_TIME_MAX};
    struct slot nothing = {0};
    uint32_t owner;
    struct service service;
    assert_int_equal(slot_use(&nothing), SLOT_FREE);
    assert_false(slot_owner(&nothing, &owner));
    assert_false(slot_decode(&nothing, NULL, &service));
    assert_int_equal(time_encode(TIME_NEVER), 0);
    assert_int_equal(time_decode(0), TIME_NEVER);
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        assert_int_equal(time_decode(time_encode(times[i])), times[i]);
        for (size_t j = 0; j < i; j++)
            assert_true(time_encode(times[j]) < time_encode(times[i]));
    }
}

/* ---- What is not as it was written is noticed ---- */

static void check_flips(const struct service *service)
{
    struct service decoded;
    uint32_t owner;
    const struct pair pair = encode(service);
    struct pair spoilt = pair;
    for (size_t at = 0; at < SLOT_SIZE; at++) {
        for (unsigned flip = 1; flip <= UINT8_MAX; flip++) {
            spoilt.first.bytes[at] = (unsigned char)(pair.first.bytes[at] ^ flip);
            check(!decode(&spoilt, &decoded), "byte %zu of the slot", at);
            check(!slot_owner(&spoilt.first, &owner), "byte %zu of the slot", at);
            spoilt.first = pair.first;
            if (!pair.is_long)
                continue;
            spoilt.second.bytes[at] = (unsigned char)(pair.second.bytes[at] ^ flip);
            check(!slot_owner(&spoilt.second, &owner), "byte %zu of the continuation", at);
            spoilt.second = pair.second;
        }
    }
}

static void any_byte_that_changes_is_noticed(void **state)
{
    static const size_t lengths[] = {10, SLOT_NAME_INLINE, SLOT_NAME_INLINE + 1, 60, 100};
    struct dice dice = {2};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        struct name name = name_numbered(i, lengths[i]);
        struct service service = random_service(&dice, &name);
        check_flips(&service);
    }
}

/* A name's rest belongs to its beginning, and takes no other's. */
static void a_continuation_is_its_own(void **state)
{
    struct service decoded;
    struct name name = name_numbered(1, 60), other = name_numbered(2, 60), short_one = name_of("a");
    struct service a = service_named(&name), b = service_named(&other),
                   c = service_named(&short_one);
    struct pair first = encode(&a), second = encode(&b), third = encode(&c);
    assert_true(slot_decode(&first.first, &first.second, &decoded));
    assert_false(slot_decode(&first.first, &second.second, &decoded));
    assert_false(slot_decode(&first.first, NULL, &decoded));
    assert_false(slot_decode(&third.first, &first.second, &decoded));
    assert_false(slot_decode(&first.first, &first.first, &decoded));
    assert_false(slot_decode(&first.first, &third.first, &decoded));
}

static void bytes_that_mean_nothing(void **state)
{
    struct dice dice = {3};
    struct service decoded;
    uint32_t owner;
    for (int i = 0; i < 100000; i++) {
        struct pair pair;
        for (size_t at = 0; at < SLOT_SIZE; at++) {
            pair.first.bytes[at] = (unsigned char)dice_roll(&dice);
            pair.second.bytes[at] = (unsigned char)dice_roll(&dice);
        }
        pair.first.bytes[4] = (unsigned char)dice_below(&dice, 5); /* the use */
        enum slot_use use = slot_use(&pair.first);
        assert_true(use == SLOT_FREE || use == SLOT_SERVICE || use == SLOT_NAME);
        assert_false(slot_owner(&pair.first, &owner));
        assert_false(slot_decode(&pair.first, NULL, &decoded));
        assert_false(slot_decode(&pair.first, &pair.second, &decoded));
    }
}

/* ---- Right checksums of what must not be ---- */

static void check_refused(const struct service *service, const char *why)
{
    struct service decoded;
    struct pair pair = encode(service);
    check(!decode(&pair, &decoded), "%s", why);
}

/* A service like SERVICE but for one field. */
#define refuse_field(field, value, why)                                                            \
    do {                                                                                           \
        struct service like = service;                                                             \
        like.field = (value);                                                                      \
        check_refused(&like, why);                                                                 \
    } while (0)

static void unsound_numbers_are_refused(void **state)
{
    static const int64_t times[] = {KAIROS_TIME_MIN - 2, KAIROS_TIME_MAX + 1, INT64_MAX};
    struct name name = name_of("push");
    struct service service = service_named(&name);
    check_round_trip(&service);
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        refuse_field(expectation.anchor, times[i], "anchor");
        refuse_field(expectation.listening_since, times[i], "listening_since");
        refuse_field(run_started, times[i], "run_started");
        refuse_field(incident_started, times[i], "incident_started");
    }
    refuse_field(expectation.anchor, BEGIN, "an anchor, and never listened");
    refuse_field(expectation.listening_since, BEGIN, "listened, and no anchor");
    refuse_field(expectation.policy.interval, 0, "no interval");
    refuse_field(expectation.policy.interval, KAIROS_INTERVAL_MAX + KAIROS_MILLISECOND,
                 "interval too long");
    refuse_field(expectation.policy.tolerance, KAIROS_TOLERANCE_MAX + KAIROS_MILLISECOND,
                 "tolerance too long");
    refuse_field(expectation.policy.allowed_misses, 0, "no allowed misses");
    refuse_field(expectation.policy.allowed_misses, KAIROS_ALLOWED_MISSES_MAX + 1,
                 "too many allowed misses");
    refuse_field(max_runtime, 366 * KAIROS_DAY + KAIROS_MILLISECOND, "max_runtime too long");
    refuse_field(incident_kind, (enum incident_kind)(INCIDENT_OVERRUN + 1), "no kind");
}

static void unsound_names_are_refused(void **state)
{
    static const char *const bad[] = {"PUSH",       "p ush", "push ", " push",
                                      "pu\xc3\xa4", "p.ush", "p/ush"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct name name = name_of(bad[i]);
        struct service service = service_named(&name);
        check_refused(&service, bad[i]);
    }
    struct name name = name_of("push");
    struct service service = service_named(&name);
    refuse_field(length, 0, "length 0");
    refuse_field(length, 3, "a character behind the name");
    refuse_field(length, 5, "a NUL in the name");
    refuse_field(name[12], 'x', "not padded with NULs");
    name = name_numbered(1, 50);
    service = service_named(&name);
    refuse_field(name[90], 'x', "a continuation not padded with NULs");
    refuse_field(name[30], '\0', "a NUL in the continuation");
    refuse_field(length, 101, "length 101");
    refuse_field(length, UINT8_MAX, "length 255");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_service_comes_back),
        cmocka_unit_test(each_field_at_its_bounds),
        cmocka_unit_test(counts_stop_at_the_largest),
        cmocka_unit_test(names_of_any_length),
        cmocka_unit_test(reads_whole_words_of_a_name),
        cmocka_unit_test(times_in_the_file),
        cmocka_unit_test(any_byte_that_changes_is_noticed),
        cmocka_unit_test(a_continuation_is_its_own),
        cmocka_unit_test(bytes_that_mean_nothing),
        cmocka_unit_test(unsound_numbers_are_refused),
        cmocka_unit_test(unsound_names_are_refused),
    };
    return cmocka_run_group_tests_name("slot", tests, NULL, NULL);
}
