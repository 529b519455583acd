#include "tail.h"

#include <string.h>

/* Bytes of a character of UTF-8 behind its first one, at most. */
#define CONTINUATIONS_MAX 3

void tail_add(struct tail *tail, const char *bytes, size_t size)
{
    if (size > TAIL_MAX) {
        tail->total += size - TAIL_MAX;
        bytes += size - TAIL_MAX;
        size = TAIL_MAX;
    }
    size_t at = (size_t)(tail->total % TAIL_MAX), first = TAIL_MAX - at;
    if (first > size)
        first = size;
    memcpy(tail->bytes + at, bytes, first);
    memcpy(tail->bytes, bytes + first, size - first);
    tail->total += size;
}

/* How many bytes at the beginning belong to a character that was cut. */
static size_t count_continuations(const char *bytes, size_t size)
{
    size_t count = 0;
    while (count < size && ((unsigned char)bytes[count] & 0xc0) == 0x80)
        count++;
    return count <= CONTINUATIONS_MAX ? count : 0; /* more is no UTF-8 */
}

size_t tail_copy(const struct tail *tail, char copy[TAIL_MAX])
{
    if (tail->total <= TAIL_MAX) {
        memcpy(copy, tail->bytes, (size_t)tail->total);
        return (size_t)tail->total;
    }
    size_t at = (size_t)(tail->total % TAIL_MAX);
    memcpy(copy, tail->bytes + at, TAIL_MAX - at);
    memcpy(copy + TAIL_MAX - at, tail->bytes, at);
    size_t cut = count_continuations(copy, TAIL_MAX);
    memmove(copy, copy + cut, TAIL_MAX - cut);
    return TAIL_MAX - cut;
}
