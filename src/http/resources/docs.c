/*
 * docs.c - /docs: the reference of the API as a page; /openapi.json: its contract.
 */
#include <string.h>

#include "answer.h"
#include "asset.h"
#include "resource.h"

#define VARY "Accept-Encoding"

static void answer_page(struct request *request)
{
    asset_answer(request, asset_find((struct slice){"/docs", strlen("/docs")}), VARY);
}

static void answer_contract(struct request *request)
{
    asset_answer(request, asset_find((struct slice){"/openapi.json", strlen("/openapi.json")}),
                 VARY);
}

static void answer_asset(struct request *request)
{
    const struct asset *asset = asset_find(request->route.segments[0]);
    if (asset != NULL)
        asset_answer(request, asset, VARY);
    else
        answer_error(request, 404, "there is no such file; the reference is at /docs");
}

static const struct endpoint endpoints[] = {
    {.path = "/docs", .methods = METHODS_READ, .answer = answer_page},
    {.path = "/docs/{asset}", .methods = METHODS_READ, .answer = answer_asset},
    {.path = "/openapi.json", .methods = METHODS_READ, .answer = answer_contract},
};

const struct resource docs_resource = RESOURCE(endpoints);
