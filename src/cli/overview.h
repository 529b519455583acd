/*
 * overview.h - the command `kairos status`: a table of a server's services.
 */
#ifndef KAIROS_CLI_OVERVIEW_H
#define KAIROS_CLI_OVERVIEW_H

/* Runs the command with its arguments; returns the program's exit status. */
int overview_command(int argc, char **argv);

#endif
