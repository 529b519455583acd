#include "overview.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <kairos/timestamp.h>

#include "beat.h"
#include "client.h"
#include "overview_options.h"
#include "pages.h"
#include "status.h"
#include "table.h"

/* Longer ones are none of Kairós. */
#define SPAN_SECONDS_MAX 1e12

/* Room for "106751991d 23h", and for "106751991d 23h ago". */
#define SPAN_SIZE   48
#define MOMENT_SIZE (SPAN_SIZE + 5)

static const struct table_column columns[] = {
    {"SERVICE", true, false},   {"STATUS", false, false},   {"LAST SEEN", false, false},
    {"DEADLINE", false, false}, {"INTERVAL", false, false}, {"TAGS", true, true},
};

#define COLUMNS       (sizeof(columns) / sizeof(columns[0]))
#define COLUMN_STATUS 1

/* In the order in which they are counted in the end. */
static const struct {
    const char *name;
    const char *colour;
} statuses[] = {
    {"down", "\033[1;31m"}, {"late", "\033[33m"},  {"up", "\033[32m"},
    {"new", "\033[36m"},    {"paused", "\033[2m"},
};

#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))

struct overview {
    const struct overview_options *options;
    struct pages pages;
    struct table table;
    int64_t now;               /* microseconds, wall time */
    uint64_t count;            /* services */
    uint64_t counts[STATUSES]; /* of each status */
};

/* ---- Cells ---- */

/* Writes a span as people say it: its two largest units. */
static void format_span(char text[SPAN_SIZE], int64_t span)
{
    int64_t seconds = span / KAIROS_SECOND;
    if (seconds < 60)
        snprintf(text, SPAN_SIZE, "%" PRId64 "s", seconds);
    else if (seconds < 3600)
        snprintf(text, SPAN_SIZE, "%" PRId64 "m %" PRId64 "s", seconds / 60, seconds % 60);
    else if (seconds < 86400)
        snprintf(text, SPAN_SIZE, "%" PRId64 "h %" PRId64 "m", seconds / 3600, seconds % 3600 / 60);
    else
        snprintf(text, SPAN_SIZE, "%" PRId64 "d %" PRId64 "h", seconds / 86400,
                 seconds % 86400 / 3600);
}

/* Writes when TIME (a JSON text) is or was, by the clock of this machine. */
static void format_moment(char text[MOMENT_SIZE], const json_t *time, int64_t now,
                          const char *never)
{
    char span[SPAN_SIZE];
    int64_t moment;
    if (!json_is_string(time) ||
        !kairos_timestamp_parse(json_string_value(time), json_string_length(time), &moment)) {
        snprintf(text, MOMENT_SIZE, "%s", never);
        return;
    }
    format_span(span, moment > now ? moment - now : now - moment);
    if (moment > now)
        snprintf(text, MOMENT_SIZE, "in %s", span);
    else
        snprintf(text, MOMENT_SIZE, "%s ago", span);
}

