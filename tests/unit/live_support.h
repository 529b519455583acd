/*
 * live_support.h - what the tests of the live engine share: a directory for a registry, names of
 * services, files that are copied and spoilt, and walkers that look at everything inside.
 *
 * A walker follows every list and link of its structure and fails the test where something that
 * must hold of it does not.
 */
#ifndef KAIROS_TESTS_LIVE_SUPPORT_H
#define KAIROS_TESTS_LIVE_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine_state.h"
#include "registry_map.h"
#include "support.h"

/* 2025-08-04T10:00:00Z: when most tests begin. */
#define BEGIN INT64_C(1754301600000000)

/* ---- Directories and files ---- */

/* A fresh directory under $TMPDIR or /tmp, and the paths of the files of a registry in it. */
struct den {
    char directory[1024];
    char file[1100]; /* the registry's file */
    char lock[1100];
};

void den_init(struct den *den);

/* Removes the directory with all that is in it. */
void den_finish(struct den *den);

/* How many files there are in the den whose names begin with PREFIX. */
size_t den_count(const struct den *den, const char *prefix);

/* A file's bytes. */
struct blob {
    char *bytes;
    size_t size;
};

struct blob blob_read(const char *path);
void blob_write(const struct blob *blob, const char *path);
struct blob blob_copy(const struct blob *blob);
bool blob_equals(const struct blob *a, const struct blob *b);
void blob_free(struct blob *blob);

/* Opens the registry in DEN, which must go well; nothing may be damaged. */
struct registry *den_open(const struct den *den, size_t slots);

/* ---- Services ---- */

/* A name as the engine takes it: padded with NULs to whole words. */
struct name {
    char text[KAIROS_SERVICE_SIZE];
    size_t length;
};

struct name name_of(const char *text);

/* A name of its own for each NUMBER, LENGTH characters long (at least 10). */
struct name name_numbered(size_t number, size_t length);

/* A service called NAME with the default policy that never beat. */
struct service service_named(const struct name *name);

/* A service all of whose fields are random and valid. */
struct service random_service(struct dice *dice, const struct name *name);

/* Fails unless both are the same. */
void check_same_service(const struct service *a, const struct service *b);

/* The slot of the service called NAME, SLOT_NONE if there is none: looks at every slot. */
uint32_t slot_of(const struct registry *registry, const struct name *name);

/* ---- Walkers ---- */

/*
 * Follows all lists of WHEEL. Returns how many entries are in it. Unless COMES_UP is NULL, sets for
 * each entry the tick at which it comes up, INT64_MAX for those that are not in the wheel.
 */
uint32_t walk_wheel(const struct wheel *wheel, int64_t *comes_up);

/* Looks at all entries of INDEX. Returns how many there are. */
size_t walk_index(struct index *index);

/* Looks at all slots of REGISTRY, used and free. Returns how many services there are. */
size_t walk_registry(const struct registry *registry);

/*
 * Looks at all that ENGINE has: index, wheel, states, counters and registry. Services are as they
 * should be when all was judged that was due before JUDGED (TIME_NEVER: not all was).
 */
void walk_engine(struct engine *engine, int64_t judged);

#endif
