/*
 * heartbeats.c - POST /api/v1/heartbeats: many at once.
 *
 * The body is parsed piece by piece as it comes, and nothing of it is kept but its events. They are
 * entered when all of it has come and is well-formed.
 */
#include <inttypes.h>
#include <string.h>

#include "answer.h"
#include "batch.h"
#include "resource.h"
#include "worker.h"

#define BODY_MAX (16 * 1024 * 1024)

/* What became of the events of a batch. */
struct outcome {
    uint64_t ok;
    uint64_t created;
    uint64_t older;
    uint64_t refused[ENGINE_BAD_RUNTIME + 1]; /* by engine_result */
    struct batch_error errors[BATCH_ERRORS_KEPT];
    size_t error_count;
};

static int64_t wall_now(const struct request *request)
{
    const struct clock *clock = request->context->clock;
    return clock_to_wall(clock, clock_now(clock));
}

/* Takes a piece of the body. Without a batch, and without memory for one, the request is refused.
 */
static void take_piece(struct request *request, const char *piece, size_t size)
{
    struct worker *worker = request->worker;
    struct batch *batch = request->state;
    if (request->no_memory)
        return;
    if (batch == NULL)
        batch = request->state = worker_take_batch(worker);
    if (batch == NULL) {
        request->no_memory = true;
        return;
    }
    size_t before = batch_memory(batch);
    batch_feed(batch, piece, size, wall_now(request));
    request->no_memory = !worker_take_memory(worker, batch_memory(batch) - before);
}

static void forget(struct request *request)
{
    if (request->state != NULL)
        worker_give_batch(request->worker, request->state);
}

/* Enters the batch's events, whose times are wall times. */
static void enter(struct request *request, struct batch *batch)
{
    const struct clock *clock = request->context->clock;
    int64_t now = clock_now(clock);
    for (size_t i = 0; i < batch->count; i++)
        batch->events[i].time = clock_from_wall(clock, batch->events[i].time);
    engine_heartbeats(request->context->engine, batch->events, batch->count, now, batch->results);
}

static struct batch_error refusal(const struct kairos_event *event, enum engine_result result)
{
    struct batch_error error = {.number = event->offset};
    switch (result) {
    case ENGINE_IN_FUTURE:
        error.reason = "timestamp_in_future";
        error.detail = "the timestamp lies more than 5 minutes ahead of the server's clock";
        break;
    case ENGINE_UNKNOWN:
        error.reason = "unknown_service";
        error.detail = "there is no such service, and the server runs with --auto-create off";
        break;
    case ENGINE_FULL:
        error.reason = "too_many_services";
        error.detail = "as many services as --max-services allows";
        break;
    default:
        error.reason = "no_space";
        error.detail = "no space left for a further service";
        break;
    }
    return error;
}

/* Counts what became of the events, and puts those that were refused among the bad ones. */
static void count_results(const struct batch *batch, struct outcome *outcome)
{
    size_t bad = 0;
    for (size_t i = 0; i < batch->count; i++) {
        enum engine_result result = batch->results[i];
        outcome->ok += result == ENGINE_OK;
        outcome->created += result == ENGINE_CREATED;
        outcome->older += result == ENGINE_OLDER;
        if (result == ENGINE_OK || result == ENGINE_CREATED || result == ENGINE_OLDER)
            continue;
        outcome->refused[result]++;
        while (bad < batch->error_count && batch->errors[bad].number < batch->events[i].offset &&
               outcome->error_count < BATCH_ERRORS_KEPT)
            outcome->errors[outcome->error_count++] = batch->errors[bad++];
        if (outcome->error_count < BATCH_ERRORS_KEPT)
            outcome->errors[outcome->error_count++] = refusal(&batch->events[i], result);
    }
    while (bad < batch->error_count && outcome->error_count < BATCH_ERRORS_KEPT)
        outcome->errors[outcome->error_count++] = batch->errors[bad++];
}

