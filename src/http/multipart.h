/*
 * multipart.h - reads a form of the type multipart/form-data, piece by piece.
 *
 * It is handed over in pieces of any size, cut anywhere; what comes out are the fields and slices
 * of their values, which point into the piece. Nothing is kept but a part's header, and how much of
 * a boundary has been seen.
 *
 *     multipart_open(&multipart, content_type, &failure);
 *     struct slice piece = {bytes, size}, value;
 *     while ((event = multipart_read(&multipart, &piece, &value)) != MULTIPART_MORE)
 *         ... MULTIPART_FIELD, then any number of MULTIPART_VALUE, then MULTIPART_END;
 *             or MULTIPART_BAD, and no more ...
 *     ... the next pieces, and after the last one: ...
 *     multipart_is_complete(&multipart)
 *
 * What senders write is taken generously: text ahead of the first boundary and behind the last one,
 * blanks behind a boundary, names with quotes and without, lines that end in LF alone. What could
 * be read in two ways is refused: parts without a name, parts in parts, encoded parts.
 *
 * Sources: RFC 7578 (form-data), RFC 2046, section 5.1.1 (boundaries), RFC 9110, section 5.6.6
 * (parameters).
 */
#ifndef KAIROS_HTTP_MULTIPART_H
#define KAIROS_HTTP_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"
#include "percent.h"

/* RFC 2046 allows no longer boundary. */
#define MULTIPART_BOUNDARY_MAX 70

/* Bytes that the header of a part may have: those of browsers and curl have a tenth. */
#define MULTIPART_HEADER_MAX 4096

/* The name of a field; a longer one is an error. */
#define MULTIPART_NAME_MAX 255

enum multipart_event {
    MULTIPART_MORE,  /* the piece is used up */
    MULTIPART_FIELD, /* a field begins, whose name is `name` */
    MULTIPART_VALUE, /* the next slice of its value, one byte or more */
    MULTIPART_END,   /* it ends */
    MULTIPART_BAD,   /* the form is not well-formed: `error` tells why, and `offset` where */
};

struct multipart {
    char name[MULTIPART_NAME_MAX + 1];
    uint64_t offset;   /* bytes read so far */
    const char *error; /* of MULTIPART_BAD */

    /* Internal. */
    int state;
    char delimiter[MULTIPART_BOUNDARY_MAX + 5]; /* "\r\n--" and the boundary; or "\n--" */
    size_t delimiter_length;
    size_t matched; /* bytes of the delimiter that were seen just now, */
    size_t ghost;   /* and how many of them were not part of the value */
    char header[MULTIPART_HEADER_MAX];
    size_t header_length;
};

/* Whether CONTENT_TYPE, which may be NULL, is that of such a form. */
bool multipart_is_form(const char *content_type);

/* Prepares to read a form of this type. Returns false and describes the failure if it has no
 * boundary that can be used. */
bool multipart_open(struct multipart *multipart, const char *content_type, struct failure *failure);

/*
 * Reads on in PIECE, which loses what was read. *VALUE is set on MULTIPART_VALUE, and good as long
 * as the piece and the multipart.
 */
enum multipart_event multipart_read(struct multipart *multipart, struct slice *piece,
                                    struct slice *value);

/* Whether the last boundary has been read. What follows it is ignored. */
bool multipart_is_complete(const struct multipart *multipart);

#endif
