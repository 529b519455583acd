/*
 * outputs.h - what services had to say: the newest body that came with a ping of each, such as the
 * last lines that a command printed before it failed.
 *
 * Kept in memory of a bounded size and lost when the program ends: the outputs that are oldest make
 * room for new ones. All functions may be called from any thread.
 */
#ifndef KAIROS_STORE_OUTPUTS_H
#define KAIROS_STORE_OUTPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kairos/service.h>

#include "engine.h"

/* Bytes that are kept of one; more are cut off. */
#define OUTPUT_MAX ((size_t)10 * 1024)

/* The ping told no exit status. */
#define EXIT_STATUS_NONE (-1)

struct output {
    char service[KAIROS_SERVICE_SIZE]; /* padded with NULs */
    int64_t at;                        /* when it came, engine time */
    enum engine_action action;         /* of the ping that it came with */
    int exit_status;                   /* 0 to 255, or EXIT_STATUS_NONE */
    size_t length;
    char text[OUTPUT_MAX]; /* any bytes */
};

struct outputs;

/* Room for outputs of BYTES together. Returns NULL when memory ran out. */
struct outputs *outputs_create(size_t bytes);

/* Accepts NULL. */
void outputs_destroy(struct outputs *outputs);

/*
 * Keeps OUTPUT in the place of what its service said before. Returns false when memory ran out:
 * nothing of that service is kept then.
 */
bool outputs_keep(struct outputs *outputs, const struct output *output);

/* Copies the output of SERVICE; returns false when none is kept. */
bool outputs_find(struct outputs *outputs, const char *service, struct output *output);

/* Forgets the output of SERVICE, if there is one. */
void outputs_forget(struct outputs *outputs, const char *service);

#endif
