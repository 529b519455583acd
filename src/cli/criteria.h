/*
 * criteria.h - which services the user wants of a server, as the options --status, --tag and
 * --search; and as the query of a request.
 */
#ifndef KAIROS_CLI_CRITERIA_H
#define KAIROS_CLI_CRITERIA_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

/* Tags that a service must have, at most. */
#define CRITERIA_TAGS_MAX 20

/* All zero is every service. */
struct criteria {
    const char *statuses; /* "down,late" */
    const char *tags[CRITERIA_TAGS_MAX];
    size_t tag_count;
    const char *search;
};

/* A child of a command's argp, in the group CRITERIA_ARGP_GROUP; its input is a struct criteria. */
#define CRITERIA_ARGP_GROUP 2
#define CRITERIA_ARGP_CHILD                                                                        \
    {                                                                                              \
        .argp = &criteria_argp, .group = CRITERIA_ARGP_GROUP                                       \
    }

extern const struct argp criteria_argp;

/*
 * The path of a request with its query: PATH, the criteria, and then the COUNT pairs of name and
 * value in MORE, of which those without a value are left out. To be released by free; NULL if
 * memory ran out.
 */
char *criteria_path(const struct criteria *criteria, const char *path, const char *const more[][2],
                    size_t count);

#endif
