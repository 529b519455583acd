/*
 * analysis.h - from the bytes of a log to its alerts: parser, timelines and detector together.
 *
 *     struct kairos_analysis_options options = kairos_analysis_options_default();
 *     struct kairos_analysis *analysis = kairos_analysis_create(&options);
 *     while (... more blocks ...)
 *         status = kairos_analysis_feed(analysis, block, size);
 *     status = kairos_analysis_finish(analysis);
 *     struct kairos_alert_cursor cursor = {0};
 *     while (kairos_analysis_next_alert(analysis, &cursor))
 *         use(cursor.service, &cursor.alert);
 *     kairos_analysis_destroy(analysis);
 *
 * A long log may be cut between several analyses that run at the same time, each in a thread of its
 * own, and joined in the order of the log (kairos_analysis_join): the result is the same to the
 * byte.
 *
 * Where the policy becomes known only behind the log, the analysis is created with one that is
 * stricter than any that may come (kairos_policy_strictest), and told the right one at the end
 * (kairos_analysis_judge_by).
 */
#ifndef KAIROS_ANALYSIS_H
#define KAIROS_ANALYSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kairos/detector.h>
#include <kairos/parser.h>
#include <kairos/policy.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How many bad events are kept with their particulars; all are counted. */
#define KAIROS_BAD_EVENTS_KEPT 100

struct kairos_analysis_options {
    struct kairos_policy policy; /* of every service; within its bounds */
    bool has_until;              /* whether the silence after the last heartbeat counts */
    int64_t until;               /* up to this moment; later heartbeats are left out of detection */
    uint64_t seed; /* of the hash of names: no result depends on it, but names chosen to collide
                      cannot slow down an analysis whose seed they do not know */
};

/* The default policy; the silence after the last heartbeat raises nothing. */
struct kairos_analysis_options kairos_analysis_options_default(void);

enum kairos_analysis_status {
    KAIROS_ANALYSIS_OK,
    KAIROS_ANALYSIS_MALFORMED, /* the log is in error: kairos_analysis_error tells */
    KAIROS_ANALYSIS_NO_MEMORY,
};

struct kairos_bad_event {
    uint64_t number; /* of the event in the log, from 1 */
    struct kairos_event event;
};

struct kairos_analysis;

/* An analysis of a log from its beginning. Returns NULL when memory ran out. */
struct kairos_analysis *kairos_analysis_create(const struct kairos_analysis_options *options);

/* One that begins inside a log, at a border (see kairos_parser_create_at). */
struct kairos_analysis *kairos_analysis_create_at(const struct kairos_analysis_options *options,
                                                  enum kairos_format format, uint64_t offset);

void kairos_analysis_destroy(struct kairos_analysis *analysis);

/*
 * Takes the next SIZE bytes of the log. After anything but KAIROS_ANALYSIS_OK the same status comes
 * back from every further call, and the analysis is good for kairos_analysis_error alone.
 */
enum kairos_analysis_status kairos_analysis_feed(struct kairos_analysis *analysis,
                                                 const char *block, size_t size);

/*
 * Joins NEXT, which began at the byte where ANALYSIS has arrived, if that is a border. Then
 * ANALYSIS stands as if it had been fed all that NEXT was, and NEXT is good for destroying alone.
 * If it is no border, *JOINED is false and nothing has changed: the caller feeds those bytes to
 * ANALYSIS itself.
 */
enum kairos_analysis_status kairos_analysis_join(struct kairos_analysis *analysis,
                                                 struct kairos_analysis *next, bool *joined);

/* Tells that the log ends here. The queries below hold from now on. */
enum kairos_analysis_status kairos_analysis_finish(struct kairos_analysis *analysis);

/*
 * From now on the queries answer as if the analysis had been created with OPTIONS (whose seed is
 * ignored). The reach of their policy (kairos_policy_reach) must be no less than that of the policy
 * it was created with; and if it was created with an `until`, theirs must be the same.
 */
void kairos_analysis_judge_by(struct kairos_analysis *analysis,
                              const struct kairos_analysis_options *options);

/* Bytes that the analysis may hold at most, counted from what it has read. */
uint64_t kairos_analysis_memory(const struct kairos_analysis *analysis);

/* Why the status is KAIROS_ANALYSIS_MALFORMED, and where. */
struct kairos_parse_error kairos_analysis_error(const struct kairos_analysis *analysis);

/* How many events came to this end; KAIROS_VALID counts the valid ones. */
uint64_t kairos_analysis_count(const struct kairos_analysis *analysis, enum kairos_reason reason);

/* How many events there were, valid or not. */
uint64_t kairos_analysis_total(const struct kairos_analysis *analysis);

/* The first bad events, KAIROS_BAD_EVENTS_KEPT at most, in the log's order; *COUNT says how many.
 */
const struct kairos_bad_event *kairos_analysis_bad_events(const struct kairos_analysis *analysis,
                                                          size_t *count);

/* How many services sent a valid heartbeat. */
size_t kairos_analysis_services(const struct kairos_analysis *analysis);

/* Walks the services in order of their first appearance. Zero it before the first call. */
struct kairos_service_cursor {
    const char *service; /* NUL-terminated; valid as long as the analysis */
    size_t next;         /* internal */
};

/* Sets CURSOR->service to the next service; returns false when there is no further one. */
bool kairos_analysis_next_service(const struct kairos_analysis *analysis,
                                  struct kairos_service_cursor *cursor);

/* How many alerts there are, by arithmetic (UINT64_MAX when more). */
uint64_t kairos_analysis_alerts(const struct kairos_analysis *analysis);

/* Walks the alerts, service by service in order of appearance, then by time. Zero it first. */
struct kairos_alert_cursor {
    const char *service; /* NUL-terminated; valid as long as the analysis */
    struct kairos_alert alert;

    struct kairos_service_cursor services; /* internal, as is all below */
    const void *record;
    size_t position;
    int64_t from;
    uint64_t ordinal;
    uint64_t count;
    bool tail;
};

/* Sets CURSOR->service and CURSOR->alert to the next alert; returns false when there is none. */
bool kairos_analysis_next_alert(const struct kairos_analysis *analysis,
                                struct kairos_alert_cursor *cursor);

#ifdef __cplusplus
}
#endif

#endif
