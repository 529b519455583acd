/*
 * json_texts.h - texts that RFC 8259 allows, and texts that it does not: for all who read JSON.
 */
#ifndef KAIROS_TESTS_JSON_TEXTS_H
#define KAIROS_TESTS_JSON_TEXTS_H

#include <kairos/parser.h>

#include "support.h"

/* Each one JSON text, with white space around it at most. */
extern const struct bytes json_allowed[];
extern const size_t json_allowed_count;

/*
 * Each in two parts: the first may begin a JSON text, and no text goes on with the first byte of
 * the second, or, where that is empty, none ends there.
 */
struct json_forbidden {
    struct bytes begin;
    struct bytes rest;
    enum kairos_parse_error_code code;
};

extern const struct json_forbidden json_forbidden[];
extern const size_t json_forbidden_count;

#endif
