/*
 * third_opinion.h - what jansson thinks of a log.
 *
 * An array is one JSON text; in NDJSON each line that is not blank is one. What jansson accepts our
 * parser must accept, with as many events and with the reasons that follow from the values; what
 * jansson rejects ours must reject. jansson (2.14) abstains where it has limits of its own:
 *
 * - It counts values that nest, scalars too, and ends at 2048 (JSON_PARSER_MAX_DEPTH).
 * - It makes a double of every number, and ends at one that overflows, such as 1e400.
 * - It makes UTF-8 of every string, and ends at a surrogate without its other half.
 * - It ends at a key with \u0000 in it.
 * - It passes over a NUL byte behind a number or a literal, which JSON forbids.
 *
 * At the first four it has found nothing wrong before its last token: then ours may not have ended
 * earlier. The last one is recognised without asking it, as no JSON text holds a NUL byte.
 */
#ifndef KAIROS_FUZZ_THIRD_OPINION_H
#define KAIROS_FUZZ_THIRD_OPINION_H

#include <stddef.h>

#include "outcome.h"

/* Ends the process unless OUTCOME agrees with jansson on the SIZE bytes at LOG. */
void third_opinion_check(const char *log, size_t size, const struct outcome *outcome);

#endif
