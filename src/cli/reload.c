#include "reload.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "access_log.h"
#include "key.h"
#include "tls.h"

/* What was read, and is going to be in use. */
struct fresh {
    struct settings *settings;
    int log;
    int access;                /* -1 without an access log */
    struct identity *identity; /* NULL without TLS */
};

/* ---- Reading ---- */

static bool read_settings(const struct reload_target *target, struct fresh *fresh,
                          struct failure *failure)
{
    struct problems problems = {0};
    fresh->settings = settings_load(target->sources, &problems);
    if (fresh->settings == NULL && problems.count > 0) {
        size_t others = problems.count - 1 + problems.more;
        failure_set(failure, "%s", problems.texts[0]);
        if (others > 0)
            failure_set(failure, "%s (and %zu more; kairos check-config tells all)",
                        problems.texts[0], others);
    } else if (fresh->settings == NULL) {
        failure_set(failure, "out of memory");
    }
    problems_finish(&problems);
    return fresh->settings != NULL;
}

static bool read_access_log(const struct reload_target *target, struct fresh *fresh,
                            struct failure *failure)
{
    const struct access_log *access_log = server_access_log(target->server);
    if (access_log == NULL)
        return true;
    fresh->access = access_log_prepare(access_log, failure);
    return fresh->access >= 0;
}

static bool read_all(const struct reload_target *target, struct fresh *fresh,
                     struct failure *failure)
{
    const struct tls *tls = server_tls(target->server);
    if (!read_settings(target, fresh, failure))
        return false;
    fresh->log = log_prepare(&fresh->settings->log, failure);
    if (fresh->log < 0 || !read_access_log(target, fresh, failure))
        return false;
    if (tls != NULL)
        fresh->identity = tls_read(tls, failure);
    return tls == NULL || fresh->identity != NULL;
}

/* ---- Applying ---- */

static void warn_of_restart(const struct reload_target *target, const struct settings *settings)
{
    const struct key *changed[KEYS_MAX];
    char names[KEYS_MAX * KEY_GUISE_SIZE] = "";
    size_t count = settings_changes(target->started, settings, changed);
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(names);
        if (!changed[i]->reload)
            snprintf(names + used, sizeof(names) - used, "%s%s", used > 0 ? " " : "",
                     changed[i]->name);
    }
    if (names[0] != '\0')
        journal_note(target->journal, LOG_WARNING,
                     "restart_needed keys=\"%s\" detail=\"all else was applied\"", names);
}

/*
 * The logs come first: they may not let themselves be changed. Of these first the access log, which
 * at most goes on in a new file of the same name. Then the services: a full disk may not let them
 * be changed.
 */
static bool apply(const struct reload_target *target, struct fresh *fresh, struct failure *failure)
{
    if (fresh->access >= 0 && !access_log_adopt(server_access_log(target->server), fresh->access))
        return failure_set(failure, "the access log hangs: a line could not be written for %d s",
                           LOG_PATIENCE);
    fresh->access = -1;
    if (!log_adopt(target->log, fresh->log, &fresh->settings->log))
        return failure_set(failure, "the log hangs: a line could not be written for %d s",
                           LOG_PATIENCE);
    fresh->log = -1;
    const struct settings *settings = fresh->settings;
    if (!reconciler_apply(target->reconciler, &settings->declarations, &settings->engine.policy,
                          clock_now(target->clock), failure))
        return false;
    if (!self_heartbeat_set(target->self, settings->self_heartbeat,
                            settings->self_heartbeat_interval))
        return failure_set(failure, "out of memory");
    if (fresh->identity != NULL) {
        tls_adopt(server_tls(target->server), fresh->identity);
        fresh->identity = NULL;
        tls_warn(server_tls(target->server), target->log);
    }
    warn_of_restart(target, fresh->settings);
    return true;
}

bool reload_settings(const struct reload_target *target, struct failure *failure)
{
    struct fresh fresh = {.log = -1, .access = -1};
    bool applied = read_all(target, &fresh, failure) && apply(target, &fresh, failure);
    if (fresh.log >= 0)
        close(fresh.log);
    if (fresh.access >= 0)
        close(fresh.access);
    identity_give(fresh.identity);
    settings_destroy(fresh.settings);
    return applied;
}
