#include "manager.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include <kairos/timestamp.h>

/* The service stays with its environment: what it says goes to the manager, and nowhere else. */
#define KEEP_ENVIRONMENT 0

void manager_init(struct manager *manager)
{
    uint64_t watchdog = 0;
    *manager = (struct manager){0};
    if (sd_watchdog_enabled(KEEP_ENVIRONMENT, &watchdog) > 0 && watchdog <= INT64_MAX)
        manager->watchdog = (int64_t)watchdog;
}

void manager_ready(struct manager *manager)
{
    manager->ready = true;
    sd_notify(KEEP_ENVIRONMENT, "READY=1");
}

void manager_status(struct manager *manager, const char *status)
{
    if (strcmp(manager->status, status) == 0)
        return;
    snprintf(manager->status, sizeof(manager->status), "%s", status);
    sd_notifyf(KEEP_ENVIRONMENT, "STATUS=%s", manager->status);
}

/* The time tells the manager which reload this is the beginning of. */
void manager_reloading(const struct manager *manager)
{
    struct timespec now;
    (void)manager;
    clock_gettime(CLOCK_MONOTONIC, &now);
    sd_notifyf(KEEP_ENVIRONMENT, "RELOADING=1\nMONOTONIC_USEC=%" PRIi64,
               (int64_t)now.tv_sec * KAIROS_SECOND + now.tv_nsec / 1000);
}

void manager_stopping(const struct manager *manager)
{
    (void)manager;
    sd_notify(KEEP_ENVIRONMENT, "STOPPING=1\nSTATUS=Stopping");
}

void manager_alive(const struct manager *manager)
{
    if (manager->watchdog > 0)
        sd_notify(KEEP_ENVIRONMENT, "WATCHDOG=1");
}
