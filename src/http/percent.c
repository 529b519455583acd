#include "percent.h"

#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20; /* letters become lower-case */
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that the two characters at TEXT stand for; 0, which may not occur, if they are none. */
static char escaped_byte(const char *text)
{
    int high = hex_digit(text[0]), low = hex_digit(text[1]);
    if (high < 0 || low < 0)
        return '\0';
    return (char)(high * 16 + low);
}

enum percent_result percent_decode(struct slice text, char *decoded, size_t size, size_t *length)
{
    const char *c = text.text, *end = text.text + text.length;
    size_t used = 0;
    while (c < end) {
        const char *escape = memchr(c, '%', (size_t)(end - c));
        size_t plain = (size_t)((escape == NULL ? end : escape) - c);
        if (plain >= size - used)
            return PERCENT_TOO_LONG;
        memcpy(decoded + used, c, plain);
        used += plain;
        c += plain;
        if (c == end)
            break;

        char byte = end - c < 3 ? '\0' : escaped_byte(c + 1);
        if (byte == '\0')
            return PERCENT_INVALID;
        if (used + 1 >= size)
            return PERCENT_TOO_LONG;
        decoded[used++] = byte;
        c += 3;
    }
    decoded[used] = '\0';
    *length = used;
    return PERCENT_OK;
}
