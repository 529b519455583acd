/*
 * registry_open.c - opens the registry's file, or makes one; sets a damaged one aside and copies
 * what is intact of it.
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
#include <time.h>
#include <unistd.h>

#include "registry_map.h"

#define FILE_NAME "registry"
#define LOCK_NAME "lock"
#define NEW_NAME  "registry.new"

/* Source: statfs(2). */
#define MAGIC_EXT4 0xef53
#define MAGIC_XFS  0x58465342

/* Paths of one opening. */
struct place {
    char directory[PATH_MAX];
    char file[PATH_MAX + 32];
    char new_file[PATH_MAX + 32];
    char lock[PATH_MAX + 32];
};

/* ---- The directory and its lock ---- */

static bool name_place(struct place *place, const char *directory, struct failure *failure)
{
    if (directory[0] == '\0' || strlen(directory) >= sizeof(place->directory))
        return failure_set(failure, "--data-dir: the path is %s; name a directory",
                           directory[0] == '\0' ? "empty" : "too long");
    strcpy(place->directory, directory);
    snprintf(place->file, sizeof(place->file), "%s/" FILE_NAME, directory);
    snprintf(place->new_file, sizeof(place->new_file), "%s/" NEW_NAME, directory);
    snprintf(place->lock, sizeof(place->lock), "%s/" LOCK_NAME, directory);
    return true;
}

