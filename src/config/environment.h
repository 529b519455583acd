/*
 * environment.h - values that the environment gives: KAIROS_PORT=8000, or KAIROS_PORT_FILE=PATH for
 * one that stands in a file, as secrets do. An empty variable is none.
 */
#ifndef KAIROS_CONFIG_ENVIRONMENT_H
#define KAIROS_CONFIG_ENVIRONMENT_H

#include "log.h"
#include "settings.h"

#define ENVIRONMENT_FILE_SUFFIX "_FILE"

/* Bytes of a file that holds a value; the newline at its end does not count as part of it. */
#define ENVIRONMENT_FILE_MAX ((size_t)64 * 1024)

/* The variable that names the configuration file. */
#define ENVIRONMENT_CONFIG "KAIROS_CONFIG"

/* Gives SETTINGS what the environment says, and PROBLEMS what is wrong with it. */
void environment_take(struct settings *settings, struct problems *problems);

/*
 * Warns of variables that look as if they were meant for the server, and are not known: a value
 * that is not heeded is seldom wanted.
 */
void environment_warn(struct log *log);

#endif
