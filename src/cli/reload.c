#include "reload.h"

#include <unistd.h>

#include "tls.h"

/* What was read, and is going to be in use. */
struct fresh {
    int log;
    struct identity *identity; /* NULL without TLS */
};

static bool read_all(const struct reload *reload, struct fresh *fresh, struct failure *failure)
{
    const struct tls *tls = server_tls(reload->server);
    fresh->log = log_prepare(&reload->log_options, failure);
    if (fresh->log < 0)
        return false;
    if (tls != NULL)
        fresh->identity = tls_read(tls, failure);
    return tls == NULL || fresh->identity != NULL;
}

/* The log comes first: it is the one that may not let itself be changed. */
static bool apply(const struct reload *reload, struct fresh *fresh, struct failure *failure)
{
    if (!log_adopt(reload->log, fresh->log, &reload->log_options))
        return failure_set(failure, "the log hangs: a line could not be written for %d s",
                           LOG_PATIENCE);
    fresh->log = -1;
    if (fresh->identity == NULL)
        return true;
    tls_adopt(server_tls(reload->server), fresh->identity);
    fresh->identity = NULL;
    tls_warn(server_tls(reload->server), reload->log);
    return true;
}

bool reload_apply(const struct reload *reload, struct failure *failure)
{
    struct fresh fresh = {.log = -1};
    bool applied = read_all(reload, &fresh, failure) && apply(reload, &fresh, failure);
    if (fresh.log >= 0)
        close(fresh.log);
    identity_give(fresh.identity);
    return applied;
}
