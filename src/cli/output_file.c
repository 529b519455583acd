#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* So many symbolic links are followed, as the kernel does. */
#define LINKS_MAX 40

/* The permissions of a new file: those of the old one, or what the umask leaves. */
static mode_t mode_for(const struct stat *old)
{
    if (old != NULL)
        return old->st_mode & 07777;
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

static bool open_direct(struct output_file *file, struct failure *failure)
{
    file->direct = true;
    file->stream = fopen(file->target, "we");
    return file->stream != NULL || failure_set_write(failure, file->target);
}

static bool open_temporary(struct output_file *file, const struct stat *old,
                           struct failure *failure)
{
    const char *slash = strrchr(file->target, '/');
    int directory = slash == NULL ? 0 : (int)(slash + 1 - file->target);
    snprintf(file->temporary, sizeof(file->temporary), "%.*s.kairos-XXXXXX", directory,
             file->target);
    int fd = mkostemp(file->temporary, O_CLOEXEC);
    if (fd < 0)
        return failure_set_write(failure, file->target);
    if (old != NULL && fchown(fd, old->st_uid, old->st_gid) != 0)
        errno = 0; /* only root can give a file away: it is ours then */
    if (fchmod(fd, mode_for(old)) == 0 && (file->stream = fdopen(fd, "w")) != NULL)
        return true;
    failure_set_write(failure, file->target);
    close(fd);
    unlink(file->temporary);
    return false;
}

/* Replaces PATH, while it is a symbolic link, by what the link names; relative to its directory. */
static bool follow_links(char path[PATH_MAX])
{
    char link[PATH_MAX], next[2 * PATH_MAX];
    for (int links = 0; links < LINKS_MAX; links++) {
        ssize_t length = readlink(path, link, sizeof(link) - 1);
        if (length < 0)
            return true; /* no link, or nothing at all */
        link[length] = '\0';
        const char *slash = link[0] == '/' ? NULL : strrchr(path, '/');
        int directory = slash == NULL ? 0 : (int)(slash + 1 - path);
        if (snprintf(next, sizeof(next), "%.*s%s", directory, path, link) >= PATH_MAX) {
            errno = ENAMETOOLONG;
            return false;
        }
        strcpy(path, next);
    }
    errno = ELOOP;
    return false;
}

bool output_file_open(struct output_file *file, const char *path, struct failure *failure)
{
    struct stat old;
    file->direct = false;
    if (path[0] == '\0')
        return failure_set(failure, "--output: the path is empty; name a file");
    if (strlen(path) >= sizeof(file->target))
        return failure_set(failure, "--output: the path is longer than %zu bytes",
                           sizeof(file->target) - 1);
    strcpy(file->target, path);
    if (stat(path, &old) == 0 && !S_ISREG(old.st_mode))
        return open_direct(file, failure);
    if (!follow_links(file->target))
        return failure_set_write(failure, path);
    bool exists = stat(file->target, &old) == 0;
    return open_temporary(file, exists ? &old : NULL, failure);
}

bool output_file_commit(struct output_file *file, struct failure *failure)
{
    bool written = fflush(file->stream) == 0 && !ferror(file->stream) &&
                   (file->direct || fsync(fileno(file->stream)) == 0);
    if (!written)
        failure_set_write(failure, file->target);
    if (fclose(file->stream) != 0 && written)
        written = failure_set_write(failure, file->target);
    if (file->direct)
        return written;
    if (written && rename(file->temporary, file->target) != 0)
        written = failure_set_write(failure, file->target);
    if (!written)
        unlink(file->temporary);
    return written;
}

void output_file_discard(struct output_file *file)
{
    fclose(file->stream);
    if (!file->direct)
        unlink(file->temporary);
}
