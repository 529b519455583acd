#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decoder.h"

/* What the decoders need to see to know their own. */
#define HEAD_SIZE 4

struct input {
    bool seekable;
    off_t
        base; /* where the log begins in the file: standard input may stand behind its beginning */
    uint64_t size;
    const struct decoder *decoder;
    void *state;
    struct source source;
};

static const struct decoder *const decoders[] = {&decoder_gzip, &decoder_zstd, &decoder_plain};

/* Waits until a descriptor that does not block has more; stdin may come as such a one. */
static bool wait_readable(int fd)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    return poll(&poller, 1, -1) > 0 || errno == EINTR;
}

bool source_read(struct source *source, void *data, size_t size, size_t *count,
                 struct failure *failure)
{
    ssize_t got;
    do {
        got = read(source->fd, data, size);
    } while (got < 0 && (errno == EINTR || (errno == EAGAIN && wait_readable(source->fd))));
    if (got < 0)
        return failure_set(failure, "%s: cannot be read: %s", source->name, strerror(errno));
    *count = (size_t)got;
    source->raw += (uint64_t)got;
    return true;
}

bool source_fill(struct source *source, struct failure *failure)
{
    source->begin = source->end = 0;
    return source_read(source, source->buffer, SOURCE_SIZE, &source->end, failure);
}

/* Reads the head into the source's buffer, where the decoders find it again. */
static bool read_head(struct source *source, struct failure *failure)
{
    size_t count = 1;
    while (source->end < HEAD_SIZE && count > 0) {
        if (!source_read(source, source->buffer + source->end, HEAD_SIZE - source->end, &count,
                         failure))
            return false;
        source->end += count;
    }
    return true;
}

static bool examine(struct input *input, struct failure *failure)
{
    struct source *source = &input->source;
    struct stat status;
    if (fstat(source->fd, &status) != 0)
        return failure_set(failure, "%s: cannot be examined: %s", source->name, strerror(errno));
    if (S_ISDIR(status.st_mode))
        return failure_set(failure, "%s: is a directory; name a file in it", source->name);
    if (S_ISREG(status.st_mode)) {
        off_t at = lseek(source->fd, 0, SEEK_CUR);
        input->base = at < 0 ? 0 : at;
        input->size = status.st_size > input->base ? (uint64_t)(status.st_size - input->base) : 0;
    }
    if (!read_head(source, failure))
        return false;

    size_t i = 0;
    while (!decoders[i]->matches(source->buffer, source->end))
        i++;
    input->decoder = decoders[i];
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
    input->source.fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (input->source.fd < 0) {
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
    if (input->source.fd != STDIN_FILENO)
        close(input->source.fd);
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
    return input->decoder->read(input->state, &input->source, data, size, count, failure);
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
        ssize_t got = pread(input->source.fd, data + *count, size - *count,
                            input->base + (off_t)(offset + *count));
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
    return input->source.raw - (input->source.end - input->source.begin);
}
