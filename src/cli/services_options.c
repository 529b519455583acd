#include "services_options.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>

#include <kairos/timestamp.h>

#include "client_argp.h"
#include "option_values.h"

/* An import is answered in the end. */
#define IMPORT_TIMEOUT (10 * KAIROS_MINUTE)

enum option_key {
    OPTION_FORMAT = 'f',
    OPTION_OUTPUT = 'o',
};

static const struct argp_child export_children[] = {CLIENT_ARGP_CHILD, CRITERIA_ARGP_CHILD, {0}};
static const struct argp_child import_children[] = {CLIENT_ARGP_CHILD, {0}};

/* ---- Export ---- */

static const char export_doc[] =
    "Save a server's services, with their policies, tags and descriptions.\n"
    "\v"
    "Exit status: 0 done, 1 failed, 2 wrong usage.\n\n"
    "Example: kairos services export --output services.yaml";

static const struct argp_option export_entries[] = {
    {0, 0, 0, 0, "Server:", CLIENT_ARGP_GROUP},
    {0, 0, 0, 0, "Services:", CRITERIA_ARGP_GROUP},

    {0, 0, 0, 0, "Output:", 3},
    {"format", OPTION_FORMAT, "yaml|json", 0, "In which notation (default: yaml)", 0},
    {"output", OPTION_OUTPUT, "FILE", 0, "Write to FILE, whole or not at all", 0},

    {0, 0, 0, 0, "Help:", -1},
    {0},
};

static error_t parse_export(int key, char *argument, struct argp_state *state)
{
    struct services_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->client;
        state->child_inputs[1] = &options->criteria;
        return 0;
    case OPTION_FORMAT:
        if (strcmp(argument, "yaml") != 0 && strcmp(argument, "json") != 0)
            wrong_usage(state, "--format: '%s' is neither yaml nor json", argument);
        options->format = argument;
        return 0;
    case OPTION_OUTPUT:
        options->output = argument;
        return 0;
    case ARGP_KEY_ARG:
        wrong_usage(state, "unexpected argument '%s'; a file is named with --output", argument);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- Import ---- */

static const char import_doc[] =
    "Tell a server of services, as they were exported.\n"
    "\v"
    "FILE is YAML or JSON; - is standard input. Services that the server knows already are "
    "changed, "
    "others are declared; those that FILE does not name stay as they are.\n\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage.\n\n"
    "Example: kairos services import services.yaml";

static const struct argp_option import_entries[] = {
    {0, 0, 0, 0, "Server:", CLIENT_ARGP_GROUP},
    {0, 0, 0, 0, "Help:", -1},
    {0},
};

static error_t parse_import(int key, char *argument, struct argp_state *state)
{
    struct services_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->client;
        return 0;
    case ARGP_KEY_ARG:
        if (options->file != NULL)
            wrong_usage(state, "unexpected argument '%s'; one file is imported at a time",
                        argument);
        options->file = argument;
        return 0;
    case ARGP_KEY_END:
        if (options->file == NULL)
            wrong_usage(state, "no file to import; name it, or - for standard input");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- Which of them ---- */

static const char doc[] =
    "Save a server's services, or tell it of them.\n"
    "\v"
    "Actions:\n"
    "  export        save services, with their policies, tags and descriptions\n"
    "  import FILE   declare and change services as FILE says\n"
    "Each has a --help.";

static const struct {
    const char *name;
    struct argp argp;
} actions[] = {
    [SERVICES_EXPORT] = {"export",
                         {.options = export_entries,
                          .parser = parse_export,
                          .doc = export_doc,
                          .children = export_children}},
    [SERVICES_IMPORT] = {"import",
                         {.options = import_entries,
                          .parser = parse_import,
                          .args_doc = "FILE",
                          .doc = import_doc,
                          .children = import_children}},
};

#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

struct chosen {
    size_t action;
    int at; /* where it stands among the arguments */
};

/* The first argument is the action, and all behind it the action's own. */
static error_t parse_action(int key, char *argument, struct argp_state *state)
{
    struct chosen *chosen = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        while (chosen->action < ACTIONS && strcmp(argument, actions[chosen->action].name) != 0)
            chosen->action++;
        if (chosen->action == ACTIONS)
            wrong_usage(state, "unknown action '%s'; it is export or import", argument);
        chosen->at = state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS:
        wrong_usage(state, "no action; it is export or import");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void services_options_parse(struct services_options *options, int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse_action, .args_doc = "export|import [ARGUMENT...]", .doc = doc};
    struct chosen chosen = {0};
    char name[64];
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &chosen);
    *options =
        (struct services_options){.action = (enum services_action)chosen.action, .format = "yaml"};
    if (options->action == SERVICES_IMPORT)
        options->client.timeout = IMPORT_TIMEOUT;
    snprintf(name, sizeof(name), "%s %s", argv[0], actions[chosen.action].name);
    argv[chosen.at] = name;
    argp_parse(&actions[chosen.action].argp, argc - chosen.at, argv + chosen.at, 0, NULL, options);
}
