/*
 * answer.h - the answer to a request. Every endpoint calls just one of these, once.
 *
 * Errors are JSON, {"detail": "…"}: what is wrong, and what would mend it. All answers may not be
 * kept by caches, and carry the request's id; only the constant ones do so if the client has sent
 * one. Text is compressed where the client takes that.
 */
#ifndef KAIROS_HTTP_ANSWER_H
#define KAIROS_HTTP_ANSWER_H

#include <sys/types.h>

#include "failure.h"
#include "request.h"
#include "writer.h"

/* What 404 says of a path that there is not. */
#define NO_SUCH_PATH "no such path; GET / lists those that there are"

/* Answers that are always the same, and made once for each worker. */
enum constant {
    CONSTANT_OK,
    CONSTANT_CREATED,
    CONSTANT_COUNT,
};

void answer_constant(struct request *request, enum constant constant);

/* JSON in the text of WRITER, which is taken over. */
void answer_json(struct request *request, unsigned status, struct writer *writer);

/* The same for other text of the type CONTENT_TYPE. */
void answer_text(struct request *request, unsigned status, const char *content_type,
                 struct writer *writer);

/*
 * A response of the endpoint's own making, with all its headers; it is let go of. NULL, if memory
 * ran out, closes the connection.
 */
struct MHD_Response;
void answer_response(struct request *request, unsigned status, struct MHD_Response *response);

/*
 * 200 with text that comes as it is made: READ, with CONTEXT, is asked for pieces of it
 * (MHD_ContentReaderCallback), of ROOM bytes at least.
 */
void answer_flow(struct request *request, const char *content_type, size_t room,
                 ssize_t (*read)(void *context, uint64_t position, char *text, size_t max),
                 void *context);

/* 204: done, and there is nothing to say. */
void answer_nothing(struct request *request);

void answer_error(struct request *request, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void answer_failure(struct request *request, unsigned status, const struct failure *failure);

/*
 * The text was compressed already, by a job, since accept_gzip said that this may be (accept.h); no
 * other answer of more than GZIP_SIZE_MAX bytes (gzip.h) is.
 */
void answer_gzipped(struct request *request, unsigned status, const char *content_type,
                    struct writer *writer);

/* 204 with the methods that the path takes; 404 if there is no such path. */
void answer_options(struct request *request);

/* 400 ahead of the body, of which nothing is read any more: what is WRONG with the headers. */
void answer_malformed(struct request *request, const char *wrong);

/* 405 with the methods that the path takes. */
void answer_not_allowed(struct request *request);

/* 503: to be tried again after so many SECONDS. */
void answer_busy(struct request *request, unsigned seconds, const struct failure *failure);

/* 413 with the endpoint's limit. */
void answer_too_long(struct request *request);

/* ---- For the worker ---- */

/* Makes the constant answers; returns false, with none made, when memory ran out. */
bool constants_create(struct MHD_Response *constants[CONSTANT_COUNT]);

/* From now on they tell the client that the connection will be closed. */
void constants_close(struct MHD_Response *constants[CONSTANT_COUNT]);

void constants_destroy(struct MHD_Response *constants[CONSTANT_COUNT]);

#endif
