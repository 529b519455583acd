/*
 * engine.h - the live engine: services, their heartbeats, and what their silence means.
 *
 * The engine has no clock: time comes in as an argument (engine time, microseconds; clock.h), so
 * that tests move it. A registry (registry.h) keeps what must survive; a timer wheel (wheel.h)
 * knows whom to look at next; the rules are expectation.h's. What happens is told to a listener.
 *
 *     engine = engine_create(registry, &options, since, &failure);
 *     engine_record_gap(engine, &gap);                           when it could not hear
 *     engine_ping(engine, name, length, ENGINE_HEARTBEAT, now);  from any thread
 *     wake = engine_tick(engine, now, heard_until);              from the ticker's
 *
 * All functions may be called from any thread. A heartbeat of a service that is up takes the lock
 * of one shard of the index and stores eight bytes; all else takes the engine's one lock. Locks are
 * taken in this order: engine, then shard. The listener is called under the engine's lock and must
 * not call the engine.
 *
 * Names are as kairos_service_parse gives them: lower-cased, padded with NULs to whole words.
 */
#ifndef KAIROS_LIVE_ENGINE_H
#define KAIROS_LIVE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kairos/parser.h>
#include <kairos/policy.h>
#include <kairos/service.h>

#include "failure.h"
#include "gap.h"
#include "histogram.h"
#include "incident.h"
#include "labels.h"
#include "registry.h"

/* Live intervals are whole milliseconds and no shorter. */
#define ENGINE_INTERVAL_MIN KAIROS_SECOND

/* A run may take no longer. */
#define ENGINE_RUNTIME_MAX (366 * KAIROS_DAY)

/* A sender's clock may run ahead by so much; its heartbeat then counts as now. */
#define ENGINE_AHEAD_MAX (5 * KAIROS_MINUTE)

enum service_status {
    SERVICE_NEW, /* never beat */
    SERVICE_UP,
    SERVICE_LATE, /* an expected heartbeat was missed, no alert yet */
    SERVICE_DOWN, /* an incident is open */
    SERVICE_PAUSED,
    SERVICE_STATUS_COUNT,
    SERVICE_NONE = SERVICE_STATUS_COUNT, /* there is no such service: before it, and after it */
};

/* "new", "up", "late", "down", "paused". */
const char *service_status_name(enum service_status status);

/* A service has another status, has appeared, or is gone. */
struct status_change {
    char service[KAIROS_SERVICE_SIZE]; /* padded with NULs */
    enum service_status from, to;
    int64_t at; /* when that was found: engine time */
};

/* Told what happens; any may be NULL. */
struct engine_listener {
    void *context;
    /* An incident was opened: its first alert was raised. The same key may be told again after a
     * restart. */
    void (*opened)(void *context, const struct incident *incident);
    void (*closed)(void *context, const struct incident *incident);
    void (*gap)(void *context, const struct gap *gap);
    /* Told behind the incident that the change goes with. Not told of services that the engine
     * finds when it is created. */
    void (*changed)(void *context, const struct status_change *change);
};

struct engine_options {
    struct kairos_policy policy; /* of services that appear with a heartbeat */
    bool auto_create;            /* whether they do */
    size_t max_services;
    int64_t forget_after; /* services silent and unclaimed for so long are dropped; 0 is never */
    struct engine_listener listener;
};

/* The default policy, automatic creation, 10,000,000 services, nothing forgotten, no listener. */
struct engine_options engine_options_default(void);

struct engine;

/*
 * An engine on REGISTRY, which stays the caller's and must outlive it. SINCE is up to when Kairós
 * could hear before, or the present if it never did: time begins there. Tells the listener of all
 * incidents that are open. Judges nothing. Returns NULL and describes the failure when memory ran
 * out.
 */
struct engine *engine_create(struct registry *registry, const struct engine_options *options,
                             int64_t since, struct failure *failure);

void engine_destroy(struct engine *engine);

/* ---- Heartbeats ---- */

enum engine_result {
    ENGINE_OK,
    ENGINE_CREATED,       /* done, and the service is new */
    ENGINE_OLDER,         /* a heartbeat no newer than the last one: counted, changes nothing */
    ENGINE_IN_FUTURE,     /* more than ENGINE_AHEAD_MAX ahead: rejected */
    ENGINE_UNKNOWN,       /* there is no such service (and none is created) */
    ENGINE_FULL,          /* as many services as max_services allows */
    ENGINE_NO_SPACE,      /* the registry cannot grow: no disk space, or no memory */
    ENGINE_BAD_INTERVAL,  /* outside ENGINE_INTERVAL_MIN to KAIROS_INTERVAL_MAX, or no whole
                             milliseconds */
    ENGINE_BAD_MISSES,    /* allowed misses outside 1 to KAIROS_ALLOWED_MISSES_MAX */
    ENGINE_BAD_TOLERANCE, /* outside 0 to KAIROS_TOLERANCE_MAX, or no whole milliseconds */
    ENGINE_BAD_RUNTIME,   /* outside 0 to ENGINE_RUNTIME_MAX, or no whole milliseconds */
};

