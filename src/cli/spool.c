#include "spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* 17 digits are enough for the year 5000. */
#define TIME_DIGITS   17
#define RANDOM_DIGITS 16
#define SUFFIX        ".json"

/* What is being written has such a name; left behind by a process that died, it goes in the end. */
#define TEMPORARY_PREFIX  ".new-"
#define TEMPORARY_SECONDS 3600

static const char digits[] = "0123456789";
static const char hex_digits[] = "0123456789abcdef";

/* ---- The directory ---- */

/* Source: https://specifications.freedesktop.org/basedir-spec, which wants absolute paths. */
bool spool_find(char path[PATH_MAX])
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    const struct passwd *user;
    if (state != NULL && state[0] == '/')
        return snprintf(path, PATH_MAX, "%s/kairos/spool", state) < PATH_MAX;
    if ((home == NULL || home[0] != '/') && (user = getpwuid(geteuid())) != NULL)
        home = user->pw_dir;
    return home != NULL && home[0] == '/' &&
           snprintf(path, PATH_MAX, "%s/.local/state/kairos/spool", home) < PATH_MAX;
}

/* Makes the directory PATH and those above it, as far as they are not there. */
static bool make_directory(const char *path)
{
    char part[PATH_MAX];
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return true;
    if (errno != ENOENT || strlen(path) >= sizeof(part))
        return false;
    strcpy(part, path);
    for (char *slash = part; (slash = strchr(slash + 1, '/')) != NULL; *slash = '/') {
        *slash = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return false;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static int open_directory(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* ---- What is in it ---- */

static bool is_name(const char *name)
{
    return strspn(name, digits) == TIME_DIGITS && name[TIME_DIGITS] == '-' &&
           strspn(name + TIME_DIGITS + 1, hex_digits) == RANDOM_DIGITS &&
           strcmp(name + TIME_DIGITS + 1 + RANDOM_DIGITS, SUFFIX) == 0;
}

/* Removes what a process that died has left unfinished. */
static void remove_temporary(int directory, const char *name)
{
    struct stat status;
    if (strncmp(name, TEMPORARY_PREFIX, strlen(TEMPORARY_PREFIX)) == 0 &&
        fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
        status.st_mtime < time(NULL) - TEMPORARY_SECONDS)
        unlinkat(directory, name, 0);
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct spool_entry *)a)->name, ((const struct spool_entry *)b)->name);
}

/* Adds a file to the list; false if memory ran out. */
static bool list_entry(struct spool *spool, const char *name, size_t *capacity)
{
    struct stat status;
    if (fstatat(spool->directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode))
        return true; /* another process was faster, or it is nothing of ours */
    if (spool->count == *capacity) {
        size_t more = *capacity == 0 ? 64 : *capacity * 2;
        struct spool_entry *entries = realloc(spool->entries, more * sizeof(*entries));
        if (entries == NULL)
            return false;
        spool->entries = entries;
        *capacity = more;
    }
    struct spool_entry *entry = &spool->entries[spool->count++];
    strcpy(entry->name, name);
    entry->size = (uint64_t)status.st_size;
    return true;
}

/* Lists what is in the open directory, in order of time. */
static bool list(struct spool *spool)
{
    size_t capacity = 0;
    int own = openat(spool->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = own >= 0 ? fdopendir(own) : NULL;
    if (stream == NULL) {
        if (own >= 0)
            close(own);
        return false;
    }
    bool listed = true;
    for (const struct dirent *found; listed && (found = readdir(stream)) != NULL;) {
        if (is_name(found->d_name))
            listed = list_entry(spool, found->d_name, &capacity);
        else
            remove_temporary(spool->directory, found->d_name);
    }
    closedir(stream);
    if (spool->count > 0)
        qsort(spool->entries, spool->count, sizeof(*spool->entries), compare_entries);
    return listed;
}

/* ---- Adding ---- */

/* Removes the oldest until one more of SIZE bytes has room. Returns how many that were. */
static size_t make_room(struct spool *spool, uint64_t size)
{
    uint64_t bytes = size;
    size_t dropped = 0;
    for (size_t i = 0; i < spool->count; i++)
        bytes += spool->entries[i].size;
    while (dropped < spool->count &&
           (bytes > SPOOL_BYTES_MAX || spool->count - dropped >= SPOOL_FILES_MAX)) {
        bytes -= spool->entries[dropped].size;
        spool_remove(spool, dropped++);
    }
    return dropped;
}

static void make_names(int64_t time, char name[SPOOL_NAME_SIZE], char temporary[SPOOL_NAME_SIZE])
{
    uint64_t random = 0;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random)) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        random = (uint64_t)getpid() << 32 ^ (uint64_t)now.tv_nsec;
    }
    snprintf(name, SPOOL_NAME_SIZE, "%0*" PRId64 "-%0*" PRIx64 SUFFIX, TIME_DIGITS,
             time < 0 ? 0 : time, RANDOM_DIGITS, random);
    snprintf(temporary, SPOOL_NAME_SIZE, TEMPORARY_PREFIX "%0*" PRIx64, RANDOM_DIGITS, random);
}

