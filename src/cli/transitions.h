/*
 * transitions.h - where what happens in the engine goes: incidents into the store, a line of each
 * into the journal, and all of it into the feed. Of services that are gone the output is forgotten.
 *
 * When the engine is created it tells of all incidents that are open, in no order. Those are no
 * news: they are collected, put into the store in order of their raising, and told as one line.
 */
#ifndef KAIROS_CLI_TRANSITIONS_H
#define KAIROS_CLI_TRANSITIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine.h"
#include "feed.h"
#include "incident.h"
#include "journal.h"
#include "outputs.h"
#include "store.h"

struct transitions {
    struct store *store;
    struct journal *journal;
    struct feed *feed;
    struct outputs *outputs;
    size_t kept; /* incidents that the store can hold */
    bool starting;
    struct incident *found; /* while starting: the open ones, the newest at least */
    size_t found_count;
    size_t found_capacity;
    uint64_t found_total;
};

/* STORE, which holds KEPT incidents, JOURNAL, FEED and OUTPUTS stay the caller's. */
void transitions_init(struct transitions *transitions, struct store *store, size_t kept,
                      struct journal *journal, struct feed *feed, struct outputs *outputs);

/* For the engine; good as long as TRANSITIONS. */
struct engine_listener transitions_listener(struct transitions *transitions);

/* The engine has told what it found. Returns how many incidents are open. */
uint64_t transitions_begin(struct transitions *transitions);

/* Releases what was collected, should it not have begun. */
void transitions_finish(struct transitions *transitions);

#endif
