/*
 * main.c - the program: which command is meant.
 */
#include <argp.h>
#include <locale.h>
#include <signal.h>

#include "analyse.h"
#include "status.h"

const char *argp_program_version = "kairos " KAIROS_VERSION;

int main(int argc, char **argv)
{
    static char name[] = "kairos";
    argv[0] = name; /* messages begin with it, wherever the program lies */
    argp_err_exit_status = STATUS_USAGE;
    setlocale(LC_CTYPE, "C.UTF-8"); /* names are UTF-8, whatever the user's locale */
    /* A closed pipe, or a file that may not grow, shows as an error of the write. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    return analyse_command(argc, argv);
}
