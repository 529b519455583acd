/*
 * test_url_list.c - lists of addresses of the web, and the host in each.
 */
#include "url_list.h"

#include <stdio.h>

#include "support.h"

static void lists_are_checked_and_read(void **state)
{
    static const struct {
        const char *text;
        int count; /* -1 if it is none */
        const char *first, *host;
    } rows[] = {
        {"", 0, NULL, NULL},
        {" , ,", 0, NULL, NULL},
        {"http://a", 1, "http://a", "a"},
        {"HTTPS://A.example:8443/ping/x?y#z", 1, "HTTPS://A.example:8443/ping/x?y#z", "A.example"},
        {"http://a/x,http://b/y", 2, "http://a/x", "a"},
        {", http://a/x , https://b/y ,", 2, "http://a/x", "a"},
        {"http://user:secret@a:80/x@y", 1, "http://user:secret@a:80/x@y", "a"},
        {"http://u@s@a/", 1, "http://u@s@a/", "a"},
        {"http://[::1]:8000/x", 1, "http://[::1]:8000/x", "[::1]"},
        {"http://a?@b", 1, "http://a?@b", "a"},
        {"ftp://a", -1, NULL, NULL},
        {"a", -1, NULL, NULL},
        {"http:/a", -1, NULL, NULL},
        {"http://", -1, NULL, NULL},
        {"http:///x", -1, NULL, NULL},
        {"http://:80", -1, NULL, NULL},
        {"http://u:p@/x", -1, NULL, NULL},
        {"http://u:p@", -1, NULL, NULL},
        {"http://, http://a", -1, NULL, NULL},
        {"http://a b", -1, NULL, NULL},
        {"http://a\tb", -1, NULL, NULL},
        {"http://\xc3\xa4/", -1, NULL, NULL},
        {"http://a/\x7f", -1, NULL, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct failure failure;
        const char *at = rows[i].text;
        char url[URL_SIZE], host[64];
        int count = 0;
        check(url_list_check(rows[i].text, &failure) == (rows[i].count >= 0), "%s", rows[i].text);
        if (rows[i].count < 0)
            continue;
        for (; url_list_next(&at, url); count++) {
            if (count > 0)
                continue;
            assert_string_equal(url, rows[i].first);
            url_host(url, host, sizeof(host));
            check(strcmp(host, rows[i].host) == 0, "%s: %s", url, host);
        }
        check(count == rows[i].count, "%s: %d", rows[i].text, count);
    }
}

static void bounds(void **state)
{
    struct failure failure;
    char list[URL_LIST_MAX * 16 + 32] = "", url[URL_SIZE + 8];
    for (int i = 0; i < URL_LIST_MAX; i++)
        strcat(list, "http://a/,");
    assert_true(url_list_check(list, &failure));
    strcat(list, "http://secret/");
    assert_false(url_list_check(list, &failure));
    assert_null(strstr(failure.text, "secret"));
    memset(url, 'x', sizeof(url));
    memcpy(url, "http://", 7);
    url[URL_SIZE - 1] = '\0';
    assert_true(url_list_check(url, &failure));
    url[URL_SIZE - 1] = 'x';
    url[URL_SIZE] = '\0';
    assert_false(url_list_check(url, &failure));
    char host[8];
    url_host(url, host, sizeof(host));
    assert_string_equal(host, "xxxxxxx"); /* cut, and not overrun */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_checked_and_read),
        cmocka_unit_test(bounds),
    };
    return cmocka_run_group_tests_name("url_list", tests, NULL, NULL);
}
