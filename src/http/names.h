/*
 * names.h - many names of services in order: collected in pieces, each of which is sorted, and then
 * given out from all pieces together.
 *
 *     while (names_add(names, found, count))     until all are there
 *     while (names_next(names, &name))           the smallest that is left
 *
 * So there is no step that takes long, however many there are. A name takes its length and a byte.
 */
#ifndef KAIROS_HTTP_NAMES_H
#define KAIROS_HTTP_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "engine.h"

/* Names of one piece. */
#define NAMES_PIECE 8192

struct names;

/* Returns NULL when memory ran out. */
struct names *names_create(void);

/* Accepts NULL. */
void names_destroy(struct names *names);

/*
 * Takes COUNT names, NAMES_PIECE at most, and sorts the array for that. Returns false when memory
 * ran out.
 */
bool names_add(struct names *names, struct service_name *array, size_t count);

/*
 * Gives the smallest name that is left, each once. To be called when all are there. Returns false
 * when there is none.
 */
bool names_next(struct names *names, struct service_name *name);

#endif
