/*
 * exec.h - the command `kairos exec`: runs a command and tells a server that it starts and how it
 * ended, with the last of what it wrote.
 *
 * Nothing that may happen to the server, the network or the spool keeps the command from running,
 * or changes its exit status.
 */
#ifndef KAIROS_CLI_EXEC_H
#define KAIROS_CLI_EXEC_H

/* Runs the command with its arguments; returns the program's exit status. */
int exec_command(int argc, char **argv);

#endif
