/*
 * scan.c - parts of a log, each read by a thread of its own, and joined in order.
 *
 * A plain file is cut where a record seems to end. Whether it does, only the part before knows when
 * it has arrived there (kairos_analysis_join); where it does not, the parts that follow are read
 * once more, in order. Anything else is one part, read from its beginning.
 */
#include "scan.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "place.h"

/* One block is in memory at a time: small enough for the second-level cache. */
#define BLOCK_SIZE (1024 * 1024)

/* Below this a thread costs more than it saves. */
#define PART_MIN (1024 * 1024)

/* How far behind a cut a border is looked for; records are far shorter, as a rule. */
#define BORDER_WINDOW (64 * 1024)

/* How often the progress is shown. */
#define SHOW_NANOSECONDS (200 * 1000 * 1000)

struct part {
    struct scan *scan;
    uint64_t begin, end; /* bytes of the log; the last part ends where the file does */
    struct kairos_analysis *analysis;
    pthread_t thread;
    bool started;
    bool read; /* all bytes were read */
    struct failure failure;
};

struct scan {
    struct input *input;
    struct progress *progress;
    atomic_bool stop;   /* a part has failed, and no other matters any more */
    struct place place; /* of an input that cannot be read again: where reading has arrived */
};

/* Reads the next block of PART, which has arrived at AT; *COUNT is 0 at the part's end. */
static bool read_block(struct part *part, uint64_t at, char *block, size_t *count)
{
    struct scan *scan = part->scan;
    if (!input_is_seekable(scan->input))
        return input_read(scan->input, block, BLOCK_SIZE, count, &part->failure);
    size_t size = part->end - at < BLOCK_SIZE ? (size_t)(part->end - at) : BLOCK_SIZE;
    if (!input_read_at(scan->input, at, block, size, count, &part->failure))
        return false;
    uint64_t due = part->end != UINT64_MAX ? part->end : input_size(scan->input);
    if (*count < size && at + *count < due)
        return failure_set(&part->failure, "%s: was cut short while it was read; try again",
                           input_name(scan->input));
    return true;
}

/*
 * Feeds the bytes of PART to ANALYSIS, up to the part's end or an error in the log. Returns false
 * when reading failed.
 */
static bool feed_part(struct part *part, struct kairos_analysis *analysis)
{
    struct scan *scan = part->scan;
    bool seekable = input_is_seekable(scan->input);
    char *block = malloc(BLOCK_SIZE);
    if (block == NULL)
        return failure_set(&part->failure, "%s: out of memory", input_name(scan->input));

    bool done = true;
    uint64_t at = part->begin, used = 0;
    size_t count;
    while (!scan->stop) {
        done = read_block(part, at, block, &count);
        if (!done || count == 0)
            break;
        uint64_t events = kairos_analysis_total(analysis);
        enum kairos_analysis_status status = kairos_analysis_feed(analysis, block, count);
        if (status == KAIROS_ANALYSIS_MALFORMED && !seekable)
            count = (size_t)(kairos_analysis_error(analysis).offset - at);
        if (!seekable)
            place_advance(&scan->place, block, count);
        if (status != KAIROS_ANALYSIS_OK) {
            /* What fails at the log's beginning stays so; elsewhere the cut may have been wrong. */
            if (part->begin == 0)
                scan->stop = true;
            break;
        }
        at += count;
        uint64_t now_used = seekable ? at - part->begin : input_used(scan->input);
        progress_add(scan->progress, now_used - used, kairos_analysis_total(analysis) - events);
        used = now_used;
    }
    free(block);
    return done;
}

static void *run_part(void *argument)
{
    struct part *part = argument;
    part->read = feed_part(part, part->analysis);
    if (!part->read)
        part->scan->stop = true;
    return NULL;
}

/* The format of a log, from its first bytes; unknown if that takes more than a block. */
static enum kairos_format find_format(struct input *input, char *block, struct failure *failure)
{
    size_t count;
    struct kairos_parser *parser = kairos_parser_create();
    enum kairos_format format = KAIROS_FORMAT_UNKNOWN;
    if (parser != NULL && input_read_at(input, 0, block, BORDER_WINDOW, &count, failure)) {
        struct kairos_event event;
        const char *cursor = block;
        kairos_parser_read(parser, &cursor, block + count, &event, 1);
        format = kairos_parser_format(parser);
    }
    kairos_parser_destroy(parser);
    return format;
}

/*
 * Cuts the log into up to COUNT parts of about one size, each but the first beginning at what looks
 * like a border. Returns how many there are; 1 where the log cannot be cut.
 */
static unsigned cut(struct scan *scan, struct part *parts, unsigned count,
                    enum kairos_format *format)
{
    uint64_t size = input_size(scan->input);
    unsigned made = 1;
    parts[0] = (struct part){.scan = scan, .begin = 0, .end = UINT64_MAX};
    if (!input_is_seekable(scan->input) || size / PART_MIN < 2 || count < 2)
        return 1;
    if (size / PART_MIN < count)
        count = (unsigned)(size / PART_MIN);

