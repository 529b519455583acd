/*
 * monitor.c - POST /monitor: the analysis of a log that is sent.
 *
 * The worker copies what it receives into the intake, and a job reads it from there into the
 * upload, so that the analysis is done soon after the last byte has come. Where the job cannot keep
 * up, the request is parked, and the sender feels it.
 */
#include "monitor.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <microhttpd.h>

#include "answer.h"
#include "connection.h"
#include "intake.h"
#include "job.h"
#include "resource.h"
#include "upload.h"
#include "verdict.h"

/* What a compressed log may become, in bodies of the greatest length. */
#define UNPACKED_FACTOR 4

/* What all uploads may hold together, in the same way; and the least of it. */
#define MEMORY_FACTOR 2
#define MEMORY_MIN    (UINT64_C(256) * 1024 * 1024)

/* Steps of the upload in one of the job: each is of a block at most. */
#define STEPS_AT_A_TIME 4

/* So much of a log may take as long as the body of any other request. */
#define STRETCH (UINT64_C(4) * 1024 * 1024)

/* Seconds after which to try again. */
#define RETRY_AFTER 5

struct state {
    struct job job;
    const struct context *context;
    int64_t began;      /* engine time */
    uint64_t stretches; /* that have been received */
    struct intake intake;
    struct share share; /* the job's, but for the intake's */
    struct upload upload;
    struct verdict verdict;
    atomic_bool done;
};

void monitor_init(struct monitor *monitor, uint64_t body_max)
{
    uint64_t memory = body_max * MEMORY_FACTOR;
    *monitor = (struct monitor){
        .body_max = body_max,
        .budget.max = memory < MEMORY_MIN ? MEMORY_MIN : memory,
    };
}

static uint64_t body_limit(const struct context *context)
{
    return context->monitor->body_max;
}

/* ---- The job ---- */

static void refuse_memory(struct state *state, uint64_t wanted)
{
    const struct budget *budget = state->share.budget;
    if (wanted > budget->max)
        upload_refuse(&state->upload, 413,
                      "the log has so many services or events that its analysis needs more than "
                      "%" PRIu64 " bytes of memory; use the command `kairos --file`, or send less",
                      budget->max);
    else
        upload_refuse(&state->upload, 503, "too much is being analysed at once; try again later");
}

/* Whether there is room for what the upload and the verdict hold by now. */
static bool account(struct state *state)
{
    uint64_t memory = sizeof(*state) + upload_memory(&state->upload) + state->verdict.text.capacity;
    if (share_set(&state->share, memory))
        return true;
    refuse_memory(state, memory);
    return false;
}

/* Reads on in what has been received. Returns whether there was anything to do. */
static bool read_on(struct state *state)
{
    struct slice block;
    bool last;
    for (int i = 0; i < STEPS_AT_A_TIME; i++) {
        if (!upload_step(&state->upload))
            break;
        if (!account(state) || i + 1 == STEPS_AT_A_TIME)
            return true;
    }
    if (state->upload.status != 0 || state->upload.all_put ||
        !intake_next(&state->intake, &block, &last))
        return false;
    upload_put(&state->upload, block.text, block.length, last);
    if (!last && intake_has_room(&state->intake))
        job_wake(&state->job);
    return true;
}

/* Writes the verdict. Returns whether there is more to write. */
static bool write_on(struct state *state)
{
    const struct clock *clock = state->context->clock;
    state->verdict.analysis = state->upload.analysis;
    if (verdict_step(&state->verdict)) {
        account(state);
        return true;
    }
    int64_t now = clock_now(clock);
    verdict_end(&state->verdict, now - state->began, clock, now);
    return false;
}

/* What was analysed is not needed any more while the answer is being sent. */
static void conclude(struct state *state)
{
    intake_close(&state->intake);
    if (state->upload.status == 0 && state->verdict.text.failed)
        upload_refuse(&state->upload, 503, "out of memory; try again later");
    if (state->upload.status != 0)
        writer_finish(&state->verdict.text);
    upload_finish(&state->upload);
    account(state);
    state->done = true;
    job_wake(&state->job);
}

static bool run(struct job *job)
{
    struct state *state = (struct state *)job;
    if (state->done) {
        job_wake(job); /* it was parked once more while the last step was under way */
        return false;
    }
    if (read_on(state))
        return true;
    if (state->upload.status == 0 && !state->upload.all_put)
        return false; /* until more has been received */
    if (state->upload.status == 0 && write_on(state))
        return true;
    conclude(state);
    return false;
}

