#include "exposition.h"

#include <inttypes.h>
#include <string.h>

#include <kairos/timestamp.h>

void exposition_head(struct writer *writer, const char *name, const char *type, const char *help)
{
    writer_print(writer, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void exposition_counter(struct writer *writer, const char *name, const char *help, uint64_t value)
{
    exposition_head(writer, name, "counter", help);
    writer_print(writer, "%s %" PRIu64 "\n", name, value);
}

void exposition_gauge(struct writer *writer, const char *name, const char *help, uint64_t value)
{
    exposition_head(writer, name, "gauge", help);
    writer_print(writer, "%s %" PRIu64 "\n", name, value);
}

void exposition_seconds(struct writer *writer, const char *name, const char *type, const char *help,
                        int64_t microseconds)
{
    exposition_head(writer, name, type, help);
    writer_print(writer, "%s ", name);
    writer_seconds(writer, microseconds);
    writer_print(writer, "\n");
}

void exposition_label(struct writer *writer, const char *name, const char *label, const char *text,
                      uint64_t value)
{
    writer_print(writer, "%s{%s=\"%s\"} %" PRIu64 "\n", name, label, text, value);
}

/* One of the lines that end a histogram, whose labels stand without a comma at their end. */
static void write_total(struct writer *writer, const char *name, const char *what,
                        const char *labels)
{
    size_t length = strlen(labels);
    if (length == 0)
        writer_print(writer, "%s_%s ", name, what);
    else
        writer_print(writer, "%s_%s{%.*s} ", name, what, (int)length - 1, labels);
}

void exposition_histogram(struct writer *writer, const char *name, const char *labels,
                          const struct histogram_scale *scale, const uint64_t *counts,
                          uint64_t microseconds)
{
    uint64_t up_to = 0;
    for (size_t i = 0; i < scale->count; i++) {
        up_to += counts[i];
        writer_print(writer, "%s_bucket{%sle=\"", name, labels);
        writer_seconds(writer, scale->bounds[i]);
        writer_print(writer, "\"} %" PRIu64 "\n", up_to);
    }
    up_to += counts[scale->count];
    writer_print(writer, "%s_bucket{%sle=\"+Inf\"} %" PRIu64 "\n", name, labels, up_to);
    write_total(writer, name, "sum", labels);
    writer_seconds(writer, (int64_t)microseconds);
    writer_print(writer, "\n");
    write_total(writer, name, "count", labels);
    writer_print(writer, "%" PRIu64 "\n", up_to);
}
