/*
 * value.h - the types that a key's value may have: how each is read from a text, and what it may
 * be.
 *
 * Wherever a value is given, it is a text: in the file what stands behind the key (of a sequence
 * its items with commas between them), in the environment, on the command line.
 */
#ifndef KAIROS_CONFIG_VALUE_H
#define KAIROS_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "failure.h"

struct key;
struct settings;

/* A value that is being read. */
struct value {
    const struct key *key;
    const char *text;
    const char
        *shown; /* what messages call it: the text in quotes, or "the value" if it is secret */
    struct settings *settings;
    struct failure *failure;
};

/* Room for what a value may be. */
#define VALUE_BOUNDS_SIZE 128

struct value_type {
    const char *name; /* in documents */
    bool list;        /* may be a sequence in the file */
    /* Stores it at FIELD, or describes the failure: what is wrong, and what it may be. */
    bool (*read)(const struct value *value, void *field);
    /* What it may be, in a few words: "1s to 366d"; "" if that goes without saying. */
    void (*bounds)(const struct key *key, char bounds[VALUE_BOUNDS_SIZE]);
    /* Whether two values are the same; NULL to compare their bytes. */
    bool (*equal)(const void *a, const void *b);
};

extern const struct value_type value_text;     /* const char *; NULL is none */
extern const struct value_type value_path;     /* the same, of a file or directory */
extern const struct value_type value_number;   /* an unsigned integer of any size */
extern const struct value_type value_size;     /* the same, of bytes */
extern const struct value_type value_duration; /* int64_t, microseconds */
extern const struct value_type value_boolean;  /* bool */
extern const struct value_type value_mode;     /* mode_t, octal */
extern const struct value_type value_choice;   /* an enum */
extern const struct value_type value_networks; /* struct networks */
extern const struct value_type value_urls;     /* const char *, a list as url_list.h has it */

#endif
