/*
 * manager.h - the service manager, which is told how this service is doing: systemd, or whoever
 * else listens at $NOTIFY_SOCKET. Without one nothing is told to anybody.
 *
 * Source: sd_notify(3), "Well-known assignments"; systemd.service(5), "Type=" and "WatchdogSec=".
 */
#ifndef KAIROS_CLI_MANAGER_H
#define KAIROS_CLI_MANAGER_H

#include <stdbool.h>
#include <stdint.h>

struct manager {
    int64_t watchdog; /* microseconds without a sign of life after which it acts; 0 is never */
    bool ready;       /* it was told so */
    char status[256]; /* that it was told */
};

void manager_init(struct manager *manager);

/* The service does its work: it was started, or a reload has ended. */
void manager_ready(struct manager *manager);

/* One line about the service, for who asks the manager. The same again is not told. */
void manager_status(struct manager *manager, const char *status);

/* The configuration is being read anew; manager_ready tells of the end. */
void manager_reloading(const struct manager *manager);

void manager_stopping(const struct manager *manager);

/* A sign of life: all threads go on. */
void manager_alive(const struct manager *manager);

#endif