/* Creates the directory and those above it. */
static bool make_directory(const struct place *place, struct failure *failure)
{
    char path[PATH_MAX];
    strcpy(path, place->directory);
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

static bool take_lock(struct registry *registry, const struct place *place, struct failure *failure)
{
    char holder[32] = "";
    registry->lock = open(place->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (registry->lock < 0)
        return failure_set(failure,
                           "--data-dir: cannot open %s: %s; the directory must be writable",
                           place->lock, strerror(errno));
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
                       place->directory, holder[0] != '\0' ? holder : "unknown");
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
    size_t segments = slots / SEGMENT_SLOTS + 2, present = file_size / SEGMENT_SIZE;
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

/* Maps the file's header and its first SEGMENTS segments. */
static bool map_file(struct registry *registry, uint32_t segments, struct failure *failure)
{
    if (mmap(registry->base, map_size(segments), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
             registry->file, 0) == MAP_FAILED)
        return failure_set(failure, "the registry cannot be mapped: %s", strerror(errno));
    registry->header = (struct header *)registry->base;
    registry->mapped = segments;
    return true;
}

static bool open_file(struct registry *registry, const struct place *place, off_t *size,
                      struct failure *failure)
{
    struct stat status;
    registry->file = open(place->file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (registry->file < 0 || fstat(registry->file, &status) != 0)
        return failure_set(failure, "cannot open %s: %s", place->file, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return failure_set(failure, "%s is no regular file; move it away", place->file);
    *size = status.st_size;
    return true;
}

/* ---- A new file ---- */

static bool sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return synced;
}

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

/* Makes a file with so many empty segments under its working name; it is there whole or not. */
static bool create_file(const struct place *place, uint32_t segments, struct failure *failure)
{
    int fd = open(place->new_file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool made = fd >= 0 && fill_file(fd, segments) && rename(place->new_file, place->file) == 0 &&
                sync_directory(place->directory);
    if (!made)
        failure_set(failure, "cannot create %s: %s", place->file, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (!made)
        unlink(place->new_file);
    return made;
}

/* ---- Taking stock ---- */

/* The continuation in SLOT is linked to its owner, unless that has a better one. */
static void link_name(struct registry *registry, uint32_t slot)
{
    uint32_t owner, slots = registry_slots(registry);
    struct service service;
    if (!slot_owner(map_slot(registry->base, slot), &owner) || owner >= slots)
        return;
    if (slot_decode(map_slot(registry->base, owner), map_slot(registry->base, slot), &service))
        registry->links[owner] = slot + 1;
}

static bool is_long(const struct registry *registry, uint32_t slot)
{
    return slot_name_is_long(slot_name_length(map_slot(registry->base, slot)));
}

/* Whether the service in SLOT is intact. */
static bool is_intact(const struct registry *registry, uint32_t slot)
{
    struct service service;
    uint32_t link = registry->links[slot];
    return slot_decode(map_slot(registry->base, slot),
                       link == 0 ? NULL : map_slot(registry->base, link - 1), &service) &&
           atomic_load(registry_cell(registry, slot)) <= time_encode(KAIROS_TIME_MAX);
}

/* Frees a continuation whose service is not there: the process was killed between the two. */
static void free_orphan(struct registry *registry, uint32_t slot)
{
    uint32_t owner;
    if (!slot_owner(map_slot(registry->base, slot), &owner) || owner >= registry_slots(registry) ||
        registry->links[owner] != slot + 1)
        registry_remove(registry, slot);
}

/* All slots before SLOT that are not known yet are free. */
static void note_used(struct registry *registry, uint32_t slot)
{
    for (; registry->unused < slot; registry->unused++) {
        registry->links[registry->unused] = registry->released;
        registry->released = registry->unused + 1;
        registry->released_count++;
    }
    registry->unused = slot + 1;
}

/* Looks at the slots of services with long names, and at the continuations. */
static size_t take_stock_of_names(struct registry *registry)
{
    uint32_t slots = registry_slots(registry);
    size_t damaged = 0;
    for (uint32_t slot = 0; slot < slots; slot++) {
        if (registry_use(registry, slot) == SLOT_NAME)
            free_orphan(registry, slot);
        else if (registry_use(registry, slot) == SLOT_SERVICE && is_long(registry, slot))
            damaged += !is_intact(registry, slot);
    }
    return damaged;
}

/* Looks at every slot. Returns how many services are damaged. */
static size_t take_stock(struct registry *registry)
{
    uint32_t slots = registry_slots(registry);
    size_t damaged = 0;
    bool names = false;
    for (uint32_t slot = 0; slot < slots; slot++) {
        enum slot_use use = registry_use(registry, slot);
        if (use == SLOT_FREE)
            continue;
        note_used(registry, slot);
        if (use == SLOT_NAME)
            link_name(registry, slot);
        if (use == SLOT_NAME || is_long(registry, slot))
            names = true;
        else
            damaged += !is_intact(registry, slot);
    }
    return names ? damaged + take_stock_of_names(registry) : damaged;
}

/* Writes once more what the process was killed in the midst of. */
static void redo(struct registry *registry)
{
    struct header_redo *redo = &registry->header->redo;
    uint32_t slot = atomic_load(&redo->slot);
    if (slot != 0 && slot <= registry_slots(registry))
        *map_slot(registry->base, slot - 1) = redo->image;
    atomic_store(&redo->slot, 0);
}

/* ---- Damage ---- */

/* Why the file cannot be used as it is; NULL if its header and size are right. */
static const char *find_damage(const struct registry *registry, off_t size)
{
    if (size < HEADER_SIZE)
        return "it is shorter than its header";
    if (header_check(registry->header) == HEADER_FOREIGN)
        return "it does not begin as a registry does";
    if (header_check(registry->header) == HEADER_DAMAGED)
        return "the checksum of its header is wrong";
    uint64_t segments = atomic_load(&registry->header->segments);
    if (segments == 0 || segments > registry->mapped)
        return "it is shorter than its header says";
    return NULL;
}

static bool refuse_version(const struct registry *registry, const struct place *place,
                           struct failure *failure)
{
    return failure_set(failure,
                       "%s was written by version %u of the registry's format, and this kairos "
                       "reads version %u; start the kairos that wrote it, or move the file away",
                       place->file, registry->header->identity.version, REGISTRY_VERSION);
}

static bool set_aside(const struct place *place, struct registry_report *report,
                      struct failure *failure)
{
    char date[32];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &utc);
    for (int try = 0; try < 100; try++) {
        snprintf(report->aside, sizeof(report->aside), "%s.damaged-%s-%d", place->file, date, try);
        if (renameat2(AT_FDCWD, place->file, AT_FDCWD, report->aside, RENAME_NOREPLACE) == 0) {
            report->set_aside = true;
            return true;
        }
        if (errno != EEXIST)
            break;
    }
    return failure_set(failure, "%s is damaged, and cannot be renamed: %s", place->file,
                       strerror(errno));
}

/* The damaged file, for reading; its pages are private. */
struct wreck {
    char *base;
    size_t size;
    uint32_t slots;
};

static bool wreck_open(struct wreck *wreck, int fd, off_t size)
{
    *wreck = (struct wreck){.size = (size_t)size};
    if (wreck->size < map_size(1))
        return true; /* nothing in it can be saved */
    wreck->base =
        mmap(NULL, wreck->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
    if (wreck->base == MAP_FAILED)
        return false;
    wreck->slots = (uint32_t)((wreck->size - HEADER_SIZE) / SEGMENT_SIZE) * SEGMENT_SLOTS;
    return true;
}

/* What is known of Kairós itself; without it, the newest heartbeat says when it could hear last. */
static void save_header(struct registry *registry, const struct wreck *wreck, uint64_t newest)
{
    const struct header *old = (const struct header *)wreck->base;
    struct header *header = registry->header;
    if (wreck->base != NULL && header_check(old) == HEADER_OK) {
        uint32_t segments = atomic_load(&header->segments);
        memcpy(header, old, sizeof(*header));
        atomic_store(&header->segments, segments);
        atomic_store(&header->redo.slot, 0);
        return;
    }
    atomic_store(&header->alive_at, newest);
    atomic_store(&header->synced_until, newest);
}

/* Copies the service in SLOT of the damaged file, if it is intact. Returns whether it is. */
static bool save_service(struct registry *registry, const struct wreck *wreck, uint32_t slot,
                         uint32_t second)
{
    struct service service;
    const struct slot *old = map_slot(wreck->base, slot);
    const struct slot *name = second < wreck->slots ? map_slot(wreck->base, second) : NULL;
    uint64_t cell = atomic_load(map_cell(wreck->base, slot));
    if (slot_use(old) != SLOT_SERVICE || !slot_decode(old, name, &service) ||
        cell > time_encode(KAIROS_TIME_MAX))
        return false;
    *map_slot(registry->base, slot) = *old;
    if (name != NULL)
        *map_slot(registry->base, second) = *name;
    atomic_store(map_cell(registry->base, slot), cell);
    return true;
}

/* Copies what is intact into the new file, slot by slot to the same places. */
static size_t save(struct registry *registry, const struct wreck *wreck)
{
    size_t saved = 0;
    uint64_t newest = 0;
    for (uint32_t slot = 0; slot < wreck->slots; slot++) {
        uint32_t owner = slot, second = SLOT_NONE;
        if (slot_use(map_slot(wreck->base, slot)) == SLOT_NAME) {
            if (!slot_owner(map_slot(wreck->base, slot), &owner) || owner >= wreck->slots)
                continue;
            second = slot;
        }
        if (!save_service(registry, wreck, owner, second))
            continue;
        uint64_t cell = atomic_load(map_cell(wreck->base, owner));
        newest = cell > newest ? cell : newest;
        saved++;
    }
    save_header(registry, wreck, newest);
    return saved;
}

/* Puts a new file in the place of a damaged one. */
static bool replace_file(struct registry *registry, const struct place *place, off_t size,
                         struct registry_report *report, struct failure *failure)
{
    struct wreck wreck;
    off_t new_size = 0;
    int old = registry->file;
    bool replaced = false;
    if (!wreck_open(&wreck, old, size))
        return failure_set(failure, "%s is damaged, and cannot be mapped: %s", place->file,
                           strerror(errno));
    uint32_t segments = wreck.slots / SEGMENT_SLOTS;
    if (set_aside(place, report, failure) &&
        create_file(place, segments > 0 ? segments : 1, failure) &&
        open_file(registry, place, &new_size, failure) &&
        map_file(registry, segments > 0 ? segments : 1, failure)) {
        report->saved = save(registry, &wreck);
        take_stock(registry);
        replaced = true;
    }
    if (wreck.base != NULL)
        munmap(wreck.base, wreck.size);
    if (registry->file != old)
        close(old);
    return replaced;
}

/* ---- Opening ---- */

static bool use_file(struct registry *registry, const struct place *place, size_t slots,
                     struct registry_report *report, struct failure *failure)
{
    off_t size = 0;
    if (!open_file(registry, place, &size, failure) ||
        !reserve(registry, slots, (size_t)size, failure))
        return false;
    size_t whole = size < HEADER_SIZE ? 0 : ((size_t)size - HEADER_SIZE) / SEGMENT_SIZE;
    if (whole * SEGMENT_SLOTS > REGISTRY_SLOTS_MAX)
        return failure_set(failure, "%s is larger than any registry; move it away", place->file);
    if (size >= HEADER_SIZE && !map_file(registry, (uint32_t)whole, failure))
        return false;

    report->damage = find_damage(registry, size);
    if (report->damage == NULL && header_check(registry->header) != HEADER_OK)
        return refuse_version(registry, place, failure);
    if (report->damage == NULL) {
        registry->mapped = atomic_load(&registry->header->segments);
        redo(registry);
        if (take_stock(registry) == 0)
            return true;
        report->damage = "checksums of services in it are wrong";
        registry->unused = registry->released = 0;
        registry->released_count = 0;
        memset(registry->links, 0, (size_t)registry_slots(registry) * sizeof(registry->links[0]));
    }
    return replace_file(registry, place, size, report, failure);
}

struct registry *registry_open(const char *directory, size_t slots, struct registry_report *report,
                               struct failure *failure)
{
    struct place place;
    struct registry *registry = malloc(sizeof(*registry));
    *report = (struct registry_report){0};
    if (registry == NULL) {
        failure_set(failure, "out of memory");
        return NULL;
    }
    *registry = (struct registry){.lock = -1, .file = -1};
    pthread_mutex_init(&registry->growing, NULL);
    if (!name_place(&place, directory, failure) || !make_directory(&place, failure) ||
        !take_lock(registry, &place, failure))
        goto failed;
    report->warning = file_system_warning(registry->lock);
    if (access(place.file, F_OK) != 0 && errno == ENOENT) {
        report->created = true;
        if (!create_file(&place, 1, failure))
            goto failed;
    }
    if (use_file(registry, &place, slots, report, failure))
        return registry;

failed:
    registry_close(registry);
    return NULL;
}
