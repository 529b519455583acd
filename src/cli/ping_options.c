#include "ping_options.h"

#include <argp.h>
#include <string.h>

#include "option_values.h"

enum option_key {
    OPTION_FAIL = 'f',
    OPTION_START = 's',
    OPTION_LOG = 'l',
    OPTION_EXIT_STATUS = 'e',
    OPTION_MESSAGE = 'm',
};

static const char doc[] =
    "Tell a server that a service is alive; or that it failed, or starts.\n"
    "\v"
    "What cannot be sent is kept with its own time, and sent by the next 'kairos ping' or 'kairos "
    "exec' to the same server.\n\n"
    "A DURATION is a whole number of seconds or carries a unit: 90s, 5m, 1h, 1d, 250ms.\n\n"
    "Exit status: 0 sent or kept, 1 neither, 2 wrong usage.\n\n"
    "Example: backup.sh && kairos ping backup";

static const struct argp_option entries[] = {
    {0, 0, 0, 0, "Server:", COURIER_ARGP_GROUP},

    {0, 0, 0, 0, "What is told, a success if nothing else:", 2},
    {"fail", OPTION_FAIL, 0, 0, "It failed", 0},
    {"start", OPTION_START, 0, 0, "It starts, and will tell how it ended", 0},
    {"log", OPTION_LOG, 0, 0, "A mere note, which changes nothing", 0},
    {"exit-status", OPTION_EXIT_STATUS, "N", 0,
     "It ended with this exit status, 0 to 255: 0 is success, others fail", 0},
    {"message", OPTION_MESSAGE, "TEXT", 0, "What there is to say, up to 10 kB", 0},

    {0, 0, 0, 0, "Help:", -1},
    {0},
};

static void set_kind(const struct argp_state *state, struct beat *beat, enum beat_kind kind)
{
    if (beat->kind != BEAT_SUCCESS && beat->kind != kind)
        wrong_usage(state, "--fail, --start, --log and --exit-status exclude one another");
    beat->kind = kind;
}

static void set_exit_status(const struct argp_state *state, struct beat *beat, const char *text)
{
    beat->exit_status = (unsigned)parse_number(state, "exit-status", text, 0, 255);
    set_kind(state, beat, beat->exit_status > 0 ? BEAT_FAIL : BEAT_SUCCESS);
}

static void set_message(const struct argp_state *state, struct beat *beat, const char *text)
{
    beat->output = text;
    beat->size = strlen(text);
    if (beat->size > BEAT_OUTPUT_MAX)
        wrong_usage(state, "--message: longer than %d bytes", BEAT_OUTPUT_MAX);
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct ping_options *options = state->input;
    struct beat *beat = &options->beat;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->courier;
        return 0;
    case OPTION_FAIL:
        set_kind(state, beat, BEAT_FAIL);
        return 0;
    case OPTION_START:
        set_kind(state, beat, BEAT_START);
        return 0;
    case OPTION_LOG:
        set_kind(state, beat, BEAT_LOG);
        return 0;
    case OPTION_EXIT_STATUS:
        set_exit_status(state, beat, argument);
        return 0;
    case OPTION_MESSAGE:
        set_message(state, beat, argument);
        return 0;
    case ARGP_KEY_ARG:
        if (beat->service[0] != '\0')
            wrong_usage(state, "unexpected argument '%s'; one service is named at a time",
                        argument);
        parse_service(state, argument, beat->service);
        return 0;
    case ARGP_KEY_END:
        if (beat->service[0] == '\0')
            wrong_usage(state, "no service; name the one that is alive");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void ping_options_parse(struct ping_options *options, int argc, char **argv)
{
    static const struct argp_child children[] = {COURIER_ARGP_CHILD, {0}};
    static const struct argp argp = {
        .options = entries,
        .parser = parse_option,
        .args_doc = "SERVICE",
        .doc = doc,
        .children = children,
    };
    *options = (struct ping_options){.courier = courier_options_default()};
    argp_parse(&argp, argc, argv, 0, NULL, options);
}
