/*
 * capture.h - what is kept of a decoded JSON string: as much as a name or a timestamp can need.
 *
 * A string may be a gigabyte long. Of blanks before a service's name, of those behind it, and of a
 * fraction's digits beyond any use, nothing has to be kept; whatever else does not fit is too long
 * to be valid.
 */
#ifndef KAIROS_CORE_CAPTURE_H
#define KAIROS_CORE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kairos/service.h>

enum capture_kind {
    CAPTURE_KEY,
    CAPTURE_SERVICE,
    CAPTURE_TIMESTAMP,
};

struct capture {
    enum capture_kind kind;
    uint8_t length;
    uint8_t fraction; /* of a timestamp: digits since the point, counting it; 0 before it */
    bool blank;       /* of a service: blanks came that a further character would turn invalid */
    bool cut;         /* something did not fit */
    char text[KAIROS_SERVICE_SIZE];
};

void capture_begin(struct capture *capture, enum capture_kind kind);

/* Takes the next COUNT bytes of the string. */
void capture_bytes(struct capture *capture, const char *bytes, size_t count);

/* Takes the character of an escape, CODE up to 0xffff; surrogates become U+FFFD. */
void capture_code(struct capture *capture, unsigned code);

/* Whether the string was exactly TEXT, a literal. */
bool capture_is(const struct capture *capture, const char *text);

#endif
