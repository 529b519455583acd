/*
 * main.c - the program: which command is meant, and what holds for all of them.
 */
#include <argp.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyse.h"
#include "commands.h"
#include "failure.h"
#include "status.h"

const char *argp_program_version = "kairos " KAIROS_VERSION;

static int unknown_command(const char *name)
{
    struct failure failure;
    char names[256] = "";
    for (const struct command *command = commands; command->name != NULL; command++)
        snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
                 command == commands ? "" : ", ", command->name);
    failure_set(&failure,
                "unknown command '%s'; the commands are: %s; a log is analysed with --file", name,
                names);
    failure_print(&failure);
    fprintf(stderr, "Try `kairos --help' for more information.\n");
    return STATUS_USAGE;
}

/*
 * Takes the option --api, another name for the command serve, out of the arguments before a "--".
 * Returns whether it was there.
 */
static bool take_api(int *argc, char **argv)
{
    int kept = 1, at = 1;
    for (; at < *argc && strcmp(argv[at], "--") != 0; at++) {
        if (strcmp(argv[at], "--api") != 0)
            argv[kept++] = argv[at];
    }
    bool taken = kept < at;
    while (at < *argc)
        argv[kept++] = argv[at++];
    argv[kept] = NULL;
    *argc = kept;
    return taken;
}

/* A closed pipe, or a file that may not grow, shows as an error of the write from now on. */
static void fail_writes(void)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

/* Runs the command that the arguments ask for. */
static int run_command(int argc, char **argv)
{
    const char *name = NULL;
    if (argc > 1 && argv[1][0] != '-') {
        name = argv[1];
        argv[1] = argv[0];
        argc--;
        argv++;
    }
    if ((name == NULL || strcmp(name, "serve") == 0) && take_api(&argc, argv))
        name = "serve";

    const struct command *command = name != NULL ? command_find(name) : NULL;
    if (command == NULL || !command->own_signals)
        fail_writes();
    if (name == NULL)
        return analyse_command(argc, argv);
    if (command == NULL)
        return unknown_command(name);
    char full_name[32];
    snprintf(full_name, sizeof(full_name), "%s %s", argv[0], name);
    argv[0] = full_name;
    return command->run(argc, argv);
}

/*
 * Gives standard streams that the caller has closed to the null device, so that no file of ours
 * takes their place. Reading such an input and writing such an output fail as if they were closed.
 */
static void keep_standard_streams(void)
{
    static const int modes[] = {O_WRONLY, O_RDONLY, O_RDWR};
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
            _exit(STATUS_FAILED); /* nobody may be there to be told */
    }
}

/* Whatever was printed has arrived, or the program fails; errno is that of the last write. */
static void close_output(void)
{
    struct failure failure;
    bool failed = ferror(stdout) != 0;
    if (fclose(stdout) == 0 && !failed)
        return;
    failure_set_write(&failure, "standard output");
    failure_print(&failure);
    _exit(STATUS_FAILED);
}

int main(int argc, char **argv)
{
    static char name[] = "kairos";
    argv[0] = name; /* messages begin with it, wherever the program lies */
    argp_err_exit_status = STATUS_USAGE;
    keep_standard_streams();
    atexit(close_output);
    setlocale(LC_CTYPE, "C.UTF-8"); /* names are UTF-8, whatever the user's locale */
    return run_command(argc, argv);
}
