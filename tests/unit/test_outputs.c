/*
 * test_outputs.c - what services had to say: the newest of each, and the newest of all that fit.
 */
#include "outputs.h"

#include <stdlib.h>

#include "support.h"

/* Room for three outputs of ten bytes, and some of a fourth. */
#define SMALL_ROOM 600

static struct output output_of(const char *service, const char *text)
{
    struct output output = {.at = 7, .action = ENGINE_FAIL, .exit_status = 3};
    memcpy(output.service, service, strlen(service));
    output.length = strlen(text);
    memcpy(output.text, text, output.length);
    return output;
}

static void keep(struct outputs *outputs, const char *service, const char *text)
{
    struct output output = output_of(service, text);
    assert_true(outputs_keep(outputs, &output));
}

static void assert_kept(struct outputs *outputs, const char *service, const char *text)
{
    struct output output;
    assert_true(outputs_find(outputs, service, &output));
    assert_string_equal(output.service, service);
    assert_int_equal(output.at, 7);
    assert_int_equal(output.action, ENGINE_FAIL);
    assert_int_equal(output.exit_status, 3);
    assert_int_equal(output.length, strlen(text));
    assert_memory_equal(output.text, text, output.length);
}

static void assert_not_kept(struct outputs *outputs, const char *service)
{
    struct output output;
    assert_false(outputs_find(outputs, service, &output));
}

static void the_newest_of_a_service_is_kept(void **state)
{
    (void)state;
    struct outputs *outputs = outputs_create(100000);
    assert_not_kept(outputs, "push");
    keep(outputs, "push", "first");
    keep(outputs, "sms", "other");
    keep(outputs, "push", "second");
    assert_kept(outputs, "push", "second");
    assert_kept(outputs, "sms", "other");
    outputs_forget(outputs, "push");
    outputs_forget(outputs, "push");
    assert_not_kept(outputs, "push");
    assert_kept(outputs, "sms", "other");
    outputs_destroy(outputs);
}

static void the_oldest_make_room(void **state)
{
    (void)state;
    struct outputs *outputs = outputs_create(SMALL_ROOM);
    keep(outputs, "a", "0123456789");
    keep(outputs, "b", "0123456789");
    keep(outputs, "c", "0123456789");
    keep(outputs, "a", "0123456789"); /* is the newest now */
    keep(outputs, "d", "0123456789");
    keep(outputs, "e", "0123456789");
    assert_not_kept(outputs, "b");
    assert_not_kept(outputs, "c");
    assert_kept(outputs, "e", "0123456789");
    assert_kept(outputs, "a", "0123456789");

    /* Room that was given back is whole: after any number of them as many find room. */
    for (int i = 0; i < 10000; i++)
        keep(outputs, i % 2 == 0 ? "f" : "g", i % 3 == 0 ? "" : "0123456789");
    keep(outputs, "x", "0123456789");
    keep(outputs, "y", "0123456789");
    keep(outputs, "z", "0123456789");
    assert_kept(outputs, "x", "0123456789");
    assert_kept(outputs, "y", "0123456789");
    assert_kept(outputs, "z", "0123456789");
    outputs_destroy(outputs);
}

static void one_that_never_fits_is_not_kept(void **state)
{
    (void)state;
    struct outputs *outputs = outputs_create(100);
    struct output output = output_of("push", "0123456789");
    assert_false(outputs_keep(outputs, &output));
    assert_not_kept(outputs, "push");
    outputs_destroy(outputs);
}

static void the_longest_is_kept_whole(void **state)
{
    (void)state;
    struct outputs *outputs = outputs_create(100000);
    struct output output = output_of("push", ""), found;
    for (size_t i = 0; i < OUTPUT_MAX; i++)
        output.text[i] = (char)i;
    output.length = OUTPUT_MAX;
    assert_true(outputs_keep(outputs, &output));
    assert_true(outputs_find(outputs, "push", &found));
    assert_int_equal(found.length, OUTPUT_MAX);
    assert_memory_equal(found.text, output.text, OUTPUT_MAX);
    outputs_destroy(outputs);
    outputs_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_of_a_service_is_kept),
        cmocka_unit_test(the_oldest_make_room),
        cmocka_unit_test(one_that_never_fits_is_not_kept),
        cmocka_unit_test(the_longest_is_kept_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
