/*
 * metrics.c - /metrics: figures in Prometheus's text format (exposition.h).
 *
 * Its cost does not depend on how many services or connections there are.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "exposition.h"
#include "job.h"
#include "process.h"
#include "resource.h"
#include "server.h"
#include "worker.h"

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

static void write_build(struct writer *writer, const struct context *context)
{
    exposition_head(writer, "kairos_build_info", "gauge",
                    "Always 1; the labels tell what is running.");
    writer_print(writer, "kairos_build_info{version=\"%s\",compiler=\"%s\"} 1\n", context->version,
                 COMPILER);
}

static void write_heartbeats(struct writer *writer, const struct engine_figures *figures,
                             const struct server_counts *counts)
{
    exposition_counter(writer, "kairos_heartbeats_total", "Heartbeats accepted, older ones too.",
                       figures->heartbeats);
    exposition_counter(writer, "kairos_heartbeats_older_total",
                       "Heartbeats no newer than the service's last one, which change nothing.",
                       figures->older);
    exposition_head(writer, "kairos_heartbeats_rejected_total", "counter",
                    "Heartbeats that were well-formed and not accepted.");
    exposition_label(writer, "kairos_heartbeats_rejected_total", "reason", "timestamp_in_future",
                     figures->in_future);
    exposition_counter(writer, "kairos_events_total",
                       "Events in bodies of /api/v1/heartbeats, invalid ones too.", counts->events);
    exposition_head(writer, "kairos_events_invalid_total", "counter",
                    "Events in request bodies that were no heartbeats.");
    for (size_t i = KAIROS_VALID + 1; i < KAIROS_REASON_COUNT; i++)
        exposition_label(writer, "kairos_events_invalid_total", "reason",
                         kairos_reason_name((enum kairos_reason)i), counts->invalid[i]);
    exposition_counter(writer, "kairos_fails_total", "Failures that services reported.",
                       figures->fails);
    exposition_counter(writer, "kairos_starts_total", "Runs that services began.", figures->starts);
    exposition_counter(writer, "kairos_logs_total", "Pings that change nothing.", figures->logs);
}

static void write_services(struct writer *writer, const struct engine_figures *figures)
{
    exposition_head(writer, "kairos_services", "gauge", "Services by status.");
    for (size_t i = 0; i < SERVICE_STATUS_COUNT; i++)
        exposition_label(writer, "kairos_services", "status",
                         service_status_name((enum service_status)i), figures->services[i]);
    exposition_counter(writer, "kairos_services_created_total",
                       "Services that appeared or were declared.", figures->created);
}

static void write_alerts(struct writer *writer, const struct engine_figures *figures)
{
    exposition_head(writer, "kairos_alerts_total", "counter",
                    "First alerts of incidents that were raised.");
    for (size_t i = 0; i < INCIDENT_KIND_COUNT; i++)
        exposition_label(writer, "kairos_alerts_total", "kind",
                         incident_kind_name((enum incident_kind)i), figures->alerts_of_kind[i]);
    exposition_counter(writer, "kairos_recoveries_total", "Incidents that a heartbeat has closed.",
                       figures->recoveries);
    exposition_head(writer, "kairos_detection_delay_seconds", "histogram",
                    "How long after it was due an alert of silence or overrun was raised.");
    exposition_histogram(writer, "kairos_detection_delay_seconds", "", engine_delays(),
                         figures->delays, figures->delay_sum);
}

static void write_hearing(struct writer *writer, const struct engine_figures *figures,
                          const struct ticker *ticker)
{
    struct ticker_figures hearing = {0};
    if (ticker != NULL)
        hearing = ticker_figures(ticker);
    exposition_head(writer, "kairos_gaps_total", "counter",
                    "Times in which Kairos itself could not hear.");
    for (size_t i = 0; i < GAP_REASON_COUNT; i++)
        exposition_label(writer, "kairos_gaps_total", "reason", gap_reason_name((enum gap_reason)i),
                         figures->gaps_for_reason[i]);
    exposition_counter(writer, "kairos_ingest_stalls_total",
                       "Times that what had arrived was not heard for a second or more.",
                       hearing.stalls);
    exposition_seconds(writer, "kairos_ingest_lag_seconds", "gauge",
                       "How far behind the present all that arrived is heard.", hearing.lag);
    exposition_gauge(writer, "kairos_ready", "1 if all is heard and judged, else 0.",
                     ticker != NULL && ticker_is_ready(ticker));
}

static void write_registry(struct writer *writer, const struct registry *registry,
                           const struct engine_figures *figures)
{
    exposition_gauge(writer, "kairos_registry_slots", "Slots of the registry, used or free.",
                     registry_slots(registry));
    exposition_gauge(writer, "kairos_registry_slots_free",
                     "Slots that can be used before it has to grow.", figures->slots_free);
    exposition_gauge(writer, "kairos_registry_size_bytes", "Size of the registry's file.",
                     registry_bytes(registry));
    exposition_gauge(writer, "kairos_registry_full", "1 if the registry could not grow, else 0.",
                     figures->no_space);
    exposition_gauge(writer, "kairos_registry_sync_failed",
                     "1 if the disk may lack what is known, else 0.",
                     registry_sync_error(registry) != 0);
}

/* ---- Requests ---- */

