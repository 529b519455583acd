#include "capture.h"

#include <string.h>

#include "name.h"

/* More digits of a fraction than count, so that the parser's own cut stays the one that matters. */
#define FRACTION_KEPT 9

void capture_begin(struct capture *capture, enum capture_kind kind)
{
    capture->kind = kind;
    capture->length = 0;
    capture->fraction = 0;
    capture->blank = false;
    capture->cut = false;
}

static void keep(struct capture *capture, char byte)
{
    if (capture->length < sizeof(capture->text))
        capture->text[capture->length++] = byte;
    else
        capture->cut = true;
}

static void service_byte(struct capture *capture, char byte)
{
    if (name_is_blank(byte)) {
        capture->blank = capture->length > 0;
        return;
    }
    if (capture->blank)
        keep(capture, ' ');
    capture->blank = false;
    keep(capture, byte);
}

static void timestamp_byte(struct capture *capture, char byte)
{
    if (byte == '.')
        capture->fraction = 1;
    else if (byte < '0' || byte > '9')
        capture->fraction = 0;
    else if (capture->fraction > FRACTION_KEPT)
        return;
    else if (capture->fraction > 0)
        capture->fraction++;
    keep(capture, byte);
}

static void key_bytes(struct capture *capture, const char *bytes, size_t count)
{
    size_t room = sizeof(capture->text) - capture->length;
    capture->cut |= count > room;
    count = count < room ? count : room;
    memcpy(capture->text + capture->length, bytes, count);
    capture->length = (uint8_t)(capture->length + count);
}

void capture_bytes(struct capture *capture, const char *bytes, size_t count)
{
    switch (capture->kind) {
    case CAPTURE_KEY:
        key_bytes(capture, bytes, count);
        break;
    case CAPTURE_SERVICE:
        for (size_t i = 0; i < count; i++)
            service_byte(capture, bytes[i]);
        break;
    case CAPTURE_TIMESTAMP:
        for (size_t i = 0; i < count; i++)
            timestamp_byte(capture, bytes[i]);
        break;
    }
}

void capture_code(struct capture *capture, unsigned code)
{
    if (code >= 0xd800 && code <= 0xdfff)
        code = 0xfffd;
    char bytes[3];
    size_t count = 0;
    if (code < 0x80) {
        bytes[count++] = (char)code;
    } else if (code < 0x800) {
        bytes[count++] = (char)(0xc0 | code >> 6);
        bytes[count++] = (char)(0x80 | (code & 0x3f));
    } else {
        bytes[count++] = (char)(0xe0 | code >> 12);
        bytes[count++] = (char)(0x80 | (code >> 6 & 0x3f));
        bytes[count++] = (char)(0x80 | (code & 0x3f));
    }
    capture_bytes(capture, bytes, count);
}

bool capture_is(const struct capture *capture, const char *text)
{
    size_t length = strlen(text);
    return capture->length == length && memcmp(capture->text, text, length) == 0;
}
