/*
 * input.h - the log to analyse: a file of any size or standard input, as it is or compressed.
 *
 * Bytes are those of the log itself, decompressed. An input is read from its beginning by one
 * thread; a plain regular file can also be read anywhere, by several at the same time.
 */
#ifndef KAIROS_CLI_INPUT_H
#define KAIROS_CLI_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"

struct input;

/*
 * Opens the file PATH, or standard input for "-". Returns NULL and describes the failure; MEND is
 * added to it if there is no such file.
 */
struct input *input_open(const char *path, const char *mend, struct failure *failure);

void input_close(struct input *input);

/* For messages: the path, or "<stdin>". */
const char *input_name(const struct input *input);

/* The encoding: "plain", "gzip" or "zstd". */
const char *input_encoding(const struct input *input);

/* Reads on, up to SIZE bytes; *COUNT is 0 at the end, and only there. */
bool input_read(struct input *input, char *data, size_t size, size_t *count,
                struct failure *failure);

/* Whether input_read_at can be used. */
bool input_is_seekable(const struct input *input);

/* Reads up to SIZE bytes from OFFSET on; *COUNT is less only where the file ends. */
bool input_read_at(const struct input *input, uint64_t offset, char *data, size_t size,
                   size_t *count, struct failure *failure);

/* For a regular file its size when it was opened, compressed or not; else 0. */
uint64_t input_size(const struct input *input);

/* How many of these bytes input_read has used. */
uint64_t input_used(const struct input *input);

#endif
