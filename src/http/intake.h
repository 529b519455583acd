/*
 * intake.h - the bytes of a body on their way from a worker to a job.
 *
 * The worker copies what it receives into blocks, and the job takes whole blocks, so that the two
 * seldom meet. There are no more than INTAKE_BLOCKS of them: a worker that finds the intake full
 * parks the request until the job has taken some.
 *
 *     worker                                       job
 *     if (intake_put(&intake, piece, size))        while (intake_next(&intake, &block, &last))
 *         job_submit(job);                             ... use(block) ...
 *     if (intake_is_full(&intake))                 if (intake_has_room(&intake))
 *         ... park ...                                 job_wake(job);
 *     intake_end(&intake);
 */
#ifndef KAIROS_HTTP_INTAKE_H
#define KAIROS_HTTP_INTAKE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "budget.h"
#include "percent.h"

/* Small enough that what the worker writes is still in a cache when the job reads it. */
#define INTAKE_BLOCK_SIZE (128 * 1024)

/* The first one: most bodies are small. */
#define INTAKE_BLOCK_FIRST (8 * 1024)

#define INTAKE_BLOCKS      16

/* Each time that one more of so many is there, the job is to be woken; and at the end. */
#define INTAKE_BLOCKS_AT_A_TIME 4

struct intake_block;

struct intake {
    struct share share; /* of the worker: memory of the blocks */
    bool no_memory;     /* for a further block: bytes were lost */

    /* Internal. */
    struct intake_block *filling; /* the worker's */
    size_t blocks;                /* that were made */
    pthread_mutex_t lock;
    struct intake_block *first, *last; /* full ones, under the lock as is all below */
    struct intake_block *spare;
    size_t waiting; /* full ones */
    bool ended;
    bool closed;
    struct intake_block *reading; /* the job's */
};

/* An empty one whose blocks are paid for out of BUDGET. */
void intake_init(struct intake *intake, struct budget *budget);

/* Frees the blocks. */
void intake_finish(struct intake *intake);

/* ---- For the worker ---- */

/*
 * Copies SIZE bytes. Returns whether so much has come that it is worth while to wake the job. Once
 * the intake is closed, or without memory (`no_memory`), they are thrown away.
 */
bool intake_put(struct intake *intake, const char *bytes, size_t size);

/* Tells that no more will come. */
void intake_end(struct intake *intake);

/* ---- For the job ---- */

/*
 * Gives the next block in *BLOCK, good until the next call; at the end an empty one. *LAST tells
 * that nothing follows. Returns false if there is none yet.
 */
bool intake_next(struct intake *intake, struct slice *block, bool *last);

/* Nothing more is wanted. */
void intake_close(struct intake *intake);

/* Whether so much was taken that the worker should go on. */
bool intake_has_room(struct intake *intake);

/* ---- For both ---- */

/* Whether more should not be put in before some was taken. */
bool intake_is_full(struct intake *intake);

#endif
