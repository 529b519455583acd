#include "courier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client_argp.h"
#include "option_values.h"
#include "spool.h"

enum option_key {
    OPTION_RETRY_FOR = 0x100,
    OPTION_SPOOL,
    OPTION_NO_SPOOL,
};

static const struct argp_option entries[] = {
    {"retry-for", OPTION_RETRY_FOR, "DURATION", 0,
     "How long to try again while the server cannot be reached (default: 10s)", COURIER_ARGP_GROUP},
    {"spool", OPTION_SPOOL, "DIR", 0,
     "Keep in DIR what could not be sent, for later (default: KAIROS_SPOOL, or kairos/spool in "
     "XDG_STATE_HOME or ~/.local/state)",
     COURIER_ARGP_GROUP},
    {"no-spool", OPTION_NO_SPOOL, 0, 0, "Keep nothing, and send nothing that was kept",
     COURIER_ARGP_GROUP},
    {0},
};

struct courier_options courier_options_default(void)
{
    return (struct courier_options){
        .client = {.retry_for = COURIER_RETRY_FOR, .timeout = COURIER_TIMEOUT}};
}

static void set_spool(const struct argp_state *state, struct courier_options *options,
                      const char *from, const char *path)
{
    if (*path == '\0')
        wrong_usage(state, "%s: the path is empty", from);
    if (strlen(path) >= sizeof(options->spool))
        wrong_usage(state, "%s: the path is too long", from);
    strcpy(options->spool, path);
}

static void finish(const struct argp_state *state, struct courier_options *options)
{
    const char *variable = getenv("KAIROS_SPOOL");
    if (options->no_spool)
        options->spool[0] = '\0';
    else if (options->spool[0] == '\0' && variable != NULL && *variable != '\0')
        set_spool(state, options, "KAIROS_SPOOL", variable);
    else if (options->spool[0] == '\0' && !spool_find(options->spool))
        options->spool[0] = '\0';
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct courier_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->client;
        return 0;
    case OPTION_RETRY_FOR:
        options->client.retry_for = parse_duration(state, "retry-for", argument);
        return 0;
    case OPTION_SPOOL:
        set_spool(state, options, "--spool", argument);
        return 0;
    case OPTION_NO_SPOOL:
        options->no_spool = true;
        return 0;
    case ARGP_KEY_END:
        finish(state, options);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {CLIENT_ARGP_CHILD, {0}};

const struct argp courier_argp = {.options = entries, .parser = parse_option, .children = children};
