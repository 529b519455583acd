/*
 * client_argp.h - the options by which every command that talks to a server names it: --url and
 * --cacert, or KAIROS_URL and KAIROS_CACERT in the environment.
 *
 * It is a child of the command's own argp, in the group of options with the number
 * CLIENT_ARGP_GROUP; its input is a struct client_options.
 */
#ifndef KAIROS_CLI_CLIENT_ARGP_H
#define KAIROS_CLI_CLIENT_ARGP_H

#include <argp.h>

#include "client.h"

#define CLIENT_ARGP_GROUP 1

/* For a command's table of children. */
#define CLIENT_ARGP_CHILD                                                                          \
    {                                                                                              \
        .argp = &client_argp, .group = CLIENT_ARGP_GROUP                                           \
    }

/*
 * Sets `url`, unless the command has, and `cacert`. Wrong usage ends the program, as does a wrong
 * address in the environment.
 */
extern const struct argp client_argp;

#endif
