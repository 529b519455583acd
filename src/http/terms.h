/*
 * terms.h - what a log that is sent is to be judged by: the policy, `until`, and how many alerts
 * there may be, as parameters of the query or fields of the form.
 *
 * A term may be given once in each of them, if it says the same.
 */
#ifndef KAIROS_HTTP_TERMS_H
#define KAIROS_HTTP_TERMS_H

#include <stdbool.h>
#include <stdint.h>

#include <kairos/analysis.h>

#include "failure.h"

#define TERMS_MAX_ALERTS 1000000

enum term {
    TERM_INTERVAL,
    TERM_ALLOWED_MISSES,
    TERM_TOLERANCE,
    TERM_UNTIL,
    TERM_MAX_ALERTS,
    TERM_COUNT,
};

/* Their names, ended by NULL. */
extern const char *const term_names[TERM_COUNT + 1];

struct terms {
    struct kairos_analysis_options analysis;
    uint64_t max_alerts; /* up to TERMS_MAX_ALERTS */
    int64_t now;
    bool given[TERM_COUNT];
};

/* The command's defaults; NOW is what `until=now` means. */
void terms_init(struct terms *terms, int64_t now);

/* The term of that name; TERM_COUNT if there is none. */
enum term term_find(const char *name);

/*
 * Sets TERM as TEXT says. Returns false and describes the failure if that cannot be read, is out of
 * bounds, or is not what was said before.
 */
bool terms_set(struct terms *terms, enum term term, const char *text, struct failure *failure);

/*
 * What to read a log with while terms may still follow: none that can come is stricter. To be told
 * the right ones at the end (kairos_analysis_judge_by).
 */
struct kairos_analysis_options terms_strictest(const struct terms *terms);

#endif
