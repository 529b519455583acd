#include "access_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <kairos/timestamp.h>

#include "sink.h"

/* Room for some ten thousand lines, twice, should the disk be slow. */
#define BUFFER_SIZE ((size_t)8 * 1024 * 1024)

/* Milliseconds: a thread that writes each line alone would cost more than the request. */
#define LINGER 5

/* Of a longer path no more is shown. */
#define PATH_SHOWN 1024

/* The longest line: a path of which every byte is escaped, an id, an address, and the words. */
#define LINE_MAX_SIZE (4 * PATH_SHOWN + 512)

/* What stands for a ping key. */
#define MASK "kp.***"

struct access_log {
    struct log *program;
    struct log own;  /* of a file */
    struct log *log; /* one of the two */
    const char *file;
    struct sink *sink;
};

/* ---- The log ---- */

static void take(void *context, const char *bytes, size_t size, uint64_t lost)
{
    struct access_log *access = context;
    if (access->log == &access->own)
        access->own.format = access->program->format;
    log_write_lines(access->log, bytes, size);
    if (lost > 0)
        log_write(access->program, LOG_WARNING, "requests_not_logged count=%" PRIu64, lost);
}

static struct log_options options_of(const struct access_log *access)
{
    return (struct log_options){
        .file = access->file, .option = "access-log", .format = access->program->format};
}

/* Chooses where lines go, and opens that. */
static bool open_log(struct access_log *access, struct failure *failure)
{
    struct log_options options = options_of(access);
    access->log = access->program;
    if (strcmp(access->file, "-") == 0)
        return true;
    if (!log_open(&access->own, &options, failure))
        return false;
    access->log = &access->own;
    return true;
}

static void close_log(struct access_log *access)
{
    if (access->log == &access->own)
        log_close(&access->own);
    free(access);
}

struct access_log *access_log_create(const char *file, struct log *log, struct failure *failure)
{
    struct access_log *access = calloc(1, sizeof(*access));
    if (access == NULL) {
        failure_set(failure, "out of memory");
        return NULL;
    }
    access->file = file;
    access->program = log;
    if (!open_log(access, failure)) {
        free(access);
        return NULL;
    }
    access->sink = sink_create(&(struct sink_options){.name = "access-log",
                                                      .capacity = BUFFER_SIZE,
                                                      .linger = LINGER,
                                                      .take = take,
                                                      .context = access},
                               failure);
    if (access->sink != NULL)
        return access;
    close_log(access);
    return NULL;
}

bool access_log_destroy(struct access_log *access)
{
    if (access == NULL)
        return true;
    if (!sink_destroy(access->sink))
        return false;
    close_log(access);
    return true;
}

int access_log_prepare(const struct access_log *access, struct failure *failure)
{
    struct log_options options = options_of(access);
    if (access->log == access->program)
        options.file = NULL; /* nothing of it is going to change */
    return log_prepare(&options, failure);
}

bool access_log_adopt(struct access_log *access, int fd)
{
    struct log_options options = options_of(access);
    if (access->log == &access->own)
        return log_adopt(&access->own, fd, &options);
    close(fd);
    return true;
}

bool access_log_wants(const struct access_log *access)
{
    return access->log->level <= LOG_INFO;
}

/* ---- Lines: written by hand, since there may be a hundred thousand in a second ---- */

static char *put(char *at, const char *text)
{
    return stpcpy(at, text);
}

