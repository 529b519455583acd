/*
 * test_index.c - services by name, against an oracle that knows which slot has which hash.
 */
#include "index.h"

#include <stdlib.h>

#include "live_support.h"

#define SERVICES 20000

/* A registry full of services, and which of them are in the index. */
struct oracle {
    struct den den;
    struct registry *registry;
    struct index index;
    struct name names[SERVICES];
    uint32_t slots[SERVICES];
    uint64_t hashes[SERVICES];
    bool is_in[SERVICES];
    size_t count;
};

static void init(struct oracle *oracle, size_t expected)
{
    memset(oracle, 0, sizeof(*oracle));
    den_init(&oracle->den);
    oracle->registry = den_open(&oracle->den, SERVICES * 2);
    for (size_t i = 0; i < SERVICES; i++) {
        /* Short names, and one in ten with a continuation. */
        oracle->names[i] = name_numbered(
            i, i % 10 == 9 ? SLOT_NAME_INLINE + 1 + i % (KAIROS_SERVICE_MAX - SLOT_NAME_INLINE)
                           : 10 + i % 11);
        struct service service = service_named(&oracle->names[i]);
        oracle->slots[i] = registry_add(oracle->registry, &service, TIME_NEVER);
        assert_int_not_equal(oracle->slots[i], SLOT_NONE);
    }
    assert_true(index_init(&oracle->index, oracle->registry, expected));
    for (size_t i = 0; i < SERVICES; i++)
        oracle->hashes[i] =
            index_hash(&oracle->index, oracle->names[i].text, oracle->names[i].length);
}

static void finish(struct oracle *oracle)
{
    index_finish(&oracle->index);
    registry_close(oracle->registry);
    den_finish(&oracle->den);
}

static void insert(struct oracle *oracle, size_t i)
{
    if (oracle->is_in[i])
        return;
    assert_true(index_insert(&oracle->index, oracle->hashes[i], oracle->slots[i]));
    oracle->is_in[i] = true;
    oracle->count++;
}

static void take_out(struct oracle *oracle, size_t i)
{
    index_remove(&oracle->index, oracle->hashes[i], oracle->slots[i]); /* in or not */
    oracle->count -= oracle->is_in[i];
    oracle->is_in[i] = false;
}

static void check_one(struct oracle *oracle, size_t i)
{
    uint64_t hash = oracle->hashes[i];
    uint32_t guess = index_guess(&oracle->index, hash);
    uint32_t found =
        index_find(&oracle->index, oracle->names[i].text, oracle->names[i].length, hash);
    index_prefetch(&oracle->index, hash);
    check(found == (oracle->is_in[i] ? oracle->slots[i] : SLOT_NONE), "%s is in slot %u",
          oracle->names[i].text, found);
    if (oracle->is_in[i])
        assert_int_not_equal(guess, SLOT_NONE);
}

static void check_all(struct oracle *oracle)
{
    assert_int_equal(walk_index(&oracle->index), oracle->count);
    for (size_t i = 0; i < SERVICES; i++)
        check_one(oracle, i);
}

/* Random ones come and go; MANY of them are in at a time. */
static void come_and_go(struct oracle *oracle, struct dice *dice, size_t steps, size_t many)
{
    for (size_t step = 0; step < steps; step++) {
        size_t i = dice_below(dice, SERVICES);
        if (dice_below(dice, 2 * many) >= oracle->count)
            insert(oracle, i);
        else
            take_out(oracle, i);
        check_one(oracle, i);
        check_one(oracle, dice_below(dice, SERVICES));
    }
}

static struct oracle oracle;

static void names_come_and_go(void **state)
{
    struct dice dice = {1};
    for (size_t expected = 0; expected <= SERVICES; expected += SERVICES / 2) {
        init(&oracle, expected);
        check_all(&oracle);
        for (size_t many = 10; many < SERVICES; many *= 6)
            come_and_go(&oracle, &dice, 20000, many);
        check_all(&oracle);
        for (size_t i = 0; i < SERVICES; i++)
            insert(&oracle, i);
        check_all(&oracle);
        for (size_t i = 0; i < SERVICES; i++)
            take_out(&oracle, i);
        check_all(&oracle);
        finish(&oracle);
    }
}

/* Gives all services hashes of one part, whose homes are a few close to the end of its table. */
static void make_hashes_collide(struct dice *dice, uint32_t homes, uint32_t tags)
{
    for (size_t i = 0; i < SERVICES; i++) {
        uint32_t home = UINT32_MAX - homes / 2 + (uint32_t)dice_below(dice, homes);
        uint32_t tag = home + ((uint32_t)dice_below(dice, tags) << 28);
        oracle.hashes[i] = UINT64_C(5) << 54 | tag;
    }
}

