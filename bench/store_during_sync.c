/*
 * store-during-sync DIR SERVICES SYNCS: how long a heartbeat's store waits while the registry is
 * brought to the disk.
 *
 * A registry of SERVICES is made in DIR. Then, SYNCS times: every service beats, so that the sync
 * has all cells to write; one thread syncs, and until it is done another stores into random
 * last-seen cells, one every 10 microseconds. A store counts from the moment at which it was due:
 * while one is held up, those behind it wait as well, as heartbeats would. In between, as often,
 * the same stores go into plain memory during such a sync.
 */
#include <inttypes.h>
#include <kairos/policy.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lateness.h"
#include "registry.h"

#define STORE_PERIOD 10000 /* nanoseconds */

struct run {
    struct registry *registry;
    uint32_t services;
    _Atomic uint64_t *plain; /* memory for as many cells */
    int64_t time;            /* of the last heartbeat, engine time */
    uint64_t random;
    atomic_bool syncing;
    bool failed;
};

/* ---- Services ---- */

static struct service new_service(uint32_t number)
{
    struct service service = {
        .expectation = {.policy = kairos_policy_default(),
                        .anchor = TIME_NEVER,
                        .listening_since = TIME_NEVER},
        .run_started = TIME_NEVER,
        .incident_started = TIME_NEVER,
    };
    service.length =
        (uint8_t)snprintf(service.name, sizeof(service.name), "service-%08" PRIu32, number);
    return service;
}

static bool grow(struct registry *registry)
{
    if (registry_grow(registry) != REGISTRY_GROWN)
        return false;
    registry_adopt(registry);
    return true;
}

/* They get the slots from 0 on. */
static bool add_services(struct run *run)
{
    for (uint32_t number = 0; number < run->services; number++) {
        struct service service = new_service(number);
        while (registry_add(run->registry, &service, run->time) == SLOT_NONE) {
            if (!grow(run->registry)) {
                perror("store-during-sync: the registry cannot grow");
                return false;
            }
        }
    }
    return true;
}

/* ---- Stores ---- */

static _Atomic uint64_t *cell_of(const struct run *run, bool plain, uint32_t slot)
{
    return plain ? &run->plain[slot] : registry_cell(run->registry, slot);
}

static void beat_all(struct run *run, bool plain)
{
    uint64_t code = time_encode(++run->time);
    for (uint32_t slot = 0; slot < run->services; slot++)
        atomic_store_explicit(cell_of(run, plain, slot), code, memory_order_relaxed);
}

/* Source: George Marsaglia, "Xorshift RNGs" (2003). */
static uint32_t random_slot(struct run *run)
{
    run->random ^= run->random << 13;
    run->random ^= run->random >> 7;
    run->random ^= run->random << 17;
    return (uint32_t)((run->random >> 32) * run->services >> 32);
}

static void store_while_syncing(struct run *run, bool plain, struct lateness *lateness)
{
    int64_t due = monotonic_now();
    while (atomic_load(&run->syncing)) {
        _Atomic uint64_t *cell = cell_of(run, plain, random_slot(run));
        uint64_t code = time_encode(++run->time);
        while (monotonic_now() < due)
            ;
        atomic_store(cell, code);
        lateness_add(lateness, monotonic_now() - due);
        due += STORE_PERIOD;
    }
}

/* ---- Syncs ---- */

static void *sync_once(void *argument)
{
    struct run *run = argument;
    if (!registry_sync(run->registry, run->time))
        run->failed = true;
    atomic_store(&run->syncing, false);
    return NULL;
}

/* One sync, and stores meanwhile. Returns false after saying what failed. */
static bool sync_and_store(struct run *run, bool plain, struct lateness *stores,
                           struct lateness *syncs)
{
    pthread_t thread;
    beat_all(run, false);
    atomic_store(&run->syncing, true);
    int64_t begin = monotonic_now();
    if (pthread_create(&thread, NULL, sync_once, run) != 0) {
        fprintf(stderr, "store-during-sync: cannot start a thread\n");
        return false;
    }
    store_while_syncing(run, plain, stores);
    pthread_join(thread, NULL);
    lateness_add(syncs, monotonic_now() - begin);
    if (run->failed)
        fprintf(stderr, "store-during-sync: cannot sync: %s\n",
                strerror(registry_sync_error(run->registry)));
    return !run->failed;
}

static bool measure(struct run *run, uint64_t rounds)
{
    struct lateness registry = {0}, plain = {0}, syncs = {0}, plain_syncs = {0};
    if (!registry_sync(run->registry, run->time))
        return false;
    beat_all(run, true); /* so that all of the memory is there */
    for (uint64_t round = 0; round < rounds; round++) {
        if (!sync_and_store(run, false, &registry, &syncs) ||
            !sync_and_store(run, true, &plain, &plain_syncs))
            return false;
    }
    lateness_print(&syncs, "sync");
    lateness_print(&registry, "registry");
    lateness_print(&plain, "memory");
    free(plain_syncs.values);
    return true;
}

int main(int argc, char **argv)
{
    struct registry_report report;
    struct failure failure;
    if (argc != 4) {
        fprintf(stderr, "Usage: store-during-sync DIR SERVICES SYNCS\n");
        return 2;
    }
    struct run run = {
        .services = (uint32_t)number_argument("SERVICES", argv[2], 99999999),
        .time = monotonic_now() / 1000,
        .random = UINT64_C(0x9e3779b97f4a7c15),
    };
    uint64_t rounds = number_argument("SYNCS", argv[3], 100000);
    run.registry = registry_open(argv[1], run.services, &report, &failure);
    if (run.registry == NULL) {
        failure_print(&failure);
        return 1;
    }
    if (report.warning != NULL)
        fprintf(stderr, "store-during-sync: %s\n", report.warning);
    run.plain = malloc(run.services * sizeof(run.plain[0]));
    bool done = run.plain != NULL && report.created && add_services(&run) && measure(&run, rounds);
    if (!report.created)
        fprintf(stderr, "store-during-sync: %s holds a registry already\n", argv[1]);
    free(run.plain);
    registry_close(run.registry);
    return done ? 0 : 1;
}
