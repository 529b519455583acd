/*
 * key.h - the one table of all keys of the configuration.
 *
 * A key has one name in three guises: `max_services` in the file, KAIROS_MAX_SERVICES in the
 * environment, --max-services on the command line. From its row in keys.c are made: how a value is
 * read from each of them, what `kairos serve --help` says, the sample configuration, the reference
 * page and the manual page. To add a key, add a row, and the member of struct settings that it
 * fills.
 */
#ifndef KAIROS_CONFIG_KEY_H
#define KAIROS_CONFIG_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "value.h"

enum key_group {
    GROUP_SERVER,
    GROUP_LIMITS,
    GROUP_SERVICES,
    GROUP_LOG,
    GROUP_WATCHING,
    GROUP_COUNT,
};

/* What must be so for a path to be of use; it is looked at by check-config alone. */
enum key_path {
    PATH_ANY,
    PATH_READ,  /* a file that can be read */
    PATH_WRITE, /* the directory that it is in exists */
};

struct key {
    const char *name;
    char letter; /* the short form of the option; 0 for none */
    enum key_group group;
    const struct value_type *type;

    size_t offset; /* of the member of struct settings */
    size_t size;

    int64_t min, max;           /* of numbers and durations; of texts, bytes */
    const char *const *choices; /* of a choice: the names of 0, 1, …, then NULL */
    const char *none;           /* a word that stands for 0, such as "never"; or NULL */
    enum key_path path;

    const char *fallback;  /* the default, as one would write it; NULL for what `otherwise` says */
    const char *otherwise; /* the default in words */

    bool flag;   /* the option takes no value, and means on */
    bool secret; /* the value is shown to nobody */
    bool reload; /* SIGHUP applies a new value; else a restart does */

    const char *example;  /* a value for the sample, where there is no fallback */
    const char *argument; /* what the value is called: "N" */
    const char *help;     /* one sentence without its full stop */
    const char *more;     /* further sentences, for those who read the reference; or NULL */
};

extern const struct key keys[];
extern const size_t key_count; /* KEYS_MAX at most */

/* What a group is called: "Server". */
const char *key_group_name(enum key_group group);

/* The key called NAME, or NULL. */
const struct key *key_find(const char *name);

/* The name of the key that NAME was probably meant to be, or NULL. */
const char *key_nearest(const char *name);

/* Its place in the table. */
size_t key_index(const struct key *key);

/* Room for what a key is called in another guise, and a suffix. */
#define KEY_GUISE_SIZE 64

/* KAIROS_MAX_SERVICES */
void key_environment(const struct key *key, char name[KEY_GUISE_SIZE]);

/* max-services */
void key_option(const struct key *key, char name[KEY_GUISE_SIZE]);

#endif
