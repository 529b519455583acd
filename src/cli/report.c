#include "report.h"

#include <inttypes.h>

#define RULE "=================================================="

/* More names than this would bury the rest. */
#define SERVICES_SHOWN 20

static void report_services(FILE *out, const struct kairos_analysis *analysis)
{
    struct kairos_service_cursor cursor = {0};
    size_t count = kairos_analysis_services(analysis);
    fputs("Services:         ", out);
    if (count == 0)
        fputs("none", out);
    for (size_t i = 0; i < SERVICES_SHOWN && kairos_analysis_next_service(analysis, &cursor); i++)
        fprintf(out, "%s%s", i == 0 ? "" : ", ", cursor.service);
    if (count > SERVICES_SHOWN)
        fprintf(out, " and %zu more", count - SERVICES_SHOWN);
    fputc('\n', out);
}

static void report_alerts(FILE *out, const struct kairos_analysis *analysis)
{
    uint64_t count = kairos_analysis_alerts(analysis);
    if (count == 0) {
        fputs("\n✅ No alerts detected.\n", out);
        return;
    }
    fprintf(out, "\n🚨 Alerts Detected (%" PRIu64 "):\n", count);
    struct kairos_alert_cursor cursor = {0};
    for (uint64_t i = 1; !ferror(out) && kairos_analysis_next_alert(analysis, &cursor); i++) {
        char alert_at[KAIROS_TIMESTAMP_SIZE], last_seen[KAIROS_TIMESTAMP_SIZE];
        kairos_timestamp_format(cursor.alert.alert_at, alert_at);
        kairos_timestamp_format(cursor.alert.last_seen, last_seen);
        fprintf(out,
                "\n"
                "  Alert #%" PRIu64 ":\n"
                "    Service:      %s\n"
                "    Alert At:     %s\n"
                "    Missed Count: %" PRIu32 "\n"
                "    Last Seen:    %s\n",
                i, cursor.service, alert_at, cursor.alert.missed_count, last_seen);
    }
}

static void report_skipped(FILE *out, const struct kairos_analysis *analysis, uint64_t invalid)
{
    if (invalid == 0)
        return;
    fprintf(out, "\n⚠️  Skipped Events (%" PRIu64 "):\n\n", invalid);
    for (int reason = KAIROS_VALID + 1; reason < KAIROS_REASON_COUNT; reason++) {
        char label[32];
        uint64_t count = kairos_analysis_count(analysis, (enum kairos_reason)reason);
        snprintf(label, sizeof(label), "%s:", kairos_reason_name((enum kairos_reason)reason));
        if (count > 0)
            fprintf(out, "  %-26s%" PRIu64 "\n", label, count);
    }
}

void report_summary(FILE *out, const struct kairos_analysis *analysis, double milliseconds)
{
    uint64_t total = kairos_analysis_total(analysis);
    uint64_t valid = kairos_analysis_count(analysis, KAIROS_VALID);
    fprintf(out,
            RULE "\n"
                 "       Heartbeat Monitor Results\n" RULE "\n"
                 "Total Events:     %" PRIu64 "\n"
                 "Valid Events:     %" PRIu64 "\n"
                 "Invalid Events:   %" PRIu64 "\n",
            total, valid, total - valid);
    report_services(out, analysis);
    fprintf(out,
            "Alerts Triggered: %" PRIu64 "\n"
            "Processing Time:  %.1fms\n" RULE "\n",
            kairos_analysis_alerts(analysis), milliseconds);
    report_alerts(out, analysis);
    report_skipped(out, analysis, total - valid);
}

void report_json(FILE *out, const struct kairos_analysis *analysis, bool full)
{
    struct kairos_alert_cursor cursor = {0};
    const char *separator = "";
    fputc('[', out);
    while (!ferror(out) && kairos_analysis_next_alert(analysis, &cursor)) {
        char alert_at[KAIROS_TIMESTAMP_SIZE], last_seen[KAIROS_TIMESTAMP_SIZE];
        kairos_timestamp_format(cursor.alert.alert_at, alert_at);
        kairos_timestamp_format(cursor.alert.last_seen, last_seen);
        /* A service's name has no character that JSON would want escaped. */
        fprintf(out,
                "%s\n  {\n"
                "    \"service\": \"%s\",\n"
                "    \"alert_at\": \"%s\"",
                separator, cursor.service, alert_at);
        if (full)
            fprintf(out,
                    ",\n"
                    "    \"missed_count\": %" PRIu32 ",\n"
                    "    \"last_seen\": \"%s\"",
                    cursor.alert.missed_count, last_seen);
        fputs("\n  }", out);
        separator = ",";
    }
    fputs(*separator == '\0' ? "]\n" : "\n]\n", out);
}
