#include "stream_event.h"

#include <inttypes.h>
#include <string.h>

#include "query.h"
#include "view.h"

const char *event_name(enum feed_type type)
{
    static const char *const names[] = {
        [FEED_ALERT] = "alert",   [FEED_RECOVERY] = "recovery", [FEED_CLOSED] = "closed",
        [FEED_STATUS] = "status", [FEED_GAP] = "gap",
    };
    return names[type];
}

/* ---- Events ---- */

static void write_id(struct writer *writer, uint64_t run, uint64_t number)
{
    writer_print(writer, "id: %" PRIx64 "-%" PRIu64 "\n", run, number);
}

static void write_data(struct writer *writer, const struct clock *clock,
                       const struct feed_item *item)
{
    const struct incident *incident = &item->incident;
    switch (item->type) {
    case FEED_ALERT:
        view_alert(writer, clock, incident,
                   &(struct alert){
                       .ordinal = 1,
                       .alert_at = incident->started_at,
                       .missed_count = incident->missed_count,
                   });
        break;
    case FEED_RECOVERY:
    case FEED_CLOSED:
        view_incident(writer, clock, incident);
        break;
    case FEED_STATUS:
        view_status_change(writer, clock, &item->change);
        break;
    case FEED_GAP:
        view_gap(writer, clock, &item->gap);
        break;
    case FEED_TYPE_COUNT:
        break;
    }
}

void event_write(struct writer *writer, const struct clock *clock, uint64_t run,
                 const struct feed_item *item)
{
    write_id(writer, run, item->number);
    writer_print(writer, "event: %s\ndata: ", event_name(item->type));
    write_data(writer, clock, item);
    writer_print(writer, "\n\n");
}

void event_write_begin(struct writer *writer, uint64_t run, uint64_t number,
                       enum reset_reason reason)
{
    static const char *const reasons[] = {
        [RESET_RESTART] = "restart",
        [RESET_OVERTAKEN] = "overtaken",
        [RESET_UNKNOWN] = "unknown",
    };
    writer_print(writer, "retry: %d\n", EVENT_RETRY);
    write_id(writer, run, number);
    if (reason != RESET_NONE)
        writer_print(writer, "event: reset\ndata: {\"reason\":\"%s\"}\n", reasons[reason]);
    writer_print(writer, "\n");
}

void event_write_comment(struct writer *writer, uint64_t run, uint64_t number)
{
    writer_print(writer, ":\n");
    if (number > 0)
        write_id(writer, run, number);
    writer_print(writer, "\n");
}

/* ---- Ids ---- */

/* Reads hexadecimal digits, lower case, to the last character. */
static bool parse_hexadecimal(const char *text, size_t length, uint64_t *number)
{
    static const char digits[] = "0123456789abcdef";
    if (length == 0 || length > 16)
        return false;
    *number = 0;
    for (size_t i = 0; i < length; i++) {
        const char *digit = memchr(digits, text[i], 16);
        if (digit == NULL)
            return false;
        *number = *number << 4 | (uint64_t)(digit - digits);
    }
    return true;
}

bool event_id_parse(struct slice text, uint64_t *run, uint64_t *number)
{
    const char *dash = text.length == 0 ? NULL : memchr(text.text, '-', text.length);
    if (dash == NULL)
        return false;
    size_t before = (size_t)(dash - text.text);
    return parse_hexadecimal(text.text, before, run) &&
           query_parse_digits((struct slice){dash + 1, text.length - before - 1}, number);
}
