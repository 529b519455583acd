#include "command.h"

#include <stddef.h>

bool command_run(const char *log_file, enum log_level level, command_work *work, void *context)
{
    struct log log;
    struct failure failure;
    bool logging = log_open(&log, log_file, level, &failure);
    bool done = logging && work(context, &log, &failure);
    if (!done)
        failure_print(&failure);
    if (!done && logging && log_file != NULL)
        log_write(&log, LOG_ERROR, "failed %s", failure.text);
    if (logging)
        log_close(&log);
    return done;
}
