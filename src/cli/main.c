/*
 * main.c - the program: which command is meant.
 */
#include <argp.h>
#include <signal.h>

#include "analyse.h"
#include "status.h"

const char *argp_program_version = "kairos " KAIROS_VERSION;

int main(int argc, char **argv)
{
    static char name[] = "kairos";
    argv[0] = name; /* messages begin with it, wherever the program lies */
    argp_err_exit_status = STATUS_USAGE;
    signal(SIGPIPE, SIG_IGN); /* a closed pipe shows as an error of the write */
    return analyse_command(argc, argv);
}
