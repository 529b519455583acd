#include "analyse.h"

#include <inttypes.h>
#include <stdio.h>

#include "analyse_options.h"
#include "command.h"
#include "output_file.h"
#include "report.h"
#include "scan.h"
#include "skipped.h"
#include "status.h"
#include "stopwatch.h"

static void log_skipped(struct log *log, const struct kairos_analysis *analysis)
{
    size_t kept;
    const struct kairos_bad_event *bad = kairos_analysis_bad_events(analysis, &kept);
    skipped_log(log, bad,
                kairos_analysis_total(analysis) - kairos_analysis_count(analysis, KAIROS_VALID));
}

static bool save(const struct analyse_options *options, const struct kairos_analysis *analysis,
                 struct failure *failure)
{
    struct output_file file;
    if (options->output == NULL)
        return true;
    if (!output_file_open(&file, options->output, failure))
        return false;
    report_json(file.stream, analysis, true);
    return output_file_commit(&file, failure);
}

static void print(const struct analyse_options *options, const struct kairos_analysis *analysis,
                  double elapsed)
{
    if (options->json)
        report_json(stdout, analysis, false);
    else if (!options->quiet)
        report_summary(stdout, analysis, elapsed);
}

static bool check_alerts(const struct analyse_options *options, const char *name, uint64_t alerts,
                         struct failure *failure)
{
    if (alerts <= options->max_alerts)
        return true;
    return failure_set(failure,
                       "%s: %s%" PRIu64 " alerts are more than --max-alerts %" PRIu64
                       "; raise it, or --interval or --allowed-misses",
                       name, alerts == UINT64_MAX ? "at least " : "", alerts, options->max_alerts);
}

static bool analyse(const struct analyse_options *options, struct log *log, uint64_t *alerts,
                    struct failure *failure)
{
    double begin = stopwatch_seconds();
    bool done = false;
    struct progress progress;
    struct kairos_analysis *analysis = NULL;
    struct input *input = input_open(options->file, "name the log with --file", failure);
    if (input == NULL)
        return false;

    progress_init(&progress, input_size(input));
    log_write(log, LOG_DEBUG, "analyse encoding=%s bytes=%" PRIu64 " threads=%u",
              input_encoding(input), input_size(input), options->threads);
    analysis = scan_input(input, &options->analysis, options->threads, &progress, failure);
    if (analysis == NULL)
        goto out;
    *alerts = kairos_analysis_alerts(analysis);
    double elapsed = (stopwatch_seconds() - begin) * 1e3; /* milliseconds */

    log_skipped(log, analysis);
    done = check_alerts(options, input_name(input), *alerts, failure) &&
           save(options, analysis, failure);
    if (done)
        print(options, analysis, elapsed);

out:
    kairos_analysis_destroy(analysis);
    input_close(input);
    return done;
}

/* What is asked, and what has come of it. */
struct task {
    struct analyse_options options;
    uint64_t alerts;
};

static bool work(void *context, struct log *log, struct failure *failure)
{
    struct task *task = context;
    return analyse(&task->options, log, &task->alerts, failure);
}

int analyse_command(int argc, char **argv)
{
    struct task task = {.alerts = 0};
    analyse_options_parse(&task.options, argc, argv);
    if (!command_run(&task.options.log, work, &task))
        return STATUS_FAILED;
    return task.options.fail_on_alert && task.alerts > 0 ? STATUS_ALERTS : STATUS_DONE;
}
