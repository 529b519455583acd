#include "courier.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kairos/timestamp.h>

#include "spool.h"
#include "stopwatch.h"

/* Successes of the spool in one request. */
#define BATCH_MAX 1000

/* What one of them takes there. */
#define EVENT_FORMAT "{\"service\":\"%s\",\"timestamp\":\"%s\"}"
#define EVENT_MAX    (sizeof(EVENT_FORMAT ",") + KAIROS_SERVICE_SIZE + KAIROS_TIMESTAMP_SIZE)

/* What the answer to a ping may hold. */
#define PING_ANSWER_MAX ((size_t)64 * 1024)

/* Tells the user on stderr, without a failure of the command. */
static void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void warn(const char *format, ...)
{
    struct failure failure;
    va_list arguments;
    va_start(arguments, format);
    failure_vset(&failure, format, arguments);
    va_end(arguments);
    failure_print(&failure);
}

/* ---- One beat ---- */

bool courier_init(struct courier *courier, const struct courier_options *options,
                  struct failure *failure)
{
    *courier = (struct courier){.options = *options};
    courier->client = client_create(&courier->options.client, failure);
    return courier->client != NULL;
}

void courier_finish(struct courier *courier)
{
    client_destroy(courier->client);
    courier->client = NULL;
}

/* Whether that is what Kairós says to a ping, and not somebody who says 200 to everything. */
static bool is_answer(const struct client_answer *answer)
{
    static const char *const answers[] = {"OK", "Created"};
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        if (answer->size == strlen(answers[i]) &&
            memcmp(answer->bytes, answers[i], answer->size) == 0)
            return true;
    }
    return false;
}

static enum client_result ping(struct courier *courier, const struct beat *beat,
                               struct failure *failure)
{
    char path[BEAT_PATH_SIZE];
    struct client_answer answer;
    beat_path(beat, path);
    const struct client_request request = {
        .method = "POST",
        .path = path,
        .type = beat->size > 0 ? "text/plain" : NULL,
        .body = beat->size > 0 ? beat->output : "",
        .size = beat->size,
        .answer_max = PING_ANSWER_MAX,
    };
    enum client_result result = client_send(courier->client, &request, &answer, failure);
    if (result != CLIENT_DONE || is_answer(&answer))
        return result;
    failure_set(failure, "%s%s: the answer is none of a Kairós server", courier->options.client.url,
                path);
    return CLIENT_FAILED;
}

enum courier_result courier_keep(const struct courier_options *options, const struct beat *beat,
                                 const char *reason)
{
    struct failure failure;
    size_t dropped = 0;
    if (beat->kind == BEAT_START || beat->kind == BEAT_LOG || options->spool[0] == '\0') {
        warn("%s", reason);
        return COURIER_LOST;
    }
    bool kept = spool_add(options->spool, options->client.url, beat, &dropped, &failure);
    if (kept)
        warn("%s; kept in %s, to be sent later", reason, options->spool);
    else
        warn("%s; and lost: %s", reason, failure.text);
    if (dropped > 0)
        warn("%zu that were older were dropped: the spool is full", dropped);
    return kept ? COURIER_KEPT : COURIER_LOST;
}

enum courier_result courier_bring(struct courier *courier, const struct beat *beat)
{
    struct failure failure;
    switch (ping(courier, beat, &failure)) {
    case CLIENT_DONE:
        return COURIER_BROUGHT;
    case CLIENT_REFUSED:
        warn("%s", failure.text);
        return COURIER_LOST;
    case CLIENT_FAILED:
        break;
    }
    return courier_keep(&courier->options, beat, failure.text);
}

/* ---- The spool ---- */

/* A beat of the spool. */
struct item {
    size_t index;
    char service[KAIROS_SERVICE_SIZE];
    int64_t time;
    bool fail;
};

struct errand {
    struct courier *courier;
    struct spool spool;
    struct item *items; /* those for this server; by service, and then by time */
    size_t count;
    double end; /* when nothing more is begun */
};

