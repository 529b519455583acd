#include "accept.h"

#include <string.h>
#include <strings.h>

#include <microhttpd.h>

#define BLANKS " \t"

/* TEXT without the blanks around it. */
static struct slice trim(struct slice text)
{
    while (text.length > 0 && strchr(BLANKS, text.text[0]) != NULL)
        text = (struct slice){text.text + 1, text.length - 1};
    while (text.length > 0 && strchr(BLANKS, text.text[text.length - 1]) != NULL)
        text.length--;
    return text;
}

/* Cuts off the piece before the next SEPARATOR, or all there is. */
static struct slice cut(struct slice *rest, char separator)
{
    const char *end = memchr(rest->text, separator, rest->length);
    size_t length = end == NULL ? rest->length : (size_t)(end - rest->text);
    size_t gone = length + (end != NULL);
    struct slice piece = {rest->text, length};
    *rest = (struct slice){rest->text + gone, rest->length - gone};
    return trim(piece);
}

static bool is_text(struct slice text, const char *word, size_t length)
{
    return text.length == length && strncasecmp(text.text, word, length) == 0;
}

/* How closely RANGE says NAME: 0 not at all, 1 as anything, 2 as its kind, 3 itself. */
static int closeness(struct slice range, const char *name)
{
    const char *slash = strchr(name, '/');
    size_t kind = slash == NULL ? 0 : (size_t)(slash - name) + 1;
    if (is_text(range, name, strlen(name)))
        return 3;
    if (kind > 0 && range.length == kind + 1 && range.text[kind] == '*' &&
        strncasecmp(range.text, name, kind) == 0)
        return 2;
    return is_text(range, kind > 0 ? "*/*" : "*", kind > 0 ? 3 : 1);
}

/* Reads `q=0.75`: up to three digits behind the dot. Returns false if PARAMETER is something else.
 */
static bool parse_quality(struct slice parameter, unsigned *quality)
{
    static const unsigned places[] = {1000, 0, 100, 10, 1};
    unsigned value = 0;
    if (parameter.length < 3 || strncasecmp(parameter.text, "q=", 2) != 0)
        return false;
    struct slice number = {parameter.text + 2, parameter.length - 2};
    if (number.length > sizeof(places) / sizeof(places[0]))
        return false;
    for (size_t i = 0; i < number.length; i++) {
        unsigned digit = (unsigned)(number.text[i] - '0');
        if (i == 1 ? number.text[i] != '.' : digit > 9)
            return false;
        value += i == 1 ? 0 : digit * places[i];
    }
    if (value > ACCEPT_MOST)
        return false;
    *quality = value;
    return true;
}

/* What the parameters of a range say; ACCEPT_MOST if they say nothing of it. */
static unsigned quality_of(struct slice parameters)
{
    unsigned quality = ACCEPT_MOST;
    while (parameters.length > 0)
        parse_quality(cut(&parameters, ';'), &quality);
    return quality;
}

unsigned accept_quality(const char *header, const char *name)
{
    unsigned quality = 0;
    int closest = 0;
    struct slice rest = {header, header == NULL ? 0 : strlen(header)};
    while (rest.length > 0) {
        struct slice parameters = cut(&rest, ',');
        int close = closeness(cut(&parameters, ';'), name);
        if (close <= closest)
            continue;
        closest = close;
        quality = quality_of(parameters);
    }
    return quality;
}

static const char *header_of(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

bool accept_gzip(const struct request *request)
{
    return accept_quality(header_of(request, MHD_HTTP_HEADER_ACCEPT_ENCODING), "gzip") > 0;
}

bool accept_html(const struct request *request)
{
    const char *header = header_of(request, MHD_HTTP_HEADER_ACCEPT);
    return accept_quality(header, "text/html") > accept_quality(header, "application/json");
}
