/*
 * services.h - the command `kairos services`: all that a server was told of services, their
 * policies, tags and descriptions, out to a file and in again.
 */
#ifndef KAIROS_CLI_SERVICES_H
#define KAIROS_CLI_SERVICES_H

/* Runs the command with its arguments; returns the program's exit status. */
int services_command(int argc, char **argv);

#endif
