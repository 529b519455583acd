/*
 * syncer.h - the thread that brings the registry to the disk, and lets it grow ahead of need.
 *
 * Syncing takes at most a tenth of the time: after a sync that took long the next one waits nine
 * times as long, and SYNC_PERIOD at least.
 */
#ifndef KAIROS_LIVE_SYNCER_H
#define KAIROS_LIVE_SYNCER_H

#include "engine.h"
#include "failure.h"
#include "registry.h"

#define SYNC_PERIOD KAIROS_SECOND

struct syncer;

/* Starts the thread. What is passed stays the caller's. Returns NULL and describes the failure. */
struct syncer *syncer_create(struct engine *engine, struct registry *registry,
                             struct failure *failure);

/* Ends the thread; accepts NULL. Syncs no more: the caller does that last (registry_sync). */
void syncer_destroy(struct syncer *syncer);

#endif
