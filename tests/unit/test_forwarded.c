/*
 * test_forwarded.c - the client ahead of proxies that are trusted, and lists that are made up.
 */
#include "forwarded.h"

#include "support.h"

static void the_first_one_that_is_not_trusted(void **state)
{
    static const struct {
        const char *value;
        const char *ip; /* 198.51.100.1 is who has sent the field */
        bool further;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", false},
        {"192.0.2.1, 192.0.2.2", "192.0.2.2", false},
        {"192.0.2.1,10.0.0.1", "192.0.2.1", false},
        {" 192.0.2.1 \t,\t 10.0.0.1 ", "192.0.2.1", false},
        {"10.0.0.1", "10.0.0.1", true},
        {"10.0.0.1,10.0.0.2,10.0.0.3", "10.0.0.1", true},
        {"192.0.2.1:80", "192.0.2.1", false},
        {"[2001:db8::1]", "2001:db8::1", false},
        {"[2001:db8::1]:80", "2001:db8::1", false},
        {"2001:db8::1", "2001:db8::1", false},
        {"::ffff:192.0.2.1", "192.0.2.1", false},
        {"192.0.2.1, unknown, 10.0.0.1", "10.0.0.1", false},
        {"192.0.2.1, _hidden", "198.51.100.1", false},
        {"192.0.2.1,", "198.51.100.1", false},
        {"", "198.51.100.1", false},
        {",,", "198.51.100.1", false},
        {"[", "198.51.100.1", false},
        {"[]", "198.51.100.1", false},
        {":", "198.51.100.1", false},
        {"]", "198.51.100.1", false},
        {"192.0.2.1\" x=\"", "198.51.100.1", false},
    };
    struct failure failure;
    struct networks trusted = {0};
    assert_true(networks_add(&trusted, "10.0.0.0/8, 198.51.100.1", &failure));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ip ip;
        char text[IP_TEXT_SIZE];
        struct fence fence;
        size_t length = strlen(rows[i].value);
        assert_true(ip_parse((struct slice){"198.51.100.1", 12}, &ip));
        fence_init(&fence, length);
        struct slice value = {fence_place(&fence, rows[i].value, length), length};
        bool further = forwarded_read(value, &trusted, &ip);
        ip_format(&ip, text);
        check(strcmp(text, rows[i].ip) == 0, "%s: %s", rows[i].value, text);
        check(further == rows[i].further, "%s", rows[i].value);
        fence_finish(&fence);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_one_that_is_not_trusted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
