/*
 * describe.h - what the documents say of the configuration, made of the table of keys. The tests
 * hold the documents to it.
 */
#ifndef KAIROS_CONFIG_DESCRIBE_H
#define KAIROS_CONFIG_DESCRIBE_H

#include <stdio.h>

/* A configuration with all keys, each with its default and commented out: docs/kairos.yaml. */
void describe_sample(FILE *stream);

/* The keys as Markdown, for docs/CONFIGURATION.md. */
void describe_reference(FILE *stream);

/* The keys as a manual page has them, for kairos.yaml(5). */
void describe_manual(FILE *stream);

#endif