/* By service, then by time; of one moment in the order of their names. */
static int compare_items(const void *a, const void *b)
{
    const struct item *left = a, *right = b;
    int order = strcmp(left->service, right->service);
    if (order != 0)
        return order;
    if (left->time != right->time)
        return left->time < right->time ? -1 : 1;
    return left->index < right->index ? -1 : 1;
}

/* Whether two addresses are the same but for slashes at the end. */
static bool is_same_server(const char *a, const char *b)
{
    size_t left = strlen(a), right = strlen(b);
    while (left > 0 && a[left - 1] == '/')
        left--;
    while (right > 0 && b[right - 1] == '/')
        right--;
    return left == right && memcmp(a, b, left) == 0;
}

/* Reads what there is for this server; what is no beat is removed. */
static bool read_items(struct errand *errand)
{
    const struct spool *spool = &errand->spool;
    size_t damages = 0;
    errand->items = malloc(spool->count * sizeof(*errand->items));
    if (errand->items == NULL)
        return false;
    for (size_t i = 0; i < spool->count; i++) {
        struct beat beat;
        json_t *json;
        const char *url;
        bool damaged;
        if (!spool_read(spool, i, &json, &beat, &url, &damaged)) {
            if (damaged)
                spool_remove(spool, i);
            damages += damaged;
            continue;
        }
        if (is_same_server(url, errand->courier->options.client.url)) {
            struct item *item = &errand->items[errand->count++];
            *item = (struct item){.index = i, .time = beat.time, .fail = beat.kind == BEAT_FAIL};
            memcpy(item->service, beat.service, sizeof(item->service));
        }
        json_decref(json);
    }
    if (damages > 0)
        warn("dropped %zu damaged files from the spool %s", damages,
             errand->courier->options.spool);
    qsort(errand->items, errand->count, sizeof(*errand->items), compare_items);
    return true;
}

static void remove_item(const struct errand *errand, const struct item *item)
{
    spool_remove(&errand->spool, item->index);
}

/* Tells that the server does not want some of what it was brought. */
static void warn_rejected(const json_t *answer)
{
    json_int_t rejected = json_integer_value(json_object_get(answer, "rejected"));
    const json_t *error = json_array_get(json_object_get(answer, "errors"), 0);
    const char *detail = json_string_value(json_object_get(error, "detail"));
    if (rejected > 0)
        warn("the server rejected %" JSON_INTEGER_FORMAT " heartbeats of the spool%s%s", rejected,
             detail != NULL ? ": " : "", detail != NULL ? detail : "");
}

/* Writes COUNT successes from *NEXT on as the body of a request; moves *NEXT behind them. */
static size_t write_batch(const struct errand *errand, size_t *next, char *body, size_t *count)
{
    char *c = body, time[KAIROS_TIMESTAMP_SIZE];
    for (*count = 0; *next < errand->count && *count < BATCH_MAX; ++*next) {
        const struct item *item = &errand->items[*next];
        if (item->fail)
            continue;
        kairos_timestamp_format(item->time, time);
        *c++ = *count == 0 ? '[' : ',';
        c += sprintf(c, EVENT_FORMAT, item->service, time);
        ++*count;
    }
    *c++ = ']';
    return (size_t)(c - body);
}

static bool send_batch(const struct errand *errand, const char *body, size_t size)
{
    struct failure failure;
    const struct client_request request = {
        .method = "POST",
        .path = "/api/v1/heartbeats",
        .type = "application/json",
        .body = body,
        .size = size,
    };
    json_t *answer = client_send_json(errand->courier->client, &request, NULL, &failure);
    bool taken = json_is_integer(json_object_get(answer, "accepted"));
    if (answer == NULL)
        warn("%s; what is in the spool stays there", failure.text);
    else if (!taken)
        warn("%s: the answer is none of a Kairós server; what is in the spool stays there",
             errand->courier->options.client.url);
    else
        warn_rejected(answer);
    json_decref(answer);
    return taken;
}

static bool may_go_on(const struct errand *errand)
{
    const struct client_options *options = &errand->courier->options.client;
    return stopwatch_seconds() < errand->end &&
           (options->interrupt == NULL || interrupt_count(options->interrupt) == 0);
}

