/*
 * test_traffic.c - requests counted by route and status, and how such counts are written.
 */
#include "traffic.h"

#include <stdlib.h>

#include "exposition.h"
#include "router.h"
#include "support.h"

static void requests_are_counted(void **state)
{
    static struct traffic one, other;
    static struct traffic_sum sum;
    traffic_count(&one, 1, 200, 0);
    traffic_count(&one, 1, 200, 100);
    traffic_count(&one, 1, 200, 101);
    traffic_count(&one, 1, 404, -5);
    traffic_count(&one, 2, 599, INT64_MAX);
    traffic_count(&one, 3, 0, 1);
    traffic_count(&one, TRAFFIC_ROUTES, 200, 1);
    traffic_count(&one, UINT32_MAX, 200, 1);
    traffic_count(&other, 1, 200, 100);
    traffic_add(&sum, &one);
    traffic_add(&sum, &other);
    size_t ok = 0, missing = 0, unknown = 0;
    for (size_t i = 0; i < TRAFFIC_STATUSES; i++) {
        ok += traffic_status(i) == 200 ? i + 1 : 0;
        missing += traffic_status(i) == 404 ? i + 1 : 0;
        unknown += traffic_status(i) == 0 ? i + 1 : 0;
    }
    assert_true(ok > 0 && missing > 0 && unknown > 0);
    assert_int_equal(sum.answers[1][ok - 1], 4);
    assert_int_equal(sum.answers[1][missing - 1], 1);
    assert_int_equal(sum.answers[2][unknown - 1], 1);
    assert_int_equal(sum.answers[ROUTE_OTHER][ok - 1], 2);
    assert_int_equal(sum.durations[1][0], 4);
    assert_int_equal(sum.durations[1][1], 1);
    assert_int_equal(sum.durations[2][TRAFFIC_BUCKETS - 1], 1);
    assert_int_equal(sum.microseconds[1], 301);
    assert_int_equal(sum.aborted, 1);
}

/* All endpoints can be told apart. */
static void there_is_room_for_all_routes(void **state)
{
    size_t endpoints = 0;
    while (router_next(&endpoints) != NULL)
        ;
    assert_true(endpoints > 10 && endpoints < TRAFFIC_ROUTES);
    for (size_t at = 0; at < endpoints;) {
        unsigned number = (unsigned)at + 1;
        const struct endpoint *endpoint = router_next(&at);
        enum method method = (enum method)(endpoint->methods & -endpoint->methods);
        struct route route = router_find(method, endpoint->path);
        assert_ptr_equal(route.endpoint, endpoint);
        assert_int_equal(route.number, number);
    }
    assert_int_equal(router_find(METHOD_GET, "/nowhere").number, ROUTE_OTHER);
}

static void buckets_end_at_their_bounds(void **state)
{
    static const int64_t bounds[] = {10, 20};
    static const struct histogram_scale scale = {bounds, 2};
    assert_int_equal(histogram_bucket(&scale, INT64_MIN), 0);
    assert_int_equal(histogram_bucket(&scale, 10), 0);
    assert_int_equal(histogram_bucket(&scale, 11), 1);
    assert_int_equal(histogram_bucket(&scale, 20), 1);
    assert_int_equal(histogram_bucket(&scale, 21), 2);
    assert_int_equal(histogram_bucket(&scale, INT64_MAX), 2);
}

static void a_histogram_as_text(void **state)
{
    static const int64_t bounds[] = {1000, 2500000};
    static const struct histogram_scale scale = {bounds, 2};
    static const uint64_t counts[] = {3, 0, 2};
    struct writer writer = {0};
    exposition_histogram(&writer, "a", "", &scale, counts, 1500000);
    exposition_histogram(&writer, "b", "r=\"/\",", &scale, counts, 0);
    writer_print(&writer, "%c", '\0');
    assert_string_equal(writer.text, "a_bucket{le=\"0.001\"} 3\na_bucket{le=\"2.5\"} 3\n"
                                     "a_bucket{le=\"+Inf\"} 5\na_sum 1.5\na_count 5\n"
                                     "b_bucket{r=\"/\",le=\"0.001\"} 3\n"
                                     "b_bucket{r=\"/\",le=\"2.5\"} 3\n"
                                     "b_bucket{r=\"/\",le=\"+Inf\"} 5\n"
                                     "b_sum{r=\"/\"} 0\nb_count{r=\"/\"} 5\n");
    writer_finish(&writer);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_counted),
        cmocka_unit_test(there_is_room_for_all_routes),
        cmocka_unit_test(buckets_end_at_their_bounds),
        cmocka_unit_test(a_histogram_as_text),
    };
    return cmocka_run_group_tests_name("traffic", tests, NULL, NULL);
}
