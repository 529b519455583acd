/*
 * settings.h - how a server is to run: the values of all keys, wherever they were given.
 *
 *     settings = settings_load(&sources, &problems);
 *     if (settings == NULL)
 *         problems_print(&problems);
 *
 * A key (key.h) has its default unless the configuration file says otherwise, then the environment,
 * then the command line: the later is the stronger. Loading is all or nothing, finds every problem
 * and not just the first, and changes nothing else; so a server that runs loads once more to see
 * whether it may take over what has changed.
 */
#ifndef KAIROS_CONFIG_SETTINGS_H
#define KAIROS_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "declaration.h"
#include "engine.h"
#include "log.h"
#include "problems.h"
#include "server.h"

/* As many keys as there may be. */
#define KEYS_MAX 64

struct key;

/* Where a value was given. */
enum origin_kind {
    ORIGIN_DEFAULT,
    ORIGIN_FILE,
    ORIGIN_ENVIRONMENT,      /* KAIROS_PORT */
    ORIGIN_ENVIRONMENT_FILE, /* KAIROS_PORT_FILE, whose text is not shown to anybody */
    ORIGIN_OPTION,
};

struct origin {
    enum origin_kind kind;
    uint64_t line; /* in the file */
};

struct settings {
    const char *host; /* as given: a name or an address; `server` has what it means */
    uint16_t port;
    struct server_options server;
    struct engine_options engine; /* without its listener */
    uint64_t monitor_body_max;    /* bytes of a log that is sent: MONITOR_BODY_MIN to _MAX */
    unsigned monitor_threads;     /* for what takes long: 1 to JOB_THREADS_MAX */
    const char *data_dir;
    bool insecure; /* others than this machine may connect, and nobody is asked who he is */
    struct log_options log;
    const char *self_heartbeat; /* a list of addresses (url_list.h); NULL for none */
    int64_t self_heartbeat_interval;
    struct declarations declarations; /* services */

    const char *file;                /* the configuration's, NULL for none */
    struct origin origins[KEYS_MAX]; /* by index of the key */
    struct kept_text *texts;         /* what the values point to */
};

/* Where values may be given. */
struct settings_sources {
    const char *file;              /* the path of the configuration; NULL for none */
    bool environment;              /* whether the environment counts */
    const char *options[KEYS_MAX]; /* by index of the key, what the command line says; or NULL */
};

/*
 * Returns the settings, for settings_destroy; or NULL, with at least one of PROBLEMS. The file is
 * read, and the files that the environment names; the address is looked up; nothing else is
 * touched.
 */
struct settings *settings_load(const struct settings_sources *sources, struct problems *problems);

/* With all texts that are part of it; accepts NULL. */
void settings_destroy(struct settings *settings);

/* Whether TEXT can be the value of KEY; or describes why not. */
bool settings_may_be(const struct key *key, const char *text, struct failure *failure);

/*
 * Fills CHANGED, of KEYS_MAX, with those whose values are not the same in A and B; whether a reload
 * applies them stands in each. Returns how many these are. Declarations are the caller's to compare
 * (declarations_equal).
 */
size_t settings_changes(const struct settings *a, const struct settings *b,
                        const struct key **changed);

/* ---- For those who read a source ---- */

/*
 * Gives KEY the value TEXT, which was given at ORIGIN, unless a stronger origin gave one. What is
 * wrong with it becomes one of PROBLEMS.
 */
void settings_set(struct settings *settings, const struct key *key, const char *text,
                  struct origin origin, struct problems *problems);

/* Adds a problem with the value of KEY, naming where that was given. */
void settings_blame(const struct settings *settings, const struct key *key,
                    struct problems *problems, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A copy of TEXT that lives as long as the settings. NULL when memory ran out. */
const char *settings_keep(struct settings *settings, const char *text);

#endif
