#include "labels.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "utf8.h"

/* The texts are found in so many tables, each of which grows by itself: none holds up others for
 * long. A power of two. */
#define SHARDS        256

#define ENTRIES_FIRST 16

/* A text that is in use: a set of tags, or a description. */
struct label_text {
    uint32_t uses;
    uint16_t length;
    char bytes[];
};

/* A hash table, linear probing, at most three quarters full. */
struct label_shard {
    struct label_text **entries; /* mask + 1; NULL while there are none */
    uint32_t mask;
    uint32_t used;
};

bool label_is_empty(const struct label *label)
{
    return label->tags.count == 0 && label->length == 0;
}

bool label_equal(const struct label *a, const struct label *b)
{
    return tags_equal(&a->tags, &b->tags) && a->length == b->length &&
           memcmp(a->description, b->description, a->length) == 0;
}

bool description_is_valid(const char *text, size_t length)
{
    if (length > DESCRIPTION_MAX || memchr(text, '\0', length) != NULL)
        return false;
    for (size_t at = 0, size; at < length; at += size) {
        size = utf8_length(text + at, length - at);
        if (size == 0)
            return false;
    }
    return true;
}

/* ---- Texts ---- */

static uint64_t hash_of(const struct labels *labels, const char *bytes, size_t length)
{
    return XXH3_64bits_withSeed(bytes, length, labels->seed);
}

static uint64_t hash_of_text(const struct labels *labels, const struct label_text *text)
{
    return hash_of(labels, text->bytes, text->length);
}

static struct label_shard *shard_of(struct labels *labels, uint64_t hash)
{
    return &labels->texts[hash % SHARDS];
}

static uint32_t home_of(const struct label_shard *shard, uint64_t hash)
{
    return (uint32_t)(hash / SHARDS) & shard->mask;
}

/* Where the text is, or would be. */
static uint32_t place_of(const struct label_shard *shard, uint64_t hash, const char *bytes,
                         size_t length)
{
    uint32_t i = home_of(shard, hash);
    for (; shard->entries[i] != NULL; i = (i + 1) & shard->mask) {
        const struct label_text *text = shard->entries[i];
        if (text->length == length && memcmp(text->bytes, bytes, length) == 0)
            break;
    }
    return i;
}

/* Makes room for one text more. */
static bool make_room(const struct labels *labels, struct label_shard *shard)
{
    struct label_shard larger = {.used = shard->used};
    if (shard->entries != NULL && ((uint64_t)shard->used + 1) * 4 <= (uint64_t)shard->mask * 3)
        return true;
    larger.mask = shard->entries == NULL ? ENTRIES_FIRST - 1 : shard->mask * 2 + 1;
    larger.entries = calloc((size_t)larger.mask + 1, sizeof(struct label_text *));
    if (larger.entries == NULL)
        return false;
    for (uint32_t i = 0; shard->entries != NULL && i <= shard->mask; i++) {
        struct label_text *text = shard->entries[i];
        if (text != NULL)
            larger
                .entries[place_of(&larger, hash_of_text(labels, text), text->bytes, text->length)] =
                text;
    }
    free(shard->entries);
    *shard = larger;
    return true;
}

/* One use more of a text that is not empty; NULL when memory ran out. */
static struct label_text *use_text(struct labels *labels, const char *bytes, size_t length)
{
    uint64_t hash = hash_of(labels, bytes, length);
    struct label_shard *shard = shard_of(labels, hash);
    if (!make_room(labels, shard))
        return NULL;
    uint32_t place = place_of(shard, hash, bytes, length);
    struct label_text *text = shard->entries[place];
    if (text != NULL) {
        text->uses++;
        return text;
    }
    text = malloc(sizeof(*text) + length);
    if (text == NULL)
        return NULL;
    *text = (struct label_text){.uses = 1, .length = (uint16_t)length};
    memcpy(text->bytes, bytes, length);
    shard->entries[place] = text;
    shard->used++;
    return text;
}

/* Frees entry I and closes the gap, so that no chain of probes is broken. */
static void close_gap(const struct labels *labels, struct label_shard *shard, uint32_t i)
{
    for (uint32_t j = (i + 1) & shard->mask; shard->entries[j] != NULL; j = (j + 1) & shard->mask) {
        uint32_t home = home_of(shard, hash_of_text(labels, shard->entries[j]));
        /* It may move back to I unless its home lies behind I. */
        if (((j - home) & shard->mask) >= ((j - i) & shard->mask)) {
            shard->entries[i] = shard->entries[j];
            i = j;
        }
    }
    shard->entries[i] = NULL;
    shard->used--;
}

/* One use less; accepts NULL. */
static void drop_text(struct labels *labels, struct label_text *text)
{
    if (text == NULL || --text->uses > 0)
        return;
    uint64_t hash = hash_of_text(labels, text);
    struct label_shard *shard = shard_of(labels, hash);
    close_gap(labels, shard, place_of(shard, hash, text->bytes, text->length));
    free(text);
}

/* ---- Columns ---- */

