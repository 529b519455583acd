/*
 * answer.h - the answer to a request. Every endpoint calls just one of these, once.
 *
 * Errors are JSON, {"detail": "…"}: what is wrong, and what would mend it. All answers may not be
 * kept by caches.
 */
#ifndef KAIROS_HTTP_ANSWER_H
#define KAIROS_HTTP_ANSWER_H

#include "failure.h"
#include "request.h"
#include "writer.h"

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

/* 204: done, and there is nothing to say. */
void answer_nothing(struct request *request);

void answer_error(struct request *request, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void answer_failure(struct request *request, unsigned status, const struct failure *failure);

/* 405 with the methods that the path takes. */
void answer_not_allowed(struct request *request);

/* 413 with the endpoint's limit. */
void answer_too_long(struct request *request);

/* ---- For the worker ---- */

/* Makes the constant answers; returns false, with none made, when memory ran out. */
bool constants_create(struct MHD_Response *constants[CONSTANT_COUNT]);

/* From now on they tell the client that the connection will be closed. */
void constants_close(struct MHD_Response *constants[CONSTANT_COUNT]);

void constants_destroy(struct MHD_Response *constants[CONSTANT_COUNT]);

#endif