static char *put_number(char *at, uint64_t number)
{
    char digits[20];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

static void put_thousandth(char *at, unsigned number)
{
    at[0] = (char)('0' + number / 100 % 10);
    at[1] = (char)('0' + number / 10 % 10);
    at[2] = (char)('0' + number % 10);
}

static char *put_milliseconds(char *at, int64_t microseconds)
{
    uint64_t time = microseconds < 0 ? 0 : (uint64_t)microseconds;
    at = put_number(at, time / 1000);
    *at = '.';
    put_thousandth(at + 1, (unsigned)(time % 1000));
    return at + 4;
}

/* The character that TEXT begins with, its escape undone; *SIZE is how long it is. */
static char first_of(const char *text, size_t *size)
{
    char decoded[2];
    size_t length;
    *size = 1;
    if (text[0] != '%' || text[1] == '\0' || text[2] == '\0')
        return text[0];
    if (percent_decode((struct slice){text, 3}, decoded, sizeof(decoded), &length) != PERCENT_OK)
        return text[0];
    *size = 3;
    return decoded[0];
}

/* Whether SEGMENT, of a path, is a ping key: it begins with `kp.`, however that is written. */
static bool is_key(const char *segment)
{
    for (const char *expected = "kp."; *expected != '\0'; expected++) {
        size_t size;
        char c = first_of(segment, &size);
        if (c != *expected)
            return false;
        segment += size;
    }
    return true;
}

/* Whether a segment begins at AT in the path that begins at BEGIN: behind a slash, escaped or not.
 */
static bool begins_segment(const char *begin, const char *at)
{
    return at[-1] == '/' || (at - begin >= 3 && strncasecmp(at - 3, "%2f", 3) == 0);
}

/* Writes PATH in quotes, with its keys masked, as far as it is shown. */
static char *put_path(char *at, const char *path)
{
    static const char hexadecimal[] = "0123456789abcdef";
    const char *begin = path;
    *at++ = '"';
    while (*path != '\0' && path - begin < PATH_SHOWN) {
        unsigned char c = (unsigned char)*path++;
        if (c < 0x20 || c >= 0x7f) {
            *at++ = '\\';
            *at++ = 'x';
            *at++ = hexadecimal[c / 16];
            c = (unsigned char)hexadecimal[c % 16];
        } else if (c == '"' || c == '\\')
            *at++ = '\\';
        *at++ = (char)c;
        if (begins_segment(begin, path) && is_key(path)) {
            at = put(at, MASK);
            path = strchrnul(path, '/');
        }
    }
    at = put(at, *path == '\0' ? "\"" : "...\"");
    return at;
}

/* Keeps the beginning of lines for as long as it is the same: for a thousandth of a second. */
static const char *begin_of(struct access_lines *lines, int64_t wall)
{
    int64_t second = wall / KAIROS_SECOND;
    unsigned thousandth = (unsigned)(wall % KAIROS_SECOND / KAIROS_MILLISECOND);
    if (second != lines->second || lines->date[0] == '\0') {
        struct tm utc;
        time_t time = (time_t)second;
        gmtime_r(&time, &utc);
        strftime(lines->date, sizeof(lines->date),
                 "%Y-%m-%dT%H:%M:%S.000Z INFO request method=", &utc);
        lines->second = second;
        lines->thousandth = 0;
    }
    if (thousandth != lines->thousandth)
        put_thousandth(lines->date + sizeof("2025-08-04T10:05:00.") - 1, thousandth);
    lines->thousandth = thousandth;
    return lines->date;
}

void access_log_add(struct access_log *access, struct access_lines *lines,
                    const struct access *what, int64_t wall)
{
    if (ACCESS_LINES_SIZE - lines->length < LINE_MAX_SIZE)
        access_log_flush(access, lines);
    char *at = lines->text + lines->length;
    at = put(at, begin_of(lines, wall));
    at = put(at, what->method);
    at = put(at, " path=");
    at = put_path(at, what->path);
    at = put(at, " status=");
    at = put_number(at, what->status);
    at = put(at, " bytes=");
    at = put_number(at, what->bytes);
    at = put(at, " duration_ms=");
    at = put_milliseconds(at, what->duration);
    at = put(at, " address=");
    at = put(at, what->address);
    at = put(at, " id=");
    at = mempcpy(at, what->id.text, what->id.length);
    *at++ = '\n';
    lines->length = (size_t)(at - lines->text);
    lines->count++;
}

void access_log_flush(struct access_log *access, struct access_lines *lines)
{
    struct iovec part = {.iov_base = lines->text, .iov_len = lines->length};
    if (lines->length == 0)
        return;
    sink_tell(access->sink, &part, 1, lines->count);
    lines->length = 0;
    lines->count = 0;
}
