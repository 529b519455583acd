/*
 * config_file.h - the configuration file: YAML, the keys at its top, and the list `services`
 * (declaration.h).
 */
#ifndef KAIROS_CONFIG_CONFIG_FILE_H
#define KAIROS_CONFIG_CONFIG_FILE_H

#include <stddef.h>

#include "settings.h"

/* Bytes, and values in them: some 100,000 services with all that can be said of them. */
#define CONFIG_FILE_MAX  ((size_t)64 * 1024 * 1024)
#define CONFIG_NODES_MAX 4000000

/* Gives SETTINGS what the file PATH says, and PROBLEMS what is wrong with it. */
void config_file_take(struct settings *settings, const char *path, struct problems *problems);

/* The same for LENGTH bytes at TEXT, which messages call a file PATH. */
void config_text_take(struct settings *settings, const char *path, const char *text, size_t length,
                      struct problems *problems);

#endif
