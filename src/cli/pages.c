#include "pages.h"

#include <stdlib.h>
#include <string.h>

/* As many as a server gives, */
#define PAGE "1000"

/* and what they may take: names, tags and descriptions of the longest. */
#define PAGE_BYTES_MAX ((size_t)16 * 1024 * 1024)

static json_t *get_page(struct pages *pages, struct failure *failure)
{
    const char *const more[][2] = {
        {"sort", pages->sort}, {"limit", PAGE}, {"cursor", pages->cursor}};
    char *path = criteria_path(pages->criteria, "/api/v1/services", more, 3);
    const struct client_request request = {
        .method = "GET", .path = path, .answer_max = PAGE_BYTES_MAX};
    json_t *page = NULL;
    if (path == NULL)
        failure_set(failure, "out of memory");
    else
        page = client_send_json(pages->client, &request, NULL, failure);
    free(path);
    return page;
}

static bool are_services(const json_t *services)
{
    size_t i;
    json_t *service;
    json_array_foreach(services, i, service)
    {
        if (!json_is_object(service))
            return false;
    }
    return json_is_array(services);
}

/* Takes over where the next page begins. Returns false if that is nowhere, or where this one did.
 */
static bool take_cursor(struct pages *pages, const json_t *cursor)
{
    pages->ended = json_is_null(cursor);
    if (pages->ended)
        return true;
    const char *text = json_string_value(cursor);
    if (text == NULL || (pages->cursor != NULL && strcmp(text, pages->cursor) == 0))
        return false;
    free(pages->cursor);
    pages->cursor = strdup(text);
    return pages->cursor != NULL;
}

json_t *pages_next(struct pages *pages, struct failure *failure)
{
    if (pages->ended || pages->failed)
        return NULL;
    json_t *page = get_page(pages, failure);
    json_t *services = json_object_get(page, "services");
    pages->failed = true;
    if (page != NULL) {
        pages->failed =
            !are_services(services) || !take_cursor(pages, json_object_get(page, "next_cursor"));
        if (pages->failed)
            failure_set(failure, "%s: the answer is none of a Kairós server", pages->server);
    }
    services = pages->failed ? NULL : json_incref(services);
    json_decref(page);
    return services;
}

void pages_finish(struct pages *pages)
{
    free(pages->cursor);
    pages->cursor = NULL;
}
