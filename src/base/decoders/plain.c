/*
 * plain.c - bytes that stand for themselves.
 */
#include <string.h>

#include "decoder.h"

static bool matches(const unsigned char *head, size_t length)
{
    (void)head;
    (void)length;
    return true;
}

/* There is no state, but NULL would tell that memory ran out. */
static void *create(void)
{
    static char none;
    return &none;
}

static void destroy(void *state)
{
    (void)state;
}

static size_t memory(const void *state)
{
    (void)state;
    return 0;
}

static bool decode(void *state, struct source *source, void *data, size_t size, size_t *count,
                   struct failure *failure)
{
    (void)state;
    (void)failure;
    *count = source->size < size ? source->size : size;
    if (*count > 0)
        memcpy(data, source->bytes, *count);
    source_take(source, *count);
    return true;
}

const struct decoder decoder_plain = {
    .name = "plain",
    .matches = matches,
    .create = create,
    .destroy = destroy,
    .memory = memory,
    .read = decode,
};
