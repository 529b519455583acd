/*
 * memory.c - a store that keeps the newest incidents in memory.
 *
 * Incidents are numbered from 1 as they come, and number N lies in a ring at N modulo the capacity:
 * a new one takes the place of the oldest. Three kinds of chain lead from newer to older ones:
 * those whose keys fall into one bucket, those whose services do, and those that are open. A chain
 * ends at the first number that has left the ring, so nothing is ever taken out of a chain when an
 * incident leaves; only a closed one leaves the chain of the open ones.
 *
 * The memory is reserved at once, and the system gives it page by page as it is touched.
 */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "clock.h"
#include "store.h"

/* So many incidents may be looked at while the lock is held: well below a millisecond. */
#define LOOKS_MAX 4096

/* The number of no incident. */
#define NONE 0

struct record {
    struct incident incident;
    uint64_t key_older;     /* next in the bucket of its key */
    uint64_t service_older; /* next in the bucket of its service */
    uint64_t open_older;    /* its neighbours among the open ones, while it is open */
    uint64_t open_newer;
};

struct memory_store {
    struct store store;
    pthread_mutex_t lock;
    uint64_t seed;
    size_t capacity;
    size_t mask;   /* of the buckets */
    uint64_t last; /* the newest number; NONE while there is none */
    uint64_t last_open;
    struct record *ring;
    uint64_t *keys;     /* by bucket: the newest number */
    uint64_t *services; /* by bucket: the newest number */
};

static struct memory_store *memory_of(struct store *store)
{
    return (struct memory_store *)store;
}

/* Whether NUMBER is still, or already, in the ring. */
static bool is_kept(const struct memory_store *memory, uint64_t number)
{
    return number != NONE && number <= memory->last && memory->last - number < memory->capacity;
}

static struct record *record_at(const struct memory_store *memory, uint64_t number)
{
    return &memory->ring[number % memory->capacity];
}

static uint64_t *service_bucket(const struct memory_store *memory, const char *service)
{
    uint64_t hash = XXH3_64bits_withSeed(service, strlen(service), memory->seed);
    return &memory->services[hash & memory->mask];
}

static uint64_t *key_bucket(const struct memory_store *memory, const char *service,
                            int64_t started_at)
{
    uint64_t hash =
        XXH3_64bits_withSeed(service, strlen(service), memory->seed ^ (uint64_t)started_at);
    return &memory->keys[hash & memory->mask];
}

static uint64_t find(const struct memory_store *memory, const char *service, int64_t started_at)
{
    uint64_t number = *key_bucket(memory, service, started_at);
    while (is_kept(memory, number)) {
        const struct record *record = record_at(memory, number);
        if (record->incident.started_at == started_at &&
            strcmp(record->incident.service, service) == 0)
            return number;
        number = record->key_older;
    }
    return NONE;
}

static void link_open(struct memory_store *memory, uint64_t number)
{
    struct record *record = record_at(memory, number);
    record->open_older = memory->last_open;
    record->open_newer = NONE;
    if (is_kept(memory, memory->last_open))
        record_at(memory, memory->last_open)->open_newer = number;
    memory->last_open = number;
}

static void unlink_open(struct memory_store *memory, uint64_t number)
{
    const struct record *record = record_at(memory, number);
    if (is_kept(memory, record->open_older))
        record_at(memory, record->open_older)->open_newer = record->open_newer;
    if (record->open_newer != NONE)
        record_at(memory, record->open_newer)->open_older = record->open_older;
    else
        memory->last_open = record->open_older;
}

static void insert(struct memory_store *memory, const struct incident *incident)
{
    uint64_t number = memory->last + 1;
    memory->last = number;

    struct record *record = record_at(memory, number);
    uint64_t *key = key_bucket(memory, incident->service, incident->started_at);
    uint64_t *service = service_bucket(memory, incident->service);
    *record = (struct record){
        .incident = *incident,
        .key_older = *key,
        .service_older = *service,
    };
    *key = *service = number;
    if (incident->end == INCIDENT_OPEN)
        link_open(memory, number);
}

/* An incident that was closed stays so, and what it began with stays as it was told first. */
static void update(struct memory_store *memory, uint64_t number, const struct incident *incident)
{
    struct incident *kept = &record_at(memory, number)->incident;
    struct incident first = *kept;
    if (first.end != INCIDENT_OPEN && incident->end == INCIDENT_OPEN)
        return;
    if (first.end == INCIDENT_OPEN && incident->end != INCIDENT_OPEN)
        unlink_open(memory, number);
    *kept = *incident;
    kept->raised_at = first.raised_at;
    kept->last_seen = first.last_seen;
    kept->missed_count = first.missed_count;
    kept->acknowledged_at = first.acknowledged_at;
}

static bool memory_put(struct store *store, const struct incident *incident)
{
    struct memory_store *memory = memory_of(store);
    pthread_mutex_lock(&memory->lock);
    uint64_t number = find(memory, incident->service, incident->started_at);
    if (number == NONE)
        insert(memory, incident);
    else
        update(memory, number, incident);
    pthread_mutex_unlock(&memory->lock);
    return true;
}

