/*
 * request.h - a request under way: from the moment its headers are complete until its answer has
 * been sent.
 *
 * It belongs to one worker and is touched by that one's thread alone. Requests are kept for reuse,
 * so that the next one costs no allocation.
 */
#ifndef KAIROS_HTTP_REQUEST_H
#define KAIROS_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <kairos/service.h>

#include "context.h"
#include "fields.h"
#include "query.h"
#include "router.h"

/* JSON bodies other than heartbeats have at most so many bytes. */
#define BODY_JSON_MAX (64 * 1024)

/* Room for the id that a request is given. */
#define REQUEST_ID_SIZE 17

struct MHD_Connection;
struct connection;
struct worker;

struct request {
    struct worker *worker;
    const struct context *context;
    struct MHD_Connection *connection;
    struct connection *from; /* what the worker keeps of it */
    enum method method;
    const char *path; /* as it came, without the query; it belongs to the library */
    struct fields fields;
    char own_id[REQUEST_ID_SIZE]; /* what is made if the client has sent none; "" at first */
    struct route route;
    int64_t began;     /* engine time */
    uint64_t received; /* bytes of the body */
    char *body;        /* what was collected of it, from malloc; NULL if there is none */
    size_t length;
    size_t capacity;
    unsigned status;                /* of the answer; 0 while there is none */
    uint64_t sent;                  /* bytes of its body, unless that is left out */
    bool no_memory;                 /* the body could not be kept */
    bool queued;                    /* an answer is on its way */
    bool last;                      /* the connection is to be closed behind it */
    bool parked;                    /* nobody looks at its connection */
    bool woken;                     /* is among those that the worker is to resume */
    bool abandoned;                 /* resumed to be closed: the server stops */
    void *state;                    /* the endpoint's */
    struct request *next;           /* spare, or woken */
    LIST_ENTRY(request) by_parking; /* among the parked ones of its worker */
};

/*
 * Takes SIZE bytes of the body as the endpoint wants it. Returns false if the connection has to be
 * closed: it sends far more than was allowed.
 */
bool request_take(struct request *request, const char *piece, size_t size);

/* Bytes that the endpoint allows; 0 if it allows any number. */
uint64_t request_body_max(const struct request *request);

/* Whether more was received than that. */
bool request_is_too_long(const struct request *request);

/* Answers the request, whose body is complete. */
void request_answer(struct request *request);

/* Releases all that the request holds. */
void request_forget(struct request *request);

/* By what the request can be found again, in the log: the client's id for it, or one of ours. */
struct slice request_id(struct request *request);

/* ---- Waiting: for what another thread does ---- */

/*
 * Lets the request wait, which costs no thread: its connection is not looked at until it is woken.
 * In the worker's thread, from an endpoint's functions or from what makes up the text of an answer.
 * Pieces of the body that were read already may still follow; parking once more changes nothing.
 */
void request_park(struct request *request);

/*
 * Ends the waiting. Parked in `take`, further pieces follow; in `answer`, that is called again. To
 * be called from any thread, also ahead of it: while the endpoint that is going to park has not
 * returned. Not after the endpoint's `forget` has begun (jobs see to that: job.h).
 */
void request_wake(struct request *request);

/*
 * Adds a piece to the body that the request keeps; sets no_memory if that runs out. For a `take`
 * that wants only some of it.
 */
void request_collect(struct request *request, const char *piece, size_t size);

/*
 * The same for bodies that are long: those of a worker may take so much memory together, and
 * no_memory is set beyond. request_uncount is due then, in the endpoint's `forget`.
 */
void request_collect_counted(struct request *request, const char *piece, size_t size);
void request_uncount(struct request *request);

/* ---- For endpoints. What is wrong they answer themselves, and return false. ---- */

/* Reads the path's first segment as a service's name. */
bool request_service(struct request *request, char name[KAIROS_SERVICE_SIZE], size_t *length);

/* Reads the query, of which the endpoint knows the parameters NAMES. */
bool request_query(struct request *request, const char *const *names, struct query *query);

/* The same while there is no answering yet: what is wrong is described. */
bool request_read_query(struct request *request, const char *const *names, struct query *query,
                        struct failure *failure);

#endif
