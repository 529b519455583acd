#include "serve.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "caretaker.h"
#include "catalog.h"
#include "clock.h"
#include "command.h"
#include "engine.h"
#include "environment.h"
#include "feed.h"
#include "interrupt.h"
#include "job.h"
#include "journal.h"
#include "keeper.h"
#include "monitor.h"
#include "reconciler.h"
#include "registry.h"
#include "reload.h"
#include "self_heartbeat.h"
#include "serve_options.h"
#include "server.h"
#include "settings.h"
#include "status.h"
#include "store.h"
#include "syncer.h"
#include "ticker.h"
#include "transitions.h"

/* Incidents that are kept in memory: 220 MB, once there were so many. */
#define INCIDENTS_KEPT 1000000

/* Memory for what services had to say with their pings: some thousand outputs at their longest. */
#define OUTPUT_MEMORY ((size_t)64 * 1024 * 1024)

/* Slots that services may take: a long name takes two. */
#define SLOTS_EACH 2

/* All parts of a server that runs. */
struct serve {
    const struct settings_sources *sources;
    const struct settings *settings;
    struct log *log;
    struct interrupt interrupt;
    struct caretaker caretaker;
    struct operations operations;
    struct registry *registry;
    struct clock clock;
    struct store *store;
    struct outputs *outputs;
    struct journal *journal;
    struct feed *feed;
    struct transitions transitions;
    struct engine *engine;
    struct catalog *catalog;
    struct keeper keeper;
    struct reconciler *reconciler;
    struct context context;
    struct job_pool *jobs;
    struct monitor monitor;
    struct server *server;
    struct syncer *syncer;
    struct ticker *ticker;
    struct self_heartbeat *self;
    int64_t deaf_since; /* up to when Kairós could hear before; TIME_NEVER at the first start */
};

static void quote(char quoted[4 * PATH_MAX + 3], const char *text)
{
    size_t length = strlen(text);
    log_quote(quoted, text, length < PATH_MAX ? length : PATH_MAX);
}

/* ---- Start ---- */

static void log_report(struct serve *serve, const struct registry_report *report)
{
    char directory[4 * PATH_MAX + 3], aside[4 * PATH_MAX + 3];
    quote(directory, serve->settings->data_dir);
    if (report->set_aside) {
        quote(aside, report->aside);
        log_write(serve->log, LOG_ERROR,
                  "registry_damaged data_dir=%s damage=\"%s\" set_aside=%s services_saved=%zu",
                  directory, report->damage, aside, report->saved);
    }
    if (report->created)
        log_write(serve->log, LOG_INFO, "registry_created data_dir=%s", directory);
    if (report->warning != NULL)
        log_write(serve->log, LOG_WARNING, "file_system data_dir=%s warning=\"%s\"", directory,
                  report->warning);
}

static bool open_registry(struct serve *serve, struct failure *failure)
{
    struct registry_report report = {0};
    const struct settings *settings = serve->settings;
    size_t slots = settings->engine.max_services * SLOTS_EACH;
    serve->registry = registry_open(settings->data_dir, slots, &report, failure);
    if (serve->registry == NULL)
        return false;
    log_report(serve, &report);
    return true;
}

/*
 * Engine time goes on from where it was. After another boot of the machine only what had reached
 * the disk is known to have been heard.
 */
static void start_clock(struct serve *serve)
{
    struct clock_memory memory;
    char boot_id[BOOT_ID_SIZE];
    clock_boot_id(boot_id);
    bool known = registry_clock(serve->registry, &memory);
    bool same_boot = known && memcmp(memory.boot_id, boot_id, BOOT_ID_SIZE) == 0;
    serve->deaf_since =
        same_boot ? registry_alive_at(serve->registry) : registry_synced_until(serve->registry);
    clock_init(&serve->clock, &serve->context.started, boot_id, known ? &memory : NULL,
               serve->deaf_since);

    /* In this order: from here on `alive_at` counts as one of this boot. At the first start nothing
     * can have been lost before now. */
    registry_stamp_alive(serve->registry, serve->deaf_since != TIME_NEVER
                                              ? serve->deaf_since
                                              : clock_now(&serve->clock));
    memory = clock_memory(&serve->clock);
    registry_keep_clock(serve->registry, &memory);
    if (serve->deaf_since == TIME_NEVER)
        registry_sync(serve->registry, registry_alive_at(serve->registry)); /* a failure stays */
    if (!clock_is_sane(&serve->clock))
        log_write(serve->log, LOG_ERROR,
                  "clock_not_sane detail=\"the wall clock shows a time before the last one that is "
                  "known; nothing is judged until it is set right\"");
}

