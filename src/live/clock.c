#include "clock.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <kairos/timestamp.h>

/* Clocks are read one after the other; only what they differ by beyond this is a step. */
#define STEP_MIN KAIROS_MILLISECOND

/*
 * A reading that took longer (microseconds) is of a thread that was kept from running meanwhile,
 * and would look like a step: another one is made, as often as that at most.
 */
#define READING_TIME_MAX 100
#define READINGS_MAX     32

static int64_t read_one(clockid_t id)
{
    struct timespec time;
    clock_gettime(id, &time); /* cannot fail for these clocks */
    return (int64_t)time.tv_sec * KAIROS_SECOND + time.tv_nsec / 1000;
}

/* Reads the clocks one after the other; returns whether that took no time to speak of. */
static bool read_all(struct clock_reading *reading)
{
    int64_t begin = read_one(CLOCK_BOOTTIME);
    reading->wall = read_one(CLOCK_REALTIME);
    reading->boottime = read_one(CLOCK_BOOTTIME);
    reading->monotonic = read_one(CLOCK_MONOTONIC);
    return read_one(CLOCK_BOOTTIME) - begin < READING_TIME_MAX;
}

struct clock_reading clock_read(void)
{
    struct clock_reading reading;
    for (int i = 0; i < READINGS_MAX && !read_all(&reading); i++)
        ;
    return reading;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void clock_boot_id(char boot_id[BOOT_ID_SIZE])
{
    char text[64] = "";
    memset(boot_id, 0, BOOT_ID_SIZE);
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t length = read(fd, text, sizeof(text) - 1);
    close(fd);
    size_t digits = 0;
    for (ssize_t i = 0; i < length && digits < 2 * (size_t)BOOT_ID_SIZE; i++) {
        int digit = hex_digit(text[i]);
        if (digit < 0)
            continue; /* a dash */
        boot_id[digits / 2] = (char)(boot_id[digits / 2] << 4 | digit);
        digits++;
    }
}

static bool is_same_boot(const struct clock_memory *memory, const char boot_id[BOOT_ID_SIZE])
{
    static const char unknown[BOOT_ID_SIZE];
    return memory != NULL && memcmp(boot_id, unknown, BOOT_ID_SIZE) != 0 &&
           memcmp(memory->boot_id, boot_id, BOOT_ID_SIZE) == 0;
}

/* What the skew has become, if it was SKEW and the clocks now differ by MEASURED. */
static int64_t adjust(int64_t skew, int64_t measured)
{
    int64_t step = measured - skew;
    return step > -STEP_MIN && step < STEP_MIN ? skew : measured;
}

bool clock_init(struct clock *clock, const struct clock_reading *reading,
                const char boot_id[BOOT_ID_SIZE], const struct clock_memory *memory, int64_t floor)
{
    bool same_boot = is_same_boot(memory, boot_id);
    int64_t skew = memory != NULL ? memory->skew : 0;
    int64_t now = same_boot ? reading->boottime + memory->offset : reading->wall - skew;
    memcpy(clock->boot_id, boot_id, BOOT_ID_SIZE);
    clock->floor = floor;
    atomic_init(&clock->offset, now - reading->boottime);
    atomic_init(&clock->skew, same_boot ? adjust(skew, reading->wall - now) : skew);
    atomic_init(&clock->sane, now >= floor);
    return same_boot;
}

struct clock_memory clock_memory(const struct clock *clock)
{
    struct clock_memory memory = {
        .offset = atomic_load(&clock->offset),
        .skew = atomic_load(&clock->skew),
    };
    memcpy(memory.boot_id, clock->boot_id, BOOT_ID_SIZE);
    return memory;
}

bool clock_check(struct clock *clock, const struct clock_reading *reading)
{
    int64_t offset = atomic_load(&clock->offset), skew = atomic_load(&clock->skew);
    if (!atomic_load(&clock->sane)) {
        /* Engine time stands still until the wall clock says where it is. */
        if (reading->wall - skew < clock->floor)
            return false;
        atomic_store(&clock->offset, reading->wall - skew - reading->boottime);
        atomic_store(&clock->sane, true);
        return true;
    }
    int64_t adjusted = adjust(skew, reading->wall - (reading->boottime + offset));
    atomic_store(&clock->skew, adjusted);
    return adjusted != skew;
}

bool clock_is_sane(const struct clock *clock)
{
    return atomic_load(&clock->sane);
}

int64_t clock_at(const struct clock *clock, const struct clock_reading *reading)
{
    if (!atomic_load(&clock->sane))
        return clock->floor;
    return reading->boottime + atomic_load(&clock->offset);
}

int64_t clock_now(const struct clock *clock)
{
    struct clock_reading reading = {.boottime = read_one(CLOCK_BOOTTIME)};
    return clock_at(clock, &reading);
}

int64_t clock_to_wall(const struct clock *clock, int64_t time)
{
    return time == TIME_NEVER ? TIME_NEVER : time + atomic_load(&clock->skew);
}

int64_t clock_from_wall(const struct clock *clock, int64_t time)
{
    return time == TIME_NEVER ? TIME_NEVER : time - atomic_load(&clock->skew);
}
