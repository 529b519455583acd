#include "command.h"

#include <string.h>

static void tell(struct log *log, const struct log_options *options, const struct failure *failure)
{
    if (failure->text[0] == '\0')
        return;
    if (options->file != NULL || options->format == LOG_TEXT)
        failure_print(failure);
    if (options->file == NULL && options->format == LOG_TEXT)
        return;
    char quoted[4 * sizeof(failure->text) + 3];
    log_quote(quoted, failure->text, strlen(failure->text));
    log_write(log, LOG_ERROR, "failed error=%s", quoted);
}

bool command_run(const struct log_options *options, command_work *work, void *context)
{
    struct log log;
    struct failure failure;
    if (!log_open(&log, options, &failure)) {
        failure_print(&failure);
        return false;
    }
    bool done = work(context, &log, &failure);
    if (!done)
        tell(&log, options, &failure);
    log_close(&log);
    return done;
}
