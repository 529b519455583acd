#include <kairos/duration.h>

#include <string.h>

#include <kairos/timestamp.h>

struct unit {
    const char *name;
    int64_t size; /* microseconds */
};

static const struct unit units[] = {
    {"d", KAIROS_DAY},    {"h", KAIROS_HOUR},         {"m", KAIROS_MINUTE},
    {"s", KAIROS_SECOND}, {"ms", KAIROS_MILLISECOND},
};

#define UNIT_COUNT (sizeof(units) / sizeof(units[0]))

static bool unit_find(const char *name, size_t length, int64_t *size)
{
    if (length == 0) {
        *size = KAIROS_SECOND;
        return true;
    }
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (strlen(units[i].name) == length && memcmp(units[i].name, name, length) == 0) {
            *size = units[i].size;
            return true;
        }
    }
    return false;
}

bool kairos_duration_parse(const char *text, size_t length, int64_t *duration)
{
    int64_t number = 0;
    size_t digits = 0;
    for (; digits < length && text[digits] >= '0' && text[digits] <= '9'; digits++) {
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, text[digits] - '0', &number))
            return false;
    }

    int64_t unit;
    if (digits == 0 || !unit_find(text + digits, length - digits, &unit))
        return false;
    if (__builtin_mul_overflow(number, unit, &number))
        return false;
    *duration = number;
    return true;
}
