/*
 * stream_filter.h - what a stream is to tell of: types of events, and services, by name and by tag.
 *
 * Gaps are of all services, so choosing some does not leave them out.
 */
#ifndef KAIROS_HTTP_STREAM_FILTER_H
#define KAIROS_HTTP_STREAM_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "failure.h"
#include "feed.h"
#include "tags.h"

/* Services that can be named. */
#define FILTER_SERVICES_MAX 50

/* All types, and all services. */
#define FILTER_ALL ((1U << FEED_TYPE_COUNT) - 1)

struct stream_filter {
    unsigned types; /* a mask of 1 << enum feed_type */
    char *services; /* names, each with a NUL behind it, and an empty one at the end; NULL is all */
    struct tags *tags; /* that services must have, all of them; NULL if none */
};

/*
 * Reads "alert,recovery", "push,sms" and "prod,team-x"; NULL is all. Returns false and describes
 * the failure; nothing is left to release then.
 */
bool stream_filter_parse(struct stream_filter *filter, const char *types, const char *services,
                         const char *tags, struct failure *failure);

void stream_filter_finish(struct stream_filter *filter);

/* Whether it wants ITEM, should its service have the tags. */
bool stream_filter_wants(const struct stream_filter *filter, const struct feed_item *item);

/* Whether it leaves nothing out. */
bool stream_filter_is_all(const struct stream_filter *filter);

#endif
