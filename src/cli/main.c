/*
 * main.c - the program: which command is meant, and what holds for all of them.
 */
#include <argp.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "analyse.h"
#include "failure.h"
#include "status.h"

const char *argp_program_version = "kairos " KAIROS_VERSION;

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
    /* A closed pipe, or a file that may not grow, shows as an error of the write. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    return analyse_command(argc, argv);
}
