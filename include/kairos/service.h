/*
 * service.h - service names.
 *
 * A service is whoever sends heartbeats. Its name is 1 to 100 characters of `a-z 0-9 _ -`; on
 * input, blanks around it are dropped and ASCII letters are lower-cased. Names are held padded with
 * NULs to whole 8-byte words, so that they can be compared and hashed a word at a time.
 */
#ifndef KAIROS_SERVICE_H
#define KAIROS_SERVICE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Characters in a name, and bytes that hold one: whole words, and always a NUL at the end. */
#define KAIROS_SERVICE_MAX  100
#define KAIROS_SERVICE_SIZE 104

enum kairos_service_result {
    KAIROS_SERVICE_OK,
    KAIROS_SERVICE_EMPTY,   /* nothing but blanks (space, \t, \n, \v, \f, \r) */
    KAIROS_SERVICE_INVALID, /* a character that names do not have, or too many of them */
};

/*
 * Reads the LENGTH bytes at TEXT as a service name. On KAIROS_SERVICE_OK, NAME holds it lower-cased
 * and padded with NULs to its end, and *NAME_LENGTH is its length; otherwise both are left alone.
 */
enum kairos_service_result kairos_service_parse(const char *text, size_t length,
                                                char name[KAIROS_SERVICE_SIZE],
                                                size_t *name_length);

#ifdef __cplusplus
}
#endif

#endif
