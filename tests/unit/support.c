#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define SHOWN_MAX 100

const char *shown(const char *text, size_t length)
{
    static char rooms[4][SHOWN_MAX * 4 + 4];
    static unsigned room;
    char *to = rooms[room++ % COUNT_OF(rooms)];
    const char *begin = to;
    for (size_t i = 0; i < length && i < SHOWN_MAX; i++) {
        unsigned char c = (unsigned char)text[i];
        to += sprintf(to, c >= 0x20 && c < 0x7f ? "%c" : "\\x%02x", c);
    }
    strcpy(to, length > SHOWN_MAX ? "..." : "");
    return begin;
}

uint64_t dice_roll(struct dice *dice)
{
    uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

size_t dice_below(struct dice *dice, size_t bound)
{
    return dice_roll(dice) % bound;
}

int64_t dice_between(struct dice *dice, int64_t low, int64_t high)
{
    uint64_t range = (uint64_t)high - (uint64_t)low + 1; /* 0 stands for all 2^64 */
    uint64_t above = range == 0 ? dice_roll(dice) : dice_roll(dice) % range;
    return (int64_t)((uint64_t)low + above);
}

bool dice_chance(struct dice *dice, unsigned percent)
{
    return dice_below(dice, 100) < percent;
}

char dice_char(struct dice *dice, const char *choices)
{
    return choices[dice_below(dice, strlen(choices))];
}

void fence_init(struct fence *fence, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t pages = size / page + 1;
    fence->size = (pages + 1) * page;
    fence->memory =
        mmap(NULL, fence->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (fence->memory == MAP_FAILED)
        abort();
    fence->end = fence->memory + pages * page;
    if (mprotect(fence->end, page, PROT_NONE) != 0)
        abort();
}

void fence_finish(struct fence *fence)
{
    munmap(fence->memory, fence->size);
}

const char *fence_place(struct fence *fence, const char *text, size_t length)
{
    if (length > (size_t)(fence->end - fence->memory))
        abort();
    char *begin = fence->end - length;
    memcpy(begin, text, length);
    return begin;
}

static void reserve(struct text *text, size_t more)
{
    if (text->length + more < text->capacity)
        return;
    text->capacity = (text->length + more) * 2 + 64;
    text->bytes = realloc(text->bytes, text->capacity);
    if (text->bytes == NULL)
        abort();
}

void text_add(struct text *text, const char *bytes, size_t length)
{
    reserve(text, length);
    if (length > 0)
        memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_print(struct text *text, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0)
        abort();
    reserve(text, (size_t)length);
    vsnprintf(text->bytes + text->length, (size_t)length + 1, format, again);
    text->length += (size_t)length;
    va_end(again);
    va_end(arguments);
}

void text_finish(struct text *text)
{
    free(text->bytes);
    *text = (struct text){0};
}
