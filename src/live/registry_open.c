/*
 * registry_open.c - opens the registry's file, or makes one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "registry_map.h"

#define FILE_NAME "registry"
#define LOCK_NAME "lock"
#define NEW_NAME  "registry.new"

/* Source: statfs(2). */
#define MAGIC_EXT4 0xef53
#define MAGIC_XFS  0x58465342

/* ---- The directory and its lock ---- */

static bool name_paths(struct paths *paths, const char *directory, struct failure *failure)
{
    if (directory[0] == '\0' || strlen(directory) >= sizeof(paths->directory))
        return failure_set(failure, "--data-dir: the path is %s; name a directory",
                           directory[0] == '\0' ? "empty" : "too long");
    strcpy(paths->directory, directory);
    snprintf(paths->file, sizeof(paths->file), "%s/" FILE_NAME, directory);
    snprintf(paths->new_file, sizeof(paths->new_file), "%s/" NEW_NAME, directory);
    snprintf(paths->lock, sizeof(paths->lock), "%s/" LOCK_NAME, directory);
    return true;
}

/* Creates the directory and those above it. */
static bool make_directory(const struct paths *paths, struct failure *failure)
{
    char path[PATH_MAX];
    strcpy(path, paths->directory);
    for (char *slash = path + 1;; slash++) {
        slash = strchrnul(slash, '/');
        char end = *slash;
        *slash = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST && errno != EISDIR)
            return failure_set(failure, "--data-dir: cannot create %s: %s", path, strerror(errno));
        if (end == '\0')
            return true;
        *slash = end;
    }
}

