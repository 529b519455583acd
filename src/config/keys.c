#include "key.h"

#include <assert.h>
#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "job.h"
#include "monitor.h"
#include "nearest.h"
#include "settings.h"
#include "url_list.h"

#define MEMBER(member)                                                                             \
    .offset = offsetof(struct settings, member), .size = sizeof(((struct settings *)0)->member)

/* Bytes of a path that the system takes. */
#define PATH .type = &value_path, .min = 1, .max = PATH_MAX - 1

static const char *const levels[] = {"DEBUG", "INFO", "WARNING", "ERROR", NULL};
static const char *const formats[] = {"text", "json", NULL};

const struct key keys[] = {
    {
        .name = "host",
        .letter = 'h',
        .group = GROUP_SERVER,
        .type = &value_text,
        MEMBER(host),
        .min = 1,
        .max = 255,
        .fallback = "127.0.0.1",
        .argument = "HOST",
        .help = "Where to listen: an address or a name; 'none' for at no address, with a Unix "
                "socket",
    },
    {
        .name = "port",
        .letter = 'p',
        .group = GROUP_SERVER,
        .type = &value_number,
        MEMBER(port),
        .min = 0,
        .max = UINT16_MAX,
        .fallback = "8000",
        .argument = "PORT",
        .help = "The port; 0 picks a free one, which the log tells",
    },
    {
        .name = "unix_socket",
        .group = GROUP_SERVER,
        .type = &value_path,
        .min = 1,
        .max = LISTENER_PATH_SIZE - 1,
        MEMBER(server.unix_socket),
        .path = PATH_WRITE,
        .otherwise = "none",
        .example = "/run/kairos/socket",
        .argument = "PATH",
        .help = "Listen at a Unix socket, too",
        .more = "A socket's file that a killed process has left there is replaced; any other file "
                "is refused.",
    },
    {
        .name = "unix_socket_mode",
        .group = GROUP_SERVER,
        .type = &value_mode,
        MEMBER(server.unix_socket_mode),
        .fallback = "660",
        .argument = "MODE",
        .help = "The permissions of the Unix socket's file: who may write to it may connect",
    },
    {
        .name = "tls_cert",
        .group = GROUP_SERVER,
        PATH,
        MEMBER(server.tls_cert),
        .path = PATH_READ,
        .otherwise = "none",
        .example = "/etc/kairos/cert.pem",
        .argument = "FILE",
        .help = "Speak TLS at the address, with the PEM certificates in FILE",
        .more = "The server's own comes first, then those that lead to a root. With tls_key.",
    },
    {
        .name = "tls_key",
        .group = GROUP_SERVER,
        PATH,
        MEMBER(server.tls_key),
        .path = PATH_READ,
        .otherwise = "none",
        .example = "/etc/kairos/key.pem",
        .argument = "FILE",
        .help = "The PEM private key of the first certificate of tls_cert",
    },
    {
        .name = "insecure_no_auth",
        .group = GROUP_SERVER,
        .type = &value_boolean,
        MEMBER(insecure),
        .flag = true,
        .fallback = "off",
        .help = "Listen also where others than this machine can connect; nobody is asked who he is",
    },
    {
        .name = "threads",
        .group = GROUP_SERVER,
        .type = &value_number,
        MEMBER(server.workers),
        .min = 1,
        .max = WORKERS_MAX,
        .otherwise = "all cores",
        .example = "4",
        .argument = "N",
        .help = "Threads that serve requests",
    },
    {
        .name = "monitor_threads",
        .group = GROUP_SERVER,
        .type = &value_number,
        MEMBER(monitor_threads),
        .min = 1,
        .max = JOB_THREADS_MAX,
        .otherwise = "all cores, but 2 at least",
        .example = "2",
        .argument = "N",
        .help = "Threads for what takes long, at a lower priority",
        .more = "That is the analysis of a log that was sent, and work on many services at once.",
    },
    {
        .name = "data_dir",
        .letter = 'd',
        .group = GROUP_SERVER,
        PATH,
        MEMBER(data_dir),
        .otherwise = "$STATE_DIRECTORY, as for a system service, else $XDG_STATE_HOME/kairos, else "
                     "~/.local/state/kairos",
        .example = "/var/lib/kairos",
        .argument = "DIR",
        .help = "Where the registry of services is kept",
        .more = "One process uses a directory at a time.",
    },

    {
        .name = "monitor_body_max",
        .group = GROUP_LIMITS,
        .type = &value_size,
        MEMBER(monitor_body_max),
        .min = MONITOR_BODY_MIN,
        .max = MONITOR_BODY_MAX,
        .fallback = "512MiB",
        .argument = "SIZE",
        .help = "How long a log may be that is sent to /monitor",
        .more = "A compressed one may become 4 times as long, and all that are being analysed may "
                "take twice as many bytes of memory together, or 256 MiB if that is more.",
    },
    {
        .name = "max_connections",
        .group = GROUP_LIMITS,
        .type = &value_number,
        MEMBER(server.limits.connections),
        .min = 1,
        .max = CONNECTIONS_MAX,
        .fallback = "65536",
        .argument = "N",
        .help = "Connections at a time, as far as the descriptors go",
        .more = "Further ones are closed at once.",
    },
    {
        .name = "max_connections_per_address",
        .group = GROUP_LIMITS,
        .type = &value_number,
        MEMBER(server.limits.connections_per_address),
        .min = 0,
        .max = CONNECTIONS_MAX,
        .fallback = "1000",
        .argument = "N",
        .help = "Connections from one IPv4 address or IPv6 /64 network that is no trusted proxy; "
                "0 for no limit",
        .more = "Clients at a Unix socket are not counted.",
    },
    {
        .name = "trusted_proxies",
        .group = GROUP_LIMITS,
        .type = &value_networks,
        MEMBER(server.limits.trusted_proxies),
        .fallback = "127.0.0.1, ::1",
        .argument = "LIST",
        .help = "Addresses and networks of proxies, whose X-Forwarded-For is believed",
    },
    {
        .name = "header_timeout",
        .group = GROUP_LIMITS,
        .type = &value_duration,
        MEMBER(server.limits.header_timeout),
        .min = CLIENT_TIME_MIN,
        .max = CLIENT_TIME_MAX,
        .fallback = "30",
        .argument = "DURATION",
        .help = "How long a client may take for the headers of a request, and be idle",
        .more = "It counts from connecting, or from the last answer.",
    },
    {
        .name = "body_timeout",
        .group = GROUP_LIMITS,
        .type = &value_duration,
        MEMBER(server.limits.body_timeout),
        .min = CLIENT_TIME_MIN,
        .max = CLIENT_TIME_MAX,
        .fallback = "60",
        .argument = "DURATION",
        .help = "How long a client may take for the body of a request",
        .more = "It counts from the end of the headers, and anew with each 4 MiB of a log that is "
                "sent to /monitor. Who is too slow gets 408, and the "
                "connection is closed.",
    },

    {
        .name = "interval",
        .letter = 'i',
        .group = GROUP_SERVICES,
        .type = &value_duration,
        MEMBER(engine.policy.interval),
        .min = ENGINE_INTERVAL_MIN,
        .max = KAIROS_INTERVAL_MAX,
        .fallback = "60",
        .reload = true,
        .argument = "DURATION",
        .help = "Expected time between heartbeats of a service that was not declared",
    },
    {
        .name = "allowed_misses",
        .letter = 'm',
        .group = GROUP_SERVICES,
        .type = &value_number,
        MEMBER(engine.policy.allowed_misses),
        .min = 1,
        .max = KAIROS_ALLOWED_MISSES_MAX,
        .fallback = "3",
        .reload = true,
        .argument = "N",
        .help = "Raise an alert at every N-th consecutive miss of such a service",
    },
    {
        .name = "tolerance",
        .letter = 't',
        .group = GROUP_SERVICES,
        .type = &value_duration,
        MEMBER(engine.policy.tolerance),
        .min = 0,
        .max = KAIROS_TOLERANCE_MAX,
        .fallback = "0",
        .reload = true,
        .argument = "DURATION",
        .help = "How late its heartbeats may come before they count as misses",
    },
    {
        .name = "auto_create",
        .group = GROUP_SERVICES,
        .type = &value_boolean,
        MEMBER(engine.auto_create),
        .fallback = "on",
        .argument = "on|off",
        .help = "Whether an unknown service appears with its first heartbeat",
    },
    {
        .name = "max_services",
        .group = GROUP_SERVICES,
        .type = &value_number,
        MEMBER(engine.max_services),
        .min = 1,
        .max = 100000000,
        .fallback = "10000000",
        .argument = "N",
        .help = "Refuse further services",
    },
    {
        .name = "forget_after",
        .group = GROUP_SERVICES,
        .type = &value_duration,
        MEMBER(engine.forget_after),
        .min = ENGINE_INTERVAL_MIN,
        .max = INT64_MAX,
        .none = "never",
        .fallback = "never",
        .argument = "DURATION",
        .help = "Drop services that are down or never beat, were not declared, and are silent for "
                "so long",
        .more = "Time in which Kairós could not hear does not count.",
    },

    {
        .name = "access_log",
        .group = GROUP_LOG,
        PATH,
        MEMBER(server.access_log),
        .path = PATH_WRITE,
        .otherwise = "none",
        .example = "/var/log/kairos-access.log",
        .argument = "FILE",
        .help = "Append a line of each request to FILE; '-' for the program's log",
        .more = "It has the method, the path without its query and without ping keys, the status, "
                "the bytes of the answer, the milliseconds that it took, the client's address and "
                "the request's id.",
    },
    {
        .name = "log_level",
        .group = GROUP_LOG,
        .type = &value_choice,
        MEMBER(log.level),
        .choices = levels,
        .fallback = "INFO",
        .reload = true,
        .argument = "LEVEL",
        .help = "The least important lines that are written",
    },
    {
        .name = "log_file",
        .group = GROUP_LOG,
        PATH,
        MEMBER(log.file),
        .path = PATH_WRITE,
        .otherwise = "standard error",
        .reload = true,
        .example = "/var/log/kairos.log",
        .argument = "FILE",
        .help = "Append the log lines to FILE, not to stderr",
    },
    {
        .name = "log_format",
        .group = GROUP_LOG,
        .type = &value_choice,
        MEMBER(log.format),
        .choices = formats,
        .fallback = "text",
        .reload = true,
        .argument = "text|json",
        .help = "How a line of the log looks; json makes an object of each",
    },

    {
        .name = "self_heartbeat",
        .group = GROUP_WATCHING,
        .type = &value_urls,
        MEMBER(self_heartbeat),
        .min = 0,
        .max = URL_LIST_MAX * URL_SIZE,
        .none = "none",
        .fallback = "none",
        .secret = true,
        .reload = true,
        .argument = "URL,...",
        .help = "Ask for these addresses while all is well, so that others can watch Kairós",
        .more = "Those of another Kairós, as in https://kairos.example.com/ping/kairos-1; 10 at "
                "most. They are kept secret, since one may hold a key: the log names the host "
                "alone.",
    },
    {
        .name = "self_heartbeat_interval",
        .group = GROUP_WATCHING,
        .type = &value_duration,
        MEMBER(self_heartbeat_interval),
        .min = KAIROS_SECOND,
        .max = KAIROS_DAY,
        .fallback = "60",
        .reload = true,
        .argument = "DURATION",
        .help = "How often they are asked for",
    },
};

