#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
    snprintf(file->temporary, sizeof(file->temporary), "%s.XXXXXX", file->target);
    int fd = mkostemp(file->temporary, O_CLOEXEC);
    if (fd < 0)
        return failure_set_write(failure, file->target);
    if (fchmod(fd, mode_for(old)) == 0 && (file->stream = fdopen(fd, "w")) != NULL)
        return true;
    failure_set_write(failure, file->target);
    close(fd);
    unlink(file->temporary);
    return false;
}

bool output_file_open(struct output_file *file, const char *path, struct failure *failure)
{
    struct stat old;
    bool exists = stat(path, &old) == 0;
    file->direct = false;
    if (strlen(path) >= sizeof(file->target))
        return failure_set(failure, "--output: the path is too long");
    strcpy(file->target, path);
    if (!exists)
        return open_temporary(file, NULL, failure);
    if (!S_ISREG(old.st_mode))
        return open_direct(file, failure);
    return (realpath(path, file->target) != NULL || failure_set_write(failure, file->target)) &&
           open_temporary(file, &old, failure);
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
