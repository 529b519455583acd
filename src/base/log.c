#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <time.h>

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

bool log_open(struct log *log, const char *path, enum log_level level, struct failure *failure)
{
    *log = (struct log){.stream = stderr, .level = level};
    if (path == NULL)
        return true;
    log->stream = fopen(path, "ae");
    if (log->stream == NULL)
        return failure_set(failure, "--log-file: cannot open %s: %s", path, strerror(errno));
    setvbuf(log->stream, NULL, _IONBF, 0); /* a line is one write, also beside other programs' */
    return true;
}

void log_close(struct log *log)
{
    if (log->stream != stderr)
        fclose(log->stream);
}

/* Begins a line with the date and the level; returns the end. */
static char *begin_line(char *line, size_t size, enum log_level level)
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t length = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &utc);
    return line + length +
           sprintf(line + length, ".%03ldZ %s ", now.tv_nsec / 1000000, levels[level].label);
}

void log_write(struct log *log, enum log_level level, const char *format, ...)
{
    static const char cut[] = "...\n";
    char line[LOG_LINE_MAX];
    if (level < log->level)
        return;
    char *end = begin_line(line, sizeof(line), level);
    size_t room = (size_t)(line + sizeof(line) - end);
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(end, room, format, arguments);
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
    /* A line of another thread stands before it or behind it, and never within. */
    flockfile(log->stream);
    fwrite_unlocked(line, 1, (size_t)(end - line), log->stream);
    fflush_unlocked(log->stream);
    funlockfile(log->stream);
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