/* The path of the endpoint numbered NUMBER; NULL beyond the last one. */
static const char *path_of(size_t number)
{
    size_t position = number - 1;
    if (number == ROUTE_OTHER)
        return "other";
    const struct endpoint *endpoint = router_next(&position);
    return endpoint == NULL ? NULL : endpoint->path;
}

/* Adds the counts of endpoints that share their path to the first of them. */
static void join_paths(struct traffic_sum *traffic)
{
    for (size_t number = 1; number < TRAFFIC_ROUTES && path_of(number) != NULL; number++) {
        size_t first = 1;
        while (strcmp(path_of(first), path_of(number)) != 0)
            first++;
        if (first == number)
            continue;
        for (size_t i = 0; i < TRAFFIC_STATUSES; i++)
            traffic->answers[first][i] += traffic->answers[number][i];
        for (size_t i = 0; i < TRAFFIC_BUCKETS; i++)
            traffic->durations[first][i] += traffic->durations[number][i];
        traffic->microseconds[first] += traffic->microseconds[number];
        memset(traffic->answers[number], 0, sizeof(traffic->answers[number]));
        memset(traffic->durations[number], 0, sizeof(traffic->durations[number]));
    }
}

static void write_answers(struct writer *writer, const struct traffic_sum *traffic)
{
    static const char name[] = "kairos_http_requests_total";
    exposition_head(writer, name, "counter",
                    "Requests that were answered, by route and status; \"other\" is no route.");
    for (size_t number = 0; number < TRAFFIC_ROUTES && path_of(number) != NULL; number++) {
        for (size_t i = 0; i < TRAFFIC_STATUSES; i++) {
            char code[16] = "other";
            if (traffic->answers[number][i] == 0)
                continue;
            if (traffic_status(i) != 0)
                snprintf(code, sizeof(code), "%u", traffic_status(i));
            writer_print(writer, "%s{route=\"%s\",code=\"%s\"} %" PRIu64 "\n", name,
                         path_of(number), code, traffic->answers[number][i]);
        }
    }
}

static bool is_used(const struct traffic_sum *traffic, size_t number)
{
    uint64_t count = 0;
    for (size_t i = 0; i < TRAFFIC_BUCKETS; i++)
        count += traffic->durations[number][i];
    return count > 0;
}

static void write_durations(struct writer *writer, const struct traffic_sum *traffic)
{
    static const char name[] = "kairos_http_request_duration_seconds";
    exposition_head(writer, name, "histogram",
                    "From the end of a request's headers to the end of its answer.");
    for (size_t number = 0; number < TRAFFIC_ROUTES && path_of(number) != NULL; number++) {
        char labels[256];
        if (!is_used(traffic, number))
            continue;
        snprintf(labels, sizeof(labels), "route=\"%s\",", path_of(number));
        exposition_histogram(writer, name, labels, traffic_scale(), traffic->durations[number],
                             traffic->microseconds[number]);
    }
}

