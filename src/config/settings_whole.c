#include "settings_whole.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address.h"
#include "cores.h"
#include "job.h"
#include "key.h"

/* A host that is none. */
#define HOST_NONE "none"

/* So that one long step does not keep all others waiting. */
#define MONITOR_THREADS_MIN 2

static bool is_given(const struct settings *settings, const struct key *key)
{
    return settings->origins[key_index(key)].kind != ORIGIN_DEFAULT;
}

/* ---- What depends on the machine ---- */

static void choose_threads(struct settings *settings)
{
    if (!is_given(settings, key_find("threads")))
        settings->server.workers = usable_cores(WORKERS_MAX);
    if (is_given(settings, key_find("monitor_threads")))
        return;
    settings->monitor_threads = usable_cores(JOB_THREADS_MAX);
    if (settings->monitor_threads < MONITOR_THREADS_MIN)
        settings->monitor_threads = MONITOR_THREADS_MIN;
}

/*
 * A system service is told by the service manager, which says /var/lib/kairos. Sources:
 * systemd.exec(5), "StateDirectory="; https://specifications.freedesktop.org/basedir-spec, which
 * wants absolute paths. Returns false if there is nothing to go by.
 */
static bool format_data_dir(char *path, size_t size)
{
    const char *service = getenv("STATE_DIRECTORY"), *state_home = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    if (service != NULL && service[0] == '/' && strchr(service, ':') == NULL)
        snprintf(path, size, "%s", service);
    else if (state_home != NULL && state_home[0] == '/')
        snprintf(path, size, "%s/kairos", state_home);
    else if (home != NULL && home[0] == '/')
        snprintf(path, size, "%s/.local/state/kairos", home);
    else
        return false;
    return true;
}

static void choose_data_dir(struct settings *settings, struct problems *problems)
{
    char path[PATH_MAX + 32];
    const struct key *key = key_find("data_dir");
    if (is_given(settings, key))
        return;
    if (!format_data_dir(path, sizeof(path)))
        settings_blame(settings, key, problems,
                       "it must be given, since none of STATE_DIRECTORY, XDG_STATE_HOME and HOME "
                       "is set");
    else if (strlen(path) >= PATH_MAX)
        settings_blame(settings, key, problems, "the path is too long");
    else if ((settings->data_dir = settings_keep(settings, path)) == NULL)
        settings_blame(settings, key, problems, "out of memory");
}

/* ---- What does not go together ---- */

/* Both or neither. */
static void check_tls(const struct settings *settings, struct problems *problems)
{
    const struct server_options *server = &settings->server;
    if ((server->tls_cert == NULL) == (server->tls_key == NULL))
        return;
    const struct key *given = key_find(server->tls_cert != NULL ? "tls_cert" : "tls_key");
    settings_blame(settings, given, problems, "--tls-cert and --tls-key go together");
}

/* Without authentication only this machine may connect, unless that was asked for. */
static void find_host(struct settings *settings, struct problems *problems)
{
    struct failure failure;
    struct server_options *server = &settings->server;
    const struct key *key = key_find("host");
    server->open_to_others = settings->insecure;
    server->tcp = strcmp(settings->host, HOST_NONE) != 0;
    if (!server->tcp && server->unix_socket == NULL)
        settings_blame(settings, key, problems, "with none there has to be a --unix-socket");
    else if (!server->tcp)
        return;
    else if (!address_resolve(settings->host, settings->port, &server->address, &failure))
        settings_blame(settings, key, problems, "%s", failure.text);
    else if (!settings->insecure && !address_is_loopback(&server->address))
        settings_blame(settings, key, problems,
                       "others than this machine can connect to %s, and nobody is asked who he is; "
                       "add --insecure-no-auth (in the file: insecure_no_auth: on) if that is "
                       "wanted",
                       settings->host);
}

void settings_make_whole(struct settings *settings, bool environment, struct problems *problems)
{
    choose_threads(settings);
    if (environment)
        choose_data_dir(settings, problems);
    check_tls(settings, problems);
    find_host(settings, problems);
}

/* ---- Paths ---- */

/* Why no file can be read at PATH, or NULL. */
static const char *read_fault(const char *path)
{
    struct stat found;
    if (stat(path, &found) != 0 || access(path, R_OK) != 0)
        return strerror(errno);
    return S_ISREG(found.st_mode) ? NULL : "it is no regular file";
}

/* Why no file can be made at PATH, or NULL. */
static const char *write_fault(const char *path)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    struct stat found;
    if (slash == NULL)
        return NULL;
    snprintf(directory, sizeof(directory), "%.*s", slash == path ? 1 : (int)(slash - path), path);
    if (stat(directory, &found) != 0)
        return strerror(errno);
    return S_ISDIR(found.st_mode) ? NULL : strerror(ENOTDIR);
}

void settings_check_paths(const struct settings *settings, struct problems *problems)
{
    for (size_t i = 0; i < key_count; i++) {
        const char *path = NULL, *fault = NULL;
        if (keys[i].path != PATH_ANY)
            path = *(const char *const *)((const char *)settings + keys[i].offset);
        if (path == NULL)
            continue;
        if (keys[i].path == PATH_READ && (fault = read_fault(path)) != NULL)
            settings_blame(settings, &keys[i], problems, "cannot read %s: %s", path, fault);
        if (keys[i].path == PATH_WRITE && (fault = write_fault(path)) != NULL)
            settings_blame(settings, &keys[i], problems, "nothing can be made at %s: %s", path,
                           fault);
    }
}
