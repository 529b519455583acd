#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decoder.h"

#define BUFFER_SIZE (256 * 1024)

struct input {
    bool seekable;
    off_t
        base; /* where the log begins in the file: standard input may stand behind its beginning */
    uint64_t size;
    int fd;
    const struct decoder *decoder;
    void *state;
    struct source source; /* what was read into the buffer */
    unsigned char buffer[BUFFER_SIZE];
};

/* Waits until a descriptor that does not block has more; stdin may come as such a one. */
static bool wait_readable(int fd)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    return poll(&poller, 1, -1) > 0 || errno == EINTR;
}

/* Reads once into DATA; *COUNT is 0 at the end. */
static bool read_once(struct input *input, void *data, size_t size, size_t *count,
                      struct failure *failure)
{
    ssize_t got;
    do {
        got = read(input->fd, data, size);
    } while (got < 0 && (errno == EINTR || (errno == EAGAIN && wait_readable(input->fd))));
    if (got < 0)
        return failure_set(failure, "%s: cannot be read: %s", input->source.name, strerror(errno));
    *count = (size_t)got;
    input->source.ended = got == 0;
    return true;
}

/* Fills the source, which must be used up; at the end of the input it stays empty. */
static bool fill(struct input *input, struct failure *failure)
{
    input->source.bytes = input->buffer;
    return read_once(input, input->buffer, BUFFER_SIZE, &input->source.size, failure);
}

/* Reads the head into the buffer, where the decoders find it again. */
static bool read_head(struct input *input, struct failure *failure)
{
    struct source *source = &input->source;
    size_t count = 1;
    source->bytes = input->buffer;
    while (source->size < DECODER_HEAD && count > 0) {
        if (!read_once(input, input->buffer + source->size, DECODER_HEAD - source->size, &count,
                       failure))
            return false;
        source->size += count;
    }
    return true;
}

static bool examine(struct input *input, struct failure *failure)
{
    struct source *source = &input->source;
    struct stat status;
    if (fstat(input->fd, &status) != 0)
        return failure_set(failure, "%s: cannot be examined: %s", source->name, strerror(errno));
    if (S_ISDIR(status.st_mode))
        return failure_set(failure, "%s: is a directory; name a file in it", source->name);
    if (S_ISREG(status.st_mode)) {
        off_t at = lseek(input->fd, 0, SEEK_CUR);
        input->base = at < 0 ? 0 : at;
        input->size = status.st_size > input->base ? (uint64_t)(status.st_size - input->base) : 0;
    }
    if (!read_head(input, failure))
        return false;

    input->decoder = decoder_of(source->bytes, source->size);
    input->seekable = S_ISREG(status.st_mode) && input->decoder == &decoder_plain;
    input->state = input->decoder->create();
    if (input->state == NULL)
        return failure_set(failure, "%s: out of memory", source->name);
    return true;
}

struct input *input_open(const char *path, const char *mend, struct failure *failure)
{
    bool is_stdin = strcmp(path, "-") == 0;
    struct input *input = calloc(1, sizeof(*input));
    if (input == NULL) {
        failure_set(failure, "%s: out of memory", path);
        return NULL;
    }
    input->source.name = is_stdin ? "<stdin>" : path;
    input->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (input->fd < 0) {
        failure_set(failure, "%s: cannot be opened: %s%s%s", path, strerror(errno),
                    errno == ENOENT ? "; " : "", errno == ENOENT ? mend : "");
        free(input);
        return NULL;
    }
    if (!examine(input, failure)) {
        input_close(input);
        return NULL;
    }
    return input;
}

void input_close(struct input *input)
{
    if (input == NULL)
        return;
    if (input->state != NULL)
        input->decoder->destroy(input->state);
    if (input->fd != STDIN_FILENO)
        close(input->fd);
    free(input);
}

const char *input_name(const struct input *input)
{
    return input->source.name;
}

const char *input_encoding(const struct input *input)
{
    return input->decoder->name;
}

bool input_read(struct input *input, char *data, size_t size, size_t *count,
                struct failure *failure)
{
    struct source *source = &input->source;
    if (input->decoder == &decoder_plain && source->size == 0) { /* no detour */
        bool done = read_once(input, data, size, count, failure);
        source->taken += done ? *count : 0;
        return done;
    }
    while (input->decoder->read(input->state, source, data, size, count, failure)) {
        if (*count > 0 || source->ended)
            return true;
        if (source->size == 0 && !fill(input, failure))
            return false;
    }
    return false;
}

bool input_is_seekable(const struct input *input)
{
    return input->seekable;
}

bool input_read_at(const struct input *input, uint64_t offset, char *data, size_t size,
                   size_t *count, struct failure *failure)
{
    *count = 0;
    while (*count < size) {
        ssize_t got =
            pread(input->fd, data + *count, size - *count, input->base + (off_t)(offset + *count));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failure_set(failure, "%s: cannot be read: %s", input->source.name,
                               strerror(errno));
        if (got == 0)
            break;
        *count += (size_t)got;
    }
    return true;
}

uint64_t input_size(const struct input *input)
{
    return input->size;
}

uint64_t input_used(const struct input *input)
{
    return input->source.taken;
}
