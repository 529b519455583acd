/*
 * accept.h - what a client says that it can read, and would rather (RFC 9110, section 12.5):
 *
 *   Accept: text/html, application/json;q=0.9, *;q=0.1
 *   Accept-Encoding: gzip, br;q=0
 */
#ifndef KAIROS_HTTP_ACCEPT_H
#define KAIROS_HTTP_ACCEPT_H

#include "request.h"

/* As much as anything can be wanted; half of it is q=0.5. */
#define ACCEPT_MOST 1000

/*
 * How much HEADER, the value of such a header, wants NAME: 0 (not at all) to ACCEPT_MOST. What is
 * said of NAME itself counts more than what is said of a range that it is in, such as text and *.
 * Without a HEADER (NULL) nothing is wanted; something malformed in it counts as not said.
 */
unsigned accept_quality(const char *header, const char *name);

/* Whether the client can read an answer that is compressed with gzip. */
bool accept_gzip(const struct request *request);

/* Whether it would rather read HTML than JSON, as browsers do. */
bool accept_html(const struct request *request);

#endif
