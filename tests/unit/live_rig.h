/*
 * live_rig.h - an engine on a registry of its own with the oracle beside it. What is done is done
 * to both, and their answers are compared, and what the listener was told.
 *
 * With RIG_TRACE in the environment, all of it is printed to stderr as a script of tests/simulate.
 */
#ifndef KAIROS_TESTS_LIVE_RIG_H
#define KAIROS_TESTS_LIVE_RIG_H

#include "live_oracle.h"

struct rig {
    struct den den;
    struct registry *registry;
    struct engine_options options; /* with the rig's listener */
    struct engine *engine;
    struct oracle oracle;
    struct told told[TOLD_MAX]; /* by the engine, since the last operation */
    size_t told_count;
    struct gap gaps[32]; /* the listener was told of, since the last operation */
    size_t gap_count;
    enum service_status statuses[ORACLE_SERVICES]; /* as the listener was told */
    struct status_change change;                   /* the last one that it was told */
    size_t change_count;
    int64_t now, heard; /* the present; up to when all has been heard */
};

/* An engine with OPTIONS (but for the listener) on a fresh registry, and COUNT names. */
void rig_init(struct rig *rig, const struct engine_options *options, size_t count, int64_t now);

void rig_finish(struct rig *rig);

/* ---- What is done, to service number I, at the rig's present ---- */

enum engine_result rig_beat(struct rig *rig, size_t i, int64_t time);

/* COUNT heartbeats at once. */
void rig_beats(struct rig *rig, const size_t *services, const int64_t *times, size_t count);

enum engine_result rig_ping(struct rig *rig, size_t i, enum engine_action action);
enum engine_result rig_change(struct rig *rig, size_t i, const struct service_change *change);
enum engine_result rig_pause(struct rig *rig, size_t i, bool paused);
enum engine_result rig_delete(struct rig *rig, size_t i);

/* ---- Time ---- */

/* The present becomes NOW. */
void rig_pass(struct rig *rig, int64_t now);

/* Judges up to HEARD, and looks at everything. */
void rig_tick(struct rig *rig, int64_t heard);

/* Goes to NOW, has heard everything, and judges. */
void rig_go(struct rig *rig, int64_t now);

/* Kairós could not hear from the last tick on until now. */
void rig_gap(struct rig *rig, enum gap_reason reason);

/* The next process opens the registry. The gap is recorded by whoever calls this. */
void rig_restart(struct rig *rig);

/* ---- Looking ---- */

/* Fails unless service I is as the oracle has it, and has the status that was told. EXACT: all was
 * judged by now. */
void rig_check(struct rig *rig, size_t i, bool exact);

/* The same for all of them, by engine_find and engine_list; and the walkers. */
void rig_check_all(struct rig *rig, bool exact);

/* Service I as it is now; it must be there. */
struct service_view rig_view(struct rig *rig, size_t i);

#endif
