#include "exec_options.h"

#include <argp.h>
#include <stdlib.h>

#include "child.h"
#include "option_values.h"

enum option_key {
    OPTION_NO_OUTPUT = 0x200,
};

static const char doc[] =
    "Run a command; tell a server that it starts, and how it ended.\n"
    "\v"
    "The command runs whatever becomes of the server. What cannot be sent is kept with its own "
    "time, "
    "and sent by the next 'kairos ping' or 'kairos exec' to the same server.\n\n"
    "A DURATION is a whole number of seconds or carries a unit: 90s, 5m, 1h, 1d, 250ms.\n\n"
    "Exit status: the command's, or death by the same signal; 125 for a failure of our own, 126 if "
    "the command cannot be run, 127 if there is none.\n\n"
    "Example: kairos exec backup -- backup.sh --full";

static const struct argp_option entries[] = {
    {0, 0, 0, 0, "Server:", COURIER_ARGP_GROUP},

    {0, 0, 0, 0, "Output:", 2},
    {"no-output", OPTION_NO_OUTPUT, 0, 0,
     "Hand standard output and error over to the command, and send nothing of what it writes "
     "(otherwise the last 10 kB)",
     0},

    {0, 0, 0, 0, "Help:", -1},
    {0},
};

/* Behind the service stands the command, with all that follows. */
static void take_argument(struct argp_state *state, struct exec_options *options, char *argument)
{
    if (options->service[0] == '\0') {
        parse_service(state, argument, options->service);
        return;
    }
    options->command = state->argv + state->next - 1;
    state->next = state->argc;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct exec_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->courier;
        return 0;
    case OPTION_NO_OUTPUT:
        options->no_output = true;
        return 0;
    case ARGP_KEY_ARG:
        take_argument(state, options, argument);
        return 0;
    case ARGP_KEY_END:
        if (options->service[0] == '\0')
            wrong_usage(state, "no service; name the one that the command is");
        if (options->command == NULL)
            wrong_usage(state, "no command; write it behind --");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/*
 * Looks at what the environment says before the options do, which would be strict with it. URL
 * takes its place then.
 */
static void check_environment(struct exec_options *options, const char *url)
{
    const char *text = getenv("KAIROS_URL");
    const char *wrong = text != NULL && *text != '\0' ? client_check_url(text) : NULL;
    if (wrong == NULL)
        return;
    options->courier.client.url = url;
    failure_set(&options->no_server_why, "KAIROS_URL: '%s' %s; nothing is sent", text, wrong);
}

void exec_options_parse(struct exec_options *options, int argc, char **argv)
{
    static const char no_url[] = CLIENT_URL_DEFAULT;
    static const struct argp_child children[] = {COURIER_ARGP_CHILD, {0}};
    static const struct argp argp = {
        .options = entries,
        .parser = parse_option,
        .args_doc = "SERVICE -- COMMAND [ARGUMENT...]",
        .doc = doc,
        .children = children,
    };
    *options = (struct exec_options){.courier = courier_options_default()};
    argp_err_exit_status = CHILD_EXIT_FAILED;
    check_environment(options, no_url);
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, options);
    options->no_server = options->courier.client.url == no_url;
}
