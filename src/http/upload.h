/*
 * upload.h - a log that is sent in the body of a request: from the bytes of the body to an
 * analysis.
 *
 * The body is the log itself, or a form with the log as its field `file` and terms as other fields,
 * in any order; either may be compressed, as Content-Encoding tells, and the log be so once more,
 * as its own first bytes tell. Bytes are worked on as they come, and nothing is kept of them but
 * what the analysis keeps.
 *
 *     upload_init(&upload, &options);
 *     upload_put(&upload, bytes, size, last);
 *     while (upload_step(&upload))
 *         ... now and then: has it become too large? (upload_memory) ...
 *     ... the next bytes, until the last; then: ...
 *     if (upload.status == 0)
 *         use(upload.analysis);
 *     else
 *         answer(upload.status, upload.failure);
 *     upload_finish(&upload);
 */
#ifndef KAIROS_HTTP_UPLOAD_H
#define KAIROS_HTTP_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kairos/analysis.h>

#include "failure.h"
#include "multipart.h"
#include "place.h"
#include "terms.h"
#include "unpacker.h"

/* The value of a field other than the file, as long as a query may be. */
#define UPLOAD_VALUE_MAX 2048

struct upload_options {
    const char *content_type;     /* or NULL */
    const char *content_encoding; /* or NULL */
    uint64_t unpacked_max;        /* bytes that compressed ones may become */
    struct terms terms;           /* those of the query */
    uint64_t seed;                /* of the analysis */
};

struct upload {
    unsigned status;        /* 0, or that of the answer that refuses it */
    struct failure failure; /* why it is refused */
    struct terms terms;
    struct kairos_analysis *analysis; /* finished, and judged by the terms, at the end */
    uint64_t alerts;                  /* how many it has */

    /* Internal. */
    uint64_t seed;
    struct unpacker body;
    struct unpacker file;
    bool is_form;
    bool has_file;
    bool all_put;      /* the body has come to its end */
    bool log_complete; /* so has the log */
    bool concluded;
    struct multipart multipart;
    struct slice form; /* what is left to read of it */
    enum {
        UPLOAD_FIELD_NONE,
        UPLOAD_FIELD_FILE,
        UPLOAD_FIELD_TERM,
    } field;
    enum term term;
    char value[UPLOAD_VALUE_MAX + 1];
    size_t value_length;
    struct place place; /* where the log has been read up to, */
    uint64_t offset;    /* and at which byte */
};

/* Prepares to read a body. What is wrong with OPTIONS shows in the status. */
void upload_init(struct upload *upload, const struct upload_options *options);

void upload_finish(struct upload *upload);

/*
 * The next SIZE bytes of the body, which must stay until upload_step returns false; it must have
 * done so for those before.
 */
void upload_put(struct upload *upload, const char *bytes, size_t size, bool last);

/*
 * Works for some milliseconds at most, but for the end of a large log, which may take longer.
 * Returns whether there is more to do with what was put in.
 */
bool upload_step(struct upload *upload);

/* Refuses it from now on. */
void upload_refuse(struct upload *upload, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Bytes that it holds, at most. */
uint64_t upload_memory(const struct upload *upload);

#endif
