#include "analyse_options.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <kairos/timestamp.h>

#include "commands.h"
#include "cores.h"
#include "option_values.h"
#include "scan.h"

#define FILE_DEFAULT       "data/events.json"
#define MAX_ALERTS_DEFAULT 1000000
#define MAX_ALERTS_MAX     UINT64_C(1000000000000)

enum option_key {
    OPTION_FILE = 'f',
    OPTION_INTERVAL = 'i',
    OPTION_ALLOWED_MISSES = 'm',
    OPTION_TOLERANCE = 't',
    OPTION_OUTPUT = 'o',
    OPTION_JSON = 'j',
    OPTION_QUIET = 'q',
    OPTION_UNTIL = 0x100, /* no short form from here on */
    OPTION_FAIL_ON_ALERT,
    OPTION_MAX_ALERTS,
    OPTION_THREADS,
    OPTION_LOG_LEVEL,
    OPTION_LOG_FILE,
    OPTION_LOG_FORMAT,
};

static const char doc[] =
    "Find the silent services in a log of heartbeats.\n"
    "\v"
    "The log is a JSON array of {\"service\": …, \"timestamp\": …}, or one such object a line; "
    "plain, gzip or zstd, recognised by content.\n\n"
    "A DURATION is a whole number of seconds or carries a unit: 90s, 5m, 1h, 1d, 250ms.\n\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage; with --fail-on-alert, 3 when there were "
    "alerts.\n\n"
    "Example: kairos --file events.json --interval 60 --allowed-misses 3";

static const struct argp_option entries[] = {
    {0, 0, 0, 0, "Input:", 1},
    {"file", OPTION_FILE, "FILE", 0, "The log; - is standard input (default: " FILE_DEFAULT ")", 0},
    {"until", OPTION_UNTIL, "TIME", 0,
     "Count the silence after the last heartbeats up to TIME, a timestamp or 'now'", 0},
    {"threads", OPTION_THREADS, "N", 0, "Threads that read a plain file (default: all cores)", 0},

    {0, 0, 0, 0, "Policy:", 2},
    {"interval", OPTION_INTERVAL, "DURATION", 0,
     "Expected time between heartbeats, 1ms to 366d (default: 60)", 0},
    {"allowed-misses", OPTION_ALLOWED_MISSES, "N", 0,
     "Raise an alert at every N-th consecutive miss, 1 to 1000000 (default: 3)", 0},
    {"tolerance", OPTION_TOLERANCE, "DURATION", 0,
     "How late a heartbeat may come, 0 to 366d (default: 0)", 0},

    {0, 0, 0, 0, "Output:", 3},
    {"json", OPTION_JSON, 0, 0, "Print the alerts as JSON instead of the summary", 0},
    {"output", OPTION_OUTPUT, "FILE", 0, "Save the full alerts as JSON, whole or not at all", 0},
    {"quiet", OPTION_QUIET, 0, 0, "Print no summary", 0},
    {"fail-on-alert", OPTION_FAIL_ON_ALERT, 0, 0, "Exit with 3 when there are alerts", 0},
    {"max-alerts", OPTION_MAX_ALERTS, "N", 0, "More alerts are an error (default: 1000000)", 0},

    {0, 0, 0, 0, "Log:", 4},
    {"log-level", OPTION_LOG_LEVEL, "LEVEL", 0, "DEBUG, INFO, WARNING or ERROR (default: INFO)", 0},
    {"log-file", OPTION_LOG_FILE, "FILE", 0, "Append the log lines to FILE, not to stderr", 0},
    {"log-format", OPTION_LOG_FORMAT, "text|json", 0,
     "How a line of the log looks; json makes an object of each (default: text)", 0},

    {0, 0, 0, 0, "Help:", -1},
    {0},
};

/* Adds the list of commands to what --help says in the end. */
static char *add_commands(int key, const char *text, void *input)
{
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC || text == NULL)
        return (char *)text;
    char *list = commands_help(), *added = NULL;
    if (list == NULL || asprintf(&added, "%s\n\n%s", text, list) < 0)
        added = NULL;
    free(list);
    return added != NULL ? added : (char *)text;
}

static int64_t parse_until(const struct argp_state *state, const char *text)
{
    int64_t time = 0;
    if (strcmp(text, "now") == 0) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        return (int64_t)now.tv_sec * KAIROS_SECOND + now.tv_nsec / 1000;
    }
    if (!kairos_timestamp_parse(text, strlen(text), &time) &&
        !kairos_timestamp_parse_number(text, strlen(text), &time))
        wrong_usage(state,
                    "--until: '%s' is neither a timestamp such as 2025-08-04T10:00:00Z nor now",
                    text);
    return time;
}

static void check_policy(const struct argp_state *state, const struct kairos_policy *policy)
{
    switch (kairos_policy_validate(policy)) {
    case KAIROS_POLICY_OK:
        return;
    case KAIROS_POLICY_INTERVAL:
        wrong_usage(state, "--interval: out of range; it may be 1ms to 366d");
        return;
    case KAIROS_POLICY_ALLOWED_MISSES: /* its own bounds were checked */
        return;
    case KAIROS_POLICY_TOLERANCE:
        wrong_usage(state, "--tolerance: out of range; it may be 0 to 366d");
        return;
    }
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct analyse_options *options = state->input;
    struct kairos_policy *policy = &options->analysis.policy;
    switch (key) {
    case OPTION_FILE:
        options->file = argument;
        return 0;
    case OPTION_UNTIL:
        options->analysis.has_until = true;
        options->analysis.until = parse_until(state, argument);
        return 0;
    case OPTION_THREADS:
        options->threads = (unsigned)parse_number(state, "threads", argument, 1, SCAN_THREADS_MAX);
        return 0;
    case OPTION_INTERVAL:
        policy->interval = parse_duration(state, "interval", argument);
        return 0;
    case OPTION_ALLOWED_MISSES:
        policy->allowed_misses =
            (uint32_t)parse_number(state, "allowed-misses", argument, 1, KAIROS_ALLOWED_MISSES_MAX);
        return 0;
    case OPTION_TOLERANCE:
        policy->tolerance = parse_duration(state, "tolerance", argument);
        return 0;
    case OPTION_JSON:
        options->json = true;
        return 0;
    case OPTION_OUTPUT:
        options->output = argument;
        return 0;
    case OPTION_QUIET:
        options->quiet = true;
        return 0;
    case OPTION_FAIL_ON_ALERT:
        options->fail_on_alert = true;
        return 0;
    case OPTION_MAX_ALERTS:
        options->max_alerts = parse_number(state, "max-alerts", argument, 0, MAX_ALERTS_MAX);
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
        wrong_usage(state, "unexpected argument '%s'; a log is named with --file", argument);
        return 0;
    case ARGP_KEY_END:
        check_policy(state, policy);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void analyse_options_parse(struct analyse_options *options, int argc, char **argv)
{
    static const struct argp argp = {
        .options = entries, .parser = parse_option, .doc = doc, .help_filter = add_commands};
    *options = (struct analyse_options){
        .file = FILE_DEFAULT,
        .log = {.level = LOG_INFO},
        .analysis = kairos_analysis_options_default(),
        .max_alerts = MAX_ALERTS_DEFAULT,
        .threads = usable_cores(SCAN_THREADS_MAX),
    };
    /* Should there be no random numbers, the results are the same. */
    (void)!getrandom(&options->analysis.seed, sizeof(options->analysis.seed), GRND_NONBLOCK);
    argp_parse(&argp, argc, argv, 0, NULL, options);
}
