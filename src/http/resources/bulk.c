/*
 * bulk.c - POST /api/v1/bulk: one action on many services, by name or by filter.
 *
 *   {"action": "update", "match": {"tag": "test"}, "change": {"interval": "5m"}}
 *
 * All of it is done by a job, some hundred services at a time.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "change.h"
#include "filter.h"
#include "job.h"
#include "keeper.h"
#include "resource.h"

#define BODY_MAX (4 * 1024 * 1024)

/* Failures that are told; of further ones the number shows. */
#define FAILURES_KEPT 100

enum action {
    ACTION_PAUSE,
    ACTION_RESUME,
    ACTION_DELETE,
    ACTION_UPDATE,
    ACTION_COUNT,
};

static const char *const action_names[ACTION_COUNT] = {"pause", "resume", "delete", "update"};

struct refusal {
    struct service_name name;
    struct failure failure;
};

struct bulk {
    struct job job;
    const struct context *context;
    char *body; /* until it has been read */
    size_t length;
    enum action action;
    struct service_change change;
    json_t *names; /* of the services; NULL: those that FILTER lets through */
    struct engine_filter filter;
    uint64_t place; /* the next name, or the filter's cursor */
    bool over;
    uint64_t matched, carried_out;
    struct keeping *keepings; /* of one step; room for KEEPER_BATCH */
    struct refusal *refusals;
    size_t refusal_count;
    unsigned status; /* of the answer: 200, or what is wrong with the body */
    struct failure failure;
};

/* ---- The body ---- */

static bool refuse(struct bulk *bulk, unsigned status)
{
    bulk->status = status;
    return false;
}

static bool read_action(struct bulk *bulk, const json_t *body)
{
    const char *text = json_string_value(json_object_get(body, "action"));
    for (unsigned i = 0; text != NULL && i < ACTION_COUNT; i++) {
        if (strcmp(text, action_names[i]) == 0) {
            bulk->action = (enum action)i;
            return true;
        }
    }
    return failure_set(&bulk->failure, "action: it has to be pause, resume, delete or update");
}

static bool read_names(struct bulk *bulk, json_t *names)
{
    if (!json_is_array(names))
        return failure_set(&bulk->failure, "services: it has to be an array of names");
    for (size_t i = 0; i < json_array_size(names); i++) {
        const json_t *name = json_array_get(names, i);
        char text[KAIROS_SERVICE_SIZE];
        size_t length;
        if (!json_is_string(name) ||
            kairos_service_parse(json_string_value(name), json_string_length(name), text,
                                 &length) != KAIROS_SERVICE_OK)
            return failure_set(&bulk->failure,
                               "services: the element %zu is no name; one has 1 to 100 characters "
                               "of a-z 0-9 _ -",
                               i + 1);
    }
    bulk->names = json_incref(names);
    return true;
}

static bool read_services(struct bulk *bulk, const json_t *body)
{
    json_t *names = json_object_get(body, "services");
    const json_t *match = json_object_get(body, "match");
    if ((names == NULL) == (match == NULL))
        return failure_set(&bulk->failure,
                           "there has to be either 'services', an array of names, or 'match', an "
                           "object such as {\"tag\": \"test\"}; {} is all services");
    return names != NULL ? read_names(bulk, names)
                         : filter_from_json(match, &bulk->filter, &bulk->failure);
}

static bool read_change(struct bulk *bulk, const json_t *body)
{
    const json_t *change = json_object_get(body, "change");
    if (bulk->action == ACTION_UPDATE && change == NULL)
        return failure_set(&bulk->failure, "change: it is missing; it is an object such as "
                                           "{\"interval\": 60}");
    if (bulk->action != ACTION_UPDATE && change != NULL)
        return failure_set(&bulk->failure, "change: there is none with the action '%s'",
                           action_names[bulk->action]);
    bulk->change.has_paused = bulk->action == ACTION_PAUSE || bulk->action == ACTION_RESUME;
    bulk->change.paused = bulk->action == ACTION_PAUSE;
    if (change != NULL && !json_is_object(change))
        return failure_set(&bulk->failure, "change: it is no object such as {\"interval\": 60}");
    struct failure wrong;
    return change == NULL || change_read(change, &bulk->change, &wrong) ||
           failure_set(&bulk->failure, "change: %s", wrong.text);
}

static bool read_keys(struct bulk *bulk, json_t *body)
{
    static const char *const known[] = {"action", "services", "match", "change"};
    const char *key;
    json_t *value;
    if (!json_is_object(body))
        return failure_set(&bulk->failure, "the body is no JSON object");
    json_object_foreach(body, key, value)
    {
        size_t i = 0;
        while (i < sizeof(known) / sizeof(known[0]) && strcmp(known[i], key) != 0)
            i++;
        if (i == sizeof(known) / sizeof(known[0]))
            return failure_set(&bulk->failure,
                               "unknown key '%s'; known are action, services, match and change",
                               key);
    }
    return true;
}

/* Reads the body. Returns false when it is refused. */
static bool read_body(struct bulk *bulk)
{
    enum change_result result;
    json_t *body =
        change_load(bulk->body == NULL ? "" : bulk->body, bulk->length, &result, &bulk->failure);
    free(bulk->body);
    bulk->body = NULL;
    if (body == NULL)
        return refuse(bulk, result == CHANGE_MALFORMED ? 400 : 422);
    bool valid = read_keys(bulk, body) && read_action(bulk, body) && read_services(bulk, body) &&
                 read_change(bulk, body);
    json_decref(body);
    return valid || refuse(bulk, 422);
}

