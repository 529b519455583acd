/*
 * fuzz_parser.c - a log, read in every way that there is: all must come to the same.
 *
 * The complete path is the specification of the fast one, and neither may depend on where blocks
 * end. jansson is asked for a third opinion. Then the log is cut into parts, at guessed borders or
 * anywhere, each is analysed apart, and what they make together is compared with the analysis of
 * the whole, and that with the plain rules. All readings are also tried where a timestamp may be
 * left out.
 *
 * The first bytes: the greatest size of blocks, events asked for at a time, policy, parts, seed.
 */
#include <stdlib.h>

#include <kairos/analysis.h>

#include "findings.h"
#include "fuzz.h"
#include "outcome.h"
#include "third_opinion.h"

#define PARTS_MAX 8

/* How far behind a cut a border is looked for. */
#define WINDOW 512

struct log {
    const char *bytes;
    size_t size;
    enum kairos_format format;
};

/* The outcome on the complete path, after all others have come to the same. */
static struct outcome read_all_ways(const struct log *log, const struct cutting *cutting)
{
    const struct cutting whole = {.batch = 64, .default_time = cutting->default_time};
    struct outcome complete, fast, pieces;
    outcome_read(&complete, log->bytes, log->size, false, &whole);
    outcome_read(&fast, log->bytes, log->size, true, &whole);
    outcome_expect_same(&complete, &fast);
    outcome_read(&pieces, log->bytes, log->size, true, cutting);
    outcome_expect_same(&complete, &pieces);
    outcome_finish(&fast);
    outcome_finish(&pieces);
    return complete;
}

/*
 * Reads the log once more, with a time for events without a timestamp: nothing else may change, and
 * what is still bad is so for its service.
 */
static void check_default_time(const struct log *log, struct cutting cutting,
                               const struct outcome *without)
{
    const int64_t time = 1754301900123456;
    cutting.default_time = &time;
    struct outcome with = read_all_ways(log, &cutting);
    EXPECT(with.count == without->count);
    for (size_t i = 0; i < with.count; i++) {
        const struct kairos_event *event = &with.events[i];
        if (without->events[i].reason != KAIROS_MISSING_TIMESTAMP)
            event_expect_same(event, &without->events[i]);
        else if (event->reason == KAIROS_VALID)
            EXPECT(event->time == time);
        else
            EXPECT(event->reason == KAIROS_EMPTY_SERVICE ||
                   event->reason == KAIROS_INVALID_SERVICE_FORMAT);
    }
    EXPECT(with.failed == without->failed);
    outcome_finish(&with);
}

/* Feeds the bytes from BEGIN to END, in blocks of up to half of them. */
static void feed(struct kairos_analysis *analysis, const struct log *log, size_t begin, size_t end,
                 struct fuzz_random *random)
{
    size_t max = (end - begin) / 2 + 1;
    while (begin < end) {
        size_t size = 1 + fuzz_below(random, max);
        if (size > end - begin)
            size = end - begin;
        char *block = fuzz_copy(log->bytes + begin, size);
        enum kairos_analysis_status status = kairos_analysis_feed(analysis, block, size);
        free(block);
        EXPECT(status != KAIROS_ANALYSIS_NO_MEMORY);
        if (status != KAIROS_ANALYSIS_OK)
            return;
        begin += size;
    }
}

/* A place behind AT where a part may begin; log->size if there is none. */
static size_t choose_border(const struct log *log, size_t at, bool guess,
                            struct fuzz_random *random)
{
    if (at == log->size)
        return at;
    at += fuzz_below(random, log->size - at);
    if (!guess)
        return at;
    size_t size = log->size - at < WINDOW ? log->size - at : WINDOW;
    char *window = fuzz_copy(log->bytes + at, size);
    size_t border = kairos_parser_guess_border(log->format, window, size);
    free(window);
    EXPECT(border <= size);
    return border == size ? log->size : at + border;
}

/* The analysis of the log in COUNT parts at most, finished with *STATUS. */
static struct kairos_analysis *analyse_parts(const struct log *log,
                                             const struct kairos_analysis_options *options,
                                             size_t count, bool guess, struct fuzz_random *random,
                                             enum kairos_analysis_status *status)
{
    struct kairos_analysis *analysis = kairos_analysis_create(options);
    EXPECT(analysis != NULL);
    size_t begin = 0;
    for (size_t i = 0; i < count; i++) {
        size_t end = i == count - 1 ? log->size : choose_border(log, begin, guess, random);
        if (i == 0) {
            feed(analysis, log, begin, end, random);
        } else {
            struct kairos_analysis *part = kairos_analysis_create_at(options, log->format, begin);
            EXPECT(part != NULL);
            feed(part, log, begin, end, random);
            bool joined;
            *status = kairos_analysis_join(analysis, part, &joined);
            kairos_analysis_destroy(part);
            if (*status == KAIROS_ANALYSIS_OK && !joined)
                feed(analysis, log, begin, end, random);
        }
        begin = end;
    }
    *status = kairos_analysis_finish(analysis);
    return analysis;
}

static void check_parts(const struct log *log, const struct kairos_analysis_options *options,
                        size_t count, bool guess, struct fuzz_random *random,
                        const struct outcome *outcome)
{
    enum kairos_analysis_status status, parts_status;
    struct kairos_analysis *analysis = analyse_parts(log, options, 1, false, random, &status);
    findings_expect_true(analysis, options, outcome);
    if (log->format != KAIROS_FORMAT_UNKNOWN) {
        struct kairos_analysis *parts =
            analyse_parts(log, options, count, guess, random, &parts_status);
        EXPECT(parts_status == status);
        findings_expect_same(analysis, parts, status);
        kairos_analysis_destroy(parts);
    }
    kairos_analysis_destroy(analysis);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cutting cutting = {.block_max = 1 + (size_t)fuzz_take(&data, &size)};
    cutting.batch = 1 + fuzz_take(&data, &size) % 64;
    struct kairos_analysis_options options = findings_options(fuzz_take(&data, &size));
    uint8_t parts = fuzz_take(&data, &size);
    struct fuzz_random random = {.state = fuzz_take(&data, &size)};
    cutting.seed = random.state;

    char *bytes = fuzz_copy(data, size);
    struct log log = {.bytes = bytes, .size = size};
    struct outcome outcome = read_all_ways(&log, &cutting);
    third_opinion_check(log.bytes, log.size, &outcome);
    check_default_time(&log, cutting, &outcome);
    log.format = outcome.format;
    check_parts(&log, &options, 2 + parts % (PARTS_MAX - 1), parts < 128, &random, &outcome);
    outcome_finish(&outcome);
    free(bytes);
    return 0;
}
