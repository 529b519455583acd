/*
 * poster.h - sends JSON to one address of a server, by POST over one connection, and tries again
 * while the server cannot be reached or is not able to answer.
 *
 * Redirects are not followed. An address of this machine is reached without a proxy; for others the
 * environment may name one (http_proxy, https_proxy, no_proxy).
 */
#ifndef KAIROS_CLI_POSTER_H
#define KAIROS_CLI_POSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "failure.h"
#include "interrupt.h"
#include "log.h"
#include "progress.h"

struct poster;

struct poster_options {
    const char *url;             /* the server, as poster_check_url accepts it */
    const char *path;            /* on it: begins with '/' */
    int64_t retry_for;           /* microseconds from the first try to the beginning of the last */
    struct interrupt *interrupt; /* ends the waiting for a next try; a second one also the try */
    struct log *log;             /* takes a line for each try that failed */
    struct progress *progress;   /* is taken from the terminal before that */
};

/* What is wrong with the address of a server, in a few words; NULL if nothing is. */
const char *poster_check_url(const char *url);

/* OPTIONS and all that they point to must outlive the poster. Returns NULL and the failure. */
struct poster *poster_create(const struct poster_options *options, struct failure *failure);

void poster_destroy(struct poster *poster);

/*
 * Sends the SIZE bytes at BODY. Returns the answer, a JSON object to be released by json_decref; or
 * NULL, and describes the failure: the server refused (4xx, with what it gives as "detail"), could
 * not take it for longer than retry_for, did not answer with a JSON object, or a signal came. A
 * request may arrive more than once, where its answer was lost.
 */
json_t *poster_send(struct poster *poster, const char *body, size_t size, struct failure *failure);

#endif
