#include "traffic.h"

/* The most frequent ones come first. */
static const uint16_t statuses[TRAFFIC_STATUSES] = {
    200, 201, 202, 204, 206, 301, 302, 304, 400, 401, 403, 404, 405, 406, 408,
    409, 411, 412, 413, 414, 415, 417, 422, 429, 431, 500, 501, 503, 507, 0,
};

static const int64_t bounds[TRAFFIC_BUCKETS - 1] = {
    100, 300, 1000, 3000, 10000, 100000, 1000000, 10000000,
};

static const struct histogram_scale scale = {bounds, TRAFFIC_BUCKETS - 1};

static size_t column_of(unsigned status)
{
    size_t column = 0;
    while (column < TRAFFIC_STATUSES - 1 && statuses[column] != status)
        column++;
    return column;
}

static uint64_t get(const _Atomic uint64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

/* There is one writer. */
static void add(_Atomic uint64_t *count, uint64_t more)
{
    atomic_store_explicit(count, get(count) + more, memory_order_relaxed);
}

void traffic_count(struct traffic *traffic, unsigned route, unsigned status, int64_t duration)
{
    if (status == 0) {
        add(&traffic->aborted, 1);
        return;
    }
    route = route < TRAFFIC_ROUTES ? route : 0;
    duration = duration > 0 ? duration : 0;
    add(&traffic->answers[route][column_of(status)], 1);
    add(&traffic->durations[route][histogram_bucket(&scale, duration)], 1);
    add(&traffic->microseconds[route], (uint64_t)duration);
}

void traffic_add(struct traffic_sum *sum, const struct traffic *traffic)
{
    for (size_t route = 0; route < TRAFFIC_ROUTES; route++) {
        for (size_t i = 0; i < TRAFFIC_STATUSES; i++)
            sum->answers[route][i] += get(&traffic->answers[route][i]);
        for (size_t i = 0; i < TRAFFIC_BUCKETS; i++)
            sum->durations[route][i] += get(&traffic->durations[route][i]);
        sum->microseconds[route] += get(&traffic->microseconds[route]);
    }
    sum->aborted += get(&traffic->aborted);
}

unsigned traffic_status(size_t column)
{
    return statuses[column];
}

const struct histogram_scale *traffic_scale(void)
{
    return &scale;
}
