/*
 * fields.h - what the server itself reads of a request's header fields, in one pass over them; and
 * whether they may stand so.
 *
 *     struct fields fields = {0};
 *     fields_add(&fields, name, value);        each of them
 *     wrong = fields_wrong(&fields, http_1_0);
 *
 * The library is lenient where others on the way may read a request differently: two lengths, or a
 * length and chunks, let a client hide a second request inside of the first. Such requests are
 * refused (RFC 9112, 6.3 and 11.2), and so is what is no field at all (RFC 9110, 5.1 and 5.5).
 */
#ifndef KAIROS_HTTP_FIELDS_H
#define KAIROS_HTTP_FIELDS_H

#include <stdbool.h>

#include "percent.h"

/* A request's id has 1 to so many of A-Z a-z 0-9 . _ - */
#define REQUEST_ID_MAX 64

/* All zero is one without fields. The slices are pieces of what was added. */
struct fields {
    struct slice request_id; /* the last one that is well-formed; empty if there is none */
    bool forwarded;          /* there is X-Forwarded-For */
    struct slice length;     /* Content-Length */
    unsigned lengths;        /* how often it stands there */
    unsigned codings;        /* Transfer-Encoding */
    unsigned hosts;
    const char *wrong; /* of a field by itself, what is */
};

void fields_add(struct fields *fields, struct slice name, struct slice value);

/* What is wrong, as a sentence without its end; NULL if nothing is. */
const char *fields_wrong(const struct fields *fields, bool http_1_0);

/* Whether NAME, in any case, is the field that the constant text KNOWN names. */
bool field_is(struct slice name, const char *known);

bool is_request_id(struct slice text);

#endif