static void write_http(struct writer *writer, const struct server *server,
                       const struct server_counts *counts)
{
    struct traffic_sum traffic;
    server_traffic(server, &traffic);
    join_paths(&traffic);
    write_answers(writer, &traffic);
    write_durations(writer, &traffic);
    exposition_counter(writer, "kairos_http_requests_aborted_total",
                       "Requests whose connection was closed ahead of an answer.", traffic.aborted);
    exposition_gauge(writer, "kairos_http_connections", "Connections that are open.", counts->open);
    exposition_counter(writer, "kairos_http_connections_total", "Connections accepted.",
                       counts->connections);
    exposition_counter(writer, "kairos_http_connections_refused_total",
                       "Connections closed at once, since there were too many.", counts->refused);
    exposition_gauge(writer, "kairos_streams", "Event streams that are open.", counts->streams);
    exposition_counter(writer, "kairos_stream_dropped_total",
                       "Event streams that were ended, since their readers were too slow.",
                       counts->streams_dropped);
    exposition_counter(writer, "kairos_http_connections_timed_out_total",
                       "Connections closed, since a request did not come in time.",
                       counts->timed_out);
}

static void write_jobs(struct writer *writer, struct job_pool *pool)
{
    struct job_figures figures = job_pool_figures(pool);
    exposition_gauge(writer, "kairos_job_threads", "Threads for work that takes long.",
                     figures.threads);
    exposition_gauge(writer, "kairos_jobs_queued", "Jobs that wait for a thread.", figures.queued);
    exposition_gauge(writer, "kairos_jobs_running", "Jobs that have a thread.", figures.running);
    exposition_counter(writer, "kairos_job_steps_total", "Steps of jobs that were done.",
                       figures.steps);
}

/* ---- Operating ---- */

static void write_operations(struct writer *writer, const struct operations *operations)
{
    exposition_head(writer, "kairos_config_reloads_total", "counter",
                    "Times that the configuration was read anew, on SIGHUP.");
    exposition_label(writer, "kairos_config_reloads_total", "result", "applied",
                     operations->reloads);
    exposition_label(writer, "kairos_config_reloads_total", "result", "refused",
                     operations->reloads_refused);
    exposition_gauge(writer, "kairos_config_last_reload_successful",
                     "0 if the last reload changed nothing, since something was wrong; else 1.",
                     !operations->last_refused);
    exposition_seconds(writer, "kairos_config_last_reload_success_timestamp_seconds", "gauge",
                       "When the configuration in use was read, Unix time.",
                       operations->configured);
    exposition_head(writer, "kairos_self_heartbeats_total", "counter",
                    "Heartbeats of this Kairos to those who watch it.");
    exposition_label(writer, "kairos_self_heartbeats_total", "result", "sent",
                     operations->self_heartbeats);
    exposition_label(writer, "kairos_self_heartbeats_total", "result", "failed",
                     operations->self_failed);
}

static void answer_metrics(struct request *request)
{
    const struct context *context = request->context;
    const struct server *server = request->worker->server;
    struct engine_figures figures = engine_figures(context->engine);
    struct server_counts counts = server_counts(server);
    struct writer writer = {0};
    write_build(&writer, context);
    write_heartbeats(&writer, &figures, &counts);
    write_services(&writer, &figures);
    write_alerts(&writer, &figures);
    write_hearing(&writer, &figures, server_ticker(server));
    write_registry(&writer, context->registry, &figures);
    write_http(&writer, server, &counts);
    write_jobs(&writer, context->jobs);
    write_operations(&writer, context->operations);
    process_write(&writer, context->started.wall);
    answer_text(request, 200, EXPOSITION_TYPE, &writer);
}

static const struct endpoint endpoints[] = {
    {.path = "/metrics", .methods = METHODS_READ, .answer = answer_metrics},
};

const struct resource metrics_resource = RESOURCE(endpoints);
