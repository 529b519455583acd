/*
 * journal.h - what becomes of services, as lines of the log that a thread of its own writes:
 *
 *   … WARN alert service=push kind=silence alert_at=… missed_count=3 last_seen=… raised_at=…
 *   … INFO recovered service=push started_at=… recovered_at=…
 *   … INFO closed service=push started_at=… ended_at=… end=paused
 *   … WARN gap from=… to=… seconds=12.5 reason=restart
 *
 * Whoever tells the journal is not held up by the log, which may not keep up (a million alerts at
 * once are 200 MB) or hang: a sink is in between. What finds no room in it is counted, and the
 * number is logged.
 */
#ifndef KAIROS_CLI_JOURNAL_H
#define KAIROS_CLI_JOURNAL_H

#include <stdbool.h>

#include "clock.h"
#include "failure.h"
#include "gap.h"
#include "incident.h"
#include "log.h"

struct journal;

/*
 * Starts the thread. LOG and CLOCK stay the caller's and must outlive the journal. Returns NULL and
 * describes the failure.
 */
struct journal *journal_create(struct log *log, const struct clock *clock, struct failure *failure);

/*
 * Writes what was told, and ends the thread; accepts NULL. Returns false when the log has not taken
 * all of it within SINK_PATIENCE (sink.h): then thread and journal live on; it may be tried again.
 */
bool journal_destroy(struct journal *journal);

/* Tells of an incident that was opened or closed, and of a gap. From any thread. */
void journal_opened(struct journal *journal, const struct incident *incident);
void journal_closed(struct journal *journal, const struct incident *incident);
void journal_gap(struct journal *journal, const struct gap *gap);

/* A line of its own. From any thread; one that is cut is too long for the log too. */
void journal_note(struct journal *journal, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
