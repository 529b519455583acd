#include "overview_options.h"

#include <argp.h>
#include <string.h>

#include <kairos/timestamp.h>

#include "client_argp.h"
#include "option_values.h"

enum option_key {
    OPTION_SORT = 'o',
    OPTION_JSON = 'j',
    OPTION_FAIL_ON_DOWN = 0x200,
    OPTION_READY,
};

static const char doc[] = "Print a table of a server's services.\n"
                          "\v"
                          "LAST SEEN and DEADLINE are by this machine's clock. Colours are for "
                          "terminals, unless NO_COLOR is "
                          "set.\n\n"
                          "Exit status: 0 done, 1 failed, 2 wrong usage; with --fail-on-down, 3 "
                          "when one of them is down.\n\n"
                          "Example: kairos status --status down,late";

static const struct argp_option entries[] = {
    {0, 0, 0, 0, "Server:", CLIENT_ARGP_GROUP},
    {0, 0, 0, 0, "Services:", CRITERIA_ARGP_GROUP},

    {0, 0, 0, 0, "Output:", 3},
    {"sort", OPTION_SORT, "ORDER", 0,
     "name or last_seen, with a - in front the other way round (default: the server's own order)",
     0},
    {"json", OPTION_JSON, 0, 0, "Print the services as JSON, with all that is known of them", 0},
    {"fail-on-down", OPTION_FAIL_ON_DOWN, 0, 0, "Exit with 3 when a service is down", 0},
    {"ready", OPTION_READY, 0, 0,
     "Print no table, but whether the server is ready; exit with 1 if it is not", 0},

    {0, 0, 0, 0, "Help:", -1},
    {0},
};

static const char *parse_sort(const struct argp_state *state, const char *text)
{
    const char *order = text + (*text == '-');
    if (strcmp(order, "name") != 0 && strcmp(order, "last_seen") != 0)
        wrong_usage(state, "--sort: '%s' is none of name, -name, last_seen, -last_seen", text);
    return text;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct overview_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->client;
        state->child_inputs[1] = &options->criteria;
        return 0;
    case OPTION_SORT:
        options->sort = parse_sort(state, argument);
        return 0;
    case OPTION_JSON:
        options->json = true;
        return 0;
    case OPTION_READY:
        options->ready = true;
        return 0;
    case OPTION_FAIL_ON_DOWN:
        options->fail_on_down = true;
        return 0;
    case ARGP_KEY_ARG:
        wrong_usage(state, "unexpected argument '%s'; services are chosen by --search", argument);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void overview_options_parse(struct overview_options *options, int argc, char **argv)
{
    static const struct argp_child children[] = {CLIENT_ARGP_CHILD, CRITERIA_ARGP_CHILD, {0}};
    static const struct argp argp = {
        .options = entries, .parser = parse_option, .doc = doc, .children = children};
    *options = (struct overview_options){.client = {.timeout = 30 * KAIROS_SECOND}};
    argp_parse(&argp, argc, argv, 0, NULL, options);
}
