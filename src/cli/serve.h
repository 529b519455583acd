/*
 * serve.h - the command `kairos serve`: watches services live, and answers over HTTP.
 */
#ifndef KAIROS_CLI_SERVE_H
#define KAIROS_CLI_SERVE_H

/* Runs the command with its arguments; returns the program's exit status. */
int serve_command(int argc, char **argv);

#endif