enum engine_action {
    ENGINE_HEARTBEAT,
    ENGINE_FAIL,  /* the service reports a failure: a heartbeat that opens an incident */
    ENGINE_START, /* a run begins: no heartbeat */
    ENGINE_LOG,   /* changes nothing */
};

/* "heartbeat", "fail", "start", "log". */
const char *engine_action_name(enum engine_action action);

/*
 * What the service NAME did at NOW. Creates it if need be and allowed. Returns ENGINE_OK, _CREATED,
 * _OLDER (recorded all the same), _UNKNOWN, _FULL or _NO_SPACE. When it returns, the heartbeat is
 * in the registry.
 */
enum engine_result engine_ping(struct engine *engine, const char *name, size_t length,
                               enum engine_action action, int64_t now);

/*
 * Enters COUNT heartbeats, each at its event's time (engine time), which arrive at NOW. All events
 * must be valid ones. RESULTS[i] becomes what engine_ping returns, or ENGINE_IN_FUTURE.
 */
void engine_heartbeats(struct engine *engine, const struct kairos_event *events, size_t count,
                       int64_t now, enum engine_result *results);

/* ---- Time ---- */

struct engine_wake {
    int64_t next;       /* when to tick next at the latest; INT64_MAX if nothing waits */
    bool more;          /* more is due than one tick looks at: tick again at once */
    bool wants_hearing; /* something is due that may be judged once it has been heard to NOW */
};

/*
 * Judges what is due before HEARD_UNTIL (not after NOW): all that arrived before then has been
 * heard. One tick looks at a bounded number of services, those that came up last first, so that
 * NOW is not out of date when the last of them is judged.
 */
struct engine_wake engine_tick(struct engine *engine, int64_t now, int64_t heard_until);

/*
 * Records that Kairós could not hear in GAP, after judging what was due before it. All that waited
 * to be heard has been entered. To be called before the first tick with a heard_until behind it.
 */
void engine_record_gap(struct engine *engine, const struct gap *gap);

/* ---- Services ---- */

/* A service as it stands at a moment. */
struct service_view {
    char name[KAIROS_SERVICE_SIZE];
    uint8_t length;
    enum service_status status;
    bool declared; /* by the API; else it appeared with a heartbeat */
    struct kairos_policy policy;
    int64_t max_runtime;   /* microseconds; 0 if runs may take any time */
    int64_t last_seen;     /* TIME_NEVER if it never beat */
    int64_t next_deadline; /* when an alert is raised unless it beats; TIME_NEVER if none will be */
    int64_t running_since; /* TIME_NEVER if no run is under way */
    uint64_t missed_count; /* counted misses since the last heartbeat or alert */
    bool has_incident;
    struct incident incident; /* the open one */
    struct label label;
};

/* Returns ENGINE_OK and fills VIEW, or ENGINE_UNKNOWN. */
enum engine_result engine_find(struct engine *engine, const char *name, size_t length, int64_t now,
                               struct service_view *view);

/* What to change of a service. What is not said stays, or is the default of a new one. */
struct service_change {
    bool has_interval, has_tolerance, has_allowed_misses, has_max_runtime;
    bool has_description, has_tags, has_paused;
    struct kairos_policy policy;
    int64_t max_runtime;
    struct label label;
    bool paused;
    bool replace; /* what is not said of the policy becomes the default */
    bool create;  /* if there is no such service; it is new then and raises nothing */
};

/* What LABEL becomes by CHANGE. */
void service_change_label(const struct service_change *change, struct label *label);

/* Whether the engine would take CHANGE: ENGINE_OK or one of ENGINE_BAD_…. */
enum engine_result service_change_check(const struct service_change *change);

/*
 * Changes a service at NOW and declares it. Returns ENGINE_OK, _CREATED, _UNKNOWN, _FULL,
 * _NO_SPACE or one of ENGINE_BAD_…; fills VIEW on the first two; else nothing has changed.
 */
enum engine_result engine_change(struct engine *engine, const char *name, size_t length,
                                 const struct service_change *change, int64_t now,
                                 struct service_view *view);

/* Pauses (or resumes) a service, and declares it. Returns ENGINE_OK or ENGINE_UNKNOWN. */
enum engine_result engine_pause(struct engine *engine, const char *name, size_t length, bool paused,
                                int64_t now, struct service_view *view);

/* Returns ENGINE_OK or ENGINE_UNKNOWN. */
enum engine_result engine_delete(struct engine *engine, const char *name, size_t length,
                                 int64_t now);

/*
 * Gives a declared service the label that was kept of it: at the start. Returns ENGINE_OK,
 * _NO_SPACE when memory ran out, or _UNKNOWN when there is none, or it is not declared.
 */
enum engine_result engine_label(struct engine *engine, const char *name, size_t length,
                                const struct label *label);

/*
 * Brings an incident of this engine that was told as opened up to date: its count of alerts, the
 * newest, its fails. Returns false if it is no longer open.
 */
bool engine_update_incident(struct engine *engine, int64_t now, struct incident *incident);

/* How many further services max_services allows. */
size_t engine_room(struct engine *engine);

