/*
 * reconciler.h - services become what the configuration says of them, at the start and whenever it
 * is read anew. What they have done and missed stays; whoever is as it should be is not touched.
 *
 *   declared singly   created, and given policy and label anew: what the API changed of them holds
 *                     until here
 *   no longer so      deleted if it never beat; else it follows patterns and defaults
 *   declared by the
 *   API alone         left alone
 *   all others        follow the first pattern that matches, or the defaults
 *
 * The last are looked at by a thread of its own, in the background, and only when patterns or
 * defaults are others than those that were followed last (the catalog knows), or give labels.
 *
 *     reconciler = reconciler_create(&keeper, journal, &failure);
 *     reconciler_apply(reconciler, &declarations, &policy, since, &failure);
 *     reconciler_begin(reconciler, ticker);       from here on the thread may work
 *     reconciler_apply(…, clock_now(clock), …);   when the configuration was read anew
 */
#ifndef KAIROS_CLI_RECONCILER_H
#define KAIROS_CLI_RECONCILER_H

#include <stdbool.h>
#include <stdint.h>

#include "declaration.h"
#include "failure.h"
#include "journal.h"
#include "keeper.h"
#include "ticker.h"

struct reconciler;

/*
 * Starts the thread. KEEPER and JOURNAL stay the caller's and must outlive it. Returns NULL and
 * describes the failure.
 */
struct reconciler *reconciler_create(const struct keeper *keeper, struct journal *journal,
                                     struct failure *failure);

/* Ends the thread; what it has not done is done after the next start. Accepts NULL. The engine must
 * not be used any more. */
void reconciler_destroy(struct reconciler *reconciler);

/*
 * From NOW on DECLARATIONS count, and DEFAULTS for what they leave open. At the start NOW is up to
 * when Kairós could hear before: the gap since then is not recorded yet. Returns false and
 * describes the failure when memory ran out or the catalog cannot be written; then nothing has
 * changed. A service for which there is no room is told of in the log. By one thread at a time.
 */
bool reconciler_apply(struct reconciler *reconciler, const struct declarations *declarations,
                      const struct kairos_policy *defaults, int64_t now, struct failure *failure);

/* The thread may work as soon as TICKER is ready: the gap of the start is recorded then. */
void reconciler_begin(struct reconciler *reconciler, const struct ticker *ticker);

#endif