static void drop(struct job *job)
{
    struct state *state = (struct state *)job;
    upload_finish(&state->upload);
    writer_finish(&state->verdict.text);
    intake_finish(&state->intake);
    share_set(&state->share, 0);
    free(state);
}

/* ---- The request ---- */

static const char *header(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* The terms that the query gives. Returns the status to refuse them with, or 0. */
static unsigned read_query(struct request *request, struct terms *terms, struct failure *failure)
{
    struct query query;
    const struct clock *clock = request->context->clock;
    terms_init(terms, clock_to_wall(clock, request->began));
    if (!request_read_query(request, term_names, &query, failure))
        return 400;
    for (enum term term = 0; term < TERM_COUNT; term++) {
        const char *text = query_text(&query, term_names[term]);
        if (text != NULL && !terms_set(terms, term, text, failure))
            return 422;
    }
    return 0;
}

static void begin_upload(struct request *request, struct state *state)
{
    struct failure failure;
    struct upload_options options = {
        .content_type = header(request, MHD_HTTP_HEADER_CONTENT_TYPE),
        .content_encoding = header(request, MHD_HTTP_HEADER_CONTENT_ENCODING),
        .unpacked_max = request->context->monitor->body_max * UNPACKED_FACTOR,
    };
    unsigned status = read_query(request, &options.terms, &failure);
    /* Should there be no random numbers, the results are the same. */
    (void)!getrandom(&options.seed, sizeof(options.seed), GRND_NONBLOCK);
    upload_init(&state->upload, &options);
    if (status != 0)
        upload_refuse(&state->upload, status, "%s", failure.text);
    else
        account(state);
}

/* The state of a request of which something has come; NULL if there is no memory for it. */
static struct state *begin(struct request *request)
{
    struct state *state = calloc(1, sizeof(*state));
    if (state == NULL)
        return NULL;
    struct budget *budget = &request->context->monitor->budget;
    state->context = request->context;
    state->began = request->began;
    state->share.budget = budget;
    intake_init(&state->intake, budget);
    job_init(&state->job, request, run, drop);
    begin_upload(request, state);
    if (state->upload.status != 0)
        conclude(state);
    request->state = state;
    return state;
}

/* A log may be long; who keeps sending has more time. */
static void extend_deadline(struct request *request, struct state *state)
{
    uint64_t stretches = request->received / STRETCH;
    if (stretches == state->stretches)
        return;
    state->stretches = stretches;
    connection_await(request->from, AWAITED_BODY, clock_now(request->context->clock));
}

static void take_piece(struct request *request, const char *piece, size_t size)
{
    struct state *state = request->state;
    if (request->no_memory)
        return;
    if (state == NULL && (state = begin(request)) == NULL) {
        request->no_memory = true;
        return;
    }
    extend_deadline(request, state);
    if (intake_put(&state->intake, piece, size))
        job_submit(&state->job);
    if (!intake_is_full(&state->intake))
        return;
    job_park(&state->job);
    if (intake_has_room(&state->intake))
        job_wake(&state->job); /* it has taken some meanwhile */
}

static void answer_done(struct request *request, struct state *state)
{
    if (state->upload.status == 503)
        answer_busy(request, RETRY_AFTER, &state->upload.failure);
    else if (state->upload.status != 0)
        answer_failure(request, state->upload.status, &state->upload.failure);
    else
        answer_json(request, 200, &state->verdict.text);
}

static void answer_monitor(struct request *request)
{
    struct failure failure;
    struct state *state = request->state;
    if (state == NULL && (state = begin(request)) == NULL) {
        answer_error(request, 503, "out of memory; try again later");
        return;
    }
    if (state->intake.no_memory) {
        failure_set(&failure, "too much is being received at once; try again later");
        answer_busy(request, RETRY_AFTER, &failure);
        return;
    }
    if (!state->done) {
        intake_end(&state->intake);
        job_park(&state->job);
        job_submit(&state->job);
        return;
    }
    answer_done(request, state);
}

static void forget(struct request *request)
{
    struct state *state = request->state;
    if (state != NULL)
        job_abandon(&state->job);
}

static const struct endpoint endpoints[] = {
    {
        .path = "/monitor",
        .methods = METHOD_POST,
        .body_limit = body_limit,
        .take = take_piece,
        .answer = answer_monitor,
        .forget = forget,
    },
};

const struct resource monitor_resource = RESOURCE(endpoints);
