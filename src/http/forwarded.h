/*
 * forwarded.h - for whom a proxy asks: X-Forwarded-For, to which each proxy on the way adds the
 * address that it was asked from.
 *
 * Anybody can write anything into it. So it is read from its end, as far as those who have added to
 * it are trusted: the first one that is not is the client.
 */
#ifndef KAIROS_HTTP_FORWARDED_H
#define KAIROS_HTTP_FORWARDED_H

#include "ip.h"
#include "percent.h"

/*
 * Reads VALUE, one such field, from its end. *IP is who has sent it, and is trusted; it becomes the
 * last one that can be told: an address that is not in TRUSTED, or the first of the list. Returns
 * true if there is an earlier field to go on with: all were trusted.
 */
bool forwarded_read(struct slice value, const struct networks *trusted, struct ip *ip);

#endif
