#include "serve_options.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "job.h"
#include "option_values.h"

#define HOST_DEFAULT     "127.0.0.1"
#define HOST_NONE        "none"
#define PORT_DEFAULT     8000
#define MAX_SERVICES_MAX 100000000

/* So that one long step does not keep all others waiting. */
#define MONITOR_THREADS_MIN 2

enum option_key {
    OPTION_HOST = 'h',
    OPTION_PORT = 'p',
    OPTION_DATA_DIR = 'd',
    OPTION_INTERVAL = 'i',
    OPTION_ALLOWED_MISSES = 'm',
    OPTION_TOLERANCE = 't',
    OPTION_AUTO_CREATE = 0x100, /* no short form from here on */
    OPTION_MAX_SERVICES,
    OPTION_FORGET_AFTER,
    OPTION_UNIX_SOCKET,
    OPTION_UNIX_SOCKET_MODE,
    OPTION_TLS_CERT,
    OPTION_TLS_KEY,
    OPTION_MAX_CONNECTIONS,
    OPTION_MAX_PER_ADDRESS,
    OPTION_TRUSTED_PROXIES,
    OPTION_HEADER_TIMEOUT,
    OPTION_BODY_TIMEOUT,
    OPTION_THREADS,
    OPTION_MONITOR_THREADS,
    OPTION_INSECURE,
    OPTION_LOG_LEVEL,
    OPTION_LOG_FILE,
    OPTION_LOG_FORMAT,
};

static const char doc[] =
    "Watch services live: receive their heartbeats over HTTP, and raise an alert when one goes "
    "silent.\n"
    "\v"
    "A DURATION is a whole number of seconds or carries a unit: 90s, 5m, 1h, 1d, 1500ms.\n\n"
    "A service sends a heartbeat with any request to /ping/NAME. SIGTERM ends the program: what is "
    "under way is answered first.\n\n"
    "Exit status: 0 ended as told, 1 failed, 2 wrong usage.\n\n"
    "Example: kairos serve --interval 60 --allowed-misses 3, and: curl "
    "http://127.0.0.1:8000/ping/backup";

static const struct argp_option entries[] = {
    {0, 0, 0, 0, "Server:", 1},
    {"host", OPTION_HOST, "HOST", 0,
     "Where to listen; 'none' for at no address, with --unix-socket (default: " HOST_DEFAULT ")",
     0},
    {"port", OPTION_PORT, "PORT", 0, "The port; 0 picks a free one (default: 8000)", 0},
    {"unix-socket", OPTION_UNIX_SOCKET, "PATH", 0, "Listen at a Unix socket, too", 0},
    {"unix-socket-mode", OPTION_UNIX_SOCKET_MODE, "MODE", 0,
     "The permissions of its file, octal (default: 660)", 0},
    {"tls-cert", OPTION_TLS_CERT, "FILE", 0,
     "Speak TLS at the address, with the PEM certificates in FILE", 0},
    {"tls-key", OPTION_TLS_KEY, "FILE", 0, "The PEM private key of the first of them", 0},
    {"insecure-no-auth", OPTION_INSECURE, 0, 0,
     "Listen also where others than this machine can connect; nobody is asked who he is", 0},
    {"threads", OPTION_THREADS, "N", 0, "Threads that serve requests (default: all cores)", 0},
    {"monitor-threads", OPTION_MONITOR_THREADS, "N", 0,
     "Threads for what takes long, at a lower priority (default: all cores, but 2 at least)", 0},
    {"data-dir", OPTION_DATA_DIR, "DIR", 0,
     "Where the registry of services is kept (default: $STATE_DIRECTORY, as for a system service, "
     "else $XDG_STATE_HOME/kairos, else ~/.local/state/kairos)",
     0},

    {0, 0, 0, 0, "Limits:", 2},
    {"max-connections", OPTION_MAX_CONNECTIONS, "N", 0,
     "Connections at a time, 1 to 65536, as far as the descriptors go (default: 65536)", 0},
    {"max-connections-per-address", OPTION_MAX_PER_ADDRESS, "N", 0,
     "Of these, from one IPv4 address or IPv6 /64 network that is no trusted proxy; 0 for no limit "
     "(default: 1000)",
     0},
    {"trusted-proxies", OPTION_TRUSTED_PROXIES, "LIST", 0,
     "Addresses and networks of proxies, whose X-Forwarded-For is believed (default: 127.0.0.1, "
     "::1)",
     0},
    {"header-timeout", OPTION_HEADER_TIMEOUT, "DURATION", 0,
     "How long a client may take for the headers of a request, and be idle, 1s to 1d (default: 30)",
     0},
    {"body-timeout", OPTION_BODY_TIMEOUT, "DURATION", 0,
     "How long it may take for the body, 1s to 1d (default: 60)", 0},

    {0, 0, 0, 0, "Services:", 3},
    {"interval", OPTION_INTERVAL, "DURATION", 0,
     "Expected time between heartbeats of a service that was not declared, 1s to 366d (default: "
     "60)",
     0},
    {"allowed-misses", OPTION_ALLOWED_MISSES, "N", 0,
     "Raise an alert at every N-th consecutive miss of such a service, 1 to 1000000 (default: 3)",
     0},
    {"tolerance", OPTION_TOLERANCE, "DURATION", 0,
     "How late its heartbeats may come, 0 to 366d (default: 0)", 0},
    {"auto-create", OPTION_AUTO_CREATE, "on|off", 0,
     "Whether an unknown service appears with its first heartbeat (default: on)", 0},
    {"max-services", OPTION_MAX_SERVICES, "N", 0,
     "Refuse further services, 1 to 100000000 (default: 10000000)", 0},
    {"forget-after", OPTION_FORGET_AFTER, "DURATION", 0,
     "Drop services that are down or never beat, were not declared, and are silent for so long "
     "(default: never)",
     0},

    {0, 0, 0, 0, "Log:", 4},
    {"log-level", OPTION_LOG_LEVEL, "LEVEL", 0, "DEBUG, INFO, WARNING or ERROR (default: INFO)", 0},
    {"log-file", OPTION_LOG_FILE, "FILE", 0, "Append the log lines to FILE, not to stderr", 0},
    {"log-format", OPTION_LOG_FORMAT, "text|json", 0,
     "How a line of the log looks; json makes an object of each (default: text)", 0},

    {0, 0, 0, 0, "Help:", -1},
    {0},
};

