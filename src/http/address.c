#include "address.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

static const struct addrinfo *choose(const struct addrinfo *found)
{
    for (const struct addrinfo *info = found; info != NULL; info = info->ai_next) {
        if (info->ai_family == AF_INET)
            return info;
    }
    return found;
}

bool address_resolve(const char *host, uint16_t port, struct address *address,
                     struct failure *failure)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found;
    char service[8];
    snprintf(service, sizeof(service), "%u", port);
    int error = getaddrinfo(host, service, &hints, &found);
    if (error != 0)
        return failure_set(failure, "cannot find the address of %s: %s", host,
                           error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
    const struct addrinfo *chosen = choose(found);
    memcpy(&address->socket, chosen->ai_addr, chosen->ai_addrlen);
    address->length = chosen->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static const struct sockaddr_in *ipv4(const struct address *address)
{
    return (const struct sockaddr_in *)&address->socket;
}

static const struct sockaddr_in6 *ipv6(const struct address *address)
{
    return (const struct sockaddr_in6 *)&address->socket;
}

bool address_is_loopback(const struct address *address)
{
    if (address->socket.ss_family == AF_INET)
        return ntohl(ipv4(address)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return IN6_IS_ADDR_LOOPBACK(&ipv6(address)->sin6_addr);
}

void address_format(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
    if (getnameinfo((const struct sockaddr *)&address->socket, address->length, text,
                    ADDRESS_TEXT_SIZE, NULL, 0, NI_NUMERICHOST) != 0)
        snprintf(text, ADDRESS_TEXT_SIZE, "?");
}

uint16_t address_port(const struct address *address)
{
    return ntohs(address->socket.ss_family == AF_INET ? ipv4(address)->sin_port
                                                      : ipv6(address)->sin6_port);
}
