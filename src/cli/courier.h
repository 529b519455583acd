/*
 * courier.h - brings beats to the server. What cannot be brought is kept in a spool, and brought by
 * whoever comes by later, with its own time.
 *
 * Not everything keeps. A success that is brought late is a heartbeat of its time. A fail is
 * brought as one that happens then, if it still is the newest that is known of the service; if not,
 * it is moot. A start or a note is worth nothing later.
 *
 * What goes wrong is told on stderr, a line each, and is no failure of the command.
 */
#ifndef KAIROS_CLI_COURIER_H
#define KAIROS_CLI_COURIER_H

#include <argp.h>
#include <limits.h>
#include <stdbool.h>

#include "beat.h"
#include "client.h"
#include "failure.h"

struct courier_options {
    struct client_options client;
    bool no_spool;
    char spool[PATH_MAX]; /* the directory; "" for none */
};

/* How long is a beat tried, and how long is one try? */
#define COURIER_RETRY_FOR (10 * INT64_C(1000000))
#define COURIER_TIMEOUT   (5 * INT64_C(1000000))

struct courier_options courier_options_default(void);

/*
 * The options --url, --cacert, --retry-for, --spool and --no-spool, as a child of a command's argp
 * in the group COURIER_ARGP_GROUP; its input is a struct courier_options.
 */
#define COURIER_ARGP_GROUP 1
#define COURIER_ARGP_CHILD                                                                         \
    {                                                                                              \
        .argp = &courier_argp, .group = COURIER_ARGP_GROUP                                         \
    }

extern const struct argp courier_argp;

struct courier {
    struct courier_options options;
    struct client *client;

    /* Asked ahead of each fail of the spool, which happens when it is brought: whether SERVICE may
     * fail, by now. NULL is yes. */
    bool (*may_fail)(void *context, const char *service);
    void *context;
};

enum courier_result {
    COURIER_BROUGHT,
    COURIER_KEPT, /* in the spool */
    COURIER_LOST,
};

/* The options are copied, but not what they point to. */
bool courier_init(struct courier *courier, const struct courier_options *options,
                  struct failure *failure);

void courier_finish(struct courier *courier);

/* Brings BEAT, or keeps it. */
enum courier_result courier_bring(struct courier *courier, const struct beat *beat);

/* Keeps BEAT without trying to bring it, because of REASON. */
enum courier_result courier_keep(const struct courier_options *options, const struct beat *beat,
                                 const char *reason);

/*
 * Brings what is in the spool for this server, once, and for COURIER_RETRY_FOR at most. To be
 * called before a start, since a heartbeat ends a run, and after anything else, which must not
 * wait.
 */
void courier_empty(struct courier *courier);

#endif
