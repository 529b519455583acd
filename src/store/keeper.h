/*
 * keeper.h - changes of services by people: written where they outlive the process before they are
 * said to be done.
 *
 * What the registry has room for is kept by the engine; a label goes into the catalog first. If
 * that cannot be written nothing changes. Several changes at once are one transaction there. All of
 * this may block, and is not for workers.
 */
#ifndef KAIROS_STORE_KEEPER_H
#define KAIROS_STORE_KEEPER_H

#include <stdbool.h>
#include <stddef.h>

#include "catalog.h"
#include "clock.h"
#include "engine.h"

/* Changes that are best carried out at once. */
#define KEEPER_BATCH 256

/* What changes services; nothing is its own. */
struct keeper {
    struct engine *engine;
    struct catalog *catalog;
    const struct clock *clock;
};

struct keeping {
    struct service_name name;
    const struct service_change *change; /* NULL: the service is deleted */
    enum engine_result result;           /* what engine_change or engine_delete returned */
    bool altered;                        /* the service is other than before */
    struct service_view view;            /* as it is now, on ENGINE_OK and ENGINE_CREATED */
};

/*
 * Carries out COUNT changes, of different services, and fills in what became of each. Returns false
 * and describes the failure when the catalog cannot be written; nothing has changed then.
 */
bool keeper_carry_out(const struct keeper *keeper, struct keeping *keepings, size_t count,
                      struct failure *failure);

/*
 * Whether CHANGE (NULL: its deletion) of the service in VIEW (NULL: there is none) concerns the
 * catalog. If not, it may be carried out by the engine alone.
 */
bool keeper_is_concerned(const struct service_change *change, const struct service_view *view);

#endif
