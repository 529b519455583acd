/*
 * change.h - the body of a request that declares or changes a service:
 *
 *   {"interval": 60, "allowed_misses": 3, "tolerance": "5s", "max_runtime": null,
 *    "description": "Nightly backup", "tags": ["prod", "team-x"]}
 *
 * Durations are numbers of seconds, or text with a unit as on the command line. What is not said is
 * not changed.
 */
#ifndef KAIROS_HTTP_CHANGE_H
#define KAIROS_HTTP_CHANGE_H

#include <jansson.h>
#include <stddef.h>

#include "engine.h"
#include "failure.h"

enum change_result {
    CHANGE_OK,
    CHANGE_MALFORMED, /* no JSON */
    CHANGE_INVALID,   /* JSON, but not such an object, or a value is out of bounds */
};

/*
 * Reads the LENGTH bytes at TEXT; nothing at all counts as {}. Sets the values of CHANGE and its
 * has_… members, and leaves `replace` and `create` alone. Or describes the failure: the place of
 * what is no JSON, or the key and its bounds.
 */
enum change_result change_parse(const char *text, size_t length, struct service_change *change,
                                struct failure *failure);

/*
 * Reads one member of such an object, wherever that is from, into CHANGE. Returns CHANGE_OK, or
 * CHANGE_INVALID and describes the failure: the key and its bounds.
 */
enum change_result change_read_member(const char *key, const json_t *value,
                                      struct service_change *change, struct failure *failure);

/* The keys that may be there, by their number from 0 on; NULL beyond them. */
const char *change_key(size_t index);

/* The same as change_parse from an object that was read already. */
bool change_read(const json_t *object, struct service_change *change, struct failure *failure);

/*
 * The same from an entry of an import, which also has the service's name under `service` and may
 * say whether it is `paused`.
 */
bool change_read_entry(const json_t *object, struct service_name *name,
                       struct service_change *change, struct failure *failure);

/*
 * Reads the LENGTH bytes at TEXT, which must be JSON without a key twice in an object. Returns a
 * new reference; or NULL and describes the failure, and in *RESULT says what it is.
 */
json_t *change_load(const char *text, size_t length, enum change_result *result,
                    struct failure *failure);

/*
 * Describes why the engine has not changed the service NAME: RESULT is neither ENGINE_OK nor
 * _CREATED. Returns the status of the answer.
 */
unsigned change_refused(enum engine_result result, const char *name, struct failure *failure);

/* The key that the engine refused and its bounds, for ENGINE_BAD_…. */
const char *change_bounds_text(enum engine_result result);

#endif