/* Writes all, down to the disk. */
static bool write_file(int fd, const char *text, size_t size)
{
    for (ssize_t written; size > 0; text += written, size -= (size_t)written) {
        written = write(fd, text, size);
        if (written < 0 && errno == EINTR)
            written = 0;
        else if (written < 0)
            return false;
    }
    return fsync(fd) == 0;
}

/* Writes TEXT to a new file, which takes its NAME when it is whole. */
static bool write_entry(int directory, int64_t time, const char *text, size_t size)
{
    char name[SPOOL_NAME_SIZE], temporary[SPOOL_NAME_SIZE];
    make_names(time, name, temporary);
    int fd =
        openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    bool written = write_file(fd, text, size);
    int error = errno;
    if (close(fd) != 0 && written) {
        written = false;
        error = errno;
    }
    if (written && renameat(directory, temporary, directory, name) == 0)
        return true;
    if (written)
        error = errno;
    unlinkat(directory, temporary, 0);
    errno = error;
    return false;
}

/* The text of a file, to be released by free. */
static char *make_text(const char *url, const struct beat *beat)
{
    json_t *json = beat_to_json(beat);
    char *text = NULL;
    if (json != NULL && json_object_set_new(json, "url", json_string(url)) == 0)
        text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return text;
}

static bool add(const char *path, int64_t time, const char *text, size_t *dropped)
{
    struct spool spool = {.directory = -1};
    if (!make_directory(path) || (spool.directory = open_directory(path)) < 0)
        return false;
    if (list(&spool))
        *dropped += make_room(&spool, strlen(text));
    bool added = write_entry(spool.directory, time, text, strlen(text));
    int error = errno;
    spool_close(&spool);
    errno = error;
    return added;
}

bool spool_add(const char *path, const char *url, const struct beat *beat, size_t *dropped,
               struct failure *failure)
{
    char *text = make_text(url, beat);
    if (text == NULL)
        return failure_set(failure, "%s: out of memory", path);
    bool added = add(path, beat->time, text, dropped);
    if (!added)
        failure_set(failure, "cannot write to the spool %s: %s", path, strerror(errno));
    free(text);
    return added;
}

/* ---- Delivering ---- */

enum spool_state spool_open(struct spool *spool, const char *path, struct failure *failure)
{
    *spool = (struct spool){.directory = open_directory(path)};
    if (spool->directory < 0) {
        if (errno == ENOENT)
            return SPOOL_EMPTY;
        failure_set(failure, "cannot open the spool %s: %s", path, strerror(errno));
        return SPOOL_BROKEN;
    }
    enum spool_state state = SPOOL_OPEN;
    if (flock(spool->directory, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        state = SPOOL_BUSY; /* where nothing can be locked, several may deliver the same: no harm */
    } else if (!list(spool)) {
        failure_set(failure, "cannot read the spool %s: %s", path, strerror(errno));
        state = SPOOL_BROKEN;
    } else if (spool->count == 0) {
        state = SPOOL_EMPTY;
    }
    if (state != SPOOL_OPEN)
        spool_close(spool);
    return state;
}

void spool_close(struct spool *spool)
{
    if (spool->directory >= 0)
        close(spool->directory);
    free(spool->entries);
    *spool = (struct spool){.directory = -1};
}

/* Reads the file of NAME as JSON; NULL if it is none, or not there. */
static json_t *read_file(int directory, const char *name, bool *damaged)
{
    struct stat status;
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    *damaged = fd >= 0;
    if (fd < 0)
        return NULL;
    json_t *json = NULL;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_size <= (off_t)SPOOL_FILE_MAX)
        json = json_loadfd(fd, JSON_ALLOW_NUL, NULL);
    close(fd);
    return json;
}

bool spool_read(const struct spool *spool, size_t index, json_t **json, struct beat *beat,
                const char **url, bool *damaged)
{
    *json = read_file(spool->directory, spool->entries[index].name, damaged);
    *url = json_string_value(json_object_get(*json, "url"));
    if (*json == NULL)
        return false;
    if (*url != NULL && beat_from_json(*json, beat)) {
        *damaged = false;
        return true;
    }
    json_decref(*json);
    *json = NULL;
    return false;
}

void spool_remove(const struct spool *spool, size_t index)
{
    unlinkat(spool->directory, spool->entries[index].name, 0);
}
