#include "writer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kairos/timestamp.h>

#include "utf8.h"

#define CAPACITY_FIRST 1024

/* Makes room for COUNT bytes more. */
static bool reserve(struct writer *writer, size_t count)
{
    if (count <= writer->capacity - writer->length)
        return !writer->failed;
    if (writer->failed)
        return false;
    size_t capacity = writer->capacity == 0 ? CAPACITY_FIRST : writer->capacity;
    while (count > capacity - writer->length)
        capacity *= 2;
    char *larger = realloc(writer->text, capacity);
    if (larger == NULL) {
        writer->failed = true;
        return false;
    }
    writer->text = larger;
    writer->capacity = capacity;
    return true;
}

void writer_add(struct writer *writer, const char *text, size_t length)
{
    if (!reserve(writer, length))
        return;
    memcpy(writer->text + writer->length, text, length);
    writer->length += length;
}

void writer_number(struct writer *writer, uint64_t number)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    writer_add(writer, digits + at, sizeof(digits) - at);
}

void writer_print(struct writer *writer, const char *format, ...)
{
    for (size_t room = 128;; room *= 2) {
        va_list arguments;
        if (!reserve(writer, room))
            return;
        room = writer->capacity - writer->length;
        va_start(arguments, format);
        int length = vsnprintf(writer->text + writer->length, room, format, arguments);
        va_end(arguments);
        writer->failed |= length < 0;
        if (length >= 0 && (size_t)length < room) {
            writer->length += (size_t)length;
            return;
        }
    }
}

void writer_string(struct writer *writer, const char *text, size_t length)
{
    writer_add(writer, "\"", 1);
    for (size_t at = 0; at < length;) {
        unsigned char c = (unsigned char)text[at];
        size_t size = utf8_length(text + at, length - at);
        if (size == 0)
            writer_add(writer, "?", 1);
        else if (c == '"' || c == '\\')
            writer_print(writer, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            writer_print(writer, "\\u%04x", c);
        else
            writer_add(writer, text + at, size);
        at += size == 0 ? 1 : size;
    }
    writer_add(writer, "\"", 1);
}

void writer_time(struct writer *writer, const struct clock *clock, int64_t time)
{
    char text[KAIROS_TIMESTAMP_SIZE];
    int64_t wall = time == TIME_NEVER ? TIME_NEVER : clock_to_wall(clock, time);
    if (wall < KAIROS_TIME_MIN || wall > KAIROS_TIME_MAX) {
        writer_add(writer, "null", 4);
        return;
    }
    size_t length = kairos_timestamp_format(wall, text);
    writer_add(writer, "\"", 1);
    writer_add(writer, text, length);
    writer_add(writer, "\"", 1);
}

void writer_seconds(struct writer *writer, int64_t microseconds)
{
    char text[32];
    const char *sign = microseconds < 0 ? "-" : "";
    uint64_t span = microseconds < 0 ? -(uint64_t)microseconds : (uint64_t)microseconds;
    int length = snprintf(text, sizeof(text), "%s%" PRIu64 ".%06" PRIu64, sign,
                          span / (uint64_t)KAIROS_SECOND, span % (uint64_t)KAIROS_SECOND);
    while (text[length - 1] == '0')
        length--;
    if (text[length - 1] == '.')
        length--;
    writer_add(writer, text, (size_t)length);
}

void writer_finish(struct writer *writer)
{
    free(writer->text);
    *writer = (struct writer){0};
}