static void *reserve(uint32_t capacity, size_t size)
{
    void *column = mmap(NULL, capacity * size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return column == MAP_FAILED ? NULL : column;
}

static void release(void *column, uint32_t capacity, size_t size)
{
    if (column != NULL)
        munmap(column, capacity * size);
}

static void release_columns(struct labels *labels)
{
    release(labels->signatures, labels->capacity, sizeof(labels->signatures[0]));
    release(labels->tags, labels->capacity, sizeof(labels->tags[0]));
    release(labels->descriptions, labels->capacity, sizeof(labels->descriptions[0]));
    labels->signatures = NULL;
    labels->tags = labels->descriptions = NULL;
}

/* Makes what the first label needs. */
static bool begin(struct labels *labels)
{
    if (labels->texts == NULL)
        labels->texts = calloc(SHARDS, sizeof(labels->texts[0]));
    if (labels->texts == NULL)
        return false;
    if (labels->signatures != NULL)
        return true;
    labels->signatures = reserve(labels->capacity, sizeof(labels->signatures[0]));
    labels->tags = reserve(labels->capacity, sizeof(labels->tags[0]));
    labels->descriptions = reserve(labels->capacity, sizeof(labels->descriptions[0]));
    if (labels->signatures != NULL && labels->tags != NULL && labels->descriptions != NULL)
        return true;
    release_columns(labels);
    return false;
}

void labels_init(struct labels *labels, uint32_t capacity)
{
    *labels = (struct labels){.capacity = capacity, .seed = (uintptr_t)labels};
    /* Without random numbers it works all the same, as in the index of names. */
    (void)!getrandom(&labels->seed, sizeof(labels->seed), GRND_NONBLOCK);
}

void labels_finish(struct labels *labels)
{
    for (size_t s = 0; labels->texts != NULL && s < SHARDS; s++) {
        struct label_shard *shard = &labels->texts[s];
        for (uint32_t i = 0; shard->entries != NULL && i <= shard->mask; i++)
            free(shard->entries[i]);
        free(shard->entries);
    }
    free(labels->texts);
    release_columns(labels);
    *labels = (struct labels){0};
}

/* ---- Use ---- */

bool labels_has(const struct labels *labels, uint32_t slot)
{
    return labels->labelled > 0 &&
           (labels->tags[slot] != NULL || labels->descriptions[slot] != NULL);
}

void labels_clear(struct labels *labels, uint32_t slot)
{
    if (!labels_has(labels, slot))
        return;
    drop_text(labels, labels->tags[slot]);
    drop_text(labels, labels->descriptions[slot]);
    labels->tags[slot] = labels->descriptions[slot] = NULL;
    labels->signatures[slot] = 0;
    labels->labelled--;
}

bool labels_set(struct labels *labels, uint32_t slot, const struct label *label)
{
    struct label_text *tags = NULL, *description = NULL;
    if (label_is_empty(label)) {
        labels_clear(labels, slot);
        return true;
    }
    if (!begin(labels))
        return false;
    if (label->tags.length > 0)
        tags = use_text(labels, label->tags.text, label->tags.length);
    if (label->length > 0)
        description = use_text(labels, label->description, label->length);
    if ((label->tags.length > 0 && tags == NULL) || (label->length > 0 && description == NULL)) {
        drop_text(labels, tags);
        drop_text(labels, description);
        return false;
    }
    labels_clear(labels, slot);
    labels->tags[slot] = tags;
    labels->descriptions[slot] = description;
    labels->signatures[slot] = tags_signature(label->tags.text, label->tags.length);
    labels->labelled++;
    return true;
}

static uint16_t count_tags(const char *text, size_t length)
{
    uint16_t count = 0;
    size_t at = 0, tag_length;
    while (tags_next(text, length, &at, &tag_length) != NULL)
        count++;
    return count;
}

void labels_get(const struct labels *labels, uint32_t slot, struct label *label)
{
    label->tags.count = label->tags.length = label->length = 0;
    label->tags.text[0] = label->description[0] = '\0';
    if (!labels_has(labels, slot))
        return;
    const struct label_text *tags = labels->tags[slot], *description = labels->descriptions[slot];
    if (tags != NULL) {
        label->tags.count = count_tags(tags->bytes, tags->length);
        label->tags.length = tags->length;
        memcpy(label->tags.text, tags->bytes, tags->length);
        label->tags.text[tags->length] = '\0';
    }
    if (description != NULL) {
        label->length = description->length;
        memcpy(label->description, description->bytes, description->length);
        label->description[description->length] = '\0';
    }
}

bool labels_may_have_tags(const struct labels *labels, uint32_t slot, uint64_t signature)
{
    uint64_t present = labels->labelled == 0 ? 0 : labels->signatures[slot];
    return (present & signature) == signature;
}

bool labels_have_tags(const struct labels *labels, uint32_t slot, const struct tags *wanted)
{
    const struct label_text *tags = labels->labelled == 0 ? NULL : labels->tags[slot];
    return tags == NULL ? wanted->count == 0 : tags_include(tags->bytes, tags->length, wanted);
}
