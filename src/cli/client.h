/*
 * client.h - requests to a Kairós server: one connection, bounded in time and in what an answer may
 * hold, and tried again while the server cannot be reached or is not able to answer.
 *
 * A server's address is one of
 *
 *   http://127.0.0.1:8000    https://kairos.example.com/a/path    unix:/run/kairos.sock
 *
 * Redirects are not followed. An address of this machine is reached without a proxy; for others the
 * environment may name one (http_proxy, https_proxy, no_proxy). Certificates must be good.
 *
 *   curl_global_init(CURL_GLOBAL_DEFAULT);     once, while there is one thread
 *   client = client_create(&options, &failure);
 *   client_send(client, &request, &answer, &failure);
 */
#ifndef KAIROS_CLI_CLIENT_H
#define KAIROS_CLI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "failure.h"
#include "interrupt.h"
#include "log.h"
#include "progress.h"

#define CLIENT_URL_DEFAULT "http://127.0.0.1:8000"

/* What an answer may hold that is kept in memory, unless the request says otherwise. */
#define CLIENT_ANSWER_MAX ((size_t)1024 * 1024)

struct client;

struct client_options {
    const char *url;             /* the server, as client_check_url accepts it */
    const char *cacert;          /* a file of certificates to trust; NULL for the system's */
    int64_t retry_for;           /* microseconds from the first try to the beginning of the last */
    int64_t timeout;             /* microseconds of one try; 0 for no bound but 30 s of silence */
    struct interrupt *interrupt; /* ends the waiting for a next try; a second one also the try */
    struct log *log;             /* takes a line for each try that failed */
    struct progress *progress;   /* is taken from the terminal before that; all three may be NULL */
};

struct client_request {
    const char *method;
    const char *path; /* with its query; begins with '/' */
    const char *type; /* of the body */
    const char *body; /* NULL for none */
    size_t size;
    size_t answer_max; /* 0 for CLIENT_ANSWER_MAX */

    /*
     * If given, takes the answer of a success piece by piece, whatever its size, and nothing is
     * kept. Once it was called there is no other try. Returns false to end it all.
     */
    bool (*take)(void *context, const char *piece, size_t size);
    void *context;
};

struct client_answer {
    long status;
    const char *bytes; /* good until the next request; not NUL-terminated */
    size_t size;
    const char *type; /* what the server says that they are; NULL if it does not; good as long */
};

enum client_result {
    CLIENT_DONE,
    CLIENT_REFUSED, /* Kairós says no, and would the next time */
    CLIENT_FAILED, /* not reached, not able, not taken, or not Kairós: it may be otherwise later */
};

/* What is wrong with the address of a server, in a few words; NULL if nothing is. */
const char *client_check_url(const char *url);

/* OPTIONS and all that they point to must outlive the client. Returns NULL and the failure. */
struct client *client_create(const struct client_options *options, struct failure *failure);

/* Accepts NULL. */
void client_destroy(struct client *client);

/*
 * Sends REQUEST. *ANSWER is set when a status of success (2xx) came; otherwise the failure is
 * described: the server refused, with what it gives as "detail"; could not take it for longer than
 * retry_for; or a signal came. A request may arrive more than once, where its answer was lost.
 */
enum client_result client_send(struct client *client, const struct client_request *request,
                               struct client_answer *answer, struct failure *failure);

/*
 * The same for an answer that must be a JSON object, which is returned, to be released by
 * json_decref; or NULL and the failure. RESULT may be NULL.
 */
json_t *client_send_json(struct client *client, const struct client_request *request,
                         enum client_result *result, struct failure *failure);

#endif
