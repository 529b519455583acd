#include "problems.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"

void problems_add(struct problems *problems, const char *format, ...)
{
    struct failure failure;
    va_list arguments;
    va_start(arguments, format);
    failure_vset(&failure, format, arguments);
    va_end(arguments);
    char *text = problems->count < PROBLEMS_MAX ? strdup(failure.text) : NULL;
    if (text == NULL)
        problems->more++;
    else
        problems->texts[problems->count++] = text;
}

bool problems_exist(const struct problems *problems)
{
    return problems->count + problems->more > 0;
}

void problems_print(const struct problems *problems, FILE *stream, const char *prefix)
{
    for (size_t i = 0; i < problems->count; i++)
        fprintf(stream, "%s%s\n", prefix, problems->texts[i]);
    if (problems->more > 0)
        fprintf(stream, "%sand %zu more\n", prefix, problems->more);
}

void problems_finish(struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        free(problems->texts[i]);
    *problems = (struct problems){0};
}