    char *window = malloc(BORDER_WINDOW);
    struct failure ignored; /* a part that cannot be cut off is read with the one before it */
    *format = window == NULL ? KAIROS_FORMAT_UNKNOWN : find_format(scan->input, window, &ignored);
    for (unsigned i = 1; i < count && *format != KAIROS_FORMAT_UNKNOWN; i++) {
        uint64_t at = size / count * i;
        size_t length;
        if (at <= parts[made - 1].begin ||
            !input_read_at(scan->input, at, window, BORDER_WINDOW, &length, &ignored))
            continue;
        size_t border = kairos_parser_guess_border(*format, window, length);
        if (border == length)
            continue;
        parts[made - 1].end = at + border;
        parts[made++] = (struct part){.scan = scan, .begin = at + border, .end = UINT64_MAX};
    }
    free(window);
    return made;
}

/*
 * Starts the parts, shows the progress, and returns when all have ended: false, and the failure, if
 * not all could be started and read.
 */
static bool run_parts(struct scan *scan, struct part *parts, unsigned count,
                      struct failure *failure)
{
    bool started = true;
    for (unsigned i = 0; i < count && started; i++) {
        int error = pthread_create(&parts[i].thread, NULL, run_part, &parts[i]);
        parts[i].started = started = error == 0;
        if (!started) {
            scan->stop = true;
            failure_set(failure, "cannot start a thread: %s; try --threads 1", strerror(error));
        }
    }
    for (unsigned i = 0; i < count && parts[i].started; i++) {
        struct timespec until;
        do {
            clock_gettime(CLOCK_REALTIME, &until);
            until.tv_nsec += SHOW_NANOSECONDS;
            until.tv_sec += until.tv_nsec / 1000000000;
            until.tv_nsec %= 1000000000;
            progress_show(scan->progress);
        } while (pthread_timedjoin_np(parts[i].thread, NULL, &until) == ETIMEDOUT);
    }
    progress_finish(scan->progress);
    for (unsigned i = 0; i < count && started; i++) {
        if (!parts[i].read) {
            *failure = parts[i].failure;
            return false;
        }
    }
    return started;
}

/*
 * Joins the parts to the first one, which then has read the whole log. Returns false when reading
 * failed; *STATUS tells what became of the log.
 */
static bool join_parts(struct part *parts, unsigned count, enum kairos_analysis_status *status,
                       struct failure *failure)
{
    struct kairos_analysis *analysis = parts[0].analysis;
    for (unsigned i = 1; i < count; i++) {
        bool joined;
        *status = kairos_analysis_join(analysis, parts[i].analysis, &joined);
        kairos_analysis_destroy(parts[i].analysis);
        parts[i].analysis = NULL;
        if (*status != KAIROS_ANALYSIS_OK)
            return true;
        if (!joined && !feed_part(&parts[i], analysis)) {
            *failure = parts[i].failure;
            return false;
        }
    }
    *status = kairos_analysis_finish(analysis);
    return true;
}

/* Where byte OFFSET of the log stands. */
static struct place locate(struct scan *scan, uint64_t offset)
{
    struct place place = scan->place;
    char *block;
    if (!input_is_seekable(scan->input) || (block = malloc(BLOCK_SIZE)) == NULL)
        return place;
    struct failure ignored;
    uint64_t at = 0;
    for (size_t count = 1; at < offset && count > 0; at += count) {
        size_t size = offset - at < BLOCK_SIZE ? (size_t)(offset - at) : BLOCK_SIZE;
        if (!input_read_at(scan->input, at, block, size, &count, &ignored))
            break;
        place_advance(&place, block, count);
    }
    free(block);
    return place;
}

static void describe(struct scan *scan, const struct kairos_analysis *analysis,
                     enum kairos_analysis_status status, struct failure *failure)
{
    if (status == KAIROS_ANALYSIS_NO_MEMORY) {
        failure_set(failure, "%s: out of memory", input_name(scan->input));
        return;
    }
    struct kairos_parse_error error = kairos_analysis_error(analysis);
    struct place place = locate(scan, error.offset);
    place_describe(&place, input_name(scan->input), &error, failure);
}

struct kairos_analysis *scan_input(struct input *input,
                                   const struct kairos_analysis_options *options, unsigned threads,
                                   struct progress *progress, struct failure *failure)
{
    struct scan scan = {.input = input, .progress = progress, .place = PLACE_FIRST};
    struct kairos_analysis *result = NULL;
    enum kairos_analysis_status status = KAIROS_ANALYSIS_NO_MEMORY;
    enum kairos_format format = KAIROS_FORMAT_UNKNOWN;
    unsigned count = 0;

    struct part *parts = calloc(threads, sizeof(*parts));
    failure_set(failure, "%s: out of memory", input_name(input));
    if (parts == NULL)
        return NULL;
    count = cut(&scan, parts, threads, &format);
    for (unsigned i = 0; i < count; i++) {
        parts[i].analysis = i == 0 ? kairos_analysis_create(options)
                                   : kairos_analysis_create_at(options, format, parts[i].begin);
        if (parts[i].analysis == NULL)
            goto out;
    }
    if (!run_parts(&scan, parts, count, failure) || !join_parts(parts, count, &status, failure))
        goto out;
    if (status == KAIROS_ANALYSIS_OK) {
        result = parts[0].analysis;
        parts[0].analysis = NULL;
    } else {
        describe(&scan, parts[0].analysis, status, failure);
    }

out:
    for (unsigned i = 0; i < count; i++)
        kairos_analysis_destroy(parts[i].analysis);
    free(parts);
    return result;
}