static void write_errors(struct writer *writer, const struct outcome *outcome)
{
    writer_print(writer, ",\"errors\":[");
    for (size_t i = 0; i < outcome->error_count; i++) {
        const struct batch_error *error = &outcome->errors[i];
        writer_print(writer,
                     "%s{\"event\":%" PRIu64 ",\"reason\":\"%s\",\"detail\":", i == 0 ? "" : ",",
                     error->number, error->reason);
        writer_string(writer, error->detail, strlen(error->detail));
        writer_print(writer, "}");
    }
    writer_print(writer, "]");
}

static void write_reason(struct writer *writer, const char *reason, uint64_t count, bool *first)
{
    if (count == 0)
        return;
    writer_print(writer, "%s\"%s\":%" PRIu64, *first ? "" : ",", reason, count);
    *first = false;
}

static void write_reasons(struct writer *writer, const struct batch *batch,
                          const struct outcome *outcome)
{
    static const struct kairos_event none;
    bool first = true;
    writer_print(writer, ",\"skipped_reasons\":{");
    for (size_t i = KAIROS_VALID + 1; i < KAIROS_REASON_COUNT; i++)
        write_reason(writer, kairos_reason_name((enum kairos_reason)i), batch->bad[i], &first);
    for (size_t i = 0; i <= ENGINE_BAD_RUNTIME; i++)
        write_reason(writer, refusal(&none, (enum engine_result)i).reason, outcome->refused[i],
                     &first);
    writer_print(writer, "}");
}

static void answer_batch(struct request *request, const struct batch *batch)
{
    struct writer writer = {0};
    struct outcome outcome;
    memset(&outcome, 0, offsetof(struct outcome, errors));
    outcome.error_count = 0;
    count_results(batch, &outcome);
    worker_count_events(request->worker, batch->total, batch->bad);

    uint64_t accepted = outcome.ok + outcome.created + outcome.older;
    bool full = outcome.refused[ENGINE_FULL] + outcome.refused[ENGINE_NO_SPACE] > 0;
    writer_print(&writer, "{");
    if (full)
        writer_print(&writer, "\"detail\":\"%s\",",
                     outcome.refused[ENGINE_NO_SPACE] > 0
                         ? "no space left for further services"
                         : "as many services as --max-services allows");
    writer_print(&writer,
                 "\"total\":%" PRIu64 ",\"accepted\":%" PRIu64 ",\"created\":%" PRIu64
                 ",\"older\":%" PRIu64 ",\"rejected\":%" PRIu64,
                 batch->total, accepted, outcome.created, outcome.older, batch->total - accepted);
    write_errors(&writer, &outcome);
    write_reasons(&writer, batch, &outcome);
    writer_print(&writer, "}");
    answer_json(request, full ? 507 : 200, &writer);
}

static void answer_heartbeats(struct request *request)
{
    take_piece(request, "", 0); /* should there have been no body at all */
    struct batch *batch = request->state;
    if (batch == NULL || request->no_memory) {
        answer_error(request, 503, "too much is being read at once; try again later");
        return;
    }
    switch (batch_finish(batch, wall_now(request))) {
    case BATCH_OK:
        enter(request, batch);
        answer_batch(request, batch);
        break;
    case BATCH_MALFORMED:
        answer_failure(request, 400, &batch->failure);
        break;
    case BATCH_TOO_MANY:
        answer_failure(request, 413, &batch->failure);
        break;
    case BATCH_NO_MEMORY:
        answer_failure(request, 503, &batch->failure);
        break;
    }
}

static const struct endpoint endpoints[] = {
    {
        .path = "/api/v1/heartbeats",
        .methods = METHOD_POST,
        .body_max = BODY_MAX,
        .take = take_piece,
        .answer = answer_heartbeats,
        .forget = forget,
    },
};

const struct resource heartbeats_resource = RESOURCE(endpoints);
