/*
 * small_file.h - a whole file in memory: a configuration, or a secret.
 */
#ifndef KAIROS_CONFIG_SMALL_FILE_H
#define KAIROS_CONFIG_SMALL_FILE_H

#include <stddef.h>

#include "failure.h"

/*
 * Reads the regular file PATH of MAX bytes at most. Returns them, a NUL behind them, for free(),
 * and their number in *LENGTH; or NULL, and describes the failure. A file that changes while it is
 * read is one.
 */
char *small_file_read(const char *path, size_t max, size_t *length, struct failure *failure);

#endif
