#include "transitions.h"

#include <stdlib.h>

#define CAPACITY_FIRST 1024

/* ---- What the engine finds when it is created ---- */

static int compare_raised(const void *a, const void *b)
{
    const struct incident *one = a, *other = b;
    return (one->raised_at > other->raised_at) - (one->raised_at < other->raised_at);
}

static void sort_found(struct transitions *transitions)
{
    if (transitions->found_count > 1)
        qsort(transitions->found, transitions->found_count, sizeof(transitions->found[0]),
              compare_raised);
}

/* Of twice as many as the store can hold, the older half goes. */
static void drop_oldest(struct transitions *transitions)
{
    struct incident *found = transitions->found;
    size_t kept = transitions->kept;
    sort_found(transitions);
    for (size_t i = 0; i < kept; i++)
        found[i] = found[transitions->found_count - kept + i];
    transitions->found_count = kept;
}

static bool make_room(struct transitions *transitions)
{
    if (transitions->found_count < transitions->found_capacity)
        return true;
    if (transitions->found_count >= 2 * transitions->kept) {
        drop_oldest(transitions);
        return true;
    }
    size_t capacity =
        transitions->found_capacity == 0 ? CAPACITY_FIRST : 2 * transitions->found_capacity;
    struct incident *larger = realloc(transitions->found, capacity * sizeof(larger[0]));
    if (larger == NULL)
        return false;
    transitions->found = larger;
    transitions->found_capacity = capacity;
    return true;
}

static void collect(struct transitions *transitions, const struct incident *incident)
{
    transitions->found_total++;
    if (make_room(transitions))
        transitions->found[transitions->found_count++] = *incident;
    else
        store_put(transitions->store, incident); /* out of order rather than not at all */
}

/* ---- What the engine tells ---- */

static void opened(void *context, const struct incident *incident)
{
    struct transitions *transitions = context;
    if (transitions->starting) {
        collect(transitions, incident);
        return;
    }
    store_put(transitions->store, incident);
    journal_opened(transitions->journal, incident);
    feed_incident(transitions->feed, incident);
}

static void closed(void *context, const struct incident *incident)
{
    struct transitions *transitions = context;
    store_put(transitions->store, incident);
    journal_closed(transitions->journal, incident);
    feed_incident(transitions->feed, incident);
}

static void gap(void *context, const struct gap *told)
{
    struct transitions *transitions = context;
    journal_gap(transitions->journal, told);
    feed_gap(transitions->feed, told);
}

static void changed(void *context, const struct status_change *change)
{
    struct transitions *transitions = context;
    feed_status(transitions->feed, change);
    if (change->to == SERVICE_NONE)
        outputs_forget(transitions->outputs, change->service);
}

void transitions_init(struct transitions *transitions, struct store *store, size_t kept,
                      struct journal *journal, struct feed *feed, struct outputs *outputs)
{
    *transitions = (struct transitions){
        .store = store,
        .journal = journal,
        .feed = feed,
        .outputs = outputs,
        .kept = kept,
        .starting = true,
    };
}

struct engine_listener transitions_listener(struct transitions *transitions)
{
    return (struct engine_listener){
        .context = transitions,
        .opened = opened,
        .closed = closed,
        .gap = gap,
        .changed = changed,
    };
}

uint64_t transitions_begin(struct transitions *transitions)
{
    sort_found(transitions);
    for (size_t i = 0; i < transitions->found_count; i++)
        store_put(transitions->store, &transitions->found[i]);
    transitions->starting = false;
    transitions_finish(transitions);
    return transitions->found_total;
}

void transitions_finish(struct transitions *transitions)
{
    free(transitions->found);
    transitions->found = NULL;
    transitions->found_count = transitions->found_capacity = 0;
}
