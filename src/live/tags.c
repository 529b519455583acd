#include "tags.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Bits of a signature that a tag sets: with twenty tags every other is free still. */
#define BITS_EACH 2

const char *tags_next(const char *text, size_t length, size_t *at, size_t *tag_length)
{
    if (*at >= length)
        return NULL;
    const char *tag = text + *at;
    const char *end = memchr(tag, ',', length - *at);
    *tag_length = end == NULL ? length - *at : (size_t)(end - tag);
    *at += *tag_length + 1;
    return tag;
}

/* Lower-cases TEXT into TAG; returns whether it is one. */
static bool read_tag(const char *text, size_t length, char tag[TAG_MAX])
{
    if (length == 0 || length > TAG_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        tag[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        bool known = (tag[i] >= 'a' && tag[i] <= 'z') || (c >= '0' && c <= '9') ||
                     (c != '\0' && strchr("_-.:", c) != NULL);
        if (!known)
            return false;
    }
    return true;
}

static int compare(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

/* Puts TAG in front of what begins at PLACE, which may be the end. */
static void insert(struct tags *tags, size_t place, const char *tag, size_t length)
{
    char *at = tags->text + place;
    bool last = place > tags->length || tags->length == 0; /* behind the last one's comma to be */
    if (last) {
        if (tags->length > 0)
            tags->text[tags->length] = ',';
        memcpy(at, tag, length);
    } else {
        memmove(at + length + 1, at, tags->length - place);
        memcpy(at, tag, length);
        at[length] = ',';
    }
    tags->length = (uint16_t)(tags->length + length + (tags->count > 0));
    tags->text[tags->length] = '\0';
    tags->count++;
}

enum tags_result tags_add(struct tags *tags, const char *text, size_t length)
{
    char tag[TAG_MAX];
    const char *other;
    size_t at = 0, place = 0, other_length;
    if (!read_tag(text, length, tag))
        return TAGS_INVALID;
    while ((other = tags_next(tags->text, tags->length, &at, &other_length)) != NULL) {
        int order = compare(tag, length, other, other_length);
        if (order == 0)
            return TAGS_OK;
        if (order < 0)
            break;
        place = at;
    }
    if (tags->count == TAGS_MAX)
        return TAGS_TOO_MANY;
    insert(tags, place, tag, length);
    return TAGS_OK;
}

enum tags_result tags_add_all(struct tags *tags, const char *text, size_t length)
{
    for (size_t at = 0; length > 0 && at <= length;) {
        const char *end = memchr(text + at, ',', length - at);
        size_t tag_length = end == NULL ? length - at : (size_t)(end - text) - at;
        enum tags_result result = tags_add(tags, text + at, tag_length);
        if (result != TAGS_OK)
            return result;
        at += tag_length + 1;
    }
    return TAGS_OK;
}

bool tags_equal(const struct tags *a, const struct tags *b)
{
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

bool tags_include(const char *text, size_t length, const struct tags *wanted)
{
    const char *tag = NULL, *want;
    size_t at = 0, tag_length = 0, want_at = 0, want_length;
    /* Both are sorted: one walk through each. */
    while ((want = tags_next(wanted->text, wanted->length, &want_at, &want_length)) != NULL) {
        int order = 1;
        while (order > 0 && (tag = tags_next(text, length, &at, &tag_length)) != NULL)
            order = compare(want, want_length, tag, tag_length);
        if (tag == NULL || order != 0)
            return false;
    }
    return true;
}

uint64_t tags_signature(const char *text, size_t length)
{
    uint64_t signature = 0;
    const char *tag;
    size_t at = 0, tag_length;
    while ((tag = tags_next(text, length, &at, &tag_length)) != NULL) {
        uint64_t hash = XXH3_64bits(tag, tag_length);
        for (int bit = 0; bit < BITS_EACH; bit++, hash >>= 6)
            signature |= UINT64_C(1) << (hash & 63);
    }
    return signature;
}
