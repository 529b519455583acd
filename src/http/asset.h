/*
 * asset.h - the pages of the server, and what they load.
 *
 * They are made from web/ and api/ when the program is built and are part of it, compressed with
 * gzip: nothing need be installed, and nothing is loaded from elsewhere.
 */
#ifndef KAIROS_HTTP_ASSET_H
#define KAIROS_HTTP_ASSET_H

#include <stddef.h>

#include "percent.h"
#include "request.h"

struct asset {
    const char *name; /* "page.css"; of a page its path, "/docs" */
    const char *content_type;
    const char *etag; /* of its content, however that is encoded: W/"…" */
    const unsigned char *gzip;
    size_t gzip_size;
    size_t size; /* when it is inflated */
};

/* All of them, of which web/embed.py makes the table. */
extern const struct asset assets[];
extern const size_t asset_count;

/* The asset with that name; NULL if there is none. */
const struct asset *asset_find(struct slice name);

/*
 * Answers with ASSET: as it is to those who read gzip, inflated piece by piece to others, and 304
 * to those who have it already. VARY names the headers of the request that the answer depends on.
 */
void asset_answer(struct request *request, const struct asset *asset, const char *vary);

#endif