/* Writes a span exactly, in the largest unit that has no remainder: "1d", "90s", "1500ms". */
static void format_interval(char text[SPAN_SIZE], const json_t *interval)
{
    static const struct {
        int64_t milliseconds;
        const char *name;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    double seconds = json_number_value(interval);
    size_t i = 0;
    if (!json_is_number(interval) || !(seconds > 0 && seconds < SPAN_SECONDS_MAX)) {
        strcpy(text, "-");
        return;
    }
    int64_t milliseconds = (int64_t)(seconds * 1000 + 0.5);
    while (milliseconds % units[i].milliseconds != 0)
        i++;
    snprintf(text, SPAN_SIZE, "%" PRId64 "%s", milliseconds / units[i].milliseconds, units[i].name);
}

static void format_tags(char text[TABLE_CELL_SIZE], const json_t *tags)
{
    size_t i, used = 0;
    const json_t *tag;
    text[0] = '\0';
    json_array_foreach(tags, i, tag)
    {
        const char *name = json_string_value(tag);
        if (name == NULL || used + strlen(name) + 2 > TABLE_CELL_SIZE)
            continue;
        used += (size_t)sprintf(text + used, "%s%s", used > 0 ? "," : "", name);
    }
}

static const char *text_of(const json_t *service, const char *key)
{
    const char *text = json_string_value(json_object_get(service, key));
    return text != NULL ? text : "?";
}

static bool add_row(struct overview *overview, const json_t *service, size_t status)
{
    char last_seen[MOMENT_SIZE], deadline[MOMENT_SIZE], interval[SPAN_SIZE], tags[TABLE_CELL_SIZE];
    format_moment(last_seen, json_object_get(service, "last_seen"), overview->now, "never");
    format_moment(deadline, json_object_get(service, "next_deadline"), overview->now, "-");
    format_interval(interval, json_object_get(service, "interval"));
    format_tags(tags, json_object_get(service, "tags"));
    const char *const cells[COLUMNS] = {text_of(service, "service"),
                                        text_of(service, "status"),
                                        last_seen,
                                        deadline,
                                        interval,
                                        tags};
    return table_add(&overview->table, cells, status < STATUSES ? statuses[status].colour : NULL,
                     COLUMN_STATUS);
}

/* ---- Pages ---- */

/* Counts a service; returns the number of its status, STATUSES if it is none that we know. */
static size_t count_service(struct overview *overview, const json_t *service)
{
    const char *name = text_of(service, "status");
    size_t status = 0;
    while (status < STATUSES && strcmp(name, statuses[status].name) != 0)
        status++;
    overview->count++;
    if (status < STATUSES)
        overview->counts[status]++;
    return status;
}

static bool add_page(struct overview *overview, const json_t *page, struct failure *failure)
{
    size_t i;
    const json_t *service;
    json_array_foreach(page, i, service)
    {
        if (!add_row(overview, service, count_service(overview, service)))
            return failure_set(failure, "out of memory");
    }
    table_print(&overview->table, stdout);
    return true;
}

static bool print_json(struct overview *overview, const json_t *page, struct failure *failure)
{
    size_t i;
    const json_t *service;
    json_array_foreach(page, i, service)
    {
        fputs(overview->count == 0 ? "[\n  " : ",\n  ", stdout);
        count_service(overview, service);
        if (json_dumpf(service, stdout, 0) != 0 && !ferror(stdout))
            return failure_set(failure, "out of memory");
    }
    return true;
}

static void print_counts(const struct overview *overview)
{
    if (overview->count == 0) {
        puts("no services");
        return;
    }
    printf("\n%" PRIu64 " service%s:", overview->count, overview->count == 1 ? "" : "s");
    const char *separator = " ";
    for (size_t i = 0; i < STATUSES; i++) {
        if (overview->counts[i] == 0)
            continue;
        printf("%s%" PRIu64 " %s", separator, overview->counts[i], statuses[i].name);
        separator = ", ";
    }
    putchar('\n');
}

static bool print_all(struct overview *overview, struct failure *failure)
{
    bool json = overview->options->json, done = true;
    json_t *page;
    while (done && (page = pages_next(&overview->pages, failure)) != NULL) {
        done = json ? print_json(overview, page, failure) : add_page(overview, page, failure);
        json_decref(page);
    }
    if (!done || overview->pages.failed)
        return false;
    if (json)
        puts(overview->count == 0 ? "[]" : "\n]");
    else
        print_counts(overview);
    return true;
}

static int show(const struct overview_options *options, struct client *client,
                struct failure *failure)
{
    struct overview overview = {
        .options = options,
        .pages = {.client = client,
                  .criteria = &options->criteria,
                  .sort = options->sort,
                  .server = options->client.url},
        .now = beat_now(),
    };
    table_init(&overview.table, columns, COLUMNS, stdout);
    bool done = print_all(&overview, failure);
    table_finish(&overview.table);
    pages_finish(&overview.pages);
    if (!done)
        return STATUS_FAILED;
    return options->fail_on_down && overview.counts[0] > 0 ? STATUS_ALERTS : STATUS_DONE;
}

/* "ready", or "degraded" and why. One that is not ready answers as one that refuses. */
static int show_ready(struct client *client, struct failure *failure)
{
    const struct client_request request = {.method = "GET", .path = "/ready"};
    json_t *answer = client_send_json(client, &request, NULL, failure);
    const char *status = json_string_value(json_object_get(answer, "status"));
    const json_t *reason;
    size_t i;
    if (answer == NULL)
        return STATUS_FAILED;
    if (status == NULL) {
        json_decref(answer);
        failure_set(failure, "the server does not say whether it is ready: is it Kairós?");
        return STATUS_FAILED;
    }
    puts(status);
    json_array_foreach(json_object_get(answer, "reasons"), i, reason)
    {
        if (json_is_string(reason))
            puts(json_string_value(reason));
    }
    json_decref(answer);
    return STATUS_DONE;
}

int overview_command(int argc, char **argv)
{
    struct overview_options options;
    struct failure failure;
    int status = STATUS_FAILED;
    overview_options_parse(&options, argc, argv);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct client *client = client_create(&options.client, &failure);
    if (client != NULL)
        status = options.ready ? show_ready(client, &failure) : show(&options, client, &failure);
    if (status == STATUS_FAILED)
        failure_print(&failure);
    client_destroy(client);
    curl_global_cleanup();
    return status;
}
