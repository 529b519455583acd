#include "lateness.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int64_t monotonic_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NANOSECONDS + now.tv_nsec;
}

void lateness_add(struct lateness *lateness, int64_t value)
{
    if (lateness->count == lateness->capacity) {
        lateness->capacity = lateness->capacity == 0 ? 65536 : 2 * lateness->capacity;
        lateness->values =
            realloc(lateness->values, lateness->capacity * sizeof(lateness->values[0]));
    }
    if (lateness->values == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    lateness->values[lateness->count++] = value;
}

static int compare(const void *a, const void *b)
{
    const int64_t *one = a, *other = b;
    return (*one > *other) - (*one < *other);
}

/* The value that so many parts of a thousand do not exceed, in microseconds. */
static double quantile(const struct lateness *lateness, size_t thousandths)
{
    size_t rank = (lateness->count * thousandths + 999) / 1000;
    return lateness->count == 0 ? 0 : (double)lateness->values[rank - 1] / 1e3;
}

void lateness_print(struct lateness *lateness, const char *name)
{
    if (lateness->count > 0)
        qsort(lateness->values, lateness->count, sizeof(lateness->values[0]), compare);
    printf("%s count=%zu p50_us=%.3f p99_us=%.3f p999_us=%.3f max_us=%.3f\n", name, lateness->count,
           quantile(lateness, 500), quantile(lateness, 990), quantile(lateness, 999),
           quantile(lateness, 1000));
    free(lateness->values);
    *lateness = (struct lateness){0};
}

uint64_t number_argument(const char *name, const char *text, uint64_t most)
{
    char *end;
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number < 1 ||
        number > most) {
        fprintf(stderr, "%s: '%s' is no number from 1 to %" PRIu64 "\n", name, text, most);
        exit(2);
    }
    return number;
}
