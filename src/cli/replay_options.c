#include "replay_options.h"

#include <argp.h>

#include <kairos/timestamp.h>

#include "client_argp.h"
#include "option_values.h"

#define SPEED_MIN 0.001
#define SPEED_MAX 1e6

enum option_key {
    OPTION_SPEED = 's',
    OPTION_RETRY_FOR = 0x100, /* no short form from here on */
    OPTION_LOG_LEVEL,
    OPTION_LOG_FILE,
    OPTION_LOG_FORMAT,
};

static const char doc[] =
    "Send the heartbeats of a log to a server, in the log's own rhythm.\n"
    "\v"
    "FILE is a log as 'kairos' analyses it; - is standard input. Heartbeats are sent in order of "
    "time and without their timestamps: the server takes the moment of arrival.\n\n"
    "At N times the speed, the intervals and tolerances of the server's policies are to be divided "
    "by N.\n\n"
    "A DURATION is a whole number of seconds or carries a unit: 90s, 5m, 1h, 1d, 250ms.\n\n"
    "Exit status: 0 done, 1 failed or interrupted, 2 wrong usage.\n\n"
    "Example: kairos replay events.json --speed 60";

static const struct argp_option entries[] = {
    {0, 0, 0, 0, "Server:", 1},
    {"retry-for", OPTION_RETRY_FOR, "DURATION", 0,
     "How long to try again while the server cannot take a request (default: 1m)", 0},

    {0, 0, 0, 0, "Rhythm:", 2},
    {"speed", OPTION_SPEED, "N", 0, "How many times as fast, 0.001 to 1000000 (default: 1)", 0},

    {0, 0, 0, 0, "Log:", 3},
    {"log-level", OPTION_LOG_LEVEL, "LEVEL", 0, "DEBUG, INFO, WARNING or ERROR (default: INFO)", 0},
    {"log-file", OPTION_LOG_FILE, "FILE", 0, "Append the log lines to FILE, not to stderr", 0},
    {"log-format", OPTION_LOG_FORMAT, "text|json", 0,
     "How a line of the log looks; json makes an object of each (default: text)", 0},

    {0, 0, 0, 0, "Help:", -1},
    {0},
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct replay_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->client;
        return 0;
    case OPTION_SPEED:
        options->speed = parse_decimal(state, "speed", argument, SPEED_MIN, SPEED_MAX);
        return 0;
    case OPTION_RETRY_FOR:
        options->client.retry_for = parse_duration(state, "retry-for", argument);
        return 0;
    case OPTION_LOG_LEVEL:
        options->log.level = parse_log_level(state, "log-level", argument);
        return 0;
    case OPTION_LOG_FILE:
        options->log.file = argument;
        return 0;
    case OPTION_LOG_FORMAT:
        options->log.format = parse_log_format(state, "log-format", argument);
        return 0;
    case ARGP_KEY_ARG:
        if (options->file != NULL)
            wrong_usage(state, "unexpected argument '%s'; one log is replayed at a time", argument);
        options->file = argument;
        return 0;
    case ARGP_KEY_END:
        if (options->file == NULL)
            wrong_usage(state, "no log to replay; name it, or - for standard input");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void replay_options_parse(struct replay_options *options, int argc, char **argv)
{
    static const struct argp_child children[] = {CLIENT_ARGP_CHILD, {0}};
    static const struct argp argp = {
        .options = entries,
        .parser = parse_option,
        .args_doc = "FILE",
        .doc = doc,
        .children = children,
    };
    *options = (struct replay_options){
        .log = {.level = LOG_INFO},
        .speed = 1,
        .client = {.retry_for = 60 * KAIROS_SECOND, .timeout = 30 * KAIROS_SECOND},
    };
    argp_parse(&argp, argc, argv, 0, NULL, options);
}
