/*
 * pages.h - the services of a server, page by page.
 *
 *   while ((page = pages_next(&pages, &failure)) != NULL) { …; json_decref(page); }
 *   if (pages.failed) …
 *   pages_finish(&pages);
 */
#ifndef KAIROS_CLI_PAGES_H
#define KAIROS_CLI_PAGES_H

#include <stdbool.h>

#include <jansson.h>

#include "client.h"
#include "criteria.h"
#include "failure.h"

/* Begin with the first four, and nothing else. */
struct pages {
    struct client *client;
    const struct criteria *criteria;
    const char *sort;   /* NULL for the server's own order */
    const char *server; /* its address, for messages */
    char *cursor;       /* of the next page; NULL for the first */
    bool ended;
    bool failed;
};

/*
 * The next page: an array of services (objects), to be released by json_decref. NULL at the end, or
 * when it failed, which is described.
 */
json_t *pages_next(struct pages *pages, struct failure *failure);

void pages_finish(struct pages *pages);

#endif
