/*
 * tags.h - what services are grouped by: a set of tags, as one text.
 *
 *   env:prod,team-mail,v1.2
 *
 * A tag has 1 to 50 characters of `a-z 0-9 _ - . :`; letters are lower-cased. A set has up to 20,
 * sorted and without doubles, so that equal sets are equal texts.
 *
 * A signature is what a set can be looked for by quickly: whoever has all of some tags has all
 * bits of their signature.
 */
#ifndef KAIROS_LIVE_TAGS_H
#define KAIROS_LIVE_TAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAG_MAX       50
#define TAGS_MAX      20
#define TAGS_TEXT_MAX (TAGS_MAX * (TAG_MAX + 1) - 1)

/* All zero is the empty set. */
struct tags {
    uint16_t count;
    uint16_t length;
    char text[TAGS_TEXT_MAX + 1]; /* with commas between them, and a NUL behind the last */
};

enum tags_result {
    TAGS_OK,
    TAGS_INVALID,  /* it is no tag */
    TAGS_TOO_MANY, /* there are TAGS_MAX already */
};

/* Adds the LENGTH bytes at TEXT; one that is there already changes nothing. */
enum tags_result tags_add(struct tags *tags, const char *text, size_t length);

/* Adds all of a text with commas between them; an empty text is none. Stops at what is wrong. */
enum tags_result tags_add_all(struct tags *tags, const char *text, size_t length);

bool tags_equal(const struct tags *a, const struct tags *b);

/* Whether all of WANTED are among the tags in the LENGTH characters at TEXT, a set. */
bool tags_include(const char *text, size_t length, const struct tags *wanted);

/* The signature of the set in the LENGTH characters at TEXT; that of no tags is 0. */
uint64_t tags_signature(const char *text, size_t length);

/*
 * The tag that begins *AT characters into the set (0 at first); moves *AT on, and gives its length.
 * NULL when there is no further one.
 */
const char *tags_next(const char *text, size_t length, size_t *at, size_t *tag_length);

#endif