static bool take_lock(struct registry *registry, const struct paths *paths, struct failure *failure)
{
    char holder[32] = "";
    registry->lock = open(paths->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (registry->lock < 0)
        return failure_set(failure,
                           "--data-dir: cannot open %s: %s; the directory must be writable",
                           paths->lock, strerror(errno));
    if (flock(registry->lock, LOCK_EX | LOCK_NB) == 0) {
        int length = snprintf(holder, sizeof(holder), "%ld\n", (long)getpid());
        /* For people; the lock itself does not depend on it. */
        if (ftruncate(registry->lock, 0) == 0)
            (void)!pwrite(registry->lock, holder, (size_t)length, 0);
        return true;
    }
    ssize_t length = pread(registry->lock, holder, sizeof(holder) - 1, 0);
    holder[length > 0 ? strcspn(holder, "\n") : 0] = '\0';
    return failure_set(failure,
                       "--data-dir: %s is in use by another kairos (process %s); stop that one or "
                       "choose another directory",
                       paths->directory, holder[0] != '\0' ? holder : "unknown");
}

static const char *file_system_warning(int fd)
{
    struct statfs status;
    if (fstatfs(fd, &status) == 0 &&
        (status.f_type == (long)MAGIC_EXT4 || status.f_type == (long)MAGIC_XFS))
        return NULL;
    return "the data directory is neither on ext4 nor on xfs: what survives a crash of the machine "
           "is not known there";
}

/* ---- Mapping ---- */

static bool reserve(struct registry *registry, size_t slots, size_t file_size,
                    struct failure *failure)
{
    size_t segments = slots / SEGMENT_SLOTS + 2, present = file_size / SEGMENT_SIZE + 1;
    size_t limit = REGISTRY_SLOTS_MAX / SEGMENT_SLOTS;
    segments = segments > present ? segments : present;
    segments = segments < limit ? segments : limit;
    registry->reserved = map_size((uint32_t)segments);
    registry->links_size = segments * SEGMENT_SLOTS * sizeof(registry->links[0]);
    char *base = mmap(NULL, registry->reserved, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uint32_t *links = mmap(NULL, registry->links_size, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    registry->base = base == MAP_FAILED ? NULL : base;
    registry->links = links == MAP_FAILED ? NULL : links;
    if (registry->base == NULL || registry->links == NULL)
        return failure_set(failure, "the registry cannot be mapped: %s; lower --max-services",
                           strerror(errno));
    return true;
}

bool registry_map(struct registry *registry, uint32_t segments, struct failure *failure)
{
    if (mmap(registry->base, map_size(segments), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
             registry->file, 0) == MAP_FAILED)
        return failure_set(failure, "the registry cannot be mapped: %s", strerror(errno));
    registry->header = (struct header *)registry->base;
    registry->mapped = segments;
    atomic_store(&registry->segments, segments);
    registry->unused = registry->released = 0;
    registry->released_count = 0;
    return madvise(registry->links, registry->links_size, MADV_DONTNEED) == 0; /* all zero */
}

/* ---- Files ---- */

static bool fill_file(int fd, uint32_t segments)
{
    union {
        struct header header;
        char page[HEADER_SIZE];
    } first = {0};
    header_init(&first.header);
    atomic_init(&first.header.segments, segments);
    int error = posix_fallocate(fd, 0, (off_t)map_size(segments));
    if (error != 0) {
        errno = error;
        return false;
    }
    ssize_t written = pwrite(fd, &first, HEADER_SIZE, 0);
    if (written >= 0 && written < HEADER_SIZE)
        errno = ENOSPC;
    return written == HEADER_SIZE && fsync(fd) == 0;
}

int paths_create(const struct paths *paths, uint32_t segments, struct failure *failure)
{
    int fd = open(paths->new_file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && fill_file(fd, segments))
        return fd;
    failure_set(failure, "cannot create %s: %s", paths->new_file, strerror(errno));
    if (fd >= 0) {
        close(fd);
        unlink(paths->new_file);
    }
    return -1;
}

bool paths_sync(const struct paths *paths)
{
    int fd = open(paths->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return synced;
}

/* Makes the first file of a directory; it is there whole or not at all. */
static bool make_file(const struct paths *paths, struct failure *failure)
{
    int fd = paths_create(paths, 1, failure);
    if (fd < 0)
        return false;
    close(fd);
    if (rename(paths->new_file, paths->file) == 0 && paths_sync(paths))
        return true;
    return failure_set(failure, "cannot create %s: %s", paths->file, strerror(errno));
}

static bool open_file(struct registry *registry, const struct paths *paths, size_t *size,
                      struct failure *failure)
{
    struct stat status;
    registry->file = open(paths->file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (registry->file < 0 || fstat(registry->file, &status) != 0)
        return failure_set(failure, "cannot open %s: %s", paths->file, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return failure_set(failure, "%s is no regular file; move it away", paths->file);
    *size = (size_t)status.st_size;
    if (*size > map_size(REGISTRY_SLOTS_MAX / SEGMENT_SLOTS))
        return failure_set(failure, "%s is larger than any registry; move it away", paths->file);
    return true;
}

/* ---- Opening ---- */

static bool refuse(const struct paths *paths, const struct header_identity *identity,
                   struct failure *failure)
{
    if (identity->version != REGISTRY_VERSION)
        return failure_set(
            failure,
            "%s was written by version %u of the registry's format, and this kairos "
            "reads version %u; start the kairos that wrote it, or move the file away",
            paths->file, identity->version, REGISTRY_VERSION);
    return failure_set(
        failure,
        "%s was written on another kind of machine; start it there, or move the file "
        "away",
        paths->file);
}

/*
 * Maps the file and looks whether it can be used. What is wrong with it is put into the report; a
 * file that somebody else can use is a failure.
 */
static bool examine(struct registry *registry, const struct paths *paths, size_t size,
                    struct registry_report *report, struct failure *failure)
{
    uint32_t whole = size < HEADER_SIZE ? 0 : (uint32_t)((size - HEADER_SIZE) / SEGMENT_SIZE);
    if (size < HEADER_SIZE) {
        report->damage = "it is shorter than its header";
        return true;
    }
    if (!registry_map(registry, whole, failure))
        return false;
    uint32_t segments = atomic_load(&registry->header->segments);
    switch (header_check(registry->header)) {
    case HEADER_FOREIGN:
        report->damage = "it does not begin as a registry does";
        return true;
    case HEADER_DAMAGED:
        report->damage = "the checksum of its header is wrong";
        return true;
    case HEADER_NEWER:
    case HEADER_OTHER:
        return refuse(paths, &registry->header->identity, failure);
    case HEADER_OK:
        break;
    }
    /* One segment more may be there: allocated, and not used yet. */
    if (segments == 0 || segments > whole || segments + 1 < whole) {
        report->damage = "its size is not what its header says";
        return true;
    }
    registry->mapped = segments;
    atomic_store(&registry->segments, segments);
    if (!registry_take_stock(registry))
        report->damage = "checksums in it are wrong";
    return true;
}

static bool use_file(struct registry *registry, const struct paths *paths, size_t slots,
                     struct registry_report *report, struct failure *failure)
{
    size_t size = 0;
    if (!open_file(registry, paths, &size, failure) || !reserve(registry, slots, size, failure) ||
        !examine(registry, paths, size, report, failure))
        return false;
    return report->damage == NULL || registry_rescue(registry, paths, size, report, failure);
}

struct registry *registry_open(const char *directory, size_t slots, struct registry_report *report,
                               struct failure *failure)
{
    struct paths paths;
    struct registry *registry = malloc(sizeof(*registry));
    *report = (struct registry_report){0};
    if (registry == NULL) {
        failure_set(failure, "out of memory");
        return NULL;
    }
    *registry = (struct registry){.lock = -1, .file = -1};
    pthread_mutex_init(&registry->growing, NULL);
    if (!name_paths(&paths, directory, failure) || !make_directory(&paths, failure) ||
        !take_lock(registry, &paths, failure))
        goto failed;
    report->warning = file_system_warning(registry->lock);
    if (access(paths.file, F_OK) != 0 && errno == ENOENT) {
        report->created = true;
        if (!make_file(&paths, failure))
            goto failed;
    }
    if (use_file(registry, &paths, slots, report, failure))
        return registry;

failed:
    registry_close(registry);
    return NULL;
}
