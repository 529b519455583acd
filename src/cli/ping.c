#include "ping.h"

#include <curl/curl.h>

#include "courier.h"
#include "interrupt.h"
#include "ping_options.h"
#include "status.h"

/* Tells the server, and takes along what is in the spool. */
static enum courier_result tell(struct courier *courier, const struct beat *beat)
{
    if (beat->kind == BEAT_START)
        courier_empty(courier);
    enum courier_result result = courier_bring(courier, beat);
    if (beat->kind != BEAT_START && result == COURIER_BROUGHT)
        courier_empty(courier);
    return result;
}

static bool run(struct ping_options *options, struct failure *failure)
{
    struct courier courier;
    struct interrupt interrupt;
    if (!interrupt_init(&interrupt, failure))
        return false;
    options->courier.client.interrupt = &interrupt;
    bool done = courier_init(&courier, &options->courier, failure);
    if (done) {
        failure->text[0] = '\0'; /* what goes wrong from here on is told at once */
        done = tell(&courier, &options->beat) != COURIER_LOST && interrupt_count(&interrupt) == 0;
        courier_finish(&courier);
    }
    interrupt_finish(&interrupt);
    return done;
}

int ping_command(int argc, char **argv)
{
    struct ping_options options;
    struct failure failure;
    ping_options_parse(&options, argc, argv);
    options.beat.time = beat_now();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    bool done = run(&options, &failure);
    if (!done)
        failure_print(&failure);
    curl_global_cleanup();
    return done ? STATUS_DONE : STATUS_FAILED;
}