static bool create_store(struct serve *serve, struct failure *failure)
{
    serve->store = store_memory_create(INCIDENTS_KEPT);
    serve->outputs = outputs_create(OUTPUT_MEMORY);
    serve->feed = feed_create(FEED_CAPACITY);
    if (serve->store == NULL || serve->outputs == NULL || serve->feed == NULL)
        return failure_set(failure, "out of memory");
    serve->journal = journal_create(serve->log, &serve->clock, failure);
    if (serve->journal == NULL)
        return false;
    transitions_init(&serve->transitions, serve->store, INCIDENTS_KEPT, serve->journal, serve->feed,
                     serve->outputs);
    return true;
}

/* Up to when Kairós could hear before: there the engine's time goes on. */
static int64_t heard_before(const struct serve *serve)
{
    return serve->deaf_since != TIME_NEVER ? serve->deaf_since : clock_now(&serve->clock);
}

static bool create_engine(struct serve *serve, struct failure *failure)
{
    struct engine_options options = serve->settings->engine;
    options.listener = transitions_listener(&serve->transitions);
    serve->engine = engine_create(serve->registry, &options, heard_before(serve), failure);
    if (serve->engine == NULL)
        return false;
    uint64_t open = transitions_begin(&serve->transitions);
    if (open > 0)
        log_write(serve->log, LOG_INFO, "open_incidents count=%" PRIu64, open);
    return true;
}

/* Gives a service back what was told of it. */
static bool take_row(void *context, const struct catalog_row *row)
{
    const struct serve *serve = context;
    const struct service_name *name = &row->name;
    return engine_label(serve->engine, name->text, name->length, &row->label) != ENGINE_UNKNOWN;
}

static void log_catalog(struct serve *serve, const struct catalog_report *report)
{
    char directory[4 * PATH_MAX + 3], aside[4 * PATH_MAX + 3],
        damage[4 * sizeof(report->damage) + 3];
    quote(directory, serve->settings->data_dir);
    if (report->set_aside) {
        quote(aside, report->aside);
        log_quote(damage, report->damage, strlen(report->damage));
        log_write(serve->log, LOG_ERROR,
                  "catalog_damaged data_dir=%s damage=%s set_aside=%s services_saved=%zu",
                  directory, damage, aside, report->saved);
    }
    if (report->dropped > 0)
        log_write(
            serve->log, LOG_WARNING,
            "catalog_dropped data_dir=%s count=%zu detail=\"tags and descriptions of services "
            "that there are no longer\"",
            directory, report->dropped);
}

static bool open_catalog(struct serve *serve, struct failure *failure)
{
    struct catalog_report report;
    struct catalog_reader reader = {.context = serve, .take = take_row};
    serve->catalog = catalog_open(serve->settings->data_dir, &reader, &report, failure);
    if (serve->catalog == NULL)
        return false;
    log_catalog(serve, &report);
    serve->keeper =
        (struct keeper){.engine = serve->engine, .catalog = serve->catalog, .clock = &serve->clock};
    return true;
}

static bool start_self_heartbeat(struct serve *serve, struct failure *failure)
{
    const struct self_heartbeat_parts parts = {
        .context = &serve->context,
        .server = serve->server,
        .journal = serve->journal,
        .operations = &serve->operations,
    };
    serve->self = self_heartbeat_create(&parts, failure);
    if (serve->self == NULL)
        return false;
    return self_heartbeat_set(serve->self, serve->settings->self_heartbeat,
                              serve->settings->self_heartbeat_interval) ||
           failure_set(failure, "out of memory");
}

