#include "outputs.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* A power of two. At 64 MB of short outputs a chain has a handful. */
#define BUCKETS 65536

/* An output as it is kept: what precedes its text, and of that as much as there is. */
struct kept {
    TAILQ_ENTRY(kept) by_age;
    LIST_ENTRY(kept) in_bucket;
    struct output output; /* its end is not there */
};

struct outputs {
    pthread_mutex_t lock;
    uint64_t seed;
    size_t room;               /* bytes */
    TAILQ_HEAD(, kept) by_age; /* the oldest first */
    LIST_HEAD(bucket, kept) buckets[BUCKETS];
};

static size_t size_of(const struct output *output)
{
    return offsetof(struct kept, output.text) + output->length;
}

static struct bucket *bucket_of(struct outputs *outputs, const char *service)
{
    uint64_t hash = XXH3_64bits_withSeed(service, strlen(service), outputs->seed);
    return &outputs->buckets[hash % BUCKETS];
}

struct outputs *outputs_create(size_t bytes)
{
    struct outputs *outputs = calloc(1, sizeof(*outputs));
    if (outputs == NULL)
        return NULL;
    pthread_mutex_init(&outputs->lock, NULL);
    outputs->room = bytes;
    TAILQ_INIT(&outputs->by_age);
    /* Without randomness names can be chosen to fall into one bucket; all is right still. */
    if (getrandom(&outputs->seed, sizeof(outputs->seed), 0) != sizeof(outputs->seed))
        outputs->seed = (uintptr_t)outputs;
    return outputs;
}

static void drop(struct outputs *outputs, struct kept *kept)
{
    TAILQ_REMOVE(&outputs->by_age, kept, by_age);
    LIST_REMOVE(kept, in_bucket);
    outputs->room += size_of(&kept->output);
    free(kept);
}

void outputs_destroy(struct outputs *outputs)
{
    if (outputs == NULL)
        return;
    while (!TAILQ_EMPTY(&outputs->by_age))
        drop(outputs, TAILQ_FIRST(&outputs->by_age));
    pthread_mutex_destroy(&outputs->lock);
    free(outputs);
}

static struct kept *find(struct outputs *outputs, const char *service)
{
    struct kept *kept;
    LIST_FOREACH(kept, bucket_of(outputs, service), in_bucket)
    {
        if (strcmp(kept->output.service, service) == 0)
            return kept;
    }
    return NULL;
}

static void forget(struct outputs *outputs, const char *service)
{
    struct kept *kept = find(outputs, service);
    if (kept != NULL)
        drop(outputs, kept);
}

/* Enters a copy of OUTPUT; older ones make room for it. */
static bool enter(struct outputs *outputs, const struct output *output)
{
    size_t size = size_of(output);
    while (outputs->room < size && !TAILQ_EMPTY(&outputs->by_age))
        drop(outputs, TAILQ_FIRST(&outputs->by_age));
    struct kept *kept = outputs->room < size ? NULL : malloc(size);
    if (kept == NULL)
        return false;
    memcpy(&kept->output, output, offsetof(struct output, text) + output->length);
    outputs->room -= size;
    TAILQ_INSERT_TAIL(&outputs->by_age, kept, by_age);
    LIST_INSERT_HEAD(bucket_of(outputs, output->service), kept, in_bucket);
    return true;
}

bool outputs_keep(struct outputs *outputs, const struct output *output)
{
    pthread_mutex_lock(&outputs->lock);
    forget(outputs, output->service);
    bool kept = enter(outputs, output);
    pthread_mutex_unlock(&outputs->lock);
    return kept;
}

bool outputs_find(struct outputs *outputs, const char *service, struct output *output)
{
    pthread_mutex_lock(&outputs->lock);
    const struct kept *kept = find(outputs, service);
    if (kept != NULL)
        memcpy(output, &kept->output, offsetof(struct output, text) + kept->output.length);
    pthread_mutex_unlock(&outputs->lock);
    return kept != NULL;
}

void outputs_forget(struct outputs *outputs, const char *service)
{
    pthread_mutex_lock(&outputs->lock);
    forget(outputs, service);
    pthread_mutex_unlock(&outputs->lock);
}