static bool make_room(struct bulk *bulk)
{
    bulk->keepings = malloc(KEEPER_BATCH * sizeof(bulk->keepings[0]));
    bulk->refusals = malloc(FAILURES_KEPT * sizeof(bulk->refusals[0]));
    if (bulk->keepings != NULL && bulk->refusals != NULL)
        return true;
    failure_set(&bulk->failure, "out of memory; try again later");
    return refuse(bulk, 503);
}

/* ---- The work ---- */

/* The next names that were given; they were read before. */
static size_t next_given(struct bulk *bulk, struct service_name *names, size_t max)
{
    size_t count = 0;
    for (; count < max && bulk->place < json_array_size(bulk->names); count++, bulk->place++) {
        const json_t *name = json_array_get(bulk->names, (size_t)bulk->place);
        size_t length = 0;
        names[count] = (struct service_name){0};
        kairos_service_parse(json_string_value(name), json_string_length(name), names[count].text,
                             &length);
        names[count].length = (uint8_t)length;
    }
    bulk->over = bulk->place == json_array_size(bulk->names);
    return count;
}

static size_t next_matching(struct bulk *bulk, struct service_name *names, size_t max)
{
    size_t count = engine_names(bulk->context->engine, &bulk->filter, &bulk->place, names, max);
    bulk->over = bulk->place == 0;
    return count;
}

static void note_refusal(struct bulk *bulk, const struct service_name *name,
                         const struct failure *failure)
{
    if (bulk->refusal_count < FAILURES_KEPT)
        bulk->refusals[bulk->refusal_count++] =
            (struct refusal){.name = *name, .failure = *failure};
}

/* Takes down what became of one; WRITTEN: the catalog was, or bulk->failure says why not. */
static void take_result(struct bulk *bulk, const struct keeping *keeping, bool written)
{
    struct failure failure = bulk->failure;
    if (written && (keeping->result == ENGINE_OK || keeping->result == ENGINE_CREATED)) {
        bulk->carried_out++;
        if (bulk->action == ACTION_DELETE)
            outputs_forget(bulk->context->outputs, keeping->name.text);
        return;
    }
    if (written)
        change_refused(keeping->result, keeping->name.text, &failure);
    note_refusal(bulk, &keeping->name, &failure);
}

/* Carries out the next step. */
static void go_on(struct bulk *bulk)
{
    struct service_name names[KEEPER_BATCH];
    size_t count = bulk->names != NULL ? next_given(bulk, names, KEEPER_BATCH)
                                       : next_matching(bulk, names, KEEPER_BATCH);
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        bulk->keepings[i] = (struct keeping){
            .name = names[i], .change = bulk->action == ACTION_DELETE ? NULL : &bulk->change};
    bool written = keeper_carry_out(bulk->context->keeper, bulk->keepings, count, &bulk->failure);
    bulk->matched += count;
    for (size_t i = 0; i < count; i++)
        take_result(bulk, &bulk->keepings[i], written);
}

static bool run(struct job *job)
{
    struct bulk *bulk = (struct bulk *)job; /* its first member */
    if (bulk->keepings == NULL) {
        bulk->status = 200;
        bulk->over = !read_body(bulk) || !make_room(bulk);
    } else {
        go_on(bulk);
    }
    if (bulk->over)
        job_wake(job);
    return !bulk->over;
}

/* ---- The request ---- */

static void drop(struct job *job)
{
    struct bulk *bulk = (struct bulk *)job;
    json_decref(bulk->names);
    free(bulk->body);
    free(bulk->keepings);
    free(bulk->refusals);
    free(bulk);
}

static void forget(struct request *request)
{
    request_uncount(request);
    struct bulk *bulk = request->state;
    if (bulk != NULL)
        job_abandon(&bulk->job);
}

static void answer_done(struct request *request, const struct bulk *bulk)
{
    struct writer writer = {0};
    if (bulk->status != 200) {
        answer_failure(request, bulk->status, &bulk->failure);
        return;
    }
    writer_print(&writer, "{\"matched\":%" PRIu64 ",\"done\":%" PRIu64 ",\"failed\":[",
                 bulk->matched, bulk->carried_out);
    for (size_t i = 0; i < bulk->refusal_count; i++) {
        const struct refusal *refusal = &bulk->refusals[i];
        writer_print(&writer, "%s{\"service\":\"%s\",\"detail\":", i == 0 ? "" : ",",
                     refusal->name.text);
        writer_string(&writer, refusal->failure.text, strlen(refusal->failure.text));
        writer_print(&writer, "}");
    }
    writer_print(&writer, "]}");
    answer_json(request, 200, &writer);
}

static void answer_bulk(struct request *request)
{
    struct bulk *bulk = request->state;
    if (bulk != NULL) {
        answer_done(request, bulk);
        return;
    }
    bulk = calloc(1, sizeof(*bulk));
    if (bulk == NULL) {
        answer_error(request, 503, "out of memory; try again later");
        return;
    }
    bulk->context = request->context;
    bulk->body = request->body; /* the job reads it, and may outlive the request */
    bulk->length = request->length;
    request->body = NULL;
    request->state = bulk;
    job_init(&bulk->job, request, run, drop);
    job_park(&bulk->job);
    job_submit(&bulk->job);
}

static const struct endpoint endpoints[] = {
    {
        .path = "/api/v1/bulk",
        .methods = METHOD_POST,
        .body_max = BODY_MAX,
        .take = request_collect_counted,
        .answer = answer_bulk,
        .forget = forget,
    },
};

const struct resource bulk_resource = RESOURCE(endpoints);
