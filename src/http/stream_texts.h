/*
 * stream_texts.h - the feed's items as the streams of a worker want them: copied out, and as text,
 * once for all streams that stand near each other.
 *
 * For one thread.
 */
#ifndef KAIROS_HTTP_STREAM_TEXTS_H
#define KAIROS_HTTP_STREAM_TEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "context.h"
#include "feed.h"
#include "tags.h"

struct stream_texts;

/* About CONTEXT, which must outlive it. Returns NULL when memory ran out. */
struct stream_texts *stream_texts_create(const struct context *context);

/* Accepts NULL. */
void stream_texts_destroy(struct stream_texts *texts);

enum texts_result {
    TEXTS_FOUND,
    TEXTS_NONE,      /* there is no such item yet */
    TEXTS_OVERTAKEN, /* it is no longer kept */
};

/* Finds the item NUMBER, which is good until the next call. */
enum texts_result stream_texts_find(struct stream_texts *texts, uint64_t number,
                                    const struct feed_item **item);

/*
 * Whether the service of the item NUMBER, which was just found, has all of WANTED, as it is now. Of
 * one that is gone nobody knows: then it does, so that its end is told.
 */
bool stream_texts_have_tags(struct stream_texts *texts, uint64_t number, const struct tags *wanted);

/* The event of the item NUMBER, which was just found; NULL when memory ran out. */
const char *stream_texts_of(struct stream_texts *texts, uint64_t number, size_t *length);

#endif
