#include "journal.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <kairos/timestamp.h>

/*
 * Room for half a million alerts of services with names of ordinary length, twice: while one buffer
 * is written to the log the other one fills. The system gives the memory as it is touched.
 */
#define BUFFER_SIZE ((size_t)48 * 1024 * 1024)

/* What a buffer has used beyond this goes back to the system. */
#define BUFFER_KEPT ((size_t)1024 * 1024)

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

struct buffer {
    char *bytes;
    size_t used;
    uint64_t lost; /* entries that found no room */
};

struct journal {
    struct log *log;
    const struct clock *clock;
    pthread_t thread;
    pthread_mutex_t lock; /* over all that follows */
    pthread_cond_t told;
    struct buffer buffers[2];
    unsigned filling; /* the number of the buffer that takes entries; the thread has the other */
    bool stopping;
    bool ended; /* all is written */
    pthread_cond_t end;
};

/* ---- Telling ---- */

static void tell(struct journal *journal, const struct entry *entry, const char *service)
{
    size_t length = strlen(service) + 1;
    size_t size = (sizeof(*entry) + length + 7) / 8 * 8;
    pthread_mutex_lock(&journal->lock);
    struct buffer *buffer = &journal->buffers[journal->filling];
    if (size > BUFFER_SIZE - buffer->used) {
        buffer->lost++;
    } else {
        struct entry *place = (struct entry *)(buffer->bytes + buffer->used);
        *place = *entry;
        place->size = (uint16_t)size;
        memcpy(place->service, service, length);
        buffer->used += size;
        if (buffer->used == size) /* else it was told already */
            pthread_cond_signal(&journal->told);
    }
    pthread_mutex_unlock(&journal->lock);
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

/* Writes all entries of BUFFER, which is empty then. */
static void write_buffer(struct journal *journal, struct buffer *buffer)
{
    for (size_t at = 0; at < buffer->used;) {
        const struct entry *entry = (const struct entry *)(buffer->bytes + at);
        write_entry(journal, entry);
        at += entry->size;
    }
    if (buffer->lost > 0)
        log_write(journal->log, LOG_WARNING, "not_logged count=%" PRIu64, buffer->lost);
    if (buffer->used > BUFFER_KEPT)
        madvise(buffer->bytes + BUFFER_KEPT, BUFFER_SIZE - BUFFER_KEPT, MADV_DONTNEED);
    buffer->used = 0;
    buffer->lost = 0;
}

static void *run(void *argument)
{
    struct journal *journal = argument;
    pthread_mutex_lock(&journal->lock);
    for (;;) {
        struct buffer *buffer = &journal->buffers[journal->filling];
        if (buffer->used == 0 && journal->stopping)
            break;
        if (buffer->used == 0) {
            pthread_cond_wait(&journal->told, &journal->lock);
            continue;
        }
        journal->filling ^= 1;
        pthread_mutex_unlock(&journal->lock);
        write_buffer(journal, buffer);
        pthread_mutex_lock(&journal->lock);
    }
    journal->ended = true;
    pthread_cond_signal(&journal->end);
    pthread_mutex_unlock(&journal->lock);
    return NULL;
}

/* ---- Life ---- */

static bool reserve(struct buffer *buffer)
{
    void *bytes = mmap(NULL, BUFFER_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    buffer->bytes = bytes == MAP_FAILED ? NULL : bytes;
    return buffer->bytes != NULL;
}

static void release(struct journal *journal)
{
    for (int i = 0; i < 2; i++) {
        if (journal->buffers[i].bytes != NULL)
            munmap(journal->buffers[i].bytes, BUFFER_SIZE);
    }
    pthread_cond_destroy(&journal->told);
    pthread_cond_destroy(&journal->end);
    pthread_mutex_destroy(&journal->lock);
    free(journal);
}

static void init_conditions(struct journal *journal)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&journal->told, NULL);
    pthread_cond_init(&journal->end, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct journal *journal_create(struct log *log, const struct clock *clock, struct failure *failure)
{
    struct journal *journal = calloc(1, sizeof(*journal));
    if (journal == NULL) {
        failure_set(failure, "out of memory");
        return NULL;
    }
    journal->log = log;
    journal->clock = clock;
    pthread_mutex_init(&journal->lock, NULL);
    init_conditions(journal);
    int error = ENOMEM;
    if (reserve(&journal->buffers[0]) && reserve(&journal->buffers[1]))
        error = pthread_create(&journal->thread, NULL, run, journal);
    if (error == 0) {
        pthread_setname_np(journal->thread, "journal");
        return journal;
    }
    failure_set(failure, "cannot start a thread: %s", strerror(error));
    release(journal);
    return NULL;
}

/* Waits until the thread has written all, and not for ever; the lock is held. */
static bool wait_for_end(struct journal *journal)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += JOURNAL_PATIENCE;
    int result = 0;
    while (!journal->ended && result == 0)
        result = pthread_cond_timedwait(&journal->end, &journal->lock, &deadline);
    return journal->ended;
}

bool journal_destroy(struct journal *journal)
{
    if (journal == NULL)
        return true;
    pthread_mutex_lock(&journal->lock);
    journal->stopping = true;
    pthread_cond_signal(&journal->told);
    bool ended = wait_for_end(journal);
    pthread_mutex_unlock(&journal->lock);
    if (!ended)
        return false;
    pthread_join(journal->thread, NULL);
    release(journal);
    return true;
}
