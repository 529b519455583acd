#include "failure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

/*
 * Overwrites with '?' what does not take up a place of its own on a terminal: control characters,
 * marks that turn the direction of writing, bytes that are no character.
 */
static void make_printable(char *text)
{
    mbstate_t state = {0};
    for (size_t left = strlen(text), size; left > 0; text += size, left -= size) {
        wchar_t character;
        size = mbrtowc(&character, text, left, &state);
        if (size > left) { /* an error, or an incomplete character */
            size = 1;
            character = L'\0';
            memset(&state, 0, sizeof(state));
        }
        if (wcwidth(character) <= 0)
            memset(text, '?', size);
    }
}

bool failure_vset(struct failure *failure, const char *format, va_list arguments)
{
    vsnprintf(failure->text, sizeof(failure->text), format, arguments);
    make_printable(failure->text);
    return false;
}

bool failure_set(struct failure *failure, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    failure_vset(failure, format, arguments);
    va_end(arguments);
    return false;
}

bool failure_set_write(struct failure *failure, const char *what)
{
    if (errno != EPIPE)
        return failure_set(failure, "cannot write %s: %s", what, strerror(errno));
    failure->text[0] = '\0';
    return false;
}

void failure_print(const struct failure *failure)
{
    if (failure->text[0] != '\0')
        fprintf(stderr, "kairos: %s\n", failure->text);
}
