#include "check_config.h"

#include <argp.h>
#include <stdio.h>

#include "describe.h"
#include "option_values.h"
#include "settings.h"
#include "settings_whole.h"
#include "status.h"

enum option_key {
    OPTION_SAMPLE = 0x100, /* no short form */
    OPTION_REFERENCE,
    OPTION_MANUAL,
};

static const char doc[] =
    "Say what is wrong with the configuration FILE of kairos serve, each problem with its line, "
    "its "
    "key and the mend.\n"
    "\v"
    "The file is looked at alone: neither the environment nor an option makes up for it. The "
    "addresses and paths that it names have to be of use on this machine.\n\n"
    "Exit status: 0 all is well, 1 there are problems, 2 wrong usage.\n\n"
    "Example: kairos check-config /etc/kairos/kairos.yaml";

static const struct argp_option entries[] = {
    {"print-sample", OPTION_SAMPLE, 0, 0,
     "Print a configuration with all keys and their defaults, commented out", 0},
    {"print-reference", OPTION_REFERENCE, 0, OPTION_HIDDEN, "Print the keys for the documents", 0},
    {"print-manual", OPTION_MANUAL, 0, OPTION_HIDDEN, "Print them for the manual page", 0},
    {0},
};

struct options {
    void (*print)(FILE *stream); /* what to print instead; or NULL */
    const char *file;
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case OPTION_SAMPLE:
        options->print = describe_sample;
        return 0;
    case OPTION_REFERENCE:
        options->print = describe_reference;
        return 0;
    case OPTION_MANUAL:
        options->print = describe_manual;
        return 0;
    case ARGP_KEY_ARG:
        if (options->file != NULL)
            wrong_usage(state, "unexpected argument '%s'; one FILE is checked at a time", argument);
        options->file = argument;
        return 0;
    case ARGP_KEY_END:
        if (options->file == NULL && options->print == NULL)
            wrong_usage(state, "a FILE is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Prints what is wrong, or that nothing is. */
static int check(const char *file)
{
    struct problems problems = {0};
    const struct settings_sources sources = {.file = file};
    struct settings *settings = settings_load(&sources, &problems);
    if (settings != NULL)
        settings_check_paths(settings, &problems);
    bool well = !problems_exist(&problems);
    if (well)
        printf("%s: all is well; services: %zu\n", file, settings->declarations.count);
    else
        problems_print(&problems, stdout, "");
    settings_destroy(settings);
    problems_finish(&problems);
    return well ? STATUS_DONE : STATUS_FAILED;
}

int check_config_command(int argc, char **argv)
{
    static const struct argp argp = {
        .options = entries, .parser = parse_option, .args_doc = "FILE", .doc = doc};
    struct options options = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    if (options.print == NULL)
        return check(options.file);
    options.print(stdout);
    return STATUS_DONE;
}
