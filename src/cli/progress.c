#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* Work that takes less is not worth a line. */
#define SECONDS_QUIET 1.0

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void progress_init(struct progress *progress, uint64_t size)
{
    *progress = (struct progress){.enabled = isatty(STDERR_FILENO), .size = size};
    progress->begin = seconds();
}

void progress_show(struct progress *progress)
{
    double elapsed = seconds() - progress->begin;
    if (!progress->enabled || elapsed < SECONDS_QUIET)
        return;
    double used = (double)progress->used, events = (double)progress->events;
    double size = (double)progress->size;

    fprintf(stderr, "\r\033[K%.1f MB", used / 1e6);
    if (size > 0)
        fprintf(stderr, " of %.1f MB (%.0f %%)", size / 1e6, 100 * used / size);
    fprintf(stderr, ", %.1f million events, %.0f MB/s", events / 1e6, used / 1e6 / elapsed);
    if (used > 0 && size >= used)
        fprintf(stderr, ", %.0f s left", (size - used) * elapsed / used);
    fflush(stderr);
    progress->shown = true;
}

void progress_finish(struct progress *progress)
{
    if (progress->shown)
        fprintf(stderr, "\r\033[K");
    progress->shown = false;
}
