#include "skipped.h"

#include <inttypes.h>
#include <string.h>

static void log_one(struct log *log, const struct kairos_bad_event *bad)
{
    const struct kairos_event *event = &bad->event;
    char text[4 * KAIROS_SERVICE_SIZE + 3] = "", detail[256];
    log_quote(detail, kairos_reason_text(event->reason), strlen(kairos_reason_text(event->reason)));
    if (event->length > 0)
        log_quote(text, event->text, event->length);
    log_write(log, LOG_WARNING,
              "skipped event=%" PRIu64 " byte=%" PRIu64 " reason=%s detail=%s%s%s", bad->number,
              event->offset + 1, kairos_reason_name(event->reason), detail,
              event->length > 0 ? " found=" : "", text);
}

void skipped_log(struct log *log, const struct kairos_bad_event *bad, uint64_t count)
{
    uint64_t logged = count < SKIPPED_LOGGED ? count : SKIPPED_LOGGED;
    for (uint64_t i = 0; i < logged; i++)
        log_one(log, &bad[i]);
    if (count > logged)
        log_write(log, LOG_WARNING, "skipped_more count=%" PRIu64, count - logged);
}
