/*
 * live_oracle.h - the rules of the live engine once more, plainly: an array of services, all of
 * which are looked at in every tick. For small numbers of services and ordinary policies.
 */
#ifndef KAIROS_TESTS_LIVE_ORACLE_H
#define KAIROS_TESTS_LIVE_ORACLE_H

#include "live_support.h"

#define ORACLE_SERVICES 64

struct oracle_service {
    struct name name;
    bool present, declared, paused;
    struct kairos_policy policy;
    int64_t max_runtime;
    int64_t last_seen;
    /* e(k) = base + k·I */
    int64_t base, listening_since;
    uint64_t misses_before;
    int64_t run_started; /* TIME_NEVER if no run is under way */
    bool has_incident;
    struct incident incident; /* what is true of its first alert, and its fails */
    uint64_t alerts_before;   /* of the incident, before the base */
    int64_t newest_before;    /* the alert_at of the newest of them */
};

/* What the listener was told of one service. */
struct told {
    bool opened; /* else closed */
    bool again;  /* by a start */
    struct incident incident;
    int64_t newest; /* the alert_at of the newest alert, known to the engine or not */
};

#define TOLD_MAX (4 * ORACLE_SERVICES)

struct oracle {
    struct engine_options options;
    struct oracle_service services[ORACLE_SERVICES];
    size_t count;
    struct gap gaps[GAPS_KEPT]; /* the newest, oldest first */
    size_t gap_count;
    struct told told[TOLD_MAX]; /* since the last operation began */
    size_t told_count;
    struct engine_figures figures; /* since the last start */
    int64_t judged;                /* up to when all was judged */
};

/* The oracle of an engine on an empty registry, with COUNT services that may be. */
void oracle_init(struct oracle *oracle, const struct engine_options *options, size_t count,
                 int64_t now);

/* ---- The engine's operations, on service number I ---- */

enum engine_result oracle_heartbeat(struct oracle *oracle, size_t i, int64_t time, int64_t now);
enum engine_result oracle_ping(struct oracle *oracle, size_t i, enum engine_action action,
                               int64_t now);
enum engine_result oracle_change(struct oracle *oracle, size_t i,
                                 const struct service_change *change, int64_t now);
enum engine_result oracle_pause(struct oracle *oracle, size_t i, bool paused, int64_t now);
enum engine_result oracle_delete(struct oracle *oracle, size_t i, int64_t now);

/* Judges what is due before HEARD, until nothing is. */
void oracle_tick(struct oracle *oracle, int64_t now, int64_t heard);

void oracle_gap(struct oracle *oracle, const struct gap *gap);

/* The engine of a next process: open incidents are told again. */
void oracle_restart(struct oracle *oracle, int64_t since);

/* ---- Questions ---- */

/* Whether VIEW shows service I as it is at NOW. With EXACT, all was judged that is due by NOW. */
void oracle_check_view(const struct oracle *oracle, size_t i, int64_t now, bool exact,
                       const struct service_view *view);

/* Whether the engine says the same of an open incident. */
void oracle_check_incident(const struct oracle *oracle, size_t i, int64_t now,
                           const struct incident *incident);

/* Whether the TOLD of the engine is the oracle's, in the order of each service; then both are
 * forgotten. */
void oracle_check_told(struct oracle *oracle, struct told *told, size_t *count);

/* Whether FIGURES are the oracle's. */
void oracle_check_figures(const struct oracle *oracle, bool exact,
                          const struct engine_figures *figures);

#endif
