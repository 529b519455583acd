#include "stream_texts.h"

#include <stdlib.h>
#include <string.h>

#include "stream_event.h"

/* Items are taken out of the feed in blocks of so many, which begin at a multiple of it, */
#define BLOCK 64

/* and so many blocks are kept: those that stand far behind do not take it away from the others. */
#define BLOCKS 8

/* The tags of an item's service, once they were asked for. */
struct known {
    bool asked;
    bool gone; /* there is no such service any more */
    struct tags tags;
};

struct block {
    uint64_t first, end; /* the items from FIRST on, and before END, are here */
    struct feed_item items[BLOCK];
    struct {
        size_t at, length;
    } places[BLOCK];     /* where in the writer its text is; a length of 0 if there is none yet */
    struct writer text;  /* of all of them, in the order in which they were asked for */
    struct known *known; /* of their services; NULL before anybody asks */
};

struct stream_texts {
    const struct context *context;
    uint64_t run;
    struct block blocks[BLOCKS];
};

struct stream_texts *stream_texts_create(const struct context *context)
{
    struct stream_texts *texts = calloc(1, sizeof(*texts));
    if (texts == NULL)
        return NULL;
    texts->context = context;
    texts->run = (uint64_t)context->started.wall;
    return texts;
}

void stream_texts_destroy(struct stream_texts *texts)
{
    for (size_t i = 0; texts != NULL && i < BLOCKS; i++) {
        writer_finish(&texts->blocks[i].text);
        free(texts->blocks[i].known);
    }
    free(texts);
}

static struct block *block_of(struct stream_texts *texts, uint64_t number)
{
    return &texts->blocks[number / BLOCK % BLOCKS];
}

/* Reads the items from BLOCK's end on; returns whether they were still there. */
static bool read_more(struct feed *feed, struct block *block)
{
    size_t begin = block->end % BLOCK, count;
    if (!feed_read(feed, &block->end, &block->items[begin], BLOCK - begin, &count))
        return false;
    for (size_t i = begin; i < begin + count; i++) {
        block->places[i].length = 0;
        if (block->known != NULL)
            block->known[i].asked = false;
    }
    return true;
}

enum texts_result stream_texts_find(struct stream_texts *texts, uint64_t number,
                                    const struct feed_item **item)
{
    struct block *block = block_of(texts, number);
    bool here = number >= block->first && number < block->end;
    if (!here) {
        bool goes_on = number == block->end && number % BLOCK != 0;
        if (!goes_on) {
            block->first = block->end = number;
            block->text.length = 0;
        }
        if (!read_more(texts->context->feed, block))
            return TEXTS_OVERTAKEN;
        if (block->end == number)
            return TEXTS_NONE;
    }
    *item = &block->items[number % BLOCK];
    return TEXTS_FOUND;
}

/* Asks the engine for the tags of ITEM's service. */
static void ask(const struct context *context, const struct feed_item *item, struct known *known)
{
    struct service_view view;
    const char *name = item->type == FEED_STATUS ? item->change.service : item->incident.service;
    known->asked = true;
    known->gone = engine_find(context->engine, name, strlen(name), clock_now(context->clock),
                              &view) != ENGINE_OK;
    if (!known->gone)
        known->tags = view.label.tags;
}

bool stream_texts_have_tags(struct stream_texts *texts, uint64_t number, const struct tags *wanted)
{
    struct block *block = block_of(texts, number);
    const struct feed_item *item = &block->items[number % BLOCK];
    if (item->type == FEED_GAP)
        return true;
    if (block->known == NULL)
        block->known = calloc(BLOCK, sizeof(block->known[0]));
    if (block->known == NULL)
        return true; /* rather too much than too little */
    struct known *known = &block->known[number % BLOCK];
    if (!known->asked)
        ask(texts->context, item, known);
    return known->gone || tags_include(known->tags.text, known->tags.length, wanted);
}

/* The store knows of an incident that has closed what the engine does not, or not as exactly. */
static void complete(const struct context *context, struct feed_item *item)
{
    struct incident kept;
    if ((item->type == FEED_RECOVERY || item->type == FEED_CLOSED) &&
        store_find(context->store, item->incident.service, item->incident.started_at, &kept) &&
        kept.end == item->incident.end)
        item->incident = kept;
}

const char *stream_texts_of(struct stream_texts *texts, uint64_t number, size_t *length)
{
    struct block *block = block_of(texts, number);
    size_t i = number % BLOCK;
    if (block->places[i].length == 0) {
        struct feed_item *item = &block->items[i];
        size_t at = block->text.length;
        complete(texts->context, item);
        event_write(&block->text, texts->context->clock, texts->run, item);
        if (block->text.failed) {
            writer_finish(&block->text);
            block->first = block->end = 0;
            return NULL;
        }
        block->places[i].at = at;
        block->places[i].length = block->text.length - at;
    }
    *length = block->places[i].length;
    return block->text.text + block->places[i].at;
}
