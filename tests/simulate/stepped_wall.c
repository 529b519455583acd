/*
 * stepped_wall.c - preloaded into a program, a wall clock that a test can step: CLOCK_REALTIME runs
 * ahead by as many microseconds as stand, 8 bytes of this machine's order, in the file that
 * STEPPED_WALL names.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SECOND      INT64_C(1000000000)
#define MICROSECOND INT64_C(1000)

static int64_t read_step(void)
{
    int64_t step = 0;
    const char *path = getenv("STEPPED_WALL");
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (read(fd, &step, sizeof(step)) != sizeof(step))
        step = 0;
    close(fd);
    return step;
}

int clock_gettime(clockid_t id, struct timespec *time)
{
    if (syscall(SYS_clock_gettime, id, time) != 0)
        return -1;
    if (id != CLOCK_REALTIME)
        return 0;
    int64_t stepped = time->tv_sec * SECOND + time->tv_nsec + read_step() * MICROSECOND;
    *time = (struct timespec){.tv_sec = stepped / SECOND, .tv_nsec = stepped % SECOND};
    return 0;
}
