#include "forwarded.h"

#include <string.h>

/* Takes the last item off LIST; false if there is none. */
static bool cut_last(struct slice *list, struct slice *item)
{
    if (list->text == NULL)
        return false;
    const char *comma = memrchr(list->text, ',', list->length);
    const char *begin = comma == NULL ? list->text : comma + 1;
    *item = (struct slice){begin, (size_t)(list->text + list->length - begin)};
    if (comma == NULL)
        *list = (struct slice){NULL, 0};
    else
        list->length = (size_t)(comma - list->text);
    return true;
}

static struct slice trim(struct slice text)
{
    while (text.length > 0 && (*text.text == ' ' || *text.text == '\t'))
        text = (struct slice){text.text + 1, text.length - 1};
    while (text.length > 0 &&
           (text.text[text.length - 1] == ' ' || text.text[text.length - 1] == '\t'))
        text.length--;
    return text;
}

/* The address alone: some proxies add the port, as 192.0.2.1:80 or [2001:db8::1]:80. */
static struct slice without_port(struct slice text)
{
    const char *colon = memchr(text.text, ':', text.length);
    const char *bracket = memchr(text.text, ']', text.length);
    if (text.length > 0 && text.text[0] == '[' && bracket != NULL)
        return (struct slice){text.text + 1, (size_t)(bracket - text.text) - 1};
    if (colon != NULL && memrchr(text.text, ':', text.length) == colon)
        return (struct slice){text.text, (size_t)(colon - text.text)};
    return text;
}

bool forwarded_read(struct slice value, const struct networks *trusted, struct ip *ip)
{
    struct slice item;
    while (cut_last(&value, &item)) {
        struct ip read;
        if (!ip_parse(without_port(trim(item)), &read))
            return false;
        *ip = read;
        if (!networks_have(trusted, ip))
            return false;
    }
    return true;
}
