/*
 * log_json.h - the words of a log line as members of a JSON object.
 *
 *   alert service=push kind=silence missed_count=3 detail="no \"word\""
 *   "event": "alert", "service": "push", "kind": "silence", "missed_count": 3, "detail": "no
 * \"word\""
 *
 * The first word is the event. A value that is written as a JSON number stays one, unless its key
 * is one of those whose values are names: a service may be called 7. A value in double quotes is
 * what log_quote was given. A key that the object has itself gets a '_' behind it. Whatever is no
 * KEY=VALUE, or has a key that was there before, is gathered in "text", so that nothing is lost and
 * no key stands twice.
 *
 * The result is well-formed whatever the words are: bytes that are not UTF-8 become U+FFFD.
 */
#ifndef KAIROS_BASE_LOG_JSON_H
#define KAIROS_BASE_LOG_JSON_H

#include <stddef.h>

/* What LENGTH bytes of words may need: six for a control character, and the keys of their own. */
#define LOG_JSON_SIZE(length) (6 * (length) + 64)

/* Writes the members to JSON, without braces or a NUL; returns how many bytes these are. */
size_t log_json(char *json, const char *words, size_t length);

#endif
