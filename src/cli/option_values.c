#include "option_values.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <kairos/duration.h>

#include "failure.h"

void wrong_usage(const struct argp_state *state, const char *format, ...)
{
    struct failure failure;
    va_list arguments;
    va_start(arguments, format);
    failure_vset(&failure, format, arguments);
    va_end(arguments);
    argp_error(state, "%s", failure.text);
}

uint64_t parse_number(const struct argp_state *state, const char *name, const char *text,
                      uint64_t min, uint64_t max)
{
    uint64_t number = 0;
    bool valid = *text != '\0';
    for (const char *c = text; *c != '\0' && valid; c++)
        valid = *c >= '0' && *c <= '9' && !__builtin_mul_overflow(number, 10, &number) &&
                !__builtin_add_overflow(number, (uint64_t)(*c - '0'), &number);
    if (!valid || number < min || number > max)
        wrong_usage(state, "--%s: '%s' is not a whole number from %llu to %llu", name, text,
                    (unsigned long long)min, (unsigned long long)max);
    return number;
}

double parse_decimal(const struct argp_state *state, const char *name, const char *text, double min,
                     double max)
{
    static const char digits[] = "0123456789";
    size_t whole = strspn(text, digits);
    const char *rest = text + whole;
    bool valid = whole > 0;
    if (*rest == '.') {
        size_t fraction = strspn(++rest, digits);
        valid = valid && fraction > 0;
        rest += fraction;
    }
    double number = strtod(text, NULL);
    if (!valid || *rest != '\0' || number < min || number > max)
        wrong_usage(state, "--%s: '%s' is not a number from %.12g to %.12g", name, text, min, max);
    return number;
}

int64_t parse_duration(const struct argp_state *state, const char *name, const char *text)
{
    int64_t duration = 0;
    if (!kairos_duration_parse(text, strlen(text), &duration))
        wrong_usage(state,
                    "--%s: '%s' is not a duration; write whole seconds or a unit, as in 90s, 5m, "
                    "1h, 1d, 250ms",
                    name, text);
    return duration;
}

enum log_level parse_log_level(const struct argp_state *state, const char *name, const char *text)
{
    enum log_level level = LOG_INFO;
    if (!log_level_parse(text, &level))
        wrong_usage(state, "--%s: '%s' is none of DEBUG, INFO, WARNING, ERROR", name, text);
    return level;
}

enum log_format parse_log_format(const struct argp_state *state, const char *name, const char *text)
{
    enum log_format format = LOG_TEXT;
    if (!log_format_parse(text, &format))
        wrong_usage(state, "--%s: '%s' is neither text nor json", name, text);
    return format;
}

void parse_service(const struct argp_state *state, const char *text, char name[KAIROS_SERVICE_SIZE])
{
    size_t length;
    if (kairos_service_parse(text, strlen(text), name, &length) != KAIROS_SERVICE_OK)
        wrong_usage(state, "'%s' is no service's name; it has 1 to 100 characters of a-z 0-9 _ -",
                    text);
}
