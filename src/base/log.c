#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "log_json.h"

#define FILE_MODE 0666 /* as the umask allows */

/* How long to wait before it is tried again whether a line is still being written. */
#define ADOPT_PAUSE_MS 5

static const struct {
    const char *name;  /* as an option */
    const char *label; /* in a line */
} levels[] = {
    [LOG_DEBUG] = {"DEBUG", "DEBUG"},
    [LOG_INFO] = {"INFO", "INFO"},
    [LOG_WARNING] = {"WARNING", "WARN"},
    [LOG_ERROR] = {"ERROR", "ERROR"},
};

bool log_level_parse(const char *text, enum log_level *level)
{
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (strcasecmp(text, levels[i].name) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

bool log_format_parse(const char *text, enum log_format *format)
{
    bool json = strcasecmp(text, "json") == 0;
    if (!json && strcasecmp(text, "text") != 0)
        return false;
    *format = json ? LOG_JSON : LOG_TEXT;
    return true;
}

/* ---- Where lines go ---- */

/* Opens FILE for appending; a pipe that nobody reads is not waited for. */
static int open_file(const char *file)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, FILE_MODE);
    int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);
    if (fd >= 0 && (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

int log_prepare(const struct log_options *options, struct failure *failure)
{
    /* Not stderr itself: what the log's descriptor stands for may be replaced. */
    int fd =
        options->file == NULL ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0) : open_file(options->file);
    if (fd < 0)
        failure_set(failure, "--%s: cannot open %s: %s",
                    options->option != NULL ? options->option : "log-file",
                    options->file != NULL ? options->file : "standard error", strerror(errno));
    return fd;
}

bool log_open(struct log *log, const struct log_options *options, struct failure *failure)
{
    int fd = log_prepare(options, failure);
    if (fd < 0)
        return false;
    *log =
        (struct log){.stream = fdopen(fd, "a"), .level = options->level, .format = options->format};
    if (log->stream == NULL) {
        close(fd);
        return failure_set(failure, "out of memory");
    }
    setvbuf(log->stream, NULL, _IONBF, 0); /* a line is one write, also beside other programs' */
    return true;
}

void log_close(struct log *log)
{
    fclose(log->stream);
}

/* Takes the log for ourselves, unless that takes too long. */
static bool lock(struct log *log)
{
    const struct timespec pause = {.tv_nsec = ADOPT_PAUSE_MS * 1000000};
    for (int tries = LOG_PATIENCE * 1000 / ADOPT_PAUSE_MS; ftrylockfile(log->stream) != 0;
         tries--) {
        if (tries == 0)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

bool log_adopt(struct log *log, int fd, const struct log_options *options)
{
    if (!lock(log))
        return false;
    dup3(fd, fileno(log->stream), O_CLOEXEC); /* of two that are open: it cannot fail */
    log->level = options->level;
    log->format = options->format;
    funlockfile(log->stream);
    close(fd);
    return true;
}

/* ---- Lines ---- */

/* Lines are written in pieces of about this size: others may write in between. */
#define PIECE_MAX ((size_t)64 * 1024)

/* A date with milliseconds: 2025-08-04T10:05:00.000Z. */
#define DATE_SIZE sizeof("2025-08-04T10:05:00.000Z")

static void format_date(char date[DATE_SIZE])
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t length = strftime(date, DATE_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(date + length, DATE_SIZE - length, ".%03uZ", (unsigned)(now.tv_nsec / 1000000) % 1000);
}

/* A line of another thread stands before it or behind it, and never within. */
static void write_line(struct log *log, const char *line, size_t length)
{
    flockfile(log->stream);
    fwrite_unlocked(line, 1, length, log->stream);
    fflush_unlocked(log->stream);
    funlockfile(log->stream);
}

/* Room for the object that a line becomes. */
#define OBJECT_SIZE (LOG_JSON_SIZE(LOG_LINE_MAX) + 128)

/* Writes to OBJECT what the words of a line make, with its date and level. Returns its length. */
static size_t make_object(char object[OBJECT_SIZE], const char *date, const char *label,
                          const char *words, size_t length)
{
    size_t used = (size_t)sprintf(object, "{\"time\": \"%s\", \"level\": \"%s\", ", date, label);
    used += log_json(object + used, words, length);
    object[used++] = '}';
    object[used++] = '\n';
    return used;
}

static void write_object(struct log *log, const char *date, enum log_level level, const char *words,
                         size_t length)
{
    char object[OBJECT_SIZE];
    write_line(log, object, make_object(object, date, levels[level].label, words, length));
}

void log_write(struct log *log, enum log_level level, const char *format, ...)
{
    static const char cut[] = "...\n";
    char line[LOG_LINE_MAX], date[DATE_SIZE];
    if (level < log->level)
        return;
    format_date(date);
    char *words = line + sprintf(line, "%s %s ", date, levels[level].label), *end = words;
    size_t room = (size_t)(line + sizeof(line) - words);
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(words, room, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    if ((size_t)length < room) {
        end += length;
        *end++ = '\n';
    } else {
        end = line + sizeof(line);
        memcpy(end - strlen(cut), cut, strlen(cut));
    }
    if (log->format == LOG_JSON)
        write_object(log, date, level, words, (size_t)(end - 1 - words));
    else
        write_line(log, line, (size_t)(end - line));
}

/* Makes an object of a line that ends ahead of END. Returns its length. */
static size_t convert_line(char object[OBJECT_SIZE], const char *line, const char *end)
{
    char date[DATE_SIZE] = "", label[8] = "";
    int words = 0;
    sscanf(line, "%24s %7s %n", date, label, &words);
    return make_object(object, date, label, line + words, (size_t)(end - line - words));
}

/* The last line's end within PIECE_MAX bytes, or that of the first one. */
static const char *piece_end(const char *lines, size_t length)
{
    const char *end = length <= PIECE_MAX ? lines + length - 1 : memrchr(lines, '\n', PIECE_MAX);
    return end != NULL ? end + 1 : (const char *)rawmemchr(lines, '\n') + 1;
}

static void write_objects(struct log *log, const char *lines, size_t length)
{
    char pieces[PIECE_MAX + OBJECT_SIZE];
    size_t used = 0;
    for (const char *line = lines, *end = lines + length; line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        used += convert_line(pieces + used, line, newline);
        line = newline + 1;
        if (used >= PIECE_MAX || line == end) {
            write_line(log, pieces, used);
            used = 0;
        }
    }
}

void log_write_lines(struct log *log, const char *lines, size_t length)
{
    if (log->format == LOG_JSON) {
        write_objects(log, lines, length);
        return;
    }
    while (length > 0) {
        size_t piece = (size_t)(piece_end(lines, length) - lines);
        write_line(log, lines, piece);
        lines += piece;
        length -= piece;
    }
}

void log_quote(char *quoted, const char *text, size_t length)
{
    *quoted++ = '"';
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c >= 0x7f) {
            quoted += sprintf(quoted, "\\x%02x", c);
            continue;
        }
        if (c == '"' || c == '\\')
            *quoted++ = '\\';
        *quoted++ = (char)c;
    }
    *quoted++ = '"';
    *quoted = '\0';
}
