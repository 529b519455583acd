/*
 * test_ip.c - addresses and networks that are read, and those that are none.
 */
#include "ip.h"

#include <netinet/in.h>
#include <sys/un.h>

#include "support.h"

static struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static void addresses(void **state)
{
    static const struct {
        const char *text, *written;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::", "::"},
        {"::1", "::1"},
        {"2001:DB8::0:1", "2001:db8::1"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    };
    static const char *const none[] = {
        "",       " ",          "192.0.2",    "192.0.2.256", "192.0.2.1.", "192.0.2.1 ",
        "1",      "0x7f.1",     "192.0.2.01", ":",           ":::",        "[::1]",
        "::1%lo", "fe80::1/64", "g::1",       "localhost",   "::1\n",      "1:2:3:4:5:6:7:8:9",
    };
    struct ip ip;
    char text[IP_TEXT_SIZE];
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        check(ip_parse(slice_of(rows[i].text), &ip), "%s", rows[i].text);
        size_t length = ip_format(&ip, text);
        assert_string_equal(text, rows[i].written);
        assert_int_equal(length, strlen(text));
    }
    for (size_t i = 0; i < COUNT_OF(none); i++)
        check(!ip_parse(slice_of(none[i]), &ip), "%s", none[i]);
    assert_false(ip_parse((struct slice){"::1\0", 4}, &ip));
}

static void of_sockets(void **state)
{
    struct ip ip;
    char text[IP_TEXT_SIZE];
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    assert_true(ip_of_socket((struct sockaddr *)&v4, &ip));
    ip_format(&ip, text);
    assert_string_equal(text, "192.0.2.1");
    assert_true(ip_is_v4(&ip));
    assert_true(ip_of_socket((struct sockaddr *)&v6, &ip));
    ip_format(&ip, text);
    assert_string_equal(text, "::1");
    assert_false(ip_is_v4(&ip));
    assert_false(ip_of_socket((struct sockaddr *)&local, &ip));
}

static void networks(void **state)
{
    static const struct {
        const char *list, *in, *out;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", "192.0.2.2"},
        {"10.0.0.0/8", "10.255.0.1", "11.0.0.0"},
        {"10.0.0.0/8", "::ffff:10.1.2.3", "::10.1.2.3"},
        {"192.0.2.129/25", "192.0.2.255", "192.0.2.127"},
        {"0.0.0.0/0", "255.0.0.1", "::1"},
        {"::/0", "255.0.0.1", NULL},
        {"::/1", "7fff::", "8000::"},
        {"fd00::/8", "fdff::1", "fe00::1"},
        {"2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::"},
        {" 192.0.2.1 ,  ::1 ", "::1", "::2"},
        {"192.0.2.1/32", "192.0.2.1", "192.0.2.0"},
        {"::1/128", "::1", "::"},
        {"", NULL, "127.0.0.1"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct failure failure;
        struct networks list = {0};
        struct ip ip;
        check(networks_add(&list, rows[i].list, &failure), "row %zu: %s", i, failure.text);
        if (rows[i].in != NULL && ip_parse(slice_of(rows[i].in), &ip))
            check(networks_have(&list, &ip), "row %zu: %s", i, rows[i].in);
        if (rows[i].out != NULL && ip_parse(slice_of(rows[i].out), &ip))
            check(!networks_have(&list, &ip), "row %zu: %s", i, rows[i].out);
    }
}

static void wrong_networks(void **state)
{
    static const char *const rows[] = {
        ",",           "192.0.2.1,", "x",    "192.0.2.1/33", "::/129",   "192.0.2.1/",  "::1/-1",
        "10.0.0.0/8x", "/8",         "10/8", "192.0.2.1 8",  "::1/0128", "a, 10.0.0.1", "::1/ 8",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct failure failure;
        struct networks list = {0};
        check(!networks_add(&list, rows[i], &failure), "%s", rows[i]);
    }
}

static void so_many_networks(void **state)
{
    struct failure failure;
    struct networks list = {0};
    for (size_t i = 0; i < NETWORKS_MAX; i++)
        assert_true(networks_add(&list, "::1", &failure));
    assert_false(networks_add(&list, "::1", &failure));
    assert_non_null(strstr(failure.text, "64"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),        cmocka_unit_test(of_sockets),
        cmocka_unit_test(networks),         cmocka_unit_test(wrong_networks),
        cmocka_unit_test(so_many_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
