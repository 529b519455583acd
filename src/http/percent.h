/*
 * percent.h - percent-encoded text, as it stands in the path and the query of a request (RFC 3986,
 * section 2.1): `back%2Dup` is `back-up`.
 */
#ifndef KAIROS_HTTP_PERCENT_H
#define KAIROS_HTTP_PERCENT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Room for what names something in a path, decoded: more than any name needs with every character
 * escaped and some blanks around it.
 */
#define SEGMENT_MAX 512

/* A piece of text that belongs to someone else, without a NUL at its end. */
struct slice {
    const char *text;
    size_t length;
};

enum percent_result {
    PERCENT_OK,
    PERCENT_INVALID,  /* a '%' without two hexadecimal digits, or one that stands for NUL */
    PERCENT_TOO_LONG, /* what it decodes to does not fit */
};

/*
 * Decodes TEXT into the SIZE bytes at DECODED, with a NUL behind it that *LENGTH does not count.
 * Whatever is no escape stays as it is, a '+' too.
 */
enum percent_result percent_decode(struct slice text, char *decoded, size_t size, size_t *length);

#endif
