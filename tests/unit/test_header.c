/*
 * test_header.c - the first page of the registry's file.
 */
#include "header.h"

#include <stddef.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "live_support.h"

union page {
    struct header header;
    unsigned char bytes[HEADER_SIZE];
};

static union page fresh(void)
{
    union page page = {0};
    header_init(&page.header);
    return page;
}

/* ---- What the file is ---- */

static void a_fresh_header(void **state)
{
    union page page = fresh();
    struct clock_memory memory;
    assert_int_equal(header_check(&page.header), HEADER_OK);
    assert_int_equal(atomic_load(&page.header.gap_count), 0);
    assert_int_equal(time_decode(atomic_load(&page.header.alive_at)), TIME_NEVER);
    assert_int_equal(time_decode(atomic_load(&page.header.synced_until)), TIME_NEVER);
    assert_false(header_clock(&page.header, &memory));
}

static void any_byte_of_the_identity_is_noticed(void **state)
{
    union page page = fresh();
    for (size_t at = 0; at < sizeof(struct header_identity); at++) {
        for (unsigned flip = 1; flip <= UINT8_MAX; flip++) {
            page.bytes[at] ^= (unsigned char)flip;
            enum header_result result = header_check(&page.header);
            check(result == (at < 8 ? HEADER_FOREIGN : HEADER_DAMAGED), "byte %zu: %d", at,
                  (int)result);
            page.bytes[at] ^= (unsigned char)flip;
        }
    }
    assert_int_equal(header_check(&page.header), HEADER_OK);
}

static void other_files_are_foreign(void **state)
{
    static const struct bytes files[] = {
        BYTES(""),
        BYTES("SQLite format 3\0"),
        BYTES("[{\"service\": \"push\"}]"),
        BYTES("kairos"),
        BYTES("kairos\n\n\n\n"),
        BYTES("\x7f"
              "ELF"),
    };
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        union page page = {0};
        memcpy(page.bytes, files[i].text, files[i].length);
        assert_int_equal(header_check(&page.header), HEADER_FOREIGN);
    }
}

/* Checks a header with the identity that CHANGE makes of ours, under a right checksum. */
static enum header_result check_with(void (*change)(struct header_identity *))
{
    union page page = fresh();
    struct header_identity *identity = &page.header.identity;
    change(identity);
    identity->checksum = XXH3_64bits(identity, offsetof(struct header_identity, checksum));
    return header_check(&page.header);
}

static void nothing(struct header_identity *identity)
{
    (void)identity;
}

static void newer(struct header_identity *identity)
{
    identity->version = REGISTRY_VERSION + 1;
}

static void newest(struct header_identity *identity)
{
    identity->version = UINT32_MAX;
    identity->slot_size = 1;
}

static void older(struct header_identity *identity)
{
    identity->version = 0;
}

static void other_machine(struct header_identity *identity)
{
    identity->byte_order = UINT32_C(0x04030201);
}

static void other_header_size(struct header_identity *identity)
{
    identity->header_size++;
}

static void other_slot_size(struct header_identity *identity)
{
    identity->slot_size--;
}

static void other_slots_per_page(struct header_identity *identity)
{
    identity->slots_per_page++;
}

static void other_segment_slots(struct header_identity *identity)
{
    identity->segment_slots *= 2;
}

static void other_versions_and_machines(void **state)
{
    assert_int_equal(check_with(nothing), HEADER_OK);
    assert_int_equal(check_with(newer), HEADER_NEWER);
    assert_int_equal(check_with(newest), HEADER_NEWER);
    assert_int_equal(check_with(older), HEADER_OTHER);
    assert_int_equal(check_with(other_machine), HEADER_OTHER);
    assert_int_equal(check_with(other_header_size), HEADER_OTHER);
    assert_int_equal(check_with(other_slot_size), HEADER_OTHER);
    assert_int_equal(check_with(other_slots_per_page), HEADER_OTHER);
    assert_int_equal(check_with(other_segment_slots), HEADER_OTHER);
}

/* ---- The clock ---- */

static struct clock_memory memory_of(struct dice *dice)
{
    struct clock_memory memory = {
        .offset = (int64_t)dice_roll(dice),
        .skew = (int64_t)dice_roll(dice),
    };
    for (size_t i = 0; i < BOOT_ID_SIZE; i++)
        memory.boot_id[i] = (char)dice_roll(dice);
    return memory;
}

static void check_clock(const union page *page, const struct clock_memory *expected)
{
    struct clock_memory memory;
    assert_true(header_clock(&page->header, &memory));
    assert_memory_equal(memory.boot_id, expected->boot_id, BOOT_ID_SIZE);
    assert_int_equal(memory.offset, expected->offset);
    assert_int_equal(memory.skew, expected->skew);
}

/*
 * The newest is found; while the next one is being written, whatever is in the copy that is not in
 * use, the one before it is.
 */
static void the_clock_that_was_kept_last(void **state)
{
    struct dice dice = {1};
    union page page = fresh();
    struct clock_memory last = {0};
    for (uint32_t number = 1; number < 20; number++) {
        struct clock_memory memory = memory_of(&dice);
        union page torn = page;
        header_keep_clock(&page.header, &memory);
        check_clock(&page, &memory);
        for (size_t size = 0; number > 1 && size <= sizeof(struct header_clock); size++) {
            memcpy(&torn.header.clocks[number % 2], &page.header.clocks[number % 2], size);
            check_clock(&torn, &last);
        }
        last = memory;
    }
}

