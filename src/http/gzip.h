/*
 * gzip.h - the text of an answer, shorter.
 *
 * It costs about a millisecond for each GZIP_SIZE_MAX: more than that is for jobs alone.
 */
#ifndef KAIROS_HTTP_GZIP_H
#define KAIROS_HTTP_GZIP_H

#include <stdbool.h>

#include "writer.h"

/* Shorter ones gain nothing. */
#define GZIP_SIZE_MIN ((size_t)1024)

/* A longer one would hold up a worker's other connections. */
#define GZIP_SIZE_MAX ((size_t)512 * 1024)

/* For one text after the other; it takes 270 kB. */
struct gzip;

/* NULL if memory ran out. */
struct gzip *gzip_create(void);

void gzip_destroy(struct gzip *gzip);

/*
 * Puts the compressed text into the place of the one that WRITER holds. Returns false, with nothing
 * changed, if that cannot be done or would not make it shorter.
 */
bool gzip_text(struct gzip *gzip, struct writer *writer);

#endif
