/*
 * alerts_of.h - the alerts that an incident consists of: the first one, which was raised and
 * stored, and its repeats, which are arithmetic.
 *
 * Alerts are numbered from 1, the first one. Of a long incident the newest repeats are known, as
 * far back as they lie equally far apart (incident.h); the numbers between the first alert and
 * those are left out. All is arithmetic: an incident of a million alerts costs what one of two
 * does.
 */
#ifndef KAIROS_HTTP_ALERTS_OF_H
#define KAIROS_HTTP_ALERTS_OF_H

#include <stdbool.h>
#include <stdint.h>

#include "incident.h"

struct alert {
    uint64_t ordinal;
    int64_t alert_at; /* engine time */
    uint32_t missed_count;
};

/*
 * The newest alert of INCIDENT that is numbered BELOW or lower, and with FROM <= alert_at < TO.
 * Returns false if there is none.
 */
bool alerts_of_find(const struct incident *incident, uint64_t below, int64_t from, int64_t to,
                    struct alert *alert);

#endif