static void any_byte_of_the_clock_is_noticed(void **state)
{
    struct dice dice = {2};
    union page page = fresh();
    struct clock_memory memory = memory_of(&dice);
    header_keep_clock(&page.header, &memory);
    size_t begin = offsetof(struct header, clocks) + sizeof(struct header_clock);
    for (size_t at = begin; at < begin + sizeof(struct header_clock); at++) {
        for (unsigned flip = 1; flip <= UINT8_MAX; flip++) {
            page.bytes[at] ^= (unsigned char)flip;
            check(!header_clock(&page.header, &memory), "byte %zu", at - begin);
            page.bytes[at] ^= (unsigned char)flip;
        }
    }
    assert_true(header_clock(&page.header, &memory));
}

/* ---- Gaps ---- */

static struct gap gap_of(uint32_t number)
{
    return (struct gap){
        .from = BEGIN + number * KAIROS_HOUR,
        .to = BEGIN + number * KAIROS_HOUR + number,
        .reason = (enum gap_reason)(number % 3),
    };
}

static void check_gap(const union page *page, uint32_t number)
{
    struct gap gap = header_gap(&page->header, number), expected = gap_of(number);
    assert_int_equal(gap.from, expected.from);
    assert_int_equal(gap.to, expected.to);
    assert_int_equal(gap.reason, expected.reason);
}

static bool lasts_no_time(const struct gap *gap)
{
    return gap->from == gap->to;
}

static void the_newest_gaps_are_kept(void **state)
{
    union page page = fresh();
    for (uint32_t number = 1; number <= 30; number++) {
        struct gap gap = gap_of(number);
        header_add_gap(&page.header, &gap);
        assert_int_equal(atomic_load(&page.header.gap_count), number);
        uint32_t kept = number < GAPS_KEPT ? number : GAPS_KEPT;
        for (uint32_t back = 0; back < kept; back++)
            check_gap(&page, number - back);
    }
}

/* Killed while a gap is written: those before it are there, and none is what it was not. */
static void a_gap_that_is_half_written(void **state)
{
    union page page = fresh();
    for (uint32_t number = 1; number <= 20; number++) {
        union page torn = page;
        struct gap gap = gap_of(number);
        header_add_gap(&page.header, &gap);
        for (size_t size = 0; size < sizeof(struct header_gap); size++) {
            memcpy(&torn.header.gaps[number % GAPS_KEPT], &page.header.gaps[number % GAPS_KEPT],
                   size);
            assert_int_equal(atomic_load(&torn.header.gap_count), number - 1);
            for (uint32_t back = 1; back < GAPS_KEPT && back < number; back++)
                check_gap(&torn, number - back);
        }
    }
}

static void any_byte_of_a_gap_is_noticed(void **state)
{
    union page page = fresh();
    struct gap gap = gap_of(5);
    for (int i = 0; i < 5; i++)
        header_add_gap(&page.header, &gap);
    size_t begin = offsetof(struct header, gaps) + 5 * sizeof(struct header_gap);
    for (size_t at = begin; at < begin + sizeof(struct header_gap); at++) {
        for (unsigned flip = 1; flip <= UINT8_MAX; flip++) {
            page.bytes[at] ^= (unsigned char)flip;
            gap = header_gap(&page.header, 5);
            check(lasts_no_time(&gap), "byte %zu", at - begin);
            page.bytes[at] ^= (unsigned char)flip;
        }
    }
    check_gap(&page, 5);
}

/* Under a right checksum. */
static void unsound_gaps_last_no_time(void **state)
{
    static const struct header_gap rows[] = {
        {.from = 1, .to = 2, .reason = GAP_SUSPEND + 1},
        {.from = 1, .to = 2, .reason = UINT32_MAX},
        {.from = 2, .to = 1, .reason = GAP_RESTART},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        union page page = fresh();
        struct header_gap *copy = &page.header.gaps[1];
        *copy = rows[i];
        copy->checksum = (uint32_t)XXH3_64bits(copy, offsetof(struct header_gap, checksum));
        atomic_store(&page.header.gap_count, 1);
        struct gap gap = header_gap(&page.header, 1);
        assert_true(lasts_no_time(&gap));
        assert_true(gap.from >= KAIROS_TIME_MIN && gap.from <= KAIROS_TIME_MAX);
    }
}

static void reasons_have_names(void **state)
{
    assert_string_equal(gap_reason_name(GAP_RESTART), "restart");
    assert_string_equal(gap_reason_name(GAP_STALL), "stall");
    assert_string_equal(gap_reason_name(GAP_SUSPEND), "suspend");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fresh_header),
        cmocka_unit_test(any_byte_of_the_identity_is_noticed),
        cmocka_unit_test(other_files_are_foreign),
        cmocka_unit_test(other_versions_and_machines),
        cmocka_unit_test(the_clock_that_was_kept_last),
        cmocka_unit_test(any_byte_of_the_clock_is_noticed),
        cmocka_unit_test(the_newest_gaps_are_kept),
        cmocka_unit_test(a_gap_that_is_half_written),
        cmocka_unit_test(any_byte_of_a_gap_is_noticed),
        cmocka_unit_test(unsound_gaps_last_no_time),
        cmocka_unit_test(reasons_have_names),
    };
    return cmocka_run_group_tests_name("header", tests, NULL, NULL);
}
