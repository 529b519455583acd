/*
 * caretaker.h - what the main thread does while the server runs: it waits for signals, and looks
 * now and then how all is going.
 *
 *   SIGTERM, SIGINT   the end
 *   SIGHUP            the configuration is read anew, log files and certificates too
 *   a timer           the service manager is told when all is ready, how many services there are,
 *                     and that all threads go on
 *
 * Nothing here waits for a log that hangs: what is to be said goes to the journal.
 */
#ifndef KAIROS_CLI_CARETAKER_H
#define KAIROS_CLI_CARETAKER_H

#include "context.h"
#include "failure.h"
#include "interrupt.h"
#include "journal.h"
#include "manager.h"
#include "server.h"

/* What it takes care of; all of that stays the caller's. */
struct caretaker_charge {
    struct interrupt *interrupt;
    struct server *server;
    const struct context *context;
    struct journal *journal;
    struct operations *operations;

    /* Reads the configuration anew and applies it, wholly or not at all; describes the failure. */
    bool (*reload)(void *target, struct failure *failure);
    void *target;
};

struct caretaker {
    struct caretaker_charge charge;
    struct manager manager;
    int hangup; /* a signalfd for SIGHUP */
    int timer;
    uint64_t rounds; /* of the ticker, when it was looked at last */
};

/*
 * From now on SIGHUP waits for caretaker_run; to be called before a second thread runs. Returns
 * false and describes the failure; caretaker_finish is to be called all the same.
 */
bool caretaker_init(struct caretaker *caretaker, struct failure *failure);

/* Takes care of CHARGE until a signal asks for the end. */
void caretaker_run(struct caretaker *caretaker, const struct caretaker_charge *charge);

void caretaker_finish(struct caretaker *caretaker);

#endif
