#include "verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Alerts or services that are written in a step. */
#define ITEMS_IN_A_STEP 10000

static void add(struct writer *writer, const char *text)
{
    writer_add(writer, text, strlen(text));
}

/* A moment, which needs no escapes. */
static void add_time(struct writer *writer, int64_t time)
{
    char text[KAIROS_TIMESTAMP_SIZE];
    writer_add(writer, text, kairos_timestamp_format(time, text));
}

/* A service's name needs no escapes either. */
static void write_alert(struct writer *writer, const char *service,
                        const struct kairos_alert *alert)
{
    add(writer, "{\"service\":\"");
    add(writer, service);
    add(writer, "\",\"alert_at\":\"");
    add_time(writer, alert->alert_at);
    add(writer, "\",\"missed_count\":");
    writer_number(writer, alert->missed_count);
    add(writer, ",\"last_seen\":\"");
    add_time(writer, alert->last_seen);
    add(writer, "\"}");
}

static void separate(struct verdict *verdict)
{
    add(&verdict->text, verdict->separator);
    verdict->separator = ",";
}

static bool write_alerts(struct verdict *verdict)
{
    for (int i = 0; i < ITEMS_IN_A_STEP; i++) {
        if (!kairos_analysis_next_alert(verdict->analysis, &verdict->alerts))
            return false;
        separate(verdict);
        write_alert(&verdict->text, verdict->alerts.service, &verdict->alerts.alert);
    }
    return true;
}

static bool write_services(struct verdict *verdict)
{
    for (int i = 0; i < ITEMS_IN_A_STEP; i++) {
        if (!kairos_analysis_next_service(verdict->analysis, &verdict->services))
            return false;
        separate(verdict);
        add(&verdict->text, "\"");
        add(&verdict->text, verdict->services.service);
        add(&verdict->text, "\"");
    }
    return true;
}

/* "Event 11: missing_timestamp - the key "timestamp" is missing", with what was found instead. */
static void write_bad_event(struct writer *writer, const struct kairos_bad_event *bad)
{
    const struct kairos_event *event = &bad->event;
    char text[512];
    int length = snprintf(text, sizeof(text), "Event %" PRIu64 ": %s - %s", bad->number,
                          kairos_reason_name(event->reason), kairos_reason_text(event->reason));
    if (event->length > 0)
        length += snprintf(text + length, sizeof(text) - (size_t)length, "; found: %.*s",
                           event->length, event->text);
    writer_string(writer, text, (size_t)length);
}

static void write_validation(struct verdict *verdict)
{
    struct writer *writer = &verdict->text;
    size_t kept;
    const struct kairos_bad_event *bad = kairos_analysis_bad_events(verdict->analysis, &kept);
    uint64_t total = kairos_analysis_total(verdict->analysis);
    uint64_t valid = kairos_analysis_count(verdict->analysis, KAIROS_VALID);
    writer_print(writer,
                 "],\"validation\":{\"total_events\":%" PRIu64 ",\"valid_events\":%" PRIu64
                 ",\"invalid_events\":%" PRIu64 ",\"errors\":[",
                 total, valid, total - valid);
    for (size_t i = 0; i < kept; i++) {
        add(writer, i == 0 ? "" : ",");
        write_bad_event(writer, &bad[i]);
    }
    add(writer, "],\"skipped_reasons\":{");
    const char *separator = "";
    for (enum kairos_reason reason = KAIROS_VALID + 1; reason < KAIROS_REASON_COUNT; reason++) {
        uint64_t count = kairos_analysis_count(verdict->analysis, reason);
        if (count == 0)
            continue;
        writer_print(writer, "%s\"%s\":%" PRIu64, separator, kairos_reason_name(reason), count);
        separator = ",";
    }
    add(writer, "}},\"services_monitored\":[");
}

bool verdict_step(struct verdict *verdict)
{
    switch (verdict->stage) {
    case VERDICT_BEGIN:
        add(&verdict->text, "{\"alerts\":[");
        verdict->separator = "";
        verdict->stage = VERDICT_ALERTS;
        break;
    case VERDICT_ALERTS:
        if (!write_alerts(verdict))
            verdict->stage = VERDICT_VALIDATION;
        break;
    case VERDICT_VALIDATION:
        write_validation(verdict);
        verdict->separator = "";
        verdict->stage = VERDICT_SERVICES;
        break;
    case VERDICT_SERVICES:
        if (!write_services(verdict))
            verdict->stage = VERDICT_DONE;
        break;
    case VERDICT_DONE:
        return false;
    }
    return true;
}

void verdict_end(struct verdict *verdict, int64_t microseconds, const struct clock *clock,
                 int64_t now)
{
    struct writer *writer = &verdict->text;
    writer_print(writer, "],\"monitoring_duration_ms\":%" PRId64 ".%03" PRId64 ",\"timestamp\":",
                 microseconds / 1000, microseconds % 1000);
    writer_time(writer, clock, now);
    add(writer, "}");
}
