/*
 * ping.h - the command `kairos ping`: tells a server that a service is alive, has failed or starts.
 *
 * What cannot be told now is kept, and told by the next ping that gets through; what others have
 * left behind is taken along.
 */
#ifndef KAIROS_CLI_PING_H
#define KAIROS_CLI_PING_H

/* Runs the command with its arguments; returns the program's exit status. */
int ping_command(int argc, char **argv);

#endif
