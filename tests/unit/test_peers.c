/*
 * test_peers.c - connections of each client, beside a list that is searched from end to end.
 */
#include "peers.h"

#include <pthread.h>
#include <stdio.h>

#include "support.h"

static struct ip ip_of(const char *text)
{
    struct ip ip;
    check(ip_parse((struct slice){text, strlen(text)}, &ip), "%s", text);
    return ip;
}

static void a_client_may_have_so_many(void **state)
{
    struct peers *peers = peers_create(10, 2);
    struct ip a = ip_of("192.0.2.1"), b = ip_of("192.0.2.2");
    assert_true(peers_enter(peers, &a));
    assert_true(peers_enter(peers, &a));
    assert_false(peers_enter(peers, &a));
    assert_true(peers_enter(peers, &b));
    peers_leave(peers, &a);
    assert_true(peers_enter(peers, &a));
    assert_false(peers_enter(peers, &a));
    peers_destroy(peers);
    peers_destroy(NULL);
}

static void an_ipv6_client_has_a_network(void **state)
{
    struct peers *peers = peers_create(10, 1);
    struct ip a = ip_of("2001:db8:0:1::1"), same = ip_of("2001:db8:0:1:ffff::"),
              other = ip_of("2001:db8:0:2::1"), v4 = ip_of("192.0.2.1"),
              mapped = ip_of("::ffff:192.0.2.1"), v4_other = ip_of("192.0.2.2");
    assert_true(peers_enter(peers, &a));
    assert_false(peers_enter(peers, &same));
    assert_true(peers_enter(peers, &other));
    assert_true(peers_enter(peers, &v4));
    assert_false(peers_enter(peers, &mapped));
    assert_true(peers_enter(peers, &v4_other));
    peers_leave(peers, &same);
    assert_true(peers_enter(peers, &a));
    peers_destroy(peers);
}

static void there_are_no_more_than_there_is_room_for(void **state)
{
    struct peers *peers = peers_create(3, 100);
    char text[32];
    for (unsigned i = 0; i < 5; i++) {
        snprintf(text, sizeof(text), "192.0.2.%u", i);
        struct ip ip = ip_of(text);
        assert_int_equal(peers_enter(peers, &ip), i < 3);
    }
    peers_destroy(peers);
}

/* Few places and many clients: they stand in each other's way all the time. */
static void random_comings_and_goings(void **state)
{
    enum { CLIENTS = 24, ROOM = 16, MAX = 3 };
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct dice dice = {seed};
        struct peers *peers = peers_create(ROOM, MAX);
        unsigned counts[CLIENTS] = {0}, all = 0;
        for (unsigned step = 0; step < 2000; step++) {
            unsigned i = (unsigned)dice_below(&dice, CLIENTS);
            struct ip ip = {.bytes = {[10] = 0xff, 0xff, 10, 0, 0, (uint8_t)i}};
            if (dice_below(&dice, 2) == 0) {
                bool admitted = counts[i] < MAX && all < ROOM;
                assert_int_equal(peers_enter(peers, &ip), admitted);
                counts[i] += admitted;
                all += admitted;
            } else if (counts[i] > 0) {
                peers_leave(peers, &ip);
                counts[i]--;
                all--;
            }
        }
        peers_destroy(peers);
    }
}

#define ROUNDS 20000

static void *come_and_go(void *argument)
{
    struct ip ip = ip_of("192.0.2.7");
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (peers_enter(argument, &ip))
            peers_leave(argument, &ip);
    }
    return NULL;
}

static void threads_come_and_go(void **state)
{
    struct peers *peers = peers_create(10, 2);
    struct ip ip = ip_of("192.0.2.7");
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, peers), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    assert_true(peers_enter(peers, &ip));
    assert_true(peers_enter(peers, &ip));
    assert_false(peers_enter(peers, &ip));
    peers_destroy(peers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_may_have_so_many),
        cmocka_unit_test(an_ipv6_client_has_a_network),
        cmocka_unit_test(there_are_no_more_than_there_is_room_for),
        cmocka_unit_test(random_comings_and_goings),
        cmocka_unit_test(threads_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
