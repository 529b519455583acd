/*
 * view.h - services, incidents, alerts and gaps as the API shows them, in JSON.
 *
 * Durations are numbers of seconds; times are RFC 3339 in UTC, as the wall clock tells them.
 */
#ifndef KAIROS_HTTP_VIEW_H
#define KAIROS_HTTP_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts_of.h"
#include "engine.h"
#include "gap.h"
#include "incident.h"
#include "percent.h"
#include "writer.h"

void view_service(struct writer *writer, const struct clock *clock,
                  const struct service_view *service);

/* ,"description":"…","tags":["…"]: members of a service, behind others. */
void view_label(struct writer *writer, const struct label *label);

void view_incident(struct writer *writer, const struct clock *clock,
                   const struct incident *incident);

void view_alert(struct writer *writer, const struct clock *clock, const struct incident *incident,
                const struct alert *alert);

/* From null: it has appeared; to null: it is gone. */
void view_status_change(struct writer *writer, const struct clock *clock,
                        const struct status_change *change);

void view_gap(struct writer *writer, const struct clock *clock, const struct gap *gap);

/* What names an incident in the API, `push@1754301900000000`: its service, and its start. */
struct incident_id {
    char service[KAIROS_SERVICE_SIZE]; /* padded with NULs */
    int64_t started_at;                /* engine time */
};

/* Reads an id. Returns false if TEXT is none. */
bool incident_id_parse(struct slice text, struct incident_id *id);

#endif
