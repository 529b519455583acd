#include "small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads up to SIZE bytes, or to the end. Returns how many there were; SIZE_MAX for an error. */
static size_t read_fully(int fd, char *bytes, size_t size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t got = read(fd, bytes + used, size - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return SIZE_MAX;
        if (got == 0)
            break;
        used += (size_t)got;
    }
    return used;
}

/* Whether somebody has written to the file since it was BEFORE. */
static bool has_changed(int fd, const struct stat *before)
{
    struct stat after;
    return fstat(fd, &after) != 0 || after.st_size != before->st_size ||
           after.st_mtim.tv_sec != before->st_mtim.tv_sec ||
           after.st_mtim.tv_nsec != before->st_mtim.tv_nsec;
}

static char *read_open(int fd, const char *path, size_t max, size_t *length,
                       struct failure *failure)
{
    struct stat before;
    const char *wrong = NULL;
    if (fstat(fd, &before) != 0)
        wrong = strerror(errno);
    else if (!S_ISREG(before.st_mode))
        wrong = "it is no regular file";
    if (wrong == NULL && (uintmax_t)before.st_size > max) {
        failure_set(failure, "cannot read %s: it has more than %zu bytes", path, max);
        return NULL;
    }
    char *bytes = wrong == NULL ? malloc((size_t)before.st_size + 1) : NULL;
    if (wrong == NULL && bytes == NULL)
        wrong = "out of memory";
    if (wrong == NULL) {
        *length = read_fully(fd, bytes, (size_t)before.st_size);
        if (*length == SIZE_MAX)
            wrong = strerror(errno);
        else if (*length != (size_t)before.st_size || has_changed(fd, &before))
            wrong = "somebody writes to it; try again";
    }
    if (wrong == NULL) {
        bytes[*length] = '\0';
        return bytes;
    }
    failure_set(failure, "cannot read %s: %s", path, wrong);
    free(bytes);
    return NULL;
}

char *small_file_read(const char *path, size_t max, size_t *length, struct failure *failure)
{
    int fd =
        open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC); /* a FIFO is not waited for */
    if (fd < 0) {
        failure_set(failure, "cannot read %s: %s", path, strerror(errno));
        return NULL;
    }
    char *bytes = read_open(fd, path, max, length, failure);
    close(fd);
    return bytes;
}
