/*
 * incident.h - an incident: from the first alert of a silence to the recovery.
 *
 * Only the first alert is an event. Those that follow in the same silence are arithmetic: how many
 * there are, the newest, and the time between two of them say all. Its natural key is (service,
 * started_at). Times are engine times in microseconds (clock.h).
 *
 * What is true of the first alert (kind, raised_at, last_seen, missed_count) is exact when the
 * incident is told for the first time. Told again, at its close or after a restart, it comes from
 * what the registry keeps, and is no better than about right: whoever has it already keeps it.
 */
#ifndef KAIROS_LIVE_INCIDENT_H
#define KAIROS_LIVE_INCIDENT_H

#include <stdbool.h>
#include <stdint.h>

#include <kairos/service.h>

enum incident_kind {
    INCIDENT_SILENCE, /* the allowed misses were missed */
    INCIDENT_FAIL,    /* the service said so itself */
    INCIDENT_OVERRUN, /* a run took longer than max_runtime */
    INCIDENT_KIND_COUNT,
};

enum incident_end {
    INCIDENT_OPEN,
    INCIDENT_RECOVERED, /* by a heartbeat */
    INCIDENT_PAUSED,
    INCIDENT_DELETED,
    INCIDENT_FORGOTTEN, /* silent and unclaimed for too long */
};

struct incident {
    char service[KAIROS_SERVICE_SIZE]; /* padded with NULs */
    enum incident_kind kind;
    enum incident_end end;
    int64_t started_at;      /* alert_at of the first alert */
    int64_t raised_at;       /* when that was raised */
    int64_t last_seen;       /* the last heartbeat before it; TIME_NEVER if there was none */
    int64_t ended_at;        /* when it closed; TIME_NEVER while it is open */
    int64_t acknowledged_at; /* when somebody took it upon him; TIME_NEVER if nobody has. Only a
                                store knows */
    int64_t last_alert_at;  /* alert_at of the newest alert; TIME_NEVER if that is not known: it was
                               a  repeat before a gap or a change of the policy */
    int64_t repeat_every;   /* between the newest ones, microseconds; 0 if none are known */
    uint64_t alert_count;   /* the first one and its repeats */
    uint64_t repeats_known; /* the newest alerts, as many as lie repeat_every apart; the first alert
                               is among them where alert_count says so */
    uint64_t fails; /* failures that the service reported while it was open, beside the first */
    uint32_t missed_count;  /* of the first alert: the allowed misses; 0 for fail and overrun */
    uint32_t repeat_misses; /* missed_count of a repeat: the allowed misses */
};

/* "silence", "fail", "overrun". */
const char *incident_kind_name(enum incident_kind kind);

/* "open", "recovered", "paused", "deleted", "forgotten". */
const char *incident_end_name(enum incident_end end);

#endif