static bool parse_on_off(const struct argp_state *state, const char *name, const char *text)
{
    if (strcmp(text, "on") != 0 && strcmp(text, "off") != 0)
        wrong_usage(state, "--%s: '%s' is neither on nor off", name, text);
    return strcmp(text, "on") == 0;
}

/* Reads a duration of MIN to MAX microseconds, which BOUNDS tells. */
static int64_t parse_bounded(const struct argp_state *state, const char *name, const char *text,
                             int64_t min, int64_t max, const char *bounds)
{
    int64_t duration = parse_duration(state, name, text);
    if (duration < min || duration > max)
        wrong_usage(state, "--%s: '%s' is out of range; it may be %s", name, text, bounds);
    return duration;
}

/* Reads the list that takes the place of the default one. */
static void parse_proxies(const struct argp_state *state, const char *text,
                          struct networks *networks)
{
    struct failure failure;
    networks->count = 0;
    if (!networks_add(networks, text, &failure))
        wrong_usage(state, "--trusted-proxies: %s", failure.text);
}

/* Reads the permissions of a file. */
static mode_t parse_mode(const struct argp_state *state, const char *name, const char *text)
{
    size_t length = strlen(text);
    if (length == 0 || length > 4 || strspn(text, "01234567") != length ||
        strtoul(text, NULL, 8) > 0777)
        wrong_usage(state, "--%s: '%s' is no octal number from 0 to 777", name, text);
    return (mode_t)strtoul(text, NULL, 8);
}

static void set_data_dir(const struct argp_state *state, struct serve_options *options,
                         const char *base, const char *rest)
{
    size_t size = sizeof(options->data_dir);
    if (snprintf(options->data_dir, size, "%s%s", base, rest) >= (int)size)
        wrong_usage(state, "--data-dir: the path is too long");
}

/*
 * A system service is told by the service manager, which says /var/lib/kairos. Sources:
 * systemd.exec(5), "StateDirectory="; https://specifications.freedesktop.org/basedir-spec, which
 * wants absolute paths.
 */
static void choose_data_dir(const struct argp_state *state, struct serve_options *options)
{
    const char *service = getenv("STATE_DIRECTORY"), *state_home = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    if (service != NULL && service[0] == '/' && strchr(service, ':') == NULL)
        set_data_dir(state, options, service, "");
    else if (state_home != NULL && state_home[0] == '/')
        set_data_dir(state, options, state_home, "/kairos");
    else if (home != NULL && home[0] == '/')
        set_data_dir(state, options, home, "/.local/state/kairos");
    else
        wrong_usage(state, "--data-dir: it must be given, since none of STATE_DIRECTORY, "
                           "XDG_STATE_HOME and HOME is set");
}

/* Without authentication only this machine may connect, unless that was asked for. */
static void find_host(const struct argp_state *state, struct serve_options *options)
{
    struct failure failure;
    options->server.tcp = strcmp(options->host, HOST_NONE) != 0;
    if (!options->server.tcp && options->server.unix_socket == NULL)
        wrong_usage(state, "--host: with none there has to be a --unix-socket");
    if (!options->server.tcp)
        return;
    if (!address_resolve(options->host, options->port, &options->server.address, &failure))
        wrong_usage(state, "--host: %s", failure.text);
    if (!options->insecure && !address_is_loopback(&options->server.address))
        wrong_usage(state,
                    "--host: others than this machine can connect to %s, and nobody is asked who "
                    "he is; add --insecure-no-auth if that is wanted",
                    options->host);
}

