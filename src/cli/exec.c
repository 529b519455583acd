#include "exec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "child.h"
#include "courier.h"
#include "exec_options.h"
#include "interrupt.h"
#include "pump.h"
#include "starter.h"

/* How long somebody may hold the command's output open when the command has ended: milliseconds. */
#define GRACE 500

/* How long a spool may take in the end. */
#define PATIENCE_SECONDS 3

struct exec {
    struct exec_options options;
    struct child child;
    struct pump pump;
    struct starter starter;
    bool idle; /* no thread is left */
    int error; /* why the command does not run */
};

/* ---- The command ---- */

/* Runs the command, without its output if there is no pipe to be had. */
static void start(struct exec *exec)
{
    struct failure failure;
    if (!pump_init(&exec->pump, !exec->options.no_output, &failure))
        failure_print(&failure);
    exec->error = child_start(&exec->child, exec->options.command, exec->pump.out, exec->pump.err);
    pump_release(&exec->pump);
}

/* Waits until all that the command has written is passed on, or a signal does not let us. */
static void drain(struct exec *exec)
{
    while (!pump_wait(&exec->pump, GRACE, exec->child.signals)) {
        if (child_interrupted(&exec->child)) {
            exec->idle = false;
            return;
        }
    }
}

/* ---- What is told ---- */

static struct beat beat_of(const struct exec *exec, enum beat_kind kind)
{
    struct beat beat = {.kind = kind, .time = beat_now()};
    memcpy(beat.service, exec->options.service, sizeof(beat.service));
    return beat;
}

/* Tells BEAT; a signal ends the trying, and what is not brought is kept. */
static enum courier_result tell(struct exec *exec, const struct beat *beat)
{
    enum courier_result result;
    struct courier courier;
    struct interrupt interrupt;
    struct failure failure;
    bool interruptible = interrupt_init(&interrupt, &failure);
    if (interruptible)
        exec->options.courier.client.interrupt = &interrupt;
    if (!courier_init(&courier, &exec->options.courier, &failure)) {
        result = courier_keep(&exec->options.courier, beat, failure.text);
    } else {
        result = courier_bring(&courier, beat);
        if (result == COURIER_BROUGHT)
            courier_empty(&courier);
        courier_finish(&courier);
    }
    if (interruptible)
        interrupt_finish(&interrupt);
    return result;
}

/*
 * Tells how the command ended. A server that takes it may well get what the starter has found in
 * the spool.
 */
static void tell_end(struct exec *exec)
{
    char output[TAIL_MAX];
    unsigned status = child_exit_status(&exec->child);
    struct beat beat = beat_of(exec, status == 0 ? BEAT_SUCCESS : BEAT_FAIL);
    beat.exit_status = status;
    beat.output = output;
    beat.size = pump_tail(&exec->pump, output);
    starter_end(&exec->starter);
    bool brought = tell(exec, &beat) == COURIER_BROUGHT;
    exec->idle = starter_finish(&exec->starter, brought ? PATIENCE_SECONDS : 0) && exec->idle;
}

/* Says why the command does not run, to the user and to the server; returns the exit status. */
static int refuse(struct exec *exec)
{
    struct failure failure;
    struct beat beat = beat_of(exec, BEAT_FAIL);
    failure_set(&failure, "cannot run '%s': %s", exec->options.command[0], strerror(exec->error));
    failure_print(&failure);
    switch (exec->error) {
    case ENOENT:
        beat.exit_status = CHILD_EXIT_NOT_FOUND;
        break;
    case EAGAIN:
    case ENOMEM:
        beat.exit_status = CHILD_EXIT_FAILED;
        break;
    default:
        beat.exit_status = CHILD_EXIT_CANNOT_RUN;
        break;
    }
    beat.output = failure.text;
    beat.size = strlen(failure.text);
    if (!exec->options.no_server)
        tell(exec, &beat);
    return (int)beat.exit_status;
}

/* ---- All of it ---- */

static int run(struct exec *exec)
{
    struct beat beat = beat_of(exec, BEAT_START);
    start(exec);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (exec->options.no_server)
        failure_print(&exec->options.no_server_why);
    if (exec->error != 0)
        return refuse(exec);
    if (!exec->options.no_server)
        starter_begin(&exec->starter, &exec->options.courier, &beat);
    child_wait(&exec->child);
    drain(exec);
    if (!exec->options.no_server)
        tell_end(exec);
    return (int)child_exit_status(&exec->child);
}

int exec_command(int argc, char **argv)
{
    struct exec exec = {.idle = true};
    struct failure failure;
    exec_options_parse(&exec.options, argc, argv);
    if (!child_init(&exec.child, &failure)) {
        failure_print(&failure);
        return CHILD_EXIT_FAILED;
    }
    int status = run(&exec);
    child_end_alike(&exec.child);
    if (!exec.idle) /* whatever still runs has nothing to lose */
        _exit(status);
    pump_finish(&exec.pump);
    child_finish(&exec.child);
    curl_global_cleanup();
    return status;
}
