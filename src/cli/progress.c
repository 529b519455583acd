#include "progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "stopwatch.h"

/* Work that takes less is not worth a line. */
#define SECONDS_QUIET 1.0

/* A line is read, and not only written: no more often than this. */
#define SECONDS_BETWEEN 0.1

void progress_init(struct progress *progress, uint64_t size)
{
    *progress = (struct progress){.enabled = isatty(STDERR_FILENO), .size = size};
    progress->begin = stopwatch_seconds();
}

/* Whether it is time for a line; then the one before has been taken away. */
static bool begin_line(struct progress *progress, double elapsed)
{
    if (!progress->enabled || elapsed < SECONDS_QUIET || elapsed < progress->next)
        return false;
    progress->next = elapsed + SECONDS_BETWEEN;
    progress->shown = true;
    fprintf(stderr, "\r\033[K");
    return true;
}

void progress_show(struct progress *progress)
{
    double elapsed = stopwatch_seconds() - progress->begin;
    if (!begin_line(progress, elapsed))
        return;
    double used = (double)progress->used, events = (double)progress->events;
    double size = (double)progress->size;

    fprintf(stderr, "%.1f MB", used / 1e6);
    if (size > 0)
        fprintf(stderr, " of %.1f MB (%.0f %%)", size / 1e6, 100 * used / size);
    fprintf(stderr, ", %.1f million events, %.0f MB/s", events / 1e6, used / 1e6 / elapsed);
    if (used > 0 && size >= used)
        fprintf(stderr, ", %.0f s left", (size - used) * elapsed / used);
    fflush(stderr);
}

void progress_print(struct progress *progress, const char *format, ...)
{
    if (!begin_line(progress, stopwatch_seconds() - progress->begin))
        return;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fflush(stderr);
}

void progress_finish(struct progress *progress)
{
    if (progress->shown)
        fprintf(stderr, "\r\033[K");
    progress->shown = false;
}
