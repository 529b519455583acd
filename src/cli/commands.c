#include "commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_config.h"
#include "exec.h"
#include "overview.h"
#include "ping.h"
#include "replay.h"
#include "serve.h"
#include "services.h"

const struct command commands[] = {
    {"serve", "watch services that send heartbeats", serve_command, false},
    {"check-config", "say what is wrong with a configuration", check_config_command, false},
    {"ping", "send a heartbeat, or what else there is to say of a service", ping_command, false},
    {"exec", "run a command; tell that it starts, and how it ended", exec_command, true},
    {"status", "print a table of a server's services", overview_command, false},
    {"services", "save a server's services, or tell it of them", services_command, false},
    {"replay", "send the heartbeats of a log in the log's own rhythm", replay_command, false},
    {NULL, NULL, NULL, false},
};

const struct command *command_find(const char *name)
{
    for (const struct command *command = commands; command->name != NULL; command++) {
        if (strcmp(name, command->name) == 0)
            return command;
    }
    return NULL;
}

char *commands_help(void)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL)
        return NULL;
    fprintf(stream, "Commands:\n");
    for (const struct command *command = commands; command->name != NULL; command++)
        fprintf(stream, "  %-14s%s\n", command->name, command->summary);
    fprintf(stream, "Each has a --help and a manual page: 'man kairos-ping'.");
    if (fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}
