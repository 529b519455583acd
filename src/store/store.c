#include "store.h"

struct store_query store_query_default(void)
{
    return (struct store_query){.state = STORE_ANY, .from = INT64_MIN, .to = INT64_MAX};
}

bool store_put(struct store *store, const struct incident *incident)
{
    return store->kind->put(store, incident);
}

bool store_find(struct store *store, const char *service, int64_t started_at,
                struct incident *incident)
{
    return store->kind->find(store, service, started_at, incident);
}

bool store_acknowledge(struct store *store, const char *service, int64_t started_at, int64_t time,
                       struct incident *incident)
{
    return store->kind->acknowledge(store, service, started_at, time, incident);
}

size_t store_list(struct store *store, struct store_query *query, struct incident *incidents,
                  size_t max)
{
    return store->kind->list(store, query, incidents, max);
}

void store_destroy(struct store *store)
{
    if (store != NULL)
        store->kind->destroy(store);
}
