#include "environment.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "key.h"
#include "nearest.h"
#include "small_file.h"

#define PREFIX "KAIROS_"

/*
 * Kubernetes tells every container of every service by such variables; one that is called kairos is
 * told as KAIROS_PORT=tcp://10.0.0.1:8000, which is not meant as a port to listen at. Source:
 * https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables.
 */
static bool is_of_kubernetes(const char *name, const char *text)
{
    static const char *const prefixes[] = {PREFIX "SERVICE_HOST", PREFIX "SERVICE_PORT",
                                           PREFIX "PORT_"};
    if (strcmp(name, PREFIX "PORT") == 0)
        return strstr(text, "://") != NULL;
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    }
    return false;
}

/* ---- Values ---- */

static bool is_set(const char *text)
{
    return text != NULL && *text != '\0';
}

/* Takes what stands in the file that VARIABLE names. */
static void take_file(struct settings *settings, const struct key *key, const char *variable,
                      const char *path, struct problems *problems)
{
    size_t length;
    struct failure failure;
    struct origin origin = {.kind = ORIGIN_ENVIRONMENT_FILE};
    char *text = small_file_read(path, ENVIRONMENT_FILE_MAX, &length, &failure);
    if (text == NULL) {
        problems_add(problems, "%s: %s", variable, failure.text);
        return;
    }
    if (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    if (length > 0 && text[length - 1] == '\r')
        text[--length] = '\0';
    if (strlen(text) != length)
        problems_add(problems, "%s: there is a NUL in the file", variable);
    else
        settings_set(settings, key, text, origin, problems);
    explicit_bzero(text, length);
    free(text);
}

static void take_key(struct settings *settings, const struct key *key, struct problems *problems)
{
    char variable[KEY_GUISE_SIZE], file_variable[KEY_GUISE_SIZE + sizeof(ENVIRONMENT_FILE_SUFFIX)];
    struct origin origin = {.kind = ORIGIN_ENVIRONMENT};
    key_environment(key, variable);
    snprintf(file_variable, sizeof(file_variable), "%s" ENVIRONMENT_FILE_SUFFIX, variable);
    const char *text = getenv(variable), *path = getenv(file_variable);
    if (is_set(text) && is_of_kubernetes(variable, text))
        text = NULL;
    if (is_set(text) && is_set(path))
        problems_add(problems, "%s and %s: only one of them can be set", variable, file_variable);
    else if (is_set(text))
        settings_set(settings, key, text, origin, problems);
    else if (is_set(path))
        take_file(settings, key, file_variable, path, problems);
}

void environment_take(struct settings *settings, struct problems *problems)
{
    for (size_t i = 0; i < key_count; i++)
        take_key(settings, &keys[i], problems);
}

/* ---- Variables that nobody heeds ---- */

/* The variables of all keys. */
struct variables {
    char names[KEYS_MAX][KEY_GUISE_SIZE];
};

/* Whether NAME is read by the server, or by another command. */
static bool is_known(const char *name, const struct variables *variables, struct nearest *nearest)
{
    static const char *const others[] = {ENVIRONMENT_CONFIG, PREFIX "URL", PREFIX "CACERT",
                                         PREFIX "SPOOL"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (strcmp(name, others[i]) == 0)
            return true;
    }
    for (size_t i = 0; i < key_count; i++) {
        const char *variable = variables->names[i];
        size_t length = strlen(variable);
        nearest_try(nearest, variable);
        if (strncmp(name, variable, length) == 0 &&
            (name[length] == '\0' || strcmp(name + length, ENVIRONMENT_FILE_SUFFIX) == 0))
            return true;
    }
    return false;
}

/* Warns of the variable at ENTRY, NAME=TEXT, if it is one to be warned of. */
static void warn(struct log *log, const struct variables *variables, const char *entry)
{
    char name[2 * KEY_GUISE_SIZE], quoted[4 * sizeof(name) + 3];
    const char *end = strchr(entry, '=');
    if (strncmp(entry, PREFIX, strlen(PREFIX)) != 0 || end == NULL ||
        (size_t)(end - entry) >= sizeof(name))
        return;
    memcpy(name, entry, (size_t)(end - entry));
    name[end - entry] = '\0';
    struct nearest nearest = nearest_to(name);
    if (is_known(name, variables, &nearest) || is_of_kubernetes(name, end + 1))
        return;
    log_quote(quoted, name, strlen(name));
    log_write(log, LOG_WARNING, "unknown_variable name=%s%s%s", quoted,
              nearest.found != NULL ? " nearest=" : "", nearest.found != NULL ? nearest.found : "");
}

void environment_warn(struct log *log)
{
    struct variables variables;
    for (size_t i = 0; i < key_count; i++)
        key_environment(&keys[i], variables.names[i]);
    for (char **entry = environ; *entry != NULL; entry++)
        warn(log, &variables, *entry);
}
