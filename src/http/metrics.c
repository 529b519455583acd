/*
 * metrics.c - /metrics: figures in Prometheus's text format.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (text format, 0.0.4), and
 * the names of process_… at https://prometheus.io/docs/instrumenting/writing_clientlibs/.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "answer.h"
#include "resource.h"
#include "server.h"
#include "worker.h"

#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

static void head(struct writer *writer, const char *name, const char *type, const char *help)
{
    writer_print(writer, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void counter(struct writer *writer, const char *name, const char *help, uint64_t value)
{
    head(writer, name, "counter", help);
    writer_print(writer, "%s %" PRIu64 "\n", name, value);
}

static void gauge(struct writer *writer, const char *name, const char *help, uint64_t value)
{
    head(writer, name, "gauge", help);
    writer_print(writer, "%s %" PRIu64 "\n", name, value);
}

static void labelled(struct writer *writer, const char *name, const char *label, const char *text,
                     uint64_t value)
{
    writer_print(writer, "%s{%s=\"%s\"} %" PRIu64 "\n", name, label, text, value);
}

static void write_build(struct writer *writer, const struct context *context)
{
    head(writer, "kairos_build_info", "gauge", "Always 1; the labels tell what is running.");
    labelled(writer, "kairos_build_info", "version", context->version, 1);
}

static void write_heartbeats(struct writer *writer, const struct engine_figures *figures,
                             const struct server_counts *counts)
{
    counter(writer, "kairos_heartbeats_total", "Heartbeats accepted, older ones too.",
            figures->heartbeats);
    counter(writer, "kairos_heartbeats_older_total",
            "Heartbeats no newer than the service's last one, which change nothing.",
            figures->older);
    head(writer, "kairos_heartbeats_rejected_total", "counter",
         "Heartbeats that were well-formed and not accepted.");
    labelled(writer, "kairos_heartbeats_rejected_total", "reason", "timestamp_in_future",
             figures->in_future);
    head(writer, "kairos_events_invalid_total", "counter",
         "Events in request bodies that were no heartbeats.");
    for (size_t i = KAIROS_VALID + 1; i < KAIROS_REASON_COUNT; i++)
        labelled(writer, "kairos_events_invalid_total", "reason",
                 kairos_reason_name((enum kairos_reason)i), counts->invalid[i]);
    counter(writer, "kairos_fails_total", "Failures that services reported.", figures->fails);
    counter(writer, "kairos_starts_total", "Runs that services began.", figures->starts);
    counter(writer, "kairos_logs_total", "Pings that change nothing.", figures->logs);
}

static void write_services(struct writer *writer, const struct context *context,
                           const struct engine_figures *figures)
{
    head(writer, "kairos_services", "gauge", "Services by status.");
    for (size_t i = 0; i < SERVICE_STATUS_COUNT; i++)
        labelled(writer, "kairos_services", "status", service_status_name((enum service_status)i),
                 figures->services[i]);
    counter(writer, "kairos_services_created_total", "Services that appeared or were declared.",
            figures->created);
    counter(writer, "kairos_alerts_total", "First alerts of incidents that were raised.",
            figures->alerts);
    counter(writer, "kairos_recoveries_total", "Incidents that a heartbeat has closed.",
            figures->recoveries);
    counter(writer, "kairos_gaps_total", "Times in which Kairos itself could not hear.",
            figures->gaps);
    gauge(writer, "kairos_registry_slots", "Slots of the registry, used or free.",
          registry_slots(context->registry));
    gauge(writer, "kairos_registry_full", "1 if the registry could not grow, else 0.",
          figures->no_space);
    gauge(writer, "kairos_registry_sync_failed", "1 if the disk may lack what is known, else 0.",
          registry_sync_error(context->registry) != 0);
}

static void write_http(struct writer *writer, const struct server_counts *counts)
{
    static const char *const classes[] = {"0xx", "1xx", "2xx", "3xx", "4xx", "5xx"};
    head(writer, "kairos_http_requests_total", "counter", "Requests by class of the answer.");
    for (size_t i = 1; i < sizeof(classes) / sizeof(classes[0]); i++)
        labelled(writer, "kairos_http_requests_total", "code", classes[i], counts->answers[i]);
    counter(writer, "kairos_http_connections_total", "Connections accepted.", counts->connections);
    counter(writer, "kairos_http_connections_refused_total",
            "Connections closed at once, since there were too many.", counts->refused);
}

/* Pages of this process that are in memory; 0 if the system does not tell. */
static uint64_t resident_pages(void)
{
    uint64_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*u %" SCNu64, &pages) != 1)
        pages = 0;
    fclose(file);
    return pages;
}

/* Open descriptors, without the one that they are counted by. */
static uint64_t open_descriptors(void)
{
    uint64_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        return 0;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count == 0 ? 0 : count - 1;
}

static void write_process(struct writer *writer, const struct context *context)
{
    struct rusage usage;
    struct rlimit limit = {0};
    getrusage(RUSAGE_SELF, &usage);
    getrlimit(RLIMIT_NOFILE, &limit);
    uint64_t micros =
        (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * (uint64_t)KAIROS_SECOND +
        (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    head(writer, "process_cpu_seconds_total", "counter", "Processor time, user and system.");
    writer_print(writer, "process_cpu_seconds_total %" PRIu64 ".%06" PRIu64 "\n",
                 micros / (uint64_t)KAIROS_SECOND, micros % (uint64_t)KAIROS_SECOND);
    head(writer, "process_start_time_seconds", "gauge", "When it started, Unix time.");
    writer_print(writer, "process_start_time_seconds %" PRIi64 ".%06" PRIi64 "\n",
                 context->started.wall / KAIROS_SECOND, context->started.wall % KAIROS_SECOND);
    gauge(writer, "process_resident_memory_bytes", "Memory in use.",
          resident_pages() * (uint64_t)sysconf(_SC_PAGESIZE));
    gauge(writer, "process_open_fds", "Open file descriptors.", open_descriptors());
    gauge(writer, "process_max_fds", "File descriptors that it may open.", limit.rlim_cur);
}

static void answer_metrics(struct request *request)
{
    const struct context *context = request->context;
    struct engine_figures figures = engine_figures(context->engine);
    struct server_counts counts = server_counts(request->worker->server);
    struct writer writer = {0};
    write_build(&writer, context);
    write_heartbeats(&writer, &figures, &counts);
    write_services(&writer, context, &figures);
    write_http(&writer, &counts);
    write_process(&writer, context);
    answer_text(request, 200, CONTENT_TYPE, &writer);
}

static const struct endpoint endpoints[] = {
    {.path = "/metrics", .methods = METHODS_READ, .answer = answer_metrics},
};

const struct resource metrics_resource = RESOURCE(endpoints);
