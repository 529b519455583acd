/*
 * address.h - where a server listens.
 */
#ifndef KAIROS_HTTP_ADDRESS_H
#define KAIROS_HTTP_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "failure.h"

struct address {
    struct sockaddr_storage socket;
    socklen_t length;
};

/* Room for an address in text. */
#define ADDRESS_TEXT_SIZE 64

/*
 * Finds the address of HOST, a name or an address itself; of several the first one of IPv4, then
 * of IPv6. Returns false and describes the failure.
 */
bool address_resolve(const char *host, uint16_t port, struct address *address,
                     struct failure *failure);

/* Whether only this machine can reach it. */
bool address_is_loopback(const struct address *address);

/* Writes the address without its port. */
void address_format(const struct address *address, char text[ADDRESS_TEXT_SIZE]);

uint16_t address_port(const struct address *address);

#endif
