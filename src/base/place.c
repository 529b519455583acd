#include "place.h"

#include <string.h>

void place_advance(struct place *place, const char *text, size_t size)
{
    uint64_t newlines = 0;
    for (size_t i = 0; i < size; i++)
        newlines += text[i] == '\n';

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
