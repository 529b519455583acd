/*
 * status.h - the program's exit statuses.
 */
#ifndef KAIROS_CLI_STATUS_H
#define KAIROS_CLI_STATUS_H

enum status {
    STATUS_DONE = 0,
    STATUS_FAILED = 1,
    STATUS_USAGE = 2,
    STATUS_ALERTS = 3, /* with --fail-on-alert, --fail-on-down */
};

#endif
