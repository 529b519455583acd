#include "url_list.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SEPARATORS ", "

/* Where the authority begins; NULL if it is no address of the web. */
static const char *authority_of(const char *url)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
            return url + strlen(schemes[i]);
    }
    return NULL;
}

/* The host of an address whose authority begins at AUTHORITY: behind a user, before a port. */
static size_t find_host(const char *authority, const char **host)
{
    size_t length = strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', length);
    *host = at != NULL ? at + 1 : authority;
    length -= (size_t)(*host - authority);
    const char *end = **host == '[' ? memchr(*host, ']', length) : memchr(*host, ':', length);
    if (end != NULL)
        length = (size_t)(end - *host) + (*end == ']');
    return length;
}

static bool is_plain(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] <= ' ' || text[i] >= 0x7f)
            return false;
    }
    return true;
}

bool url_list_check(const char *text, struct failure *failure)
{
    unsigned number = 0;
    for (text += strspn(text, SEPARATORS); *text != '\0'; text += strspn(text, SEPARATORS)) {
        size_t length = strcspn(text, SEPARATORS);
        const char *authority = authority_of(text), *host;
        number++;
        if (number > URL_LIST_MAX)
            return failure_set(failure, "more than %d addresses", URL_LIST_MAX);
        if (length >= URL_SIZE)
            return failure_set(failure, "address %u is too long; it may have %d bytes", number,
                               URL_SIZE - 1);
        if (authority == NULL || !is_plain(text, length) || authority >= text + length ||
            find_host(authority, &host) == 0 || host >= text + length)
            return failure_set(failure,
                               "address %u is none of the web; write one as in "
                               "https://kairos.example.com/ping/kairos-1",
                               number);
        text += length;
    }
    return true;
}

bool url_list_next(const char **at, char url[URL_SIZE])
{
    *at += strspn(*at, SEPARATORS);
    size_t length = strcspn(*at, SEPARATORS);
    if (length == 0)
        return false;
    snprintf(url, URL_SIZE, "%.*s", (int)length, *at);
    *at += length;
    return true;
}

void url_host(const char *url, char *host, size_t size)
{
    const char *authority = authority_of(url), *begin = "";
    size_t length = authority != NULL ? find_host(authority, &begin) : 0;
    snprintf(host, size, "%.*s", (int)length, begin);
}
