/*
 * plain.c - bytes that stand for themselves.
 */
#include <string.h>

#include "../decoder.h"

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

static bool decode(void *state, struct source *source, void *data, size_t size, size_t *count,
                   struct failure *failure)
{
    (void)state;
    size_t buffered = source->end - source->begin;
    if (buffered == 0)
        return source_read(source, data, size, count, failure);
    *count = buffered < size ? buffered : size;
    memcpy(data, source->buffer + source->begin, *count);
    source->begin += *count;
    return true;
}

const struct decoder decoder_plain = {
    .name = "plain",
    .matches = matches,
    .create = create,
    .destroy = destroy,
    .read = decode,
};
