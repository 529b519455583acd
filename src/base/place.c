#include "place.h"

#include <string.h>

/* So many can be counted in a byte, and so 16 or more bytes of text be compared at a time. */
#define RUN 255

static uint64_t count_newlines(const char *text, size_t size)
{
    uint64_t newlines = 0;
    while (size > 0) {
        size_t run = size < RUN ? size : RUN;
        uint8_t count = 0;
        for (size_t i = 0; i < run; i++)
            count = (uint8_t)(count + (text[i] == '\n'));
        newlines += count;
        text += run;
        size -= run;
    }
    return newlines;
}

void place_advance(struct place *place, const char *text, size_t size)
{
    uint64_t newlines = count_newlines(text, size);

    const char *last = newlines == 0 ? NULL : memrchr(text, '\n', size);
    if (last == NULL)
        place->column += size;
    else
        place->column = (uint64_t)(text + size - last);
    place->line += newlines;
}

bool place_describe(const struct place *place, const char *name,
                    const struct kairos_parse_error *error, struct failure *failure)
{
    return failure_set(failure, "%s: line %llu, column %llu, byte %llu: %s", name,
                       (unsigned long long)place->line, (unsigned long long)place->column,
                       (unsigned long long)error->offset + 1, kairos_parse_error_text(error->code));
}
