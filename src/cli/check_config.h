/*
 * check_config.h - the command `kairos check-config`: what is wrong with a configuration.
 */
#ifndef KAIROS_CLI_CHECK_CONFIG_H
#define KAIROS_CLI_CHECK_CONFIG_H

/* Runs the command with its arguments. Returns the exit status. */
int check_config_command(int argc, char **argv);

#endif
