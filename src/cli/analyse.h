/*
 * analyse.h - the command without a name: which services in a log went silent, and when.
 */
#ifndef KAIROS_CLI_ANALYSE_H
#define KAIROS_CLI_ANALYSE_H

/* Runs the command on the program's arguments. Returns the exit status. */
int analyse_command(int argc, char **argv);

#endif
