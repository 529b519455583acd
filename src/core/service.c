#include <kairos/service.h>

#include <string.h>

#include "name.h"

enum kairos_service_result kairos_service_parse(const char *text, size_t length,
                                                char name[KAIROS_SERVICE_SIZE], size_t *name_length)
{
    while (length > 0 && name_is_blank(text[0])) {
        text++;
        length--;
    }
    while (length > 0 && name_is_blank(text[length - 1]))
        length--;
    if (length == 0)
        return KAIROS_SERVICE_EMPTY;
    if (length > KAIROS_SERVICE_MAX)
        return KAIROS_SERVICE_INVALID;

    /* The scanner reads whole words, and a NUL stops it. */
    char padded[KAIROS_SERVICE_SIZE] = {0};
    char scanned[KAIROS_SERVICE_SIZE] = {0};
    memcpy(padded, text, length);
    if (name_scan(padded, scanned) != length)
        return KAIROS_SERVICE_INVALID;

    memcpy(name, scanned, KAIROS_SERVICE_SIZE);
    *name_length = length;
    return KAIROS_SERVICE_OK;
}