/* Sends all successes. */
static bool send_successes(const struct errand *errand)
{
    char *body = malloc(BATCH_MAX * EVENT_MAX + 2);
    bool sent = body != NULL;
    for (size_t next = 0; sent && next < errand->count;) {
        size_t first = next, count, size = write_batch(errand, &next, body, &count);
        if (count == 0)
            break;
        sent = may_go_on(errand) && send_batch(errand, body, size);
        for (size_t i = first; sent && i < next; i++) {
            if (!errand->items[i].fail)
                remove_item(errand, &errand->items[i]);
        }
    }
    free(body);
    return sent;
}

/* Whether the server has heard of the service since the moment of ITEM. */
static enum client_result ask_moot(const struct errand *errand, const struct item *item, bool *moot)
{
    char path[KAIROS_SERVICE_SIZE + 32];
    struct failure failure;
    enum client_result result;
    int64_t last_seen;
    snprintf(path, sizeof(path), "/api/v1/services/%s", item->service);
    const struct client_request request = {.method = "GET", .path = path};
    json_t *view = client_send_json(errand->courier->client, &request, &result, &failure);
    const json_t *seen = json_object_get(view, "last_seen");
    *moot = json_is_string(seen) &&
            kairos_timestamp_parse(json_string_value(seen), json_string_length(seen), &last_seen) &&
            last_seen >= item->time;
    json_decref(view);
    return result;
}

static bool may_fail(const struct courier *courier, const struct item *item)
{
    return courier->may_fail == NULL || courier->may_fail(courier->context, item->service);
}

/* Sends a fail, which happens now. Returns false when there is no use in going on. */
static bool send_fail(const struct errand *errand, const struct item *item)
{
    struct beat beat;
    struct failure failure;
    json_t *json;
    const char *url;
    bool damaged, moot;
    if (ask_moot(errand, item, &moot) == CLIENT_FAILED ||
        (!moot && !may_fail(errand->courier, item)))
        return false;
    if (moot || !spool_read(&errand->spool, item->index, &json, &beat, &url, &damaged))
        return true;
    enum client_result result = ping(errand->courier, &beat, &failure);
    json_decref(json);
    if (result != CLIENT_DONE)
        warn("%s; it was in the spool, and %s", failure.text,
             result == CLIENT_REFUSED ? "is dropped" : "stays there");
    return result != CLIENT_FAILED;
}

/* Sends the fails that are the newest of their service; others are moot. */
static void send_fails(const struct errand *errand)
{
    for (size_t first = 0, end; first < errand->count; first = end) {
        const struct item *items = errand->items;
        for (end = first + 1; end < errand->count; end++) {
            if (strcmp(items[end].service, items[first].service) != 0)
                break;
        }
        if (items[end - 1].fail && (!may_go_on(errand) || !send_fail(errand, &items[end - 1])))
            return;
        for (size_t i = first; i < end; i++) {
            if (items[i].fail)
                remove_item(errand, &items[i]);
        }
    }
}

static void run_errand(struct errand *errand)
{
    if (!read_items(errand) || errand->count == 0)
        return;
    int64_t retry_for = errand->courier->options.client.retry_for;
    errand->courier->options.client.retry_for = 0; /* the next time is soon enough */
    if (send_successes(errand))
        send_fails(errand);
    errand->courier->options.client.retry_for = retry_for;
}

void courier_empty(struct courier *courier)
{
    struct failure failure;
    struct errand errand = {
        .courier = courier,
        .end = stopwatch_seconds() + (double)COURIER_RETRY_FOR / KAIROS_SECOND,
    };
    if (courier->options.spool[0] == '\0')
        return;
    switch (spool_open(&errand.spool, courier->options.spool, &failure)) {
    case SPOOL_OPEN:
        break;
    case SPOOL_BROKEN:
        failure_print(&failure);
        return;
    case SPOOL_EMPTY:
    case SPOOL_BUSY: /* whoever is at it takes all */
        return;
    }
    run_errand(&errand);
    free(errand.items);
    spool_close(&errand.spool);
}
