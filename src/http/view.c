#include "view.h"

#include <inttypes.h>
#include <string.h>

#include <kairos/service.h>

/* ,"KEY":TIME */
static void member_time(struct writer *writer, const struct clock *clock, const char *key,
                        int64_t time)
{
    writer_print(writer, ",\"%s\":", key);
    writer_time(writer, clock, time);
}

static void member_seconds(struct writer *writer, const char *key, int64_t microseconds)
{
    writer_print(writer, ",\"%s\":", key);
    writer_seconds(writer, microseconds);
}

static void member_id(struct writer *writer, const char *key, const struct incident *incident)
{
    writer_print(writer, "\"%s\":\"%s@%" PRIi64 "\"", key, incident->service, incident->started_at);
}

void view_label(struct writer *writer, const struct label *label)
{
    const char *tag;
    size_t at = 0, length;
    writer_print(writer, ",\"description\":");
    writer_string(writer, label->description, label->length);
    writer_print(writer, ",\"tags\":[");
    for (bool first = true;
         (tag = tags_next(label->tags.text, label->tags.length, &at, &length)) != NULL;
         first = false)
        writer_print(writer, "%s\"%.*s\"", first ? "" : ",", (int)length, tag);
    writer_print(writer, "]");
}

void view_service(struct writer *writer, const struct clock *clock,
                  const struct service_view *service)
{
    writer_print(writer, "{\"service\":\"%s\",\"status\":\"%s\",\"declared\":%s", service->name,
                 service_status_name(service->status), service->declared ? "true" : "false");
    member_seconds(writer, "interval", service->policy.interval);
    writer_print(writer, ",\"allowed_misses\":%" PRIu32, service->policy.allowed_misses);
    member_seconds(writer, "tolerance", service->policy.tolerance);
    if (service->max_runtime == 0)
        writer_print(writer, ",\"max_runtime\":null");
    else
        member_seconds(writer, "max_runtime", service->max_runtime);
    member_time(writer, clock, "last_seen", service->last_seen);
    member_time(writer, clock, "next_deadline", service->next_deadline);
    member_time(writer, clock, "running_since", service->running_since);
    writer_print(writer, ",\"missed_count\":%" PRIu64 ",", service->missed_count);
    if (service->has_incident)
        member_id(writer, "incident", &service->incident);
    else
        writer_print(writer, "\"incident\":null");
    view_label(writer, &service->label);
    writer_print(writer, "}");
}

void view_incident(struct writer *writer, const struct clock *clock,
                   const struct incident *incident)
{
    writer_print(writer, "{");
    member_id(writer, "id", incident);
    writer_print(writer, ",\"service\":\"%s\",\"kind\":\"%s\",\"state\":\"%s\"", incident->service,
                 incident_kind_name(incident->kind),
                 incident->end == INCIDENT_OPEN ? "open" : "closed");
    if (incident->end == INCIDENT_OPEN)
        writer_print(writer, ",\"end\":null");
    else
        writer_print(writer, ",\"end\":\"%s\"", incident_end_name(incident->end));
    member_time(writer, clock, "started_at", incident->started_at);
    member_time(writer, clock, "raised_at", incident->raised_at);
    member_time(writer, clock, "last_seen", incident->last_seen);
    member_time(writer, clock, "ended_at", incident->ended_at);
    member_time(writer, clock, "recovered_at",
                incident->end == INCIDENT_RECOVERED ? incident->ended_at : TIME_NEVER);
    member_time(writer, clock, "acknowledged_at", incident->acknowledged_at);
    writer_print(writer, ",\"alert_count\":%" PRIu64, incident->alert_count);
    member_time(writer, clock, "last_alert_at", incident->last_alert_at);
    writer_print(writer, ",\"fails\":%" PRIu64 ",\"missed_count\":%" PRIu32 "}", incident->fails,
                 incident->missed_count);
}

void view_alert(struct writer *writer, const struct clock *clock, const struct incident *incident,
                const struct alert *alert)
{
    writer_print(writer, "{\"service\":\"%s\"", incident->service);
    member_time(writer, clock, "alert_at", alert->alert_at);
    writer_print(writer, ",\"missed_count\":%" PRIu32, alert->missed_count);
    member_time(writer, clock, "last_seen", incident->last_seen);
    writer_print(writer, ",\"kind\":\"%s\"", incident_kind_name(incident->kind));
    member_time(writer, clock, "raised_at", alert->ordinal == 1 ? incident->raised_at : TIME_NEVER);
    writer_print(writer, ",");
    member_id(writer, "incident", incident);
    writer_print(writer, ",\"ordinal\":%" PRIu64 "}", alert->ordinal);
}

static void member_status(struct writer *writer, const char *key, enum service_status status)
{
    if (status == SERVICE_NONE)
        writer_print(writer, ",\"%s\":null", key);
    else
        writer_print(writer, ",\"%s\":\"%s\"", key, service_status_name(status));
}

void view_status_change(struct writer *writer, const struct clock *clock,
                        const struct status_change *change)
{
    writer_print(writer, "{\"service\":\"%s\"", change->service);
    member_status(writer, "from", change->from);
    member_status(writer, "to", change->to);
    member_time(writer, clock, "at", change->at);
    writer_print(writer, "}");
}

void view_gap(struct writer *writer, const struct clock *clock, const struct gap *gap)
{
    writer_print(writer, "{\"from\":");
    writer_time(writer, clock, gap->from);
    member_time(writer, clock, "to", gap->to);
    writer_print(writer, ",\"reason\":\"%s\"", gap_reason_name(gap->reason));
    member_seconds(writer, "seconds", gap->to - gap->from);
    writer_print(writer, "}");
}

/* A whole number with or without a '-' before it; to the last character. */
static bool parse_integer(const char *text, size_t length, int64_t *number)
{
    bool negative = length > 0 && text[0] == '-';
    int64_t value = 0;
    if (length == (size_t)negative)
        return false;
    for (size_t i = negative; i < length; i++) {
        int digit = text[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value))
            return false;
    }
    if (!negative && value == INT64_MIN)
        return false;
    *number = negative ? value : -value;
    return true;
}

bool incident_id_parse(struct slice text, struct incident_id *id)
{
    size_t length;
    const char *at = text.length == 0 ? NULL : memrchr(text.text, '@', text.length);
    if (at == NULL)
        return false;
    return kairos_service_parse(text.text, (size_t)(at - text.text), id->service, &length) ==
               KAIROS_SERVICE_OK &&
           parse_integer(at + 1, (size_t)(text.text + text.length - at - 1), &id->started_at);
}
