/*
 * utf8.h - what is UTF-8 among bytes that come from outside.
 */
#ifndef KAIROS_BASE_UTF8_H
#define KAIROS_BASE_UTF8_H

#include <stddef.h>

/*
 * The length of the UTF-8 sequence at TEXT, of which LEFT (1 or more) bytes are there; 0 if it is
 * none. Source: RFC 3629, section 4.
 */
size_t utf8_length(const char *text, size_t left);

#endif