/* Services become what the configuration says of them. */
static bool reconcile(struct serve *serve, struct failure *failure)
{
    const struct settings *settings = serve->settings;
    serve->reconciler = reconciler_create(&serve->keeper, serve->journal, failure);
    return serve->reconciler != NULL &&
           reconciler_apply(serve->reconciler, &settings->declarations, &settings->engine.policy,
                            heard_before(serve), failure);
}

/* The threads: heartbeats are heard before anything is judged. */
static bool start_threads(struct serve *serve, struct failure *failure)
{
    serve->jobs = job_pool_create(serve->settings->monitor_threads, failure);
    if (serve->jobs == NULL)
        return false;
    serve->context.engine = serve->engine;
    serve->context.registry = serve->registry;
    serve->context.store = serve->store;
    serve->context.feed = serve->feed;
    serve->context.outputs = serve->outputs;
    serve->context.keeper = &serve->keeper;
    serve->context.jobs = serve->jobs;
    serve->context.operations = &serve->operations;
    monitor_init(&serve->monitor, serve->settings->monitor_body_max);
    serve->context.monitor = &serve->monitor;
    serve->context.clock = &serve->clock;
    serve->context.log = serve->log;
    serve->context.version = KAIROS_VERSION;
    serve->syncer = syncer_create(serve->engine, serve->registry, failure);
    if (serve->syncer == NULL || !server_start(serve->server, &serve->context, failure))
        return false;
    struct hearing hearing = server_hearing(serve->server);
    serve->ticker = ticker_create(serve->engine, serve->registry, &serve->clock, &hearing,
                                  serve->deaf_since, failure);
    if (serve->ticker == NULL)
        return false;
    server_set_ticker(serve->server, serve->ticker);
    reconciler_begin(serve->reconciler, serve->ticker);
    return start_self_heartbeat(serve, failure);
}

static uint64_t count_services(const struct serve *serve)
{
    struct engine_figures figures = engine_figures(serve->engine);
    uint64_t services = 0;
    for (size_t i = 0; i < SERVICE_STATUS_COUNT; i++)
        services += figures.services[i];
    return services;
}

/* Where a listener is, as a line of the log says it. */
static void format_place(const struct listener *listener, char *text, size_t size)
{
    char address[ADDRESS_TEXT_SIZE], path[4 * LISTENER_PATH_SIZE + 3];
    if (listener->local) {
        log_quote(path, listener->path, strlen(listener->path));
        snprintf(text, size, "unix_socket=%s", path);
        return;
    }
    address_format(&listener->address, address);
    snprintf(text, size, "address=%s port=%u tls=%s", address, address_port(&listener->address),
             listener->tls ? "on" : "off");
}

static void log_listening(struct serve *serve)
{
    size_t count;
    char place[5 * LISTENER_PATH_SIZE], directory[4 * PATH_MAX + 3];
    const struct listener *listeners = server_listeners(serve->server, &count);
    uint64_t services = count_services(serve);
    quote(directory, serve->settings->data_dir);
    for (size_t i = 0; i < count; i++) {
        format_place(&listeners[i], place, sizeof(place));
        log_write(serve->log, LOG_INFO, "listening %s services=%" PRIu64 " data_dir=%s", place,
                  services, directory);
    }
}

static bool start(struct serve *serve, struct failure *failure)
{
    serve->context.started = clock_read();
    if (!interrupt_init(&serve->interrupt, failure) ||
        !caretaker_init(&serve->caretaker, failure) || !open_registry(serve, failure))
        return false;
    start_clock(serve);
    /* From here on clients wait to be heard, and need not send again. */
    serve->server = server_create(&serve->settings->server, failure);
    if (serve->server == NULL || !create_store(serve, failure) || !create_engine(serve, failure) ||
        !open_catalog(serve, failure) || !reconcile(serve, failure) ||
        !start_threads(serve, failure))
        return false;
    log_listening(serve);
    return true;
}

/* ---- End ---- */

