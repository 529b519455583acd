#include "ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define MAPPED_BITS 96 /* ahead of an IPv4 address */
#define ALL_BITS    128

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static void set_v4(struct ip *ip, const void *address)
{
    memcpy(ip->bytes, mapped, sizeof(mapped));
    memcpy(ip->bytes + sizeof(mapped), address, 4);
}

bool ip_is_v4(const struct ip *ip)
{
    return memcmp(ip->bytes, mapped, sizeof(mapped)) == 0;
}

bool ip_of_socket(const struct sockaddr *socket, struct ip *ip)
{
    if (socket->sa_family == AF_INET)
        set_v4(ip, &((const struct sockaddr_in *)socket)->sin_addr);
    else if (socket->sa_family == AF_INET6)
        memcpy(ip->bytes, &((const struct sockaddr_in6 *)socket)->sin6_addr, sizeof(ip->bytes));
    else
        return false;
    return true;
}

bool ip_parse(struct slice text, struct ip *ip)
{
    char copy[IP_TEXT_SIZE];
    struct in_addr v4;
    if (text.length >= sizeof(copy) || memchr(text.text, '\0', text.length) != NULL)
        return false;
    memcpy(copy, text.text, text.length);
    copy[text.length] = '\0';
    if (inet_pton(AF_INET, copy, &v4) == 1) {
        set_v4(ip, &v4);
        return true;
    }
    return inet_pton(AF_INET6, copy, ip->bytes) == 1;
}

size_t ip_format(const struct ip *ip, char text[IP_TEXT_SIZE])
{
    if (ip_is_v4(ip))
        inet_ntop(AF_INET, ip->bytes + sizeof(mapped), text, IP_TEXT_SIZE);
    else
        inet_ntop(AF_INET6, ip->bytes, text, IP_TEXT_SIZE);
    return strlen(text);
}

/* ---- Networks ---- */

/* Reads what stands behind the '/': up to MAX bits. */
static bool read_bits(struct slice text, unsigned max, unsigned *bits)
{
    *bits = 0;
    if (text.length == 0 || text.length > 3)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (text.text[i] < '0' || text.text[i] > '9')
            return false;
        *bits = *bits * 10 + (unsigned)(text.text[i] - '0');
    }
    return *bits <= max;
}

static bool read_network(struct slice text, struct network *network)
{
    const char *slash = memchr(text.text, '/', text.length);
    struct slice address = {text.text, slash == NULL ? text.length : (size_t)(slash - text.text)};
    network->bits = ALL_BITS;
    if (!ip_parse(address, &network->ip))
        return false;
    if (slash == NULL)
        return true;
    unsigned fixed = memchr(address.text, ':', address.length) == NULL ? MAPPED_BITS : 0;
    struct slice rest = {slash + 1, text.length - address.length - 1};
    if (!read_bits(rest, ALL_BITS - fixed, &network->bits))
        return false;
    network->bits += fixed;
    return true;
}

static struct slice trim(const char *text, size_t length)
{
    for (; length > 0 && *text == ' '; length--)
        text++;
    while (length > 0 && text[length - 1] == ' ')
        length--;
    return (struct slice){text, length};
}

bool networks_add(struct networks *networks, const char *text, struct failure *failure)
{
    if (trim(text, strlen(text)).length == 0)
        return true;
    for (const char *end = text; *end != '\0'; text = end + 1) {
        end = strchrnul(text, ',');
        struct slice name = trim(text, (size_t)(end - text));
        if (networks->count == NETWORKS_MAX)
            return failure_set(failure, "there may be %d addresses and networks at most",
                               NETWORKS_MAX);
        if (!read_network(name, &networks->list[networks->count]))
            return failure_set(failure,
                               "'%.*s' is neither an address nor a network such as 10.0.0.0/8",
                               (int)(name.length < 64 ? name.length : 64), name.text);
        networks->count++;
    }
    return true;
}

static bool shares_bits(const struct ip *a, const struct ip *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a->bytes, b->bytes, whole) != 0)
        return false;
    return rest == 0 || (a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest) == 0;
}

bool networks_have(const struct networks *networks, const struct ip *ip)
{
    for (size_t i = 0; i < networks->count; i++) {
        if (shares_bits(&networks->list[i].ip, ip, networks->list[i].bits))
            return true;
    }
    return false;
}