/*
 * Lets the registry grow ahead of need, without holding up anybody: to be called now and then. A
 * registry that could not grow is tried again.
 */
void engine_make_room(struct engine *engine);

/* ---- Many services ---- */

/* Which services; all conditions hold. */
struct engine_filter {
    unsigned statuses;                /* a mask of 1 << status */
    struct tags tags;                 /* all of these */
    char search[KAIROS_SERVICE_SIZE]; /* names that contain this, in lower case */
    size_t search_length;             /* 0 is any name */
};

/* All services. */
struct engine_filter engine_filter_all(void);

/* So many slots one call of what follows looks at, at most; fewer where it has to read names or
 * tags: a fraction of a millisecond. */
#define ENGINE_LOOKS 65536

/*
 * Fills VIEWS with up to MAX services that FILTER asks for, in an order that stays; begins at
 * *CURSOR (0 is the beginning) and moves it. *CURSOR is 0 when there are no further ones. Returns
 * how many were filled in; fewer than MAX, with a cursor to go on from, when it has looked at
 * enough.
 */
size_t engine_list(struct engine *engine, const struct engine_filter *filter, int64_t now,
                   uint64_t *cursor, struct service_view *views, size_t max);

struct service_name {
    uint8_t length;
    char text[KAIROS_SERVICE_SIZE]; /* padded with NULs */
};

/* The same for names alone. */
size_t engine_names(struct engine *engine, const struct engine_filter *filter, uint64_t *cursor,
                    struct service_name *names, size_t max);

enum engine_order {
    ENGINE_BY_NAME,
    ENGINE_BY_LAST_SEEN, /* those that never beat come first */
};

/* Where a service stands in an order; those seen at the same time are in the order of names. */
struct engine_key {
    int64_t last_seen;
    struct service_name name;
};

/*
 * Those MAX services that come first behind a place in an order: all are looked at, in steps.
 *
 *     struct selection selection = {.order = …, .keys = keys, .max = 100};
 *     while (engine_select(engine, &filter, &selection))
 *         ...
 *     keys[0] to keys[selection.count - 1] are sorted
 */
struct selection {
    enum engine_order order;
    bool descending;
    bool has_after; /* only what comes behind this key */
    struct engine_key after;
    struct engine_key *keys; /* room for MAX, which is 1 or more */
    size_t max;
    size_t count;
    uint64_t slot; /* where to go on; 0 at first */
};

/* Looks at further slots, as many as one call may. Returns whether there are further ones. */
bool engine_select(struct engine *engine, const struct engine_filter *filter,
                   struct selection *selection);

/* ---- Rules: what is expected of services that nobody declared ---- */

struct rules;

/*
 * From now on services that appear are given what RULES say (rules.h), which stay the caller's and
 * must outlive the engine, or be replaced by others before. Services that there are stay as they
 * are until engine_follow. Returns the rules that were in force, NULL at first.
 */
const struct rules *engine_set_rules(struct engine *engine, const struct rules *rules);

/*
 * Gives services that nobody declared what the rules say, from *CURSOR (0 at first) on: looks at a
 * bounded number of slots, and moves the cursor, to 0 when there are no further ones. What a
 * service has done and missed stays; one of which nothing differs is not touched. Returns how many
 * were changed.
 */
size_t engine_follow(struct engine *engine, int64_t now, uint64_t *cursor);

/*
 * Nobody declares the service any more: one that never beat is deleted, another follows the rules
 * from now on. Returns ENGINE_OK or ENGINE_UNKNOWN.
 */
enum engine_result engine_undeclare(struct engine *engine, const char *name, size_t length,
                                    int64_t now);

/* ---- Figures ---- */

/* Bounds of how late an alert may be raised that are told apart. */
#define ENGINE_DELAYS 15

struct engine_figures {
    uint64_t services[SERVICE_STATUS_COUNT];
    uint64_t heartbeats; /* accepted, older ones too */
    uint64_t older;
    uint64_t in_future;
    uint64_t fails;
    uint64_t starts;
    uint64_t logs;
    uint64_t created;
    uint64_t alerts; /* first alerts raised since the start */
    uint64_t alerts_of_kind[INCIDENT_KIND_COUNT];
    uint64_t delays[ENGINE_DELAYS + 1]; /* of alerts but for fails, how long after they were due
                                           they were raised: engine_delays */
    uint64_t delay_sum;                 /* microseconds, of all of them */
    uint64_t recoveries;
    uint64_t gaps;
    uint64_t gaps_for_reason[GAP_REASON_COUNT];
    uint64_t looked_at; /* entries of the wheel that came up */
    bool no_space;      /* the registry could not grow; new services are refused */
    size_t slots_free;  /* of the registry, which grows ahead of need */
};

/* What the counts of `delays` mean. */
const struct histogram_scale *engine_delays(void);

struct engine_figures engine_figures(struct engine *engine);

/* Copies the gaps that are kept, oldest first, into GAPS; returns how many there are. */
size_t engine_gaps(struct engine *engine, struct gap gaps[GAPS_KEPT]);

#endif
