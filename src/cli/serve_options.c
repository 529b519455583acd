#include "serve_options.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "environment.h"
#include "key.h"
#include "option_values.h"

/* Keys without a short form have numbers from here on, in the order of the table. */
#define OPTION_KEYS   0x100
#define OPTION_CONFIG 'c'

static const char doc[] =
    "Watch services live: receive their heartbeats over HTTP, and raise an alert when one goes "
    "silent.\n"
    "\v"
    "A DURATION is a whole number of seconds or carries a unit: 90s, 5m, 1h, 1d, 1500ms.\n\n"
    "Each option is a key of the configuration, too: --max-services is max_services in the file, "
    "and "
    "KAIROS_MAX_SERVICES in the environment, or KAIROS_MAX_SERVICES_FILE the file that has its "
    "value. The environment is stronger than the file, and the command line than both. See kairos "
    "check-config --print-sample.\n\n"
    "A service sends a heartbeat with any request to /ping/NAME. SIGTERM ends the program: what is "
    "under way is answered first.\n\n"
    "Exit status: 0 ended as told, 1 failed, 2 wrong usage.\n\n"
    "Example: kairos serve --interval 60 --allowed-misses 3, and: curl "
    "http://127.0.0.1:8000/ping/backup";

/* Room for what --help says of a key. */
#define HELP_SIZE 512

/* What argp is told; it refers to this while it parses. */
struct table {
    /* --config, a head for each group, the keys, the head of --help, the end. */
    struct argp_option entries[KEYS_MAX + GROUP_COUNT + 4];
    size_t count;
    char heads[GROUP_COUNT][32];
    char names[KEYS_MAX][KEY_GUISE_SIZE];
    char helps[KEYS_MAX][HELP_SIZE];
};

/* ---- The options that there are ---- */

static int option_of(const struct key *key)
{
    return key->letter != 0 ? key->letter : OPTION_KEYS + (int)key_index(key);
}

static const struct key *key_of(int option)
{
    for (size_t i = 0; i < key_count; i++) {
        if (option_of(&keys[i]) == option)
            return &keys[i];
    }
    return NULL;
}

/* What the option does, what its value may be, and what it is without: "… (1 to 256; default: 3)".
 */
static void write_help(const struct key *key, char help[HELP_SIZE])
{
    char bounds[VALUE_BOUNDS_SIZE];
    key->type->bounds(key, bounds);
    if (key->argument != NULL && strchr(key->argument, '|') != NULL)
        bounds[0] = '\0'; /* it says so itself */
    if (key->flag)
        snprintf(help, HELP_SIZE, "%s", key->help);
    else
        snprintf(help, HELP_SIZE, "%s (%s%sdefault: %s)", key->help, bounds,
                 bounds[0] != '\0' ? "; " : "",
                 key->fallback != NULL ? key->fallback : key->otherwise);
}

static void add(struct table *table, struct argp_option entry)
{
    table->entries[table->count++] = entry;
}

static void add_key(struct table *table, const struct key *key)
{
    char *name = table->names[key_index(key)], *help = table->helps[key_index(key)];
    key_option(key, name);
    write_help(key, help);
    add(table, (struct argp_option){.name = name,
                                    .key = option_of(key),
                                    .arg = key->flag ? NULL : key->argument,
                                    .doc = help});
}

static void add_group(struct table *table, enum key_group group)
{
    char *head = table->heads[group];
    snprintf(head, sizeof(table->heads[group]), "%s:", key_group_name(group));
    add(table, (struct argp_option){.doc = head, .group = (int)group + 2});
    for (size_t i = 0; i < key_count; i++) {
        if (keys[i].group == group)
            add_key(table, &keys[i]);
    }
}

static void build(struct table *table)
{
    table->count = 0;
    add(table,
        (struct argp_option){
            .name = "config",
            .key = OPTION_CONFIG,
            .arg = "FILE",
            .doc = "Read the configuration FILE (default: $" ENVIRONMENT_CONFIG ", else none)",
            .group = 1,
        });
    for (enum key_group group = 0; group < GROUP_COUNT; group++)
        add_group(table, group);
    add(table, (struct argp_option){.doc = "Help:", .group = -1});
    add(table, (struct argp_option){0});
}

/* ---- What was given ---- */

/* Takes the text of the option that is KEY, if it can be its value. */
static void take(struct settings_sources *sources, const struct key *key, const char *text,
                 const struct argp_state *state)
{
    struct failure failure;
    char name[KEY_GUISE_SIZE];
    key_option(key, name);
    if (!settings_may_be(key, text, &failure))
        wrong_usage(state, "--%s: %s", name, failure.text);
    sources->options[key_index(key)] = text;
}

static error_t parse_option(int option, char *argument, struct argp_state *state)
{
    struct settings_sources *sources = state->input;
    const struct key *key = key_of(option);
    if (key != NULL) {
        take(sources, key, key->flag ? "on" : argument, state);
        return 0;
    }
    switch (option) {
    case OPTION_CONFIG:
        sources->file = argument;
        return 0;
    case ARGP_KEY_ARG:
        wrong_usage(state, "unexpected argument '%s'", argument);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void serve_options_parse(struct settings_sources *sources, int argc, char **argv)
{
    struct table table;
    const char *file = getenv(ENVIRONMENT_CONFIG);
    build(&table);
    const struct argp argp = {.options = table.entries, .parser = parse_option, .doc = doc};
    *sources = (struct settings_sources){.environment = true};
    if (file != NULL && file[0] != '\0')
        sources->file = file;
    argp_parse(&argp, argc, argv, 0, NULL, sources);
}

void serve_options_hint(char *name)
{
    static const struct argp argp = {.doc = doc};
    argp_help(&argp, stderr, ARGP_HELP_SEE, name);
}