static void finish(const struct argp_state *state, struct serve_options *options)
{
    if (options->data_dir[0] == '\0')
        choose_data_dir(state, options);
    options->server.open_to_others = options->insecure;
    if ((options->server.tls_cert == NULL) != (options->server.tls_key == NULL))
        wrong_usage(state, "--tls-cert and --tls-key go together");
    find_host(state, options);
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct serve_options *options = state->input;
    struct kairos_policy *policy = &options->engine.policy;
    struct server_limits *limits = &options->server.limits;
    switch (key) {
    case OPTION_HOST:
        options->host = argument;
        return 0;
    case OPTION_PORT:
        options->port = (uint16_t)parse_number(state, "port", argument, 0, UINT16_MAX);
        return 0;
    case OPTION_UNIX_SOCKET:
        options->server.unix_socket = argument;
        return 0;
    case OPTION_UNIX_SOCKET_MODE:
        options->server.unix_socket_mode = parse_mode(state, "unix-socket-mode", argument);
        return 0;
    case OPTION_TLS_CERT:
        options->server.tls_cert = argument;
        return 0;
    case OPTION_TLS_KEY:
        options->server.tls_key = argument;
        return 0;
    case OPTION_MAX_CONNECTIONS:
        limits->connections =
            (unsigned)parse_number(state, "max-connections", argument, 1, CONNECTIONS_MAX);
        return 0;
    case OPTION_MAX_PER_ADDRESS:
        limits->connections_per_address = (unsigned)parse_number(
            state, "max-connections-per-address", argument, 0, CONNECTIONS_MAX);
        return 0;
    case OPTION_TRUSTED_PROXIES:
        parse_proxies(state, argument, &limits->trusted_proxies);
        return 0;
    case OPTION_HEADER_TIMEOUT:
        limits->header_timeout = parse_bounded(state, "header-timeout", argument, CLIENT_TIME_MIN,
                                               CLIENT_TIME_MAX, "1s to 1d");
        return 0;
    case OPTION_BODY_TIMEOUT:
        limits->body_timeout = parse_bounded(state, "body-timeout", argument, CLIENT_TIME_MIN,
                                             CLIENT_TIME_MAX, "1s to 1d");
        return 0;
    case OPTION_INSECURE:
        options->insecure = true;
        return 0;
    case OPTION_THREADS:
        options->server.workers =
            (unsigned)parse_number(state, "threads", argument, 1, WORKERS_MAX);
        return 0;
    case OPTION_MONITOR_THREADS:
        options->monitor_threads =
            (unsigned)parse_number(state, "monitor-threads", argument, 1, JOB_THREADS_MAX);
        return 0;
    case OPTION_DATA_DIR:
        if (*argument == '\0')
            wrong_usage(state, "--data-dir: the path is empty");
        set_data_dir(state, options, argument, "");
        return 0;
    case OPTION_INTERVAL:
        policy->interval = parse_bounded(state, "interval", argument, ENGINE_INTERVAL_MIN,
                                         KAIROS_INTERVAL_MAX, "1s to 366d");
        return 0;
    case OPTION_ALLOWED_MISSES:
        policy->allowed_misses =
            (uint32_t)parse_number(state, "allowed-misses", argument, 1, KAIROS_ALLOWED_MISSES_MAX);
        return 0;
    case OPTION_TOLERANCE:
        policy->tolerance =
            parse_bounded(state, "tolerance", argument, 0, KAIROS_TOLERANCE_MAX, "0 to 366d");
        return 0;
    case OPTION_AUTO_CREATE:
        options->engine.auto_create = parse_on_off(state, "auto-create", argument);
        return 0;
    case OPTION_MAX_SERVICES:
        options->engine.max_services =
            (size_t)parse_number(state, "max-services", argument, 1, MAX_SERVICES_MAX);
        return 0;
    case OPTION_FORGET_AFTER:
        options->engine.forget_after = parse_bounded(state, "forget-after", argument,
                                                     ENGINE_INTERVAL_MIN, INT64_MAX, "1s or more");
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
        wrong_usage(state, "unexpected argument '%s'", argument);
        return 0;
    case ARGP_KEY_END:
        finish(state, options);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void serve_options_parse(struct serve_options *options, int argc, char **argv)
{
    static const struct argp argp = {.options = entries, .parser = parse_option, .doc = doc};
    *options = (struct serve_options){
        .host = HOST_DEFAULT,
        .port = PORT_DEFAULT,
        .server = server_options_default(),
        .engine = engine_options_default(),
        .log = {.level = LOG_INFO},
    };
    options->server.workers = usable_cores(WORKERS_MAX);
    options->monitor_threads = usable_cores(JOB_THREADS_MAX);
    if (options->monitor_threads < MONITOR_THREADS_MIN)
        options->monitor_threads = MONITOR_THREADS_MIN;
    argp_parse(&argp, argc, argv, 0, NULL, options);
}
