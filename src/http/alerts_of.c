#include "alerts_of.h"

#include "clock.h"

/* The lowest number of a repeat that is known; alert_count + 1 if none is. */
static uint64_t first_known(const struct incident *incident)
{
    uint64_t repeats = incident->alert_count > 1 ? incident->alert_count - 1 : 0;
    if (incident->repeat_every <= 0 || incident->last_alert_at == TIME_NEVER)
        repeats = 0;
    if (repeats > incident->repeats_known)
        repeats = incident->repeats_known;
    return incident->alert_count - repeats + 1;
}

/* When the repeat numbered ORDINAL was due. The span cannot overflow: it lies in the incident. */
static int64_t repeat_at(const struct incident *incident, uint64_t ordinal)
{
    return incident->last_alert_at -
           (int64_t)(incident->alert_count - ordinal) * incident->repeat_every;
}

/* The newest repeat numbered ORDINAL or lower and earlier than TO; it may not be known. */
static uint64_t newest_before(const struct incident *incident, uint64_t ordinal, int64_t to)
{
    int64_t at = repeat_at(incident, ordinal);
    if (at < to)
        return ordinal;
    uint64_t back = ((uint64_t)at - (uint64_t)to) / (uint64_t)incident->repeat_every + 1;
    return back < ordinal ? ordinal - back : 0;
}

bool alerts_of_find(const struct incident *incident, uint64_t below, int64_t from, int64_t to,
                    struct alert *alert)
{
    uint64_t lowest = first_known(incident);
    uint64_t ordinal = below < incident->alert_count ? below : incident->alert_count;
    if (ordinal >= lowest)
        ordinal = newest_before(incident, ordinal, to);
    if (ordinal >= lowest && repeat_at(incident, ordinal) >= from) {
        *alert = (struct alert){
            .ordinal = ordinal,
            .alert_at = repeat_at(incident, ordinal),
            .missed_count = incident->repeat_misses,
        };
        return true;
    }
    *alert = (struct alert){
        .ordinal = 1,
        .alert_at = incident->started_at,
        .missed_count = incident->missed_count,
    };
    return below >= 1 && incident->started_at >= from && incident->started_at < to;
}
