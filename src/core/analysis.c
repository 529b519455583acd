#include <kairos/analysis.h>

#include <stdlib.h>

#include "roster.h"

/*
 * Events are taken in batches, so that the memory one needs is on its way while the others are
 * worked on: with a million services every look at the roster misses the caches.
 */
#define BATCH 64

struct kairos_analysis {
    struct kairos_analysis_options options; /* to judge by */
    int64_t bearable;                       /* the reach of their policy */
    int64_t reach;                          /* of the timelines: no more than that */
    int64_t until;                          /* later heartbeats are not taken */
    enum kairos_analysis_status status;
    struct kairos_parser *parser;
    struct roster roster;
    uint64_t total;
    uint64_t counts[KAIROS_REASON_COUNT];
    size_t bad_count;
    struct kairos_bad_event bad[KAIROS_BAD_EVENTS_KEPT];
    struct kairos_event events[BATCH];
};

struct kairos_analysis_options kairos_analysis_options_default(void)
{
    return (struct kairos_analysis_options){.policy = kairos_policy_default()};
}

static struct kairos_analysis *create(const struct kairos_analysis_options *options,
                                      struct kairos_parser *parser)
{
    struct kairos_analysis *analysis = calloc(1, sizeof(*analysis));
    if (analysis == NULL || parser == NULL || !roster_init(&analysis->roster, options->seed)) {
        kairos_parser_destroy(parser);
        free(analysis);
        return NULL;
    }
    analysis->options = *options;
    analysis->reach = analysis->bearable = kairos_policy_reach(&options->policy);
    analysis->until = options->has_until ? options->until : INT64_MAX;
    analysis->parser = parser;
    return analysis;
}

struct kairos_analysis *kairos_analysis_create(const struct kairos_analysis_options *options)
{
    return create(options, kairos_parser_create());
}

struct kairos_analysis *kairos_analysis_create_at(const struct kairos_analysis_options *options,
                                                  enum kairos_format format, uint64_t offset)
{
    return create(options, kairos_parser_create_at(format, offset));
}

void kairos_analysis_destroy(struct kairos_analysis *analysis)
{
    if (analysis == NULL)
        return;
    kairos_parser_destroy(analysis->parser);
    roster_finish(&analysis->roster);
    free(analysis);
}

static void keep_bad_event(struct kairos_analysis *analysis, uint64_t number,
                           const struct kairos_event *event)
{
    if (analysis->bad_count == KAIROS_BAD_EVENTS_KEPT)
        return;
    analysis->bad[analysis->bad_count++] =
        (struct kairos_bad_event){.number = number, .event = *event};
}

/* Enters the valid ones of COUNT events into their timelines, and counts all. */
static void take(struct kairos_analysis *analysis, const struct kairos_event *events, size_t count)
{
    uint64_t hashes[BATCH];
    for (size_t i = 0; i < count; i++) {
        if (events[i].reason == KAIROS_VALID) {
            hashes[i] = roster_hash(&analysis->roster, events[i].text, events[i].length);
            roster_prefetch(&analysis->roster, hashes[i]);
        }
    }
    for (size_t i = 0; i < count; i++) {
        const struct kairos_event *event = &events[i];
        analysis->counts[event->reason]++;
        analysis->total++;
        if (event->reason != KAIROS_VALID) {
            keep_bad_event(analysis, analysis->total, event);
            continue;
        }
        struct record *record =
            roster_intern(&analysis->roster, event->text, event->length, hashes[i]);
        if (record == NULL ||
            (event->time <= analysis->until &&
             !kairos_timeline_add(&record->timeline, analysis->reach, event->time))) {
            analysis->status = KAIROS_ANALYSIS_NO_MEMORY;
            return;
        }
    }
}

/* After the parser stopped: is the log in error? */
static enum kairos_analysis_status check_parser(struct kairos_analysis *analysis)
{
    struct kairos_parse_error error;
    if (analysis->status == KAIROS_ANALYSIS_OK && kairos_parser_error(analysis->parser, &error))
        analysis->status = KAIROS_ANALYSIS_MALFORMED;
    return analysis->status;
}

enum kairos_analysis_status kairos_analysis_feed(struct kairos_analysis *analysis,
                                                 const char *block, size_t size)
{
    const char *cursor = block;
    size_t count;
    while (analysis->status == KAIROS_ANALYSIS_OK &&
           (count = kairos_parser_read(analysis->parser, &cursor, block + size, analysis->events,
                                       BATCH)) > 0)
        take(analysis, analysis->events, count);
    return check_parser(analysis);
}

static bool join_rosters(struct kairos_analysis *analysis, const struct roster *next)
{
    size_t position = 0;
    for (struct record *theirs; (theirs = roster_next(next, &position)) != NULL;) {
        struct record *ours =
            roster_intern(&analysis->roster, theirs->name, theirs->length,
                          roster_hash(&analysis->roster, theirs->name, theirs->length));
        if (ours == NULL ||
            !kairos_timeline_join(&ours->timeline, analysis->reach, &theirs->timeline))
            return false;
    }
    return true;
}

enum kairos_analysis_status kairos_analysis_join(struct kairos_analysis *analysis,
                                                 struct kairos_analysis *next, bool *joined)
{
    *joined = analysis->status == KAIROS_ANALYSIS_OK && kairos_parser_at_border(analysis->parser);
    if (!*joined)
        return analysis->status;
    if (!join_rosters(analysis, &next->roster)) {
        analysis->status = KAIROS_ANALYSIS_NO_MEMORY;
        return analysis->status;
    }
    for (size_t i = 0; i < next->bad_count; i++)
        keep_bad_event(analysis, analysis->total + next->bad[i].number, &next->bad[i].event);
    for (int reason = 0; reason < KAIROS_REASON_COUNT; reason++)
        analysis->counts[reason] += next->counts[reason];
    analysis->total += next->total;
    analysis->status = next->status;

