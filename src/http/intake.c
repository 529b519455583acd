#include "intake.h"

#include <stdlib.h>
#include <string.h>

struct intake_block {
    struct intake_block *next;
    size_t length;
    size_t capacity;
    char bytes[];
};

void intake_init(struct intake *intake, struct budget *budget)
{
    *intake = (struct intake){.share.budget = budget, .lock = PTHREAD_MUTEX_INITIALIZER};
}

static void free_list(struct intake_block *block)
{
    while (block != NULL) {
        struct intake_block *next = block->next;
        free(block);
        block = next;
    }
}

void intake_finish(struct intake *intake)
{
    free(intake->filling);
    free(intake->reading);
    free_list(intake->first);
    free_list(intake->spare);
    share_set(&intake->share, 0);
    pthread_mutex_destroy(&intake->lock);
}

/* A block from the spare ones, or a new one; NULL if there is no memory. */
static struct intake_block *get_block(struct intake *intake)
{
    pthread_mutex_lock(&intake->lock);
    struct intake_block *block = intake->spare;
    if (block != NULL)
        intake->spare = block->next;
    pthread_mutex_unlock(&intake->lock);
    if (block == NULL) {
        size_t capacity = intake->blocks == 0 ? INTAKE_BLOCK_FIRST : INTAKE_BLOCK_SIZE;
        if (!share_set(&intake->share, intake->share.held + sizeof(*block) + capacity))
            return NULL;
        block = malloc(sizeof(*block) + capacity);
        if (block == NULL)
            return NULL;
        block->capacity = capacity;
        intake->blocks++;
    }
    block->next = NULL;
    block->length = 0;
    return block;
}

/* Hands the block that is being filled over to the job. */
static void hand_over(struct intake *intake)
{
    struct intake_block *block = intake->filling;
    intake->filling = NULL;
    if (intake->first == NULL)
        intake->first = block;
    else
        intake->last->next = block;
    intake->last = block;
    intake->waiting++;
}

static bool is_closed(struct intake *intake)
{
    pthread_mutex_lock(&intake->lock);
    bool closed = intake->closed;
    pthread_mutex_unlock(&intake->lock);
    return closed;
}

bool intake_put(struct intake *intake, const char *bytes, size_t size)
{
    bool enough = false;
    if (is_closed(intake))
        return false;
    while (size > 0 && !intake->no_memory) {
        if (intake->filling == NULL && (intake->filling = get_block(intake)) == NULL) {
            intake->no_memory = true;
            break;
        }
        struct intake_block *block = intake->filling;
        size_t room = block->capacity - block->length, count = size < room ? size : room;
        memcpy(block->bytes + block->length, bytes, count);
        block->length += count;
        bytes += count;
        size -= count;
        if (block->length < block->capacity)
            break;
        pthread_mutex_lock(&intake->lock);
        hand_over(intake);
        enough |= intake->waiting % INTAKE_BLOCKS_AT_A_TIME == 0;
        pthread_mutex_unlock(&intake->lock);
    }
    return enough;
}

void intake_end(struct intake *intake)
{
    pthread_mutex_lock(&intake->lock);
    if (intake->filling != NULL)
        hand_over(intake);
    intake->ended = true;
    pthread_mutex_unlock(&intake->lock);
}

bool intake_next(struct intake *intake, struct slice *block, bool *last)
{
    pthread_mutex_lock(&intake->lock);
    if (intake->reading != NULL) {
        intake->reading->next = intake->spare;
        intake->spare = intake->reading;
    }
    intake->reading = intake->first;
    if (intake->reading != NULL) {
        intake->first = intake->reading->next;
        intake->waiting--;
    }
    *last = intake->ended && intake->first == NULL;
    pthread_mutex_unlock(&intake->lock);
    *block = intake->reading == NULL
                 ? (struct slice){"", 0}
                 : (struct slice){intake->reading->bytes, intake->reading->length};
    return intake->reading != NULL || *last;
}

void intake_close(struct intake *intake)
{
    pthread_mutex_lock(&intake->lock);
    intake->closed = true;
    pthread_mutex_unlock(&intake->lock);
}

bool intake_has_room(struct intake *intake)
{
    pthread_mutex_lock(&intake->lock);
    bool room = intake->closed || intake->waiting <= INTAKE_BLOCKS / 2;
    pthread_mutex_unlock(&intake->lock);
    return room;
}

bool intake_is_full(struct intake *intake)
{
    pthread_mutex_lock(&intake->lock);
    bool full = !intake->closed && intake->waiting >= INTAKE_BLOCKS;
    pthread_mutex_unlock(&intake->lock);
    return full;
}
