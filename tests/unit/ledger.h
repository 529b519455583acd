/*
 * ledger.h - what a registry should hold: kept beside it, plainly, by whoever changes it.
 */
#ifndef KAIROS_TESTS_LEDGER_H
#define KAIROS_TESTS_LEDGER_H

#include "live_support.h"

#define LEDGER_MAX 400

struct ledger_entry {
    struct name name;
    bool present;
    struct service service;
    int64_t last_seen;
    uint32_t slot;
    size_t removals; /* how often it was removed */
};

struct ledger {
    struct registry *registry; /* NULL: nothing is done to a registry */
    struct ledger_entry entries[LEDGER_MAX];
    size_t count; /* services that may be there; a third of them have long names */
};

/* COUNT services, none of which is there. */
void ledger_init(struct ledger *ledger, size_t count);

/* Goes on with REGISTRY, which holds what the ledger says. */
void ledger_attach(struct ledger *ledger, struct registry *registry);

/* One change, to the ledger and to its registry: what it is depends on DICE and the ledger alone.
 */
void ledger_step(struct ledger *ledger, struct dice *dice);

/* Adds all that are not there. */
void ledger_fill(struct ledger *ledger, struct dice *dice);

/* Fails unless the ledger's registry holds just what it should, by name. */
void ledger_check(const struct ledger *ledger);

/* Whether the registry holds the service of ENTRY as it should, or none if there should be none. */
bool ledger_agrees(const struct registry *registry, const struct ledger_entry *entry);

#endif
