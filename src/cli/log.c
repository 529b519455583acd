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
    return true;
}

void log_close(struct log *log)
{
    if (log->stream != stderr)
        fclose(log->stream);
}

void log_write(struct log *log, enum log_level level, const char *format, ...)
{
    if (level < log->level)
        return;
    struct timespec now;
    struct tm utc;
    char date[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
    fprintf(log->stream, "%s.%03ldZ %s ", date, now.tv_nsec / 1000000, levels[level].label);

    va_list arguments;
    va_start(arguments, format);
    vfprintf(log->stream, format, arguments);
    va_end(arguments);
    fputc('\n', log->stream);
    fflush(log->stream);
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
