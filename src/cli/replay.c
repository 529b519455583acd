#include "replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include <kairos/timestamp.h>

#include "client.h"
#include "command.h"
#include "heartbeats.h"
#include "input.h"
#include "interrupt.h"
#include "replay_options.h"
#include "skipped.h"
#include "status.h"
#include "stopwatch.h"

#define PATH "/api/v1/heartbeats"

/* Heartbeats that are due within so many seconds are sent together, once the last of them is due */
#define GATHER_SECONDS 0.01

/* and so many at most. */
#define BATCH_MAX 1000

/* What a heartbeat takes in a request. */
#define ITEM_FORMAT "{\"service\":\"%s\"}"
#define ITEM_MAX    (sizeof(ITEM_FORMAT ",") + KAIROS_SERVICE_MAX)

/* How long to sleep at a time: while progress is shown, and else. */
#define SLICE_SHOWN 0.2
#define SLICE_LONG  3600.0

/* So many rejected heartbeats are logged one by one. */
#define REJECTED_LOGGED 20

struct replay {
    const struct replay_options *options;
    struct log *log;
    struct heartbeats heartbeats;
    struct interrupt interrupt;
    struct progress progress;
    struct client *client;
    char *body;   /* of a request: room for BATCH_MAX heartbeats */
    double begin; /* when the first heartbeat is due; seconds, monotonic, as all that follow */
    size_t sent;  /* heartbeats that the server has taken note of */
    uint64_t requests;
    uint64_t rejected; /* of those sent */
    size_t logged;     /* of those rejected */
    double lag;        /* the longest time from when one was due to the answer */
};

/* When the heartbeat at INDEX is due. */
static double due(const struct replay *replay, size_t index)
{
    const struct heartbeat *items = replay->heartbeats.items;
    double since = (double)(items[index].time - items[0].time) / KAIROS_SECOND;
    return replay->begin + since / replay->options->speed;
}

/* The end of a batch: the first heartbeat behind END that is due later than at UNTIL. */
static size_t batch_end(const struct replay *replay, size_t end, double until)
{
    size_t most = replay->sent + BATCH_MAX;
    if (most > replay->heartbeats.count)
        most = replay->heartbeats.count;
    while (end < most && due(replay, end) <= until)
        end++;
    return end;
}

static void show(struct replay *replay, double now)
{
    size_t count = replay->heartbeats.count;
    double left = due(replay, count - 1) - now;
    progress_print(&replay->progress, "%zu of %zu heartbeats (%.0f %%), %.0f s left", replay->sent,
                   count, 100 * (double)replay->sent / (double)count, left > 0 ? left : 0);
}

/* Sleeps until the moment has come. Returns false when a signal has come first. */
static bool wait_until(struct replay *replay, double moment)
{
    double slice = replay->progress.enabled ? SLICE_SHOWN : SLICE_LONG;
    for (double left; (left = moment - stopwatch_seconds()) > 0;) {
        if (interrupt_sleep(&replay->interrupt, left < slice ? left : slice))
            return false;
        show(replay, stopwatch_seconds());
    }
    return interrupt_count(&replay->interrupt) == 0;
}

/* Writes the heartbeats up to END as the body of a request; returns its size. */
static size_t write_body(const struct replay *replay, size_t end)
{
    char *c = replay->body;
    for (size_t i = replay->sent; i < end; i++) {
        *c++ = i == replay->sent ? '[' : ',';
        c += sprintf(c, ITEM_FORMAT, heartbeats_service(&replay->heartbeats, i));
    }
    *c++ = ']';
    return (size_t)(c - replay->body);
}

/* TEXT in quotes, or nothing; for the line of a log. */
static void quote(char *quoted, size_t size, const json_t *text)
{
    size_t length = json_string_length(text), most = (size - 3) / 4;
    log_quote(quoted, json_is_string(text) ? json_string_value(text) : "",
              length < most ? length : most);
}

/* Logs the rejected heartbeats of the request whose first one was at FIRST. */
static void log_rejected(struct replay *replay, size_t first, const json_t *errors)
{
    size_t i;
    const json_t *error;
    json_array_foreach(errors, i, error)
    {
        char reason[300], detail[1000];
        json_int_t event = json_integer_value(json_object_get(error, "event"));
        if (event < 1 || (size_t)event > replay->sent - first || replay->logged == REJECTED_LOGGED)
            continue;
        quote(reason, sizeof(reason), json_object_get(error, "reason"));
        quote(detail, sizeof(detail), json_object_get(error, "detail"));
        progress_finish(&replay->progress);
        log_write(replay->log, LOG_WARNING, "rejected service=%s reason=%s detail=%s",
                  heartbeats_service(&replay->heartbeats, first + (size_t)event - 1), reason,
                  detail);
        replay->logged++;
    }
}

