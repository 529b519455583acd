/*
 * interrupt.h - SIGINT and SIGTERM as something to ask for, so that work ends where it may.
 *
 * A first signal asks for the end. A second one is from somebody who will not wait for it.
 */
#ifndef KAIROS_CLI_INTERRUPT_H
#define KAIROS_CLI_INTERRUPT_H

#include <stdbool.h>

#include "failure.h"

struct interrupt {
    int fd;
    unsigned count; /* signals seen */
};

/*
 * From now on signals do not end the program but are counted; to be called before a second thread
 * runs. Signals that the program was started to ignore stay ignored.
 */
bool interrupt_init(struct interrupt *interrupt, struct failure *failure);

/* Signals end the program again. */
void interrupt_finish(struct interrupt *interrupt);

/* How many signals there were. */
unsigned interrupt_count(struct interrupt *interrupt);

/* Sleeps for SECONDS, or up to a signal. Returns whether there was one, now or before. */
bool interrupt_sleep(struct interrupt *interrupt, double seconds);

#endif
