#include "fields.h"

#include <string.h>
#include <strings.h>

static bool is_alphanumeric(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* What a name is made of. Source: RFC 9110, 5.6.2, "tchar". */
static bool is_token(struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.text[i];
        if (!is_alphanumeric(c) && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return text.length > 0;
}

/* What a value may not have: it could end the field, for others. */
static bool has_control(struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.text[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

bool field_is(struct slice name, const char *known)
{
    return name.length == strlen(known) && strncasecmp(name.text, known, name.length) == 0;
}

bool is_request_id(struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.text[i];
        if (!is_alphanumeric(c) && c != '.' && c != '_' && c != '-')
            return false;
    }
    return text.length > 0 && text.length <= REQUEST_ID_MAX;
}

static bool is_number(struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.text[i] < '0' || text.text[i] > '9')
            return false;
    }
    return text.length > 0;
}

static void add_length(struct fields *fields, struct slice value)
{
    fields->lengths++;
    fields->length = value;
    if (!is_number(value))
        fields->wrong = "Content-Length is no number";
}

static void add_coding(struct fields *fields, struct slice value)
{
    fields->codings++;
    if (!field_is(value, "chunked"))
        fields->wrong = "Transfer-Encoding is known as chunked alone";
}

/* Told apart by their length first: of most fields nothing more is looked at. */
static void read_field(struct fields *fields, struct slice name, struct slice value)
{
    switch (name.length) {
    case sizeof("Host") - 1:
        fields->hosts += field_is(name, "Host");
        break;
    case sizeof("X-Request-Id") - 1:
        if (field_is(name, "X-Request-Id") && is_request_id(value))
            fields->request_id = value;
        break;
    case sizeof("Content-Length") - 1:
        if (field_is(name, "Content-Length"))
            add_length(fields, value);
        break;
    case sizeof("X-Forwarded-For") - 1:
        fields->forwarded |= field_is(name, "X-Forwarded-For");
        break;
    case sizeof("Transfer-Encoding") - 1:
        if (field_is(name, "Transfer-Encoding"))
            add_coding(fields, value);
        break;
    default:
        break;
    }
}

void fields_add(struct fields *fields, struct slice name, struct slice value)
{
    if (!is_token(name))
        fields->wrong = "a header field has a name that cannot be";
    else if (has_control(value))
        fields->wrong = "a header field has a control character in its value";
    else
        read_field(fields, name, value);
}

const char *fields_wrong(const struct fields *fields, bool http_1_0)
{
    if (fields->wrong != NULL)
        return fields->wrong;
    if (fields->lengths > 1)
        return "there is more than one Content-Length";
    if (fields->codings > 1)
        return "there is more than one Transfer-Encoding";
    if (fields->lengths > 0 && fields->codings > 0)
        return "there are both Content-Length and Transfer-Encoding";
    if (fields->codings > 0 && http_1_0)
        return "HTTP/1.0 knows no Transfer-Encoding";
    if (fields->hosts > 1)
        return "there is more than one Host";
    return NULL;
}
