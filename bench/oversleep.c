/*
 * oversleep SECONDS: how late a plain thread wakes that sleeps until given times, one or two
 * milliseconds apart. What the machine adds to every deadline, whoever keeps it.
 */
#include <stdio.h>
#include <time.h>

#include "lateness.h"

#define PAUSE_MIN 1000000 /* nanoseconds */

/* Never in step with a clock's ticks. Source: Knuth's MMIX (The Art of Computer Programming). */
static int64_t next_pause(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return PAUSE_MIN + (int64_t)(*state >> 33) % PAUSE_MIN;
}

int main(int argc, char **argv)
{
    struct lateness lateness = {0};
    uint64_t state = 1;
    if (argc != 2) {
        fprintf(stderr, "Usage: oversleep SECONDS\n");
        return 2;
    }
    int64_t due = monotonic_now();
    int64_t end = due + (int64_t)number_argument("SECONDS", argv[1], 3600) * NANOSECONDS;
    while (due < end) {
        due += next_pause(&state);
        struct timespec until = {.tv_sec = due / NANOSECONDS, .tv_nsec = due % NANOSECONDS};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0)
            ;
        lateness_add(&lateness, monotonic_now() - due);
    }
    lateness_print(&lateness, "oversleep");
    return 0;
}
