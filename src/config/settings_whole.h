/*
 * settings_whole.h - what holds between the keys: defaults that depend on the machine, and values
 * that do not go together.
 */
#ifndef KAIROS_CONFIG_SETTINGS_WHOLE_H
#define KAIROS_CONFIG_SETTINGS_WHOLE_H

#include "settings.h"

/*
 * Completes settings whose values are all within their bounds: looks up the address, the number of
 * cores and, if the ENVIRONMENT counts, the data directory, where they are needed. Adds to PROBLEMS
 * what does not go together.
 */
void settings_make_whole(struct settings *settings, bool environment, struct problems *problems);

/*
 * Adds to PROBLEMS the paths that would be of no use on this machine: files to be read that cannot
 * be, files to be made in directories that are not there.
 */
void settings_check_paths(const struct settings *settings, struct problems *problems);

#endif
