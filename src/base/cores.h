/*
 * cores.h - how many processors there are to use.
 */
#ifndef KAIROS_BASE_CORES_H
#define KAIROS_BASE_CORES_H

/* The processors that this program may run on, MAX at most. */
unsigned usable_cores(unsigned max);

#endif