const size_t key_count = sizeof(keys) / sizeof(keys[0]);

static_assert(sizeof(keys) / sizeof(keys[0]) <= KEYS_MAX, "settings have room for all keys");

const char *key_group_name(enum key_group group)
{
    static const char *const names[GROUP_COUNT] = {[GROUP_SERVER] = "Server",
                                                   [GROUP_LIMITS] = "Limits",
                                                   [GROUP_SERVICES] = "Services",
                                                   [GROUP_LOG] = "Log",
                                                   [GROUP_WATCHING] = "Watching Kairós itself"};
    return names[group];
}

size_t key_index(const struct key *key)
{
    return (size_t)(key - keys);
}

const struct key *key_find(const char *name)
{
    for (size_t i = 0; i < key_count; i++) {
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    }
    return NULL;
}

const char *key_nearest(const char *name)
{
    struct nearest nearest = nearest_to(name);
    for (size_t i = 0; i < key_count; i++)
        nearest_try(&nearest, keys[i].name);
    nearest_try(&nearest, "services");
    return nearest.found;
}

void key_environment(const struct key *key, char name[KEY_GUISE_SIZE])
{
    static const char prefix[] = "KAIROS_";
    size_t at = strlen(prefix);
    memcpy(name, prefix, at);
    for (const char *c = key->name; *c != '\0'; c++)
        name[at++] = (char)toupper((unsigned char)*c);
    name[at] = '\0';
}

void key_option(const struct key *key, char name[KEY_GUISE_SIZE])
{
    size_t at = 0;
    for (const char *c = key->name; *c != '\0'; c++)
        name[at++] = *c == '_' ? '-' : *c;
    name[at] = '\0';
}
