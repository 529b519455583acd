#include "process.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <kairos/timestamp.h>

#include "exposition.h"

/* Pages of this process: in memory, and in its address space. */
struct pages {
    uint64_t resident, mapped;
};

/* All zero if the system does not tell. */
static struct pages read_pages(void)
{
    struct pages pages = {0};
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return pages;
    if (fscanf(file, "%" SCNu64 " %" SCNu64, &pages.mapped, &pages.resident) != 2)
        pages = (struct pages){0};
    fclose(file);
    return pages;
}

/*
 * Open descriptors. Linux 6.2 and later tell their number as the size of the folder; 0 before.
 * Listing 65,536 of them would hold up a worker for a tenth of a second.
 */
static uint64_t open_descriptors(void)
{
    struct stat folder;
    return stat("/proc/self/fd", &folder) == 0 && folder.st_size > 0 ? (uint64_t)folder.st_size : 0;
}

static int64_t processor_time(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * KAIROS_SECOND +
           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

void process_write(struct writer *writer, int64_t started)
{
    struct rlimit limit = {0};
    struct pages pages = read_pages();
    uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE), descriptors = open_descriptors();
    getrlimit(RLIMIT_NOFILE, &limit);
    exposition_seconds(writer, "process_cpu_seconds_total", "counter",
                       "Processor time, user and system.", processor_time());
    exposition_seconds(writer, "process_start_time_seconds", "gauge", "When it started, Unix time.",
                       started);
    exposition_gauge(writer, "process_resident_memory_bytes", "Memory in use.",
                     pages.resident * page_size);
    exposition_gauge(writer, "process_virtual_memory_bytes", "Address space that is mapped.",
                     pages.mapped * page_size);
    if (descriptors > 0)
        exposition_gauge(writer, "process_open_fds", "Open file descriptors.", descriptors);
    exposition_gauge(writer, "process_max_fds", "File descriptors that it may open.",
                     limit.rlim_cur);
}