/* Whoever asks a second time will not wait. */
static void end_at_once(int number)
{
    (void)number;
    _exit(STATUS_FAILED);
}

static bool reload(void *target, struct failure *failure)
{
    const struct serve *serve = target;
    const struct reload_target reload = {
        .sources = serve->sources,
        .started = serve->settings,
        .log = serve->log,
        .journal = serve->journal,
        .server = serve->server,
        .self = serve->self,
        .reconciler = serve->reconciler,
        .clock = &serve->clock,
    };
    return reload_settings(&reload, failure);
}

static void wait_for_signal(struct serve *serve)
{
    const struct caretaker_charge charge = {
        .interrupt = &serve->interrupt,
        .server = serve->server,
        .context = &serve->context,
        .journal = serve->journal,
        .operations = &serve->operations,
        .reload = reload,
        .target = serve,
    };
    caretaker_run(&serve->caretaker, &charge);
    if (interrupt_count(&serve->interrupt) > 1)
        end_at_once(0);
    signal(SIGTERM, end_at_once);
    signal(SIGINT, end_at_once);
    interrupt_finish(&serve->interrupt);
    journal_note(serve->journal, LOG_INFO, "stopping");
}

/* Brings all to the disk, up to what the ticker has stamped. */
static bool keep(struct serve *serve, struct failure *failure)
{
    if (registry_sync(serve->registry, registry_alive_at(serve->registry)))
        return true;
    return failure_set(failure, "cannot bring the registry to the disk: %s",
                       strerror(registry_sync_error(serve->registry)));
}

/* Whether the log has taken all that was told. */
static bool finish(struct serve *serve)
{
    bool told = server_destroy(serve->server);
    job_pool_destroy(serve->jobs);
    catalog_close(serve->catalog);
    engine_destroy(serve->engine);
    transitions_finish(&serve->transitions);
    feed_destroy(serve->feed);
    store_destroy(serve->store);
    outputs_destroy(serve->outputs);
    registry_close(serve->registry);
    caretaker_finish(&serve->caretaker);
    return journal_destroy(serve->journal) && told;
}

struct task {
    struct settings_sources sources;
    struct settings *settings;
};

static bool serve(const struct task *task, struct log *log, struct failure *failure)
{
    struct serve serve = {
        .sources = &task->sources,
        .settings = task->settings,
        .log = log,
        .caretaker = {.hangup = -1, .timer = -1},
    };
    environment_warn(log);
    bool done = start(&serve, failure);
    if (done)
        wait_for_signal(&serve);
    self_heartbeat_destroy(serve.self);
    if (serve.server != NULL)
        server_stop(serve.server);
    if (serve.jobs != NULL)
        job_pool_stop(serve.jobs);
    reconciler_destroy(serve.reconciler);
    ticker_destroy(serve.ticker);
    syncer_destroy(serve.syncer);
    if (done)
        done = keep(&serve, failure);
    if (!finish(&serve))
        _exit(done ? STATUS_DONE : STATUS_FAILED); /* a log that hangs is not waited for */
    if (done)
        log_write(log, LOG_INFO, "stopped");
    return done;
}

static bool work(void *context, struct log *log, struct failure *failure)
{
    return serve(context, log, failure);
}

/* Says all that is wrong with the settings. Returns the status to end with. */
static int refuse(struct problems *problems, char *name)
{
    int status = problems->usage ? STATUS_USAGE : STATUS_FAILED;
    problems_print(problems, stderr, problems->usage ? "kairos serve: " : "kairos: ");
    if (problems->usage)
        serve_options_hint(name);
    problems_finish(problems);
    return status;
}

int serve_command(int argc, char **argv)
{
    struct task task;
    struct problems problems = {0};
    serve_options_parse(&task.sources, argc, argv);
    task.settings = settings_load(&task.sources, &problems);
    if (task.settings == NULL)
        return refuse(&problems, argv[0]);
    signal(SIGHUP, SIG_IGN);
    bool done = command_run(&task.settings->log, work, &task);
    settings_destroy(task.settings);
    return done ? STATUS_DONE : STATUS_FAILED;
}
