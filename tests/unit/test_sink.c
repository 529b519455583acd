/*
 * test_sink.c - what threads tell, and a taker that is slow, or hangs.
 */
#include "sink.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support.h"

#define CAPACITY ((size_t)4096)

/* Takes into memory; while `gate` is held it hangs. */
struct taker {
    pthread_mutex_t gate;
    char *bytes;
    size_t size;
    uint64_t lost;
};

static void take(void *context, const char *bytes, size_t size, uint64_t lost)
{
    struct taker *taker = context;
    pthread_mutex_lock(&taker->gate);
    taker->bytes = realloc(taker->bytes, taker->size + size);
    assert_non_null(taker->bytes);
    memcpy(taker->bytes + taker->size, bytes, size);
    taker->size += size;
    taker->lost += lost;
    pthread_mutex_unlock(&taker->gate);
}

static struct sink *create(struct taker *taker, unsigned linger)
{
    struct failure failure;
    *taker = (struct taker){.gate = PTHREAD_MUTEX_INITIALIZER};
    struct sink *sink = sink_create(
        &(struct sink_options){
            .name = "test", .capacity = CAPACITY, .linger = linger, .take = take, .context = taker},
        &failure);
    assert_non_null(sink);
    return sink;
}

static void tell(struct sink *sink, const char *text)
{
    struct iovec parts[] = {{(void *)text, strlen(text)}, {"\n", 1}};
    sink_tell(sink, parts, 2, 1);
}

static void all_is_taken_in_order(void **state)
{
    for (unsigned linger = 0; linger <= 1; linger++) {
        struct taker taker;
        struct sink *sink = create(&taker, linger);
        char text[32], expected[8192] = "";
        size_t length = 0;
        for (unsigned i = 0; i < 200; i++) {
            snprintf(text, sizeof(text), "entry %u", i);
            tell(sink, text);
            length += (size_t)sprintf(expected + length, "%s\n", text);
        }
        assert_true(sink_destroy(sink));
        assert_int_equal(taker.lost, 0);
        assert_int_equal(taker.size, length);
        assert_memory_equal(taker.bytes, expected, length);
        free(taker.bytes);
    }
}

static void nothing_was_told(void **state)
{
    struct taker taker;
    assert_true(sink_destroy(create(&taker, 0)));
    assert_int_equal(taker.size, 0);
    assert_true(sink_destroy(NULL));
}

/* What finds no room is counted, whole; what is told is not held up, nor torn. */
static void a_taker_that_hangs(void **state)
{
    struct taker taker;
    struct sink *sink = create(&taker, 0);
    pthread_mutex_lock(&taker.gate);
    struct iovec long_part = {.iov_base = (char[CAPACITY]){0}, .iov_len = CAPACITY};
    struct iovec longer_part = {.iov_base = (char[CAPACITY + 1]){0}, .iov_len = CAPACITY + 1};
    sink_tell(sink, &longer_part, 1, 7); /* never finds room */
    for (unsigned i = 0; i < 3; i++)     /* the second one or the third finds none */
        sink_tell(sink, &long_part, 1, 100);
    assert_false(sink_destroy(sink));
    pthread_mutex_unlock(&taker.gate);
    assert_true(sink_destroy(sink));
    assert_int_equal(taker.size + taker.lost / 100 * CAPACITY, 3 * CAPACITY);
    assert_int_equal(taker.lost % 100, 7);
    free(taker.bytes);
}

#define THREADS 4
#define ENTRIES 5000

static void *tell_many(void *argument)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        tell(argument, "one of many");
    return NULL;
}

static void threads_tell(void **state)
{
    struct taker taker;
    struct sink *sink = create(&taker, 0);
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, tell_many, sink), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_true(sink_destroy(sink));
    size_t size = strlen("one of many\n");
    assert_int_equal(taker.size % size, 0);
    assert_int_equal(taker.size / size + taker.lost, THREADS * ENTRIES);
    for (size_t at = 0; at < taker.size; at += size)
        assert_memory_equal(taker.bytes + at, "one of many\n", size);
    free(taker.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_taken_in_order),
        cmocka_unit_test(nothing_was_told),
        cmocka_unit_test(a_taker_that_hangs),
        cmocka_unit_test(threads_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
