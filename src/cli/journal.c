#include "journal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kairos/timestamp.h>

#include "sink.h"

/*
 * Room for half a million alerts of services with names of ordinary length, twice: while one buffer
 * is written to the log the other one fills. The system gives the memory as it is touched.
 */
#define BUFFER_SIZE ((size_t)48 * 1024 * 1024)

enum entry_kind {
    ENTRY_OPENED,
    ENTRY_CLOSED,
    ENTRY_GAP,
    ENTRY_NOTE,
};

/* As much of an incident, or a gap, as a line says. */
struct entry {
    uint8_t kind;  /* enum entry_kind */
    uint8_t what;  /* enum incident_kind, incident_end, gap_reason or log_level */
    uint16_t size; /* of the entry, whole words */
    uint32_t missed_count;
    int64_t begin; /* started_at, or from */
    int64_t end;   /* raised_at, ended_at, or to */
    int64_t last_seen;
    char service[]; /* NUL-terminated; of a note its text */
};

struct journal {
    struct log *log;
    const struct clock *clock;
    struct sink *sink;
};

/* ---- Telling ---- */

static void tell(struct journal *journal, const struct entry *entry, const char *service)
{
    static char padding[8];
    struct entry head = *entry;
    size_t length = strlen(service) + 1, over = (sizeof(head) + length) % 8;
    size_t rest = over == 0 ? 0 : 8 - over;
    head.size = (uint16_t)(sizeof(head) + length + rest);
    const struct iovec parts[] = {
        {&head, sizeof(head)}, {(char *)service, length}, {padding, rest}};
    sink_tell(journal->sink, parts, 3, 1);
}

void journal_opened(struct journal *journal, const struct incident *incident)
{
    tell(journal,
         &(struct entry){
             .kind = ENTRY_OPENED,
             .what = (uint8_t)incident->kind,
             .missed_count = incident->missed_count,
             .begin = incident->started_at,
             .end = incident->raised_at,
             .last_seen = incident->last_seen,
         },
         incident->service);
}

void journal_closed(struct journal *journal, const struct incident *incident)
{
    tell(journal,
         &(struct entry){
             .kind = ENTRY_CLOSED,
             .what = (uint8_t)incident->end,
             .begin = incident->started_at,
             .end = incident->ended_at,
         },
         incident->service);
}

void journal_gap(struct journal *journal, const struct gap *gap)
{
    tell(journal,
         &(struct entry){
             .kind = ENTRY_GAP,
             .what = (uint8_t)gap->reason,
             .begin = gap->from,
             .end = gap->to,
         },
         "");
}

void journal_note(struct journal *journal, enum log_level level, const char *format, ...)
{
    char text[LOG_LINE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    tell(journal, &(struct entry){.kind = ENTRY_NOTE, .what = (uint8_t)level}, text);
}

/* ---- Writing ---- */

struct moment {
    char text[KAIROS_TIMESTAMP_SIZE];
};

static struct moment moment_of(const struct journal *journal, int64_t time)
{
    struct moment moment = {"never"};
    int64_t wall = time == TIME_NEVER ? TIME_NEVER : clock_to_wall(journal->clock, time);
    if (wall >= KAIROS_TIME_MIN && wall <= KAIROS_TIME_MAX)
        kairos_timestamp_format(wall, moment.text);
    return moment;
}

static void write_closed(struct journal *journal, const struct entry *entry)
{
    struct moment begin = moment_of(journal, entry->begin);
    struct moment end = moment_of(journal, entry->end);
    if (entry->what == INCIDENT_RECOVERED)
        log_write(journal->log, LOG_INFO, "recovered service=%s started_at=%s recovered_at=%s",
                  entry->service, begin.text, end.text);
    else
        log_write(journal->log, LOG_INFO, "closed service=%s started_at=%s ended_at=%s end=%s",
                  entry->service, begin.text, end.text,
                  incident_end_name((enum incident_end)entry->what));
}

static void write_entry(struct journal *journal, const struct entry *entry)
{
    struct moment begin = moment_of(journal, entry->begin);
    struct moment end = moment_of(journal, entry->end);
    switch ((enum entry_kind)entry->kind) {
    case ENTRY_OPENED:
        log_write(journal->log, LOG_WARNING,
                  "alert service=%s kind=%s alert_at=%s missed_count=%" PRIu32
                  " last_seen=%s raised_at=%s",
                  entry->service, incident_kind_name((enum incident_kind)entry->what), begin.text,
                  entry->missed_count, moment_of(journal, entry->last_seen).text, end.text);
        break;
    case ENTRY_CLOSED:
        write_closed(journal, entry);
        break;
    case ENTRY_GAP:
        log_write(journal->log, LOG_WARNING, "gap from=%s to=%s seconds=%.3f reason=%s", begin.text,
                  end.text, (double)(entry->end - entry->begin) / (double)KAIROS_SECOND,
                  gap_reason_name((enum gap_reason)entry->what));
        break;
    case ENTRY_NOTE:
        log_write(journal->log, (enum log_level)entry->what, "%s", entry->service);
        break;
    }
}

/* Writes the entries that the SIZE bytes hold. */
static void take(void *context, const char *bytes, size_t size, uint64_t lost)
{
    struct journal *journal = context;
    for (size_t at = 0; at < size;) {
        const struct entry *entry = (const struct entry *)(bytes + at);
        write_entry(journal, entry);
        at += entry->size;
    }
    if (lost > 0)
        log_write(journal->log, LOG_WARNING, "not_logged count=%" PRIu64, lost);
}

/* ---- Life ---- */

struct journal *journal_create(struct log *log, const struct clock *clock, struct failure *failure)
{
    struct journal *journal = calloc(1, sizeof(*journal));
    if (journal == NULL) {
        failure_set(failure, "out of memory");
        return NULL;
    }
    const struct sink_options options = {
        .name = "journal", .capacity = BUFFER_SIZE, .take = take, .context = journal};
    journal->log = log;
    journal->clock = clock;
    journal->sink = sink_create(&options, failure);
    if (journal->sink != NULL)
        return journal;
    free(journal);
    return NULL;
}

bool journal_destroy(struct journal *journal)
{
    if (journal == NULL)
        return true;
    if (!sink_destroy(journal->sink))
        return false;
    free(journal);
    return true;
}
