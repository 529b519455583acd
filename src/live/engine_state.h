/*
 * engine_state.h - what the engine holds, and its steps on one service: for the files that make up
 * the engine, and for nobody else.
 *
 * A service is loaded into a struct watched, under the engine's lock; steps change it there; and
 * watched_settle writes what must be kept, sets its state and puts it back into the wheel.
 */
#ifndef KAIROS_LIVE_ENGINE_STATE_H
#define KAIROS_LIVE_ENGINE_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine.h"
#include "index.h"
#include "wheel.h"

/*
 * What a heartbeat has to know of a slot. To one that is up it may come without the engine's lock:
 * it stores its time, and looks whether the service is up still. Whoever is about to judge a
 * service that is up gives it another state first, and looks at the time again. One of both sees
 * the other.
 */
enum state {
    STATE_NONE, /* no service */
    STATE_NEW,
    STATE_UP,
    STATE_RUNNING, /* up, with a run under way whose time is limited */
    STATE_LATE,
    STATE_DOWN,
    STATE_PAUSED,
    STATE_COUNT,
};

struct counters {
    _Atomic uint64_t heartbeats, older, in_future, fails, starts, logs;
    /* Under the lock: */
    uint64_t created, recoveries, looked_at;
    uint64_t alerts_of_kind[INCIDENT_KIND_COUNT];
    uint64_t delays[ENGINE_DELAYS + 1], delay_sum;
    uint64_t gaps_for_reason[GAP_REASON_COUNT];
};

struct engine {
    struct engine_options options;
    struct registry *registry;
    struct index index;
    _Atomic uint8_t *states; /* by slot: enum state */
    size_t states_size;
    _Atomic int64_t fresh_from; /* heartbeats that are no later may have to do with a gap */
    struct counters counters;

    pthread_mutex_t lock;     /* of all below, and of the registry's slots */
    _Atomic unsigned waiting; /* threads that want it */
    int64_t judged_until;     /* all that was due before has been judged */
    struct wheel wheel;
    uint64_t services[STATE_COUNT]; /* that of STATE_NONE means nothing */
    bool no_space;                  /* the registry could not grow */
    struct labels labels;
    const struct rules *rules; /* or NULL: options.policy alone */
};

struct watched {
    uint32_t slot;
    enum state told; /* its state as it was told: when it was loaded */
    int64_t last_seen;
    struct service service;
    bool changed; /* to be written */
};

void engine_lock(struct engine *engine);
void engine_unlock(struct engine *engine);

/* Gives others that wait for the lock, which is held, a turn. */
void engine_yield(struct engine *engine);

void engine_set_state(struct engine *engine, uint32_t slot, enum state state);

/*
 * Loads the service in SLOT, and takes the gaps into account that it does not know yet. To be
 * seen, no more is needed: unless settled, nothing has changed.
 */
void watched_load(struct engine *engine, struct watched *watched, uint32_t slot);

bool watched_has_incident(const struct watched *watched);

/* Whether an incident is open whose alerts are repeated; an overrun's is not. */
bool watched_repeats(const struct watched *watched);

/* Whether a run is under way whose time is limited. */
bool watched_is_running(const struct watched *watched);

/* When the next alert is raised, unless it beats: as soon as the time is later; INT64_MAX is never.
 */
int64_t watched_alert_after(const struct watched *watched);

/* Raises the alert that is due before UNTIL, if there is one and no incident is open. */
void watched_judge(struct engine *engine, struct watched *watched, int64_t until, int64_t now);

/* A heartbeat at TIME, later than the last one, arrives at NOW. */
void watched_beat(struct engine *engine, struct watched *watched, int64_t time, int64_t now);

/* A run begins at NOW. It ends with the next heartbeat: it is under way while it is the later. */
void watched_start(struct watched *watched, int64_t now);

/* The service reports at NOW that it failed. */
void watched_fail(struct engine *engine, struct watched *watched, int64_t now);

/* Closes the incident, if one is open. */
void watched_close(struct engine *engine, struct watched *watched, enum incident_end end,
                   int64_t now);

/* The alerts of the open incident, before the anchor, once expectation starts anew. */
void watched_count_alerts(struct watched *watched, uint64_t alerts);

/* What is known of the open incident at NOW. */
void watched_describe(const struct watched *watched, int64_t now, struct incident *incident);

/*
 * Writes what has changed; sets the state, as far as has been heard and judged; puts it into the
 * wheel. Tells at NOW of another status.
 */
void watched_settle(struct engine *engine, struct watched *watched, int64_t now);

/* The same without telling. */
void watched_place(struct engine *engine, struct watched *watched);

/* When to look at it next: as soon as the time is later; INT64_MAX is never. */
int64_t watched_next(const struct engine *engine, const struct watched *watched);

/*
 * When a service that nobody declared, and that is down or never beat, is forgotten: as soon as the
 * time is later; INT64_MAX is never. The time in which Kairós was deaf does not count.
 */
int64_t watched_forget_after(const struct engine *engine, const struct watched *watched);

/* Removes the service. */
void watched_remove(struct engine *engine, struct watched *watched, enum incident_end end,
                    int64_t now);

/* How a service is created that there is not yet. */
struct creation {
    const struct service_change *change; /* declared so; NULL: it appears, and follows the rules */
};

/*
 * Finds the slot of a service or creates it as CREATE says (NULL: not at all). Returns with the
 * lock held and WATCHED loaded when the result is ENGINE_OK or ENGINE_CREATED, else without.
 */
enum engine_result engine_enter(struct engine *engine, const char *name, size_t length,
                                uint64_t hash, const struct creation *create,
                                struct watched *watched);

/* Finds a service that there is; on ENGINE_OK the lock is held. */
enum engine_result engine_seek(struct engine *engine, const char *name, size_t length,
                               struct watched *watched);

/* The service as it is seen at NOW. */
void watched_view(struct engine *engine, const struct watched *watched, int64_t now,
                  struct service_view *view);

/* The status that a service in STATE has for others. */
enum service_status state_status(enum state state);

/* SERVICE as CHANGE wants its policy; its expectation is not started anew. */
void engine_merge(const struct engine *engine, const struct service_change *change,
                  struct service *service);

/* Gives a service the policy and max_runtime of WANTED at NOW. Returns whether they differed. */
bool watched_adopt(struct watched *watched, const struct service *wanted, int64_t now);

/* Gives SERVICE, which nobody declared, the policy that the rules say; returns the label that they
 * say, or NULL for none. */
const struct label *engine_rule_for(const struct engine *engine, struct service *service);

#endif
