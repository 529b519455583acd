/*
 * labels.h - what people say of services: tags and a description of each, in memory, by slot.
 *
 * The registry's slots have no room for them; where they are kept is the caller's (store/catalog.h
 * of those that were told, the configuration of the rest). Equal texts are there once. A column of
 * signatures (tags.h) stands apart, so that a million slots are looked through in milliseconds.
 * The columns are addresses only, until a service has something in them.
 *
 * All under the engine's lock.
 */
#ifndef KAIROS_LIVE_LABELS_H
#define KAIROS_LIVE_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tags.h"

#define DESCRIPTION_MAX 500 /* bytes */

/* All zero says nothing. */
struct label {
    struct tags tags;
    uint16_t length;
    char description[DESCRIPTION_MAX + 1]; /* UTF-8 without NULs, and a NUL behind it */
};

bool label_is_empty(const struct label *label);

bool label_equal(const struct label *a, const struct label *b);

/* Whether LENGTH bytes at TEXT can be a description. */
bool description_is_valid(const char *text, size_t length);

struct label_text;

/* All zero is good for labels_finish. */
struct labels {
    uint32_t capacity;
    uint32_t labelled; /* slots that have a label */
    uint64_t seed;     /* of the texts' hashes: nobody can choose texts that meet */
    /* By slot; NULL while no slot has a label. */
    uint64_t *signatures;
    struct label_text **tags;
    struct label_text **descriptions;
    struct label_shard *texts; /* all that are in use */
};

/* No labels yet, of slots below CAPACITY. */
void labels_init(struct labels *labels, uint32_t capacity);

void labels_finish(struct labels *labels);

/*
 * Gives SLOT a label in place of the one it has; an empty one is none. Returns false when memory
 * ran out: then nothing has changed.
 */
bool labels_set(struct labels *labels, uint32_t slot, const struct label *label);

/* SLOT is used for another service from now on. */
void labels_clear(struct labels *labels, uint32_t slot);

/* Whether SLOT has a label. */
bool labels_has(const struct labels *labels, uint32_t slot);

/* The label of SLOT, empty if it has none. */
void labels_get(const struct labels *labels, uint32_t slot, struct label *label);

/* Whether SLOT may have tags of that SIGNATURE: quick, and mostly right. */
bool labels_may_have_tags(const struct labels *labels, uint32_t slot, uint64_t signature);

/* Whether SLOT has all of the tags WANTED: that is read. */
bool labels_have_tags(const struct labels *labels, uint32_t slot, const struct tags *wanted);

#endif
