/*
 * ip.h - the address of a client, and networks of addresses.
 *
 * An IPv4 address is the IPv6 address that it is mapped to (RFC 4291, 2.5.5.2), which is how a
 * socket that listens for both shows it: so there is one kind alone.
 */
#ifndef KAIROS_HTTP_IP_H
#define KAIROS_HTTP_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "failure.h"
#include "percent.h"

struct ip {
    uint8_t bytes[16];
};

/* Room for an address in text. */
#define IP_TEXT_SIZE 46

/* The address of SOCKET; false for what has none, like a Unix socket. */
bool ip_of_socket(const struct sockaddr *socket, struct ip *ip);

/* Reads an address as it is written, alone. */
bool ip_parse(struct slice text, struct ip *ip);

/* Writes the address as it is written; returns the length. */
size_t ip_format(const struct ip *ip, char text[IP_TEXT_SIZE]);

bool ip_is_v4(const struct ip *ip);

/* As many networks as a list may have. */
#define NETWORKS_MAX 64

struct network {
    struct ip ip;
    unsigned bits; /* the first ones, that all its addresses share */
};

struct networks {
    struct network list[NETWORKS_MAX];
    size_t count;
};

/*
 * Adds what TEXT names to the list: addresses and networks (10.0.0.0/8, fd00::/8) with commas
 * between them; an empty text adds none. Returns false and describes the failure.
 */
bool networks_add(struct networks *networks, const char *text, struct failure *failure);

bool networks_have(const struct networks *networks, const struct ip *ip);

#endif
