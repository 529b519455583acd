#include "readiness.h"

#include <string.h>

#include "failure.h"
#include "server.h"

/* Tells reasons, and remembers that there was one. */
struct teller {
    void (*reason)(void *target, const char *text);
    void *target;
    bool told;
};

static void tell(struct teller *teller, const char *text)
{
    teller->reason(teller->target, text);
    teller->told = true;
}

const char *readiness_name(enum readiness readiness)
{
    static const char *const names[] = {
        [READINESS_READY] = "ready",
        [READINESS_DEGRADED] = "degraded",
        [READINESS_UNAVAILABLE] = "unavailable",
    };
    return names[readiness];
}

/* Why no traffic should be sent here. */
static void tell_unavailable(struct teller *teller, const struct context *context,
                             const struct server *server)
{
    struct ticker *ticker = server_ticker(server);
    int error = registry_sync_error(context->registry);
    if (server_is_stopping(server))
        tell(teller, "stopping");
    else if (ticker == NULL || !ticker_is_ready(ticker))
        tell(teller, "starting");
    if (context->operations->stuck)
        tell(teller, "a thread does not go on; restart the server");
    if (!clock_is_sane(context->clock))
        tell(teller, "the wall clock shows a time before the last one that is known; "
                     "nothing is judged until it is set right");
    if (error != 0) {
        struct failure failure;
        failure_set(&failure,
                    "the registry could not be brought to the disk: %s; heartbeats are taken, but "
                    "what a crash of the machine would leave is unknown: mend the disk and restart",
                    strerror(error));
        tell(teller, failure.text);
    }
}

/* What does not work, while all else does. */
static void tell_degraded(struct teller *teller, const struct context *context)
{
    if (engine_figures(context->engine).no_space)
        tell(teller, "no space left for further services; those that exist go on");
}

enum readiness readiness_find(const struct context *context, const struct server *server,
                              void (*reason)(void *target, const char *text), void *target)
{
    struct teller teller = {.reason = reason, .target = target};
    tell_unavailable(&teller, context, server);
    if (teller.told)
        return READINESS_UNAVAILABLE;
    tell_degraded(&teller, context);
    return teller.told ? READINESS_DEGRADED : READINESS_READY;
}