/* Counts what the server did with the heartbeats up to END. */
static bool count_answer(struct replay *replay, size_t end, const json_t *answer,
                         struct failure *failure)
{
    size_t first = replay->sent;
    const json_t *rejected = json_object_get(answer, "rejected");
    if (!json_is_integer(json_object_get(answer, "accepted")) || !json_is_integer(rejected) ||
        json_integer_value(rejected) < 0 || (uint64_t)json_integer_value(rejected) > end - first)
        return failure_set(failure, "%s: the answer to %s is none of a Kairós server",
                           replay->options->client.url, PATH);
    replay->sent = end;
    replay->requests++;
    replay->rejected += (uint64_t)json_integer_value(rejected);
    log_rejected(replay, first, json_object_get(answer, "errors"));
    return true;
}

/* Sends the heartbeats up to END. */
static bool send_batch(struct replay *replay, size_t end, struct failure *failure)
{
    double first_due = due(replay, replay->sent);
    const struct client_request request = {
        .method = "POST",
        .path = PATH,
        .type = "application/json",
        .body = replay->body,
        .size = write_body(replay, end),
    };
    json_t *answer = client_send_json(replay->client, &request, NULL, failure);
    if (answer == NULL)
        return false;
    bool counted = count_answer(replay, end, answer, failure);
    json_decref(answer);
    double lag = stopwatch_seconds() - first_due;
    if (lag > replay->lag)
        replay->lag = lag;
    return counted;
}

static bool send_all(struct replay *replay, struct failure *failure)
{
    replay->begin = stopwatch_seconds();
    while (replay->sent < replay->heartbeats.count) {
        double first_due = due(replay, replay->sent);
        size_t end = batch_end(replay, replay->sent + 1, first_due + GATHER_SECONDS);
        if (!wait_until(replay, due(replay, end - 1)))
            return failure_set(failure, "interrupted");
        end = batch_end(replay, end, stopwatch_seconds());
        if (!send_batch(replay, end, failure))
            return false;
        show(replay, stopwatch_seconds());
    }
    return true;
}

static void summarise(const struct replay *replay)
{
    fprintf(stderr,
            "kairos: sent %zu heartbeats of %zu services in %" PRIu64 " requests and %.1f s; "
            "rejected %" PRIu64 ", skipped %" PRIu64 "; largest lag %.3f s\n",
            replay->sent, replay->heartbeats.services.services, replay->requests,
            stopwatch_seconds() - replay->begin, replay->rejected, replay->heartbeats.skipped,
            replay->lag);
}

static bool read_log(struct replay *replay, struct failure *failure)
{
    struct input *input = input_open(replay->options->file,
                                     "name the log to replay, or - for standard input", failure);
    if (input == NULL)
        return false;
    progress_init(&replay->progress, input_size(input));
    bool done = heartbeats_read(&replay->heartbeats, input, &replay->progress, failure);
    input_close(input);
    return done;
}

static void announce(const struct replay *replay)
{
    double speed = replay->options->speed;
    skipped_log(replay->log, replay->heartbeats.bad, replay->heartbeats.skipped);
    if (speed != 1)
        fprintf(stderr,
                "kairos: at %.10g times the log's speed; divide the intervals and tolerances of "
                "the server's policies by %.10g\n",
                speed, speed);
}

/* Sends what was read. */
static bool run(struct replay *replay, struct failure *failure)
{
    struct client_options options = replay->options->client;
    options.interrupt = &replay->interrupt;
    options.log = replay->log;
    options.progress = &replay->progress;
    bool done = false;
    if (!interrupt_init(&replay->interrupt, failure))
        return false;
    replay->body = malloc(BATCH_MAX * ITEM_MAX + 1);
    if (replay->body == NULL)
        failure_set(failure, "out of memory");
    else
        replay->client = client_create(&options, failure);
    if (replay->client != NULL) {
        progress_init(&replay->progress, 0);
        done = send_all(replay, failure);
        progress_finish(&replay->progress);
        if (replay->rejected > replay->logged)
            log_write(replay->log, LOG_WARNING, "rejected_more count=%" PRIu64,
                      replay->rejected - replay->logged);
        summarise(replay);
    }
    client_destroy(replay->client);
    free(replay->body);
    interrupt_finish(&replay->interrupt);
    return done;
}

static bool replay_log(const struct replay_options *options, struct log *log,
                       struct failure *failure)
{
    struct replay replay = {.options = options, .log = log};
    bool done = read_log(&replay, failure);
    if (done) {
        announce(&replay);
        done = run(&replay, failure);
    }
    heartbeats_finish(&replay.heartbeats);
    return done;
}

static bool work(void *context, struct log *log, struct failure *failure)
{
    return replay_log(context, log, failure);
}

int replay_command(int argc, char **argv)
{
    struct replay_options options;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    replay_options_parse(&options, argc, argv);
    bool done = command_run(&options.log, work, &options);
    curl_global_cleanup();
    return done ? STATUS_DONE : STATUS_FAILED;
}
