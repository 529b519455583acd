/*
 * nearest.h - which of several known words somebody meant who wrote another one.
 *
 *     struct nearest nearest = nearest_to("prot");
 *     nearest_try(&nearest, "host");
 *     nearest_try(&nearest, "port");
 *     nearest.found                         "port"
 */
#ifndef KAIROS_CONFIG_NEAREST_H
#define KAIROS_CONFIG_NEAREST_H

#include <stddef.h>

struct nearest {
    const char *word;
    const char *found; /* the nearest that was tried; NULL while none is near enough */
    size_t distance;   /* changes that lead from one to the other; found ones have fewer */
};

/* Of words in which at most about a third has to be changed. */
struct nearest nearest_to(const char *word);

/* KNOWN has to outlive the search. */
void nearest_try(struct nearest *nearest, const char *known);

#endif
