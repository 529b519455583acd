#include "feed.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct feed {
    struct feed_item *items; /* number n stands at n modulo the capacity */
    size_t capacity;
    pthread_mutex_t lock; /* over all that follows, and over the items */
    uint64_t next;        /* the number of the next item */
    struct feed_waiter *waiters;
};

/* ---- Lifecycle ---- */

struct feed *feed_create(size_t capacity)
{
    struct feed *feed = calloc(1, sizeof(*feed));
    if (feed == NULL)
        return NULL;
    void *items = mmap(NULL, capacity * sizeof(feed->items[0]), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (items == MAP_FAILED) {
        free(feed);
        return NULL;
    }
    feed->items = items;
    feed->capacity = capacity;
    feed->next = 1;
    pthread_mutex_init(&feed->lock, NULL);
    return feed;
}

void feed_destroy(struct feed *feed)
{
    if (feed == NULL)
        return;
    munmap(feed->items, feed->capacity * sizeof(feed->items[0]));
    pthread_mutex_destroy(&feed->lock);
    free(feed);
}

/* ---- Appending ---- */

/* Wakes all who wait; the lock is held. */
static void wake_all(struct feed *feed)
{
    for (struct feed_waiter *waiter; (waiter = feed->waiters) != NULL;) {
        feed->waiters = waiter->next;
        waiter->waiting = false;
        waiter->wake(waiter->context);
    }
}

/* Appends an item of TYPE whose union is filled by SIZE bytes from WHAT. */
static void append(struct feed *feed, enum feed_type type, const void *what, size_t size)
{
    pthread_mutex_lock(&feed->lock);
    struct feed_item *item = &feed->items[feed->next & (feed->capacity - 1)];
    item->number = feed->next++;
    item->type = type;
    memcpy((char *)item + offsetof(struct feed_item, incident), what, size);
    wake_all(feed);
    pthread_mutex_unlock(&feed->lock);
}

static enum feed_type type_of(const struct incident *incident)
{
    if (incident->end == INCIDENT_OPEN)
        return FEED_ALERT;
    return incident->end == INCIDENT_RECOVERED ? FEED_RECOVERY : FEED_CLOSED;
}

void feed_incident(struct feed *feed, const struct incident *incident)
{
    append(feed, type_of(incident), incident, sizeof(*incident));
}

void feed_status(struct feed *feed, const struct status_change *change)
{
    append(feed, FEED_STATUS, change, sizeof(*change));
}

void feed_gap(struct feed *feed, const struct gap *gap)
{
    append(feed, FEED_GAP, gap, sizeof(*gap));
}

/* ---- Reading ---- */

uint64_t feed_next(struct feed *feed)
{
    pthread_mutex_lock(&feed->lock);
    uint64_t next = feed->next;
    pthread_mutex_unlock(&feed->lock);
    return next;
}

uint64_t feed_oldest(struct feed *feed)
{
    uint64_t next = feed_next(feed);
    return next > feed->capacity ? next - feed->capacity : 1;
}

bool feed_read(struct feed *feed, uint64_t *next, struct feed_item *items, size_t max,
               size_t *count)
{
    pthread_mutex_lock(&feed->lock);
    uint64_t there = feed->next - *next;
    bool kept = there <= feed->capacity;
    if (kept) {
        *count = there < max ? (size_t)there : max;
        for (size_t i = 0; i < *count; i++)
            items[i] = feed->items[(*next + i) & (feed->capacity - 1)];
        *next += *count;
    }
    pthread_mutex_unlock(&feed->lock);
    return kept;
}

/* ---- Waiting ---- */

void feed_wait(struct feed *feed, struct feed_waiter *waiter, uint64_t next)
{
    pthread_mutex_lock(&feed->lock);
    if (next < feed->next) {
        waiter->wake(waiter->context);
    } else if (!waiter->waiting) {
        waiter->waiting = true;
        waiter->next = feed->waiters;
        feed->waiters = waiter;
    }
    pthread_mutex_unlock(&feed->lock);
}

void feed_leave(struct feed *feed, struct feed_waiter *waiter)
{
    pthread_mutex_lock(&feed->lock);
    if (waiter->waiting) {
        struct feed_waiter **link = &feed->waiters;
        while (*link != waiter)
            link = &(*link)->next;
        *link = waiter->next;
        waiter->waiting = false;
    }
    pthread_mutex_unlock(&feed->lock);
}
