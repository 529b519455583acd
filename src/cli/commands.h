/*
 * commands.h - the commands that there are. Without one of them a log is analysed.
 */
#ifndef KAIROS_CLI_COMMANDS_H
#define KAIROS_CLI_COMMANDS_H

#include <stdbool.h>

struct command {
    const char *name;
    const char *summary; /* one line for --help */

    /* Runs with its arguments, of which the first is "kairos NAME"; returns the exit status. */
    int (*run)(int argc, char **argv);

    /*
     * The command itself says what becomes of SIGPIPE and SIGXFSZ, which it finds as the program's
     * caller has left them. For all others they are ignored, so that the write fails.
     */
    bool own_signals;
};

/* In the order in which they are listed; behind the last one stands one without a name. */
extern const struct command commands[];

/* Returns NULL if there is none of that name. */
const struct command *command_find(const char *name);

/*
 * The list of commands for --help, a line each, to be released by free; NULL if memory ran out.
 */
char *commands_help(void);

#endif
