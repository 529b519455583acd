/*
 * test_router.c - which endpoint a request is for.
 */
#include "router.h"

#include "support.h"

static void patterns(void **state)
{
    static const struct {
        const char *pattern, *path;
        bool matches;
        const char *segments[ROUTE_SEGMENTS_MAX];
    } rows[] = {
        {"/", "/", true, {0}},
        {"/", "", false, {0}},
        {"/", "/x", false, {0}},
        {"/a", "/a", true, {0}},
        {"/a", "/a/", false, {0}},
        {"/a", "/ab", false, {0}},
        {"/ping/{s}", "/ping/x", true, {"x"}},
        {"/ping/{s}", "/ping/", true, {""}},
        {"/ping/{s}", "/ping", false, {0}},
        {"/ping/{s}", "/ping/x/y", false, {0}},
        {"/ping/{s}/{a}", "/ping/x/y", true, {"x", "y"}},
        {"/ping/{s}/{a}", "/ping//", true, {"", ""}},
        {"/ping/{s}/{a}", "/ping/x%2Fy/z", true, {"x%2Fy", "z"}},
        {"/s/{s}/pause", "/s/x/pause", true, {"x"}},
        {"/s/{s}/pause", "/s/x/paus", false, {0}},
        {"/s/{s}/pause", "/s/x/pause/", false, {0}},
        {"/{a}/{b}/{c}", "/1/2/3", true, {"1", "2", "3"}},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct route route;
        check(router_match(rows[i].pattern, rows[i].path, &route) == rows[i].matches, "%s %s",
              rows[i].pattern, rows[i].path);
        for (size_t s = 0; rows[i].matches && s < ROUTE_SEGMENTS_MAX; s++) {
            if (rows[i].segments[s] == NULL) {
                assert_true(route.segment_count <= s);
                break;
            }
            assert_int_equal(route.segments[s].length, strlen(rows[i].segments[s]));
            assert_memory_equal(route.segments[s].text, rows[i].segments[s],
                                route.segments[s].length);
        }
    }
}

static void endpoints_are_found(void **state)
{
    static const struct {
        enum method method;
        const char *path, *found; /* NULL if there is none */
        unsigned allowed;         /* of a path that there is, but not with this method */
    } rows[] = {
        {METHOD_GET, "/ping/x", "/ping/{service}", 0},
        {METHOD_HEAD, "/ping/x", "/ping/{service}", 0},
        {METHOD_POST, "/ping/x/1", "/ping/{service}/{action}", 0},
        {METHOD_GET, "/ping/a/b/c", "/ping/{key}/{service}/{action}", 0},
        {METHOD_PUT, "/ping/x", NULL, METHODS_READ | METHOD_POST},
        {METHOD_POST, "/api/v1/heartbeats", "/api/v1/heartbeats", 0},
        {METHOD_GET, "/api/v1/heartbeats", NULL, METHOD_POST},
        {METHOD_UNKNOWN, "/api/v1/heartbeats", NULL, METHOD_POST},
        {METHOD_PATCH, "/api/v1/services/x", "/api/v1/services/{service}", 0},
        {METHOD_POST, "/api/v1/services/x", NULL,
         METHODS_READ | METHOD_PUT | METHOD_PATCH | METHOD_DELETE},
        {METHOD_POST, "/api/v1/services/x/pause", "/api/v1/services/{service}/pause", 0},
        {METHOD_GET, "http://host/ping/x", "/ping/{service}", 0},
        {METHOD_GET, "http://host:80/", "/", 0},
        {METHOD_GET, "http://host", "/", 0},
        {METHOD_GET, "nonsense", NULL, 0},
        {METHOD_GET, "*", NULL, 0},
        {METHOD_GET, "", NULL, 0},
        {METHOD_GET, "/api/v1/", NULL, 0},
        {METHOD_GET, "//", NULL, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct route route = router_find(rows[i].method, rows[i].path);
        check((route.endpoint != NULL) == (rows[i].found != NULL), "%s", rows[i].path);
        if (rows[i].found != NULL)
            assert_string_equal(route.endpoint->path, rows[i].found);
        else
            check(route.allowed == rows[i].allowed, "%s", rows[i].path);
    }
}

/* Every one has its methods and its answer, and no path and method are another one's too. */
static void the_table(void **state)
{
    size_t position = 0, count = 0;
    for (const struct endpoint *endpoint; (endpoint = router_next(&position)) != NULL; count++) {
        assert_int_equal(endpoint->path[0], '/');
        assert_int_not_equal(endpoint->methods, 0);
        assert_non_null(endpoint->answer);
        assert_int_equal(endpoint->methods & METHOD_OPTIONS, 0); /* every path's */
        size_t other_position = 0;
        for (const struct endpoint *other; (other = router_next(&other_position)) != NULL;)
            check(other == endpoint || strcmp(other->path, endpoint->path) != 0 ||
                      (other->methods & endpoint->methods) == 0,
                  "%s", endpoint->path);
    }
    assert_int_equal(count, position);
    assert_true(count > 15);
}

static void methods(void **state)
{
    char text[METHODS_TEXT_SIZE];
    assert_int_equal(method_parse("GET"), METHOD_GET);
    assert_int_equal(method_parse("DELETE"), METHOD_DELETE);
    assert_int_equal(method_parse("OPTIONS"), METHOD_OPTIONS);
    assert_int_equal(method_parse("get"), METHOD_UNKNOWN);
    assert_int_equal(method_parse("TRACE"), METHOD_UNKNOWN);
    assert_int_equal(method_parse(""), METHOD_UNKNOWN);
    methods_format(METHODS_READ | METHOD_PATCH, ", ", text);
    assert_string_equal(text, "GET, HEAD, PATCH");
    methods_format(UINT32_MAX, "\",\"", text);
    assert_string_equal(text, "GET\",\"HEAD\",\"POST\",\"PUT\",\"PATCH\",\"DELETE\",\"OPTIONS");
    methods_format(0, ", ", text);
    assert_string_equal(text, "");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns),
        cmocka_unit_test(endpoints_are_found),
        cmocka_unit_test(the_table),
        cmocka_unit_test(methods),
    };
    return cmocka_run_group_tests_name("router", tests, NULL, NULL);
}