    struct kairos_parser *parser = analysis->parser;
    analysis->parser = next->parser;
    next->parser = parser;
    return analysis->status;
}

enum kairos_analysis_status kairos_analysis_finish(struct kairos_analysis *analysis)
{
    if (analysis->status != KAIROS_ANALYSIS_OK)
        return analysis->status;
    take(analysis, analysis->events, kairos_parser_finish(analysis->parser, analysis->events));
    size_t position = 0;
    for (struct record *record; (record = roster_next(&analysis->roster, &position)) != NULL;)
        kairos_timeline_settle(&record->timeline, analysis->reach);
    return check_parser(analysis);
}

void kairos_analysis_judge_by(struct kairos_analysis *analysis,
                              const struct kairos_analysis_options *options)
{
    analysis->options = *options;
    analysis->bearable = kairos_policy_reach(&options->policy);
}

/* Of a service whose every heartbeat is a mark of its own: timeline.h says so much of a mark. */
#define MARK_MEMORY     12
#define TIMELINE_MEMORY 64

uint64_t kairos_analysis_memory(const struct kairos_analysis *analysis)
{
    const struct roster *roster = &analysis->roster;
    return sizeof(*analysis) + kairos_parser_memory(analysis->parser) + roster_memory(roster) +
           roster->services * TIMELINE_MEMORY + analysis->counts[KAIROS_VALID] * MARK_MEMORY;
}

struct kairos_parse_error kairos_analysis_error(const struct kairos_analysis *analysis)
{
    struct kairos_parse_error error = {.code = KAIROS_PARSE_OK};
    kairos_parser_error(analysis->parser, &error);
    return error;
}

uint64_t kairos_analysis_count(const struct kairos_analysis *analysis, enum kairos_reason reason)
{
    return analysis->counts[reason];
}

uint64_t kairos_analysis_total(const struct kairos_analysis *analysis)
{
    return analysis->total;
}

const struct kairos_bad_event *kairos_analysis_bad_events(const struct kairos_analysis *analysis,
                                                          size_t *count)
{
    *count = analysis->bad_count;
    return analysis->bad;
}

size_t kairos_analysis_services(const struct kairos_analysis *analysis)
{
    return analysis->roster.services;
}

bool kairos_analysis_next_service(const struct kairos_analysis *analysis,
                                  struct kairos_service_cursor *cursor)
{
    const struct record *record = roster_next(&analysis->roster, &cursor->next);
    if (record == NULL)
        return false;
    cursor->service = record->name;
    return true;
}

/* The next silence of a timeline, the one after its last heartbeat included; that one sets *TAIL.
 */
static bool next_silence(const struct kairos_analysis *analysis,
                         const struct kairos_timeline *timeline, size_t *position, bool *tail,
                         struct kairos_silence *silence)
{
    const struct kairos_analysis_options *options = &analysis->options;
    if (*tail)
        return false;
    bool found = kairos_timeline_next_silence(timeline, position, silence);
    if (!options->has_until || (found && silence->to <= options->until))
        return found;
    /*
     * What is left begins with the last heartbeat before `until`. If the stretch behind `until`
     * began before it, no silence at its end is longer than the reach.
     */
    *tail = true;
    if (!found && timeline->last < timeline->first)
        return false;
    silence->from = found ? silence->from : timeline->last;
    silence->to = options->until;
    return silence->from <= silence->to;
}

static uint64_t count_alerts(const struct kairos_analysis *analysis,
                             const struct kairos_silence *silence)
{
    if (silence->to - silence->from <= analysis->bearable)
        return 0;
    return kairos_detector_count(&analysis->options.policy, silence->from, silence->to);
}

uint64_t kairos_analysis_alerts(const struct kairos_analysis *analysis)
{
    uint64_t alerts = 0;
    size_t next = 0;
    for (struct record *record; (record = roster_next(&analysis->roster, &next)) != NULL;) {
        size_t position = 0;
        bool tail = false;
        struct kairos_silence silence;
        while (next_silence(analysis, &record->timeline, &position, &tail, &silence)) {
            if (__builtin_add_overflow(alerts, count_alerts(analysis, &silence), &alerts))
                return UINT64_MAX;
        }
    }
    return alerts;
}

/* Moves CURSOR to the next silence of any service; returns false when there is none. */
static bool advance(const struct kairos_analysis *analysis, struct kairos_alert_cursor *cursor)
{
    struct kairos_silence silence;
    const struct record *record = cursor->record;
    while (record == NULL ||
           !next_silence(analysis, &record->timeline, &cursor->position, &cursor->tail, &silence)) {
        record = roster_next(&analysis->roster, &cursor->services.next);
        if (record == NULL)
            return false;
        cursor->record = record;
        cursor->service = record->name;
        cursor->position = 0;
        cursor->tail = false;
    }
    cursor->from = silence.from;
    cursor->ordinal = 0;
    cursor->count = count_alerts(analysis, &silence);
    return true;
}

bool kairos_analysis_next_alert(const struct kairos_analysis *analysis,
                                struct kairos_alert_cursor *cursor)
{
    while (cursor->ordinal == cursor->count) {
        if (!advance(analysis, cursor))
            return false;
    }
    cursor->alert =
        kairos_detector_alert(&analysis->options.policy, cursor->from, ++cursor->ordinal);
    return true;
}