static bool memory_find(struct store *store, const char *service, int64_t started_at,
                        struct incident *incident)
{
    struct memory_store *memory = memory_of(store);
    pthread_mutex_lock(&memory->lock);
    uint64_t number = find(memory, service, started_at);
    if (number != NONE)
        *incident = record_at(memory, number)->incident;
    pthread_mutex_unlock(&memory->lock);
    return number != NONE;
}

static bool memory_acknowledge(struct store *store, const char *service, int64_t started_at,
                               int64_t time, struct incident *incident)
{
    struct memory_store *memory = memory_of(store);
    pthread_mutex_lock(&memory->lock);
    uint64_t number = find(memory, service, started_at);
    if (number != NONE) {
        struct incident *kept = &record_at(memory, number)->incident;
        if (kept->end == INCIDENT_OPEN && kept->acknowledged_at == TIME_NEVER)
            kept->acknowledged_at = time;
        *incident = *kept;
    }
    pthread_mutex_unlock(&memory->lock);
    return number != NONE;
}

static bool matches(const struct store_query *query, const struct incident *incident)
{
    if (query->state == STORE_OPEN && incident->end != INCIDENT_OPEN)
        return false;
    if (query->state == STORE_CLOSED && incident->end == INCIDENT_OPEN)
        return false;
    return incident->started_at >= query->from && incident->started_at < query->to &&
           (query->service == NULL || strcmp(incident->service, query->service) == 0);
}

/* The newest number that QUERY has to look at, not above its cursor. */
static uint64_t begin(const struct memory_store *memory, const struct store_query *query)
{
    if (query->cursor != 0)
        return query->cursor < memory->last ? query->cursor : memory->last;
    if (query->service != NULL)
        return *service_bucket(memory, query->service);
    return query->state == STORE_OPEN ? memory->last_open : memory->last;
}

/* The next number that QUERY has to look at behind NUMBER. */
static uint64_t next(const struct memory_store *memory, const struct store_query *query,
                     uint64_t number)
{
    const struct record *record = record_at(memory, number);
    if (query->service != NULL)
        return record->service_older;
    /* One that the last page ended at may have closed since. */
    if (query->state == STORE_OPEN && record->incident.end == INCIDENT_OPEN)
        return record->open_older;
    return number - 1;
}

static size_t memory_list(struct store *store, struct store_query *query,
                          struct incident *incidents, size_t max)
{
    struct memory_store *memory = memory_of(store);
    size_t count = 0;
    pthread_mutex_lock(&memory->lock);
    uint64_t number = begin(memory, query);
    for (size_t looks = 0; is_kept(memory, number) && count < max && looks < LOOKS_MAX; looks++) {
        const struct incident *incident = &record_at(memory, number)->incident;
        if (matches(query, incident))
            incidents[count++] = *incident;
        number = next(memory, query, number);
    }
    query->cursor = is_kept(memory, number) ? number : 0;
    pthread_mutex_unlock(&memory->lock);
    return count;
}

static size_t ring_size(const struct memory_store *memory)
{
    return memory->capacity * sizeof(memory->ring[0]);
}

static size_t buckets_size(const struct memory_store *memory)
{
    return (memory->mask + 1) * sizeof(memory->keys[0]);
}

static void memory_destroy(struct store *store)
{
    struct memory_store *memory = memory_of(store);
    if (memory->ring != NULL)
        munmap(memory->ring, ring_size(memory));
    if (memory->keys != NULL)
        munmap(memory->keys, buckets_size(memory));
    if (memory->services != NULL)
        munmap(memory->services, buckets_size(memory));
    pthread_mutex_destroy(&memory->lock);
    free(memory);
}

static const struct store_kind memory_kind = {
    .name = "memory",
    .put = memory_put,
    .find = memory_find,
    .acknowledge = memory_acknowledge,
    .list = memory_list,
    .destroy = memory_destroy,
};

/* SIZE bytes of zero that cost nothing until they are touched; NULL if there is no room. */
static void *reserve(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

struct store *store_memory_create(size_t capacity)
{
    assert(capacity > 0);
    struct memory_store *memory = calloc(1, sizeof(*memory));
    if (memory == NULL || capacity > SIZE_MAX / 2 / sizeof(memory->ring[0])) {
        free(memory);
        return NULL;
    }
    memory->store.kind = &memory_kind;
    memory->capacity = capacity;
    for (memory->mask = 1; memory->mask < capacity; memory->mask = memory->mask * 2 + 1)
        ;
    pthread_mutex_init(&memory->lock, NULL);
    /* Should there be no random numbers, the results are the same. */
    (void)!getrandom(&memory->seed, sizeof(memory->seed), GRND_NONBLOCK);

    memory->ring = reserve(ring_size(memory));
    memory->keys = reserve(buckets_size(memory));
    memory->services = reserve(buckets_size(memory));
    if (memory->ring == NULL || memory->keys == NULL || memory->services == NULL) {
        memory_destroy(&memory->store);
        return NULL;
    }
    return &memory->store;
}