/* Chains of probes that reach around the table's end; one in which something is deleted closes. */
static void colliding_hashes(void **state)
{
    static const struct {
        uint32_t homes, tags;
        size_t many;
    } rows[] = {{1, 1, 12}, {1, 8, 50}, {2, 1, 6}, {4, 4, 24}, {8, 8, 100}, {64, 16, 700}};
    struct dice dice = {2};
    for (size_t r = 0; r < COUNT_OF(rows); r++) {
        init(&oracle, 0);
        make_hashes_collide(&dice, rows[r].homes, rows[r].tags);
        for (int round = 0; round < 300; round++) {
            come_and_go(&oracle, &dice, 20, rows[r].many);
            assert_int_equal(walk_index(&oracle.index), oracle.count);
        }
        check_all(&oracle);
        finish(&oracle);
    }
}

/* All deletions from one chain: whichever goes first, the others are found. */
static void each_deletion_from_a_chain(void **state)
{
    enum { CHAIN = 6 };
    init(&oracle, 0);
    for (uint32_t home = 0; home < 8; home++) {
        for (unsigned spread = 0; spread < 1u << CHAIN; spread++) {
            for (size_t gone = 0; gone < CHAIN; gone++) {
                for (size_t i = 0; i < CHAIN; i++) {
                    oracle.hashes[i] = UINT64_C(7) << 54 | (home + (spread >> i & 1));
                    insert(&oracle, i);
                }
                take_out(&oracle, gone);
                for (size_t i = 0; i < CHAIN; i++)
                    check_one(&oracle, i);
                assert_int_equal(walk_index(&oracle.index), CHAIN - 1);
                for (size_t i = 0; i < CHAIN; i++)
                    take_out(&oracle, i);
            }
        }
    }
    finish(&oracle);
}

/* A part grows by itself, and loses nothing. */
static void one_part_grows(void **state)
{
    init(&oracle, 0);
    struct index_shard *shard = index_shard(&oracle.index, UINT64_C(9) << 54);
    uint32_t mask = atomic_load(&shard->mask);
    for (size_t i = 0; i < SERVICES; i++) {
        oracle.hashes[i] = UINT64_C(9) << 54 | (oracle.hashes[i] & UINT32_MAX);
        insert(&oracle, i);
        check_one(&oracle, i);
    }
    assert_true(atomic_load(&shard->mask) > mask);
    assert_int_equal(shard->used, SERVICES);
    check_all(&oracle);
    for (size_t i = 0; i < INDEX_SHARDS; i++)
        assert_true(&oracle.index.shards[i] == shard || oracle.index.shards[i].used == 0);
    finish(&oracle);
}

/* The name decides, also where hashes are the same, and where one name begins with the other. */
static void names_with_one_hash(void **state)
{
    init(&oracle, 0);
    uint64_t hash = UINT64_C(0xfedcba9876543210);
    for (size_t i = 0; i < 30; i++) {
        oracle.hashes[i] = hash;
        insert(&oracle, i);
    }
    for (size_t i = 0; i < 30; i++)
        check_one(&oracle, i);
    struct name begins = oracle.names[19];
    begins.text[--begins.length] = '\0';
    assert_int_equal(index_find(&oracle.index, begins.text, begins.length, hash), SLOT_NONE);
    assert_int_not_equal(index_guess(&oracle.index, hash), SLOT_NONE);
    assert_int_equal(index_guess(&oracle.index, hash ^ 1), SLOT_NONE);
    finish(&oracle);
}

/* A name is read in whole words and no further. */
static void reads_whole_words_of_a_name(void **state)
{
    struct fence fence;
    fence_init(&fence, KAIROS_SERVICE_SIZE);
    init(&oracle, 0);
    for (size_t i = 0; i < 200; i++) {
        insert(&oracle, i);
        size_t padded = (oracle.names[i].length + 7) / 8 * 8;
        const char *placed = fence_place(&fence, oracle.names[i].text, padded);
        uint64_t hash = index_hash(&oracle.index, placed, oracle.names[i].length);
        assert_int_equal(hash, oracle.hashes[i]);
        assert_int_equal(index_find(&oracle.index, placed, oracle.names[i].length, hash),
                         oracle.slots[i]);
    }
    finish(&oracle);
    fence_finish(&fence);
}

/* Whoever chooses names does not know where they lie. */
static void each_index_has_a_seed_of_its_own(void **state)
{
    static struct index other;
    struct name name = name_of("push");
    init(&oracle, 0);
    assert_true(index_init(&other, oracle.registry, 0));
    assert_int_not_equal(index_hash(&oracle.index, name.text, name.length),
                         index_hash(&other, name.text, name.length));
    index_finish(&other);
    finish(&oracle);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_come_and_go),
        cmocka_unit_test(colliding_hashes),
        cmocka_unit_test(each_deletion_from_a_chain),
        cmocka_unit_test(one_part_grows),
        cmocka_unit_test(names_with_one_hash),
        cmocka_unit_test(reads_whole_words_of_a_name),
        cmocka_unit_test(each_index_has_a_seed_of_its_own),
    };
    return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
