/*
 * simulate: drives the live engine by a script, under simulated time.
 *
 *     simulate DATA_DIR < SCRIPT
 *
 * A script is one operation a line; empty lines and those that begin with '#' are left out. Times
 * are engine times in microseconds, and `never`. Each operation prints what happened (`opened`,
 * `closed`, `deaf`: what the listener was told) and what was asked for (`service`, `with` its open
 * incident, `open`, `gone`), one thing a line, and then its answer: a line that begins with the
 * operation's own name. A script that cannot be read ends with status 2 and the number of the line.
 *
 *     reset NOW [KEY=VALUE…]         an engine on a fresh registry: interval, allowed_misses,
 *                                    tolerance, max_services, forget_after, auto_create
 *     restart FROM TO                the engine of a next process, which was not running meanwhile
 *     gap FROM TO REASON             engine_record_gap
 *     tick UNTIL [NOW]               engine_tick until nothing that is due before UNTIL waits
 *     beat NAME TIME [NOW]           engine_heartbeats with one event
 *     batch NOW NAME:TIME…           engine_heartbeats
 *     ping NAME ACTION NOW           engine_ping: heartbeat, fail, start, log
 *     change NAME NOW [KEY=VALUE…]   engine_change: interval, allowed_misses, tolerance,
 *                                    max_runtime, replace, create
 *     pause NAME NOW, resume NAME NOW, delete NAME NOW
 *     show NAME NOW                  engine_find
 *     list STATUSES NOW              engine_list, in pages: `all`, or names with commas
 *     incidents NOW                  engine_update_incident of each that was told as opened
 *     gaps, figures                  engine_gaps, engine_figures
 *
 * `reset` comes first. DATA_DIR must not exist; it is made, and removed at the end.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine.h"

#define WORDS_MAX 4096
#define PAGE      7 /* views asked for at a time: few, so that the cursor is put to use */

struct simulation {
    const char *directory;
    struct registry *registry;
    struct engine *engine;
    struct engine_options options;
    struct incident *known; /* told as opened and not as closed */
    size_t known_count;
    unsigned long line;
};

/* ---- Words of the script ---- */

static void refuse(const struct simulation *s, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

static void refuse(const struct simulation *s, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fprintf(stderr, "simulate: line %lu: ", s->line);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(2);
}

/* What the system or the engine refuses, and no script may cause. */
static void give_up(const char *what, const char *why) __attribute__((noreturn));

static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "simulate: %s: %s\n", what, why);
    exit(1);
}

static int64_t number(const struct simulation *s, const char *word)
{
    char *end;

    if (strcmp(word, "never") == 0)
        return TIME_NEVER;
    errno = 0;
    intmax_t value = strtoimax(word, &end, 10);
    if (end == word || *end != '\0' || errno != 0)
        refuse(s, "'%s' is no number", word);
    return value;
}

static uint64_t natural(const struct simulation *s, const char *word, uint64_t most)
{
    int64_t value = number(s, word);

    if (value < 0 || (uint64_t)value > most)
        refuse(s, "'%s' is not between 0 and %" PRIu64, word, most);
    return (uint64_t)value;
}

/* The index of WORD among the COUNT words that NAME gives. */
static unsigned choice(const struct simulation *s, const char *word, const char *(*name)(unsigned),
                       unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(word, name(i)) == 0)
            return i;
    }
    refuse(s, "'%s' is unknown here", word);
}

struct name {
    char text[KAIROS_SERVICE_SIZE];
    size_t length;
};

static struct name service_name(const struct simulation *s, const char *word, size_t length)
{
    struct name name;

    if (kairos_service_parse(word, length, name.text, &name.length) != KAIROS_SERVICE_OK)
        refuse(s, "'%s' does not begin with the name of a service", word);
    return name;
}

static struct name name_of(const struct simulation *s, const char *word)
{
    return service_name(s, word, strlen(word));
}

/* Cuts KEY=VALUE at its sign; returns the value. */
static char *value_of(const struct simulation *s, char *word)
{
    char *sign = strchr(word, '=');

    if (sign == NULL)
        refuse(s, "'%s' is not KEY=VALUE", word);
    *sign = '\0';
    return sign + 1;
}

static const char *action_name(unsigned action)
{
    static const char *const names[] = {
        [ENGINE_HEARTBEAT] = "heartbeat",
        [ENGINE_FAIL] = "fail",
        [ENGINE_START] = "start",
        [ENGINE_LOG] = "log",
    };
    return names[action];
}

static const char *status_name(unsigned status)
{
    return service_status_name((enum service_status)status);
}

static const char *reason_name(unsigned reason)
{
    return gap_reason_name((enum gap_reason)reason);
}

/* ---- What is printed ---- */

static const char *result_name(enum engine_result result)
{
    static const char *const names[] = {
        [ENGINE_OK] = "ok",
        [ENGINE_CREATED] = "created",
        [ENGINE_OLDER] = "older",
        [ENGINE_IN_FUTURE] = "in_future",
        [ENGINE_UNKNOWN] = "unknown",
        [ENGINE_FULL] = "full",
        [ENGINE_NO_SPACE] = "no_space",
        [ENGINE_BAD_INTERVAL] = "bad_interval",
        [ENGINE_BAD_MISSES] = "bad_misses",
        [ENGINE_BAD_TOLERANCE] = "bad_tolerance",
        [ENGINE_BAD_RUNTIME] = "bad_runtime",
    };
    return names[result];
}

static void print_time(const char *key, int64_t time)
{
    if (time == TIME_NEVER)
        printf(" %s=never", key);
    else
        printf(" %s=%" PRId64, key, time);
}

static void print_number(const char *key, uint64_t number)
{
    printf(" %s=%" PRIu64, key, number);
}

static void print_incident(const char *word, const struct incident *incident)
{
    printf("%s %s kind=%s end=%s", word, incident->service, incident_kind_name(incident->kind),
           incident_end_name(incident->end));
    print_time("started_at", incident->started_at);
    print_time("raised_at", incident->raised_at);
    print_time("last_seen", incident->last_seen);
    print_time("ended_at", incident->ended_at);
    print_time("last_alert_at", incident->last_alert_at);
    print_time("repeat_every", incident->repeat_every);
    print_number("alert_count", incident->alert_count);
    print_number("repeats_known", incident->repeats_known);
    print_number("fails", incident->fails);
    print_number("missed_count", incident->missed_count);
    print_number("repeat_misses", incident->repeat_misses);
    putchar('\n');
}

static void print_view(const char *word, const struct service_view *view)
{
    if (view->has_incident)
        print_incident("with", &view->incident);
    printf("%s %s status=%s", word, view->name, service_status_name(view->status));
    print_number("declared", view->declared);
    print_time("interval", view->policy.interval);
    print_number("allowed_misses", view->policy.allowed_misses);
    print_time("tolerance", view->policy.tolerance);
    print_time("max_runtime", view->max_runtime);
    print_time("last_seen", view->last_seen);
    print_time("next_deadline", view->next_deadline);
    print_time("running_since", view->running_since);
    print_number("missed_count", view->missed_count);
    putchar('\n');
}

/* ---- The listener ---- */

static bool is_same(const struct incident *a, const struct incident *b)
{
    return a->started_at == b->started_at && strcmp(a->service, b->service) == 0;
}

static void forget(struct simulation *s, const struct incident *incident)
{
    for (size_t i = 0; i < s->known_count; i++) {
        if (is_same(&s->known[i], incident))
            s->known[i--] = s->known[--s->known_count];
    }
}

static void on_opened(void *context, const struct incident *incident)
{
    struct simulation *s = context;

    print_incident("opened", incident);
    s->known = realloc(s->known, (s->known_count + 1) * sizeof *s->known);
    if (s->known == NULL)
        give_up("opened", strerror(ENOMEM));
    s->known[s->known_count++] = *incident;
}

static void on_closed(void *context, const struct incident *incident)
{
    print_incident("closed", incident);
    forget(context, incident);
}

static void on_gap(void *context, const struct gap *gap)
{
    (void)context;
    printf("deaf from=%" PRId64 " to=%" PRId64 " reason=%s\n", gap->from, gap->to,
           gap_reason_name(gap->reason));
}

/* ---- The engine's life ---- */

static void stop(struct simulation *s)
{
    engine_destroy(s->engine);
    registry_close(s->registry);
    s->engine = NULL;
    s->registry = NULL;
    s->known_count = 0;
}

static void start(struct simulation *s, int64_t since)
{
    struct registry_report report;
    struct failure failure;

    s->registry = registry_open(s->directory, s->options.max_services, &report, &failure);
    if (s->registry == NULL)
        give_up("registry_open", failure.text);
    if (report.set_aside)
        give_up("registry_open", report.damage);
    s->engine = engine_create(s->registry, &s->options, since, &failure);
    if (s->engine == NULL)
        give_up("engine_create", failure.text);
}

static void remove_directory(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;

    if (directory == NULL)
        return;
    while ((entry = readdir(directory)) != NULL)
        unlinkat(dirfd(directory), entry->d_name, 0);
    closedir(directory);
    rmdir(path);
}

/* ---- Operations ---- */

typedef void operation(struct simulation *s, char **words, size_t count);

static void set_option(struct simulation *s, char *word)
{
    struct engine_options *options = &s->options;
    const char *value = value_of(s, word);

    if (strcmp(word, "interval") == 0)
        options->policy.interval = number(s, value);
    else if (strcmp(word, "allowed_misses") == 0)
        options->policy.allowed_misses = (uint32_t)natural(s, value, UINT32_MAX);
    else if (strcmp(word, "tolerance") == 0)
        options->policy.tolerance = number(s, value);
    else if (strcmp(word, "max_services") == 0)
        options->max_services = natural(s, value, SIZE_MAX);
    else if (strcmp(word, "forget_after") == 0)
        options->forget_after = number(s, value);
    else if (strcmp(word, "auto_create") == 0)
        options->auto_create = natural(s, value, 1);
    else
        refuse(s, "'%s' is no option", word);
}

static void do_reset(struct simulation *s, char **words, size_t count)
{
    stop(s);
    remove_directory(s->directory);
    s->options = engine_options_default();
    s->options.max_services = 10000; /* addresses are reserved for so many */
    s->options.listener = (struct engine_listener){
        .context = s, .opened = on_opened, .closed = on_closed, .gap = on_gap};
    for (size_t i = 2; i < count; i++)
        set_option(s, words[i]);
    start(s, number(s, words[1]));
    puts("reset");
}

static void do_restart(struct simulation *s, char **words, size_t count)
{
    struct gap gap = {number(s, words[1]), number(s, words[2]), GAP_RESTART};

    (void)count;
    stop(s);
    start(s, gap.from);
    if (gap.from < gap.to)
        engine_record_gap(s->engine, &gap);
    puts("restart");
}

static void do_gap(struct simulation *s, char **words, size_t count)
{
    struct gap gap = {.from = number(s, words[1]), .to = number(s, words[2])};

    (void)count;
    gap.reason = (enum gap_reason)choice(s, words[3], reason_name, GAP_SUSPEND + 1);
    engine_record_gap(s->engine, &gap);
    puts("gap");
}

static void do_tick(struct simulation *s, char **words, size_t count)
{
    int64_t until = number(s, words[1]);
    int64_t now = count > 2 ? number(s, words[2]) : until;
    struct engine_wake wake;

    /* Twice: who was alerted in the first round may be one to be forgotten. */
    for (int round = 0; round < 2; round++) {
        do
            wake = engine_tick(s->engine, now, until);
        while (wake.more);
    }
    printf("tick next=%" PRId64 " wants_hearing=%d\n", wake.next, wake.wants_hearing);
}

static void enter(struct simulation *s, const char *what, const struct kairos_event *events,
                  size_t count, int64_t now)
{
    enum engine_result *results = calloc(count, sizeof *results);

    if (results == NULL)
        give_up(what, strerror(ENOMEM));
    engine_heartbeats(s->engine, events, count, now, results);
    fputs(what, stdout);
    for (size_t i = 0; i < count; i++)
        printf(" %s", result_name(results[i]));
    putchar('\n');
    free(results);
}

static struct kairos_event heartbeat(const struct simulation *s, const char *word, size_t length,
                                     int64_t time)
{
    struct name name = service_name(s, word, length);
    struct kairos_event event = {
        .time = time, .reason = KAIROS_VALID, .length = (uint8_t)name.length};

    memcpy(event.text, name.text, sizeof event.text);
    return event;
}

static void do_beat(struct simulation *s, char **words, size_t count)
{
    int64_t time = number(s, words[2]);
    struct kairos_event event = heartbeat(s, words[1], strlen(words[1]), time);

    enter(s, "beat", &event, 1, count > 3 ? number(s, words[3]) : time);
}

static void do_batch(struct simulation *s, char **words, size_t count)
{
    struct kairos_event *events = calloc(count, sizeof *events);

    if (events == NULL)
        give_up("batch", strerror(ENOMEM));
    for (size_t i = 2; i < count; i++) {
        const char *colon = strchr(words[i], ':');

        if (colon == NULL)
            refuse(s, "'%s' is not NAME:TIME", words[i]);
        events[i - 2] = heartbeat(s, words[i], (size_t)(colon - words[i]), number(s, colon + 1));
    }
    enter(s, "batch", events, count - 2, number(s, words[1]));
    free(events);
}

static void do_ping(struct simulation *s, char **words, size_t count)
{
    struct name name = name_of(s, words[1]);
    unsigned action = choice(s, words[2], action_name, ENGINE_LOG + 1);

    (void)count;
    printf("ping %s\n", result_name(engine_ping(s->engine, name.text, name.length,
                                                (enum engine_action)action, number(s, words[3]))));
}

static void set_change(const struct simulation *s, struct service_change *change, char *word)
{
    const char *value = value_of(s, word);

    if (strcmp(word, "interval") == 0) {
        change->has_interval = true;
        change->policy.interval = number(s, value);
    } else if (strcmp(word, "allowed_misses") == 0) {
        change->has_allowed_misses = true;
        change->policy.allowed_misses = (uint32_t)natural(s, value, UINT32_MAX);
    } else if (strcmp(word, "tolerance") == 0) {
        change->has_tolerance = true;
        change->policy.tolerance = number(s, value);
    } else if (strcmp(word, "max_runtime") == 0) {
        change->has_max_runtime = true;
        change->max_runtime = number(s, value);
    } else if (strcmp(word, "replace") == 0) {
        change->replace = natural(s, value, 1);
    } else if (strcmp(word, "create") == 0) {
        change->create = natural(s, value, 1);
    } else {
        refuse(s, "'%s' is nothing that can be changed", word);
    }
}

/* Prints the service as it is now, and the answer. */
static void answer(const char *what, enum engine_result result, const struct service_view *view)
{
    if (result == ENGINE_OK || result == ENGINE_CREATED)
        print_view("service", view);
    printf("%s %s\n", what, result_name(result));
}

static void do_change(struct simulation *s, char **words, size_t count)
{
    struct name name = name_of(s, words[1]);
    struct service_change change = {0};
    struct service_view view;

    for (size_t i = 3; i < count; i++)
        set_change(s, &change, words[i]);
    enum engine_result result =
        engine_change(s->engine, name.text, name.length, &change, number(s, words[2]), &view);
    answer("change", result, &view);
}

static void do_pause(struct simulation *s, char **words, size_t count)
{
    struct name name = name_of(s, words[1]);
    bool paused = strcmp(words[0], "pause") == 0;
    struct service_view view;

    (void)count;
    enum engine_result result =
        engine_pause(s->engine, name.text, name.length, paused, number(s, words[2]), &view);
    answer(words[0], result, &view);
}

static void do_delete(struct simulation *s, char **words, size_t count)
{
    struct name name = name_of(s, words[1]);

    (void)count;
    printf("delete %s\n",
           result_name(engine_delete(s->engine, name.text, name.length, number(s, words[2]))));
}

static void do_show(struct simulation *s, char **words, size_t count)
{
    struct name name = name_of(s, words[1]);
    struct service_view view;

    (void)count;
    answer("show", engine_find(s->engine, name.text, name.length, number(s, words[2]), &view),
           &view);
}

static unsigned statuses(const struct simulation *s, char *word)
{
    unsigned mask = 0;
    char *rest;

    if (strcmp(word, "all") == 0)
        return (1u << SERVICE_STATUS_COUNT) - 1;
    for (char *name = strtok_r(word, ",", &rest); name != NULL; name = strtok_r(NULL, ",", &rest))
        mask |= 1u << choice(s, name, status_name, SERVICE_STATUS_COUNT);
    return mask;
}

static void do_list(struct simulation *s, char **words, size_t count)
{
    struct engine_filter filter = {.statuses = statuses(s, words[1])};
    int64_t now = number(s, words[2]);
    struct service_view views[PAGE];
    uint64_t cursor = 0;
    size_t listed = 0;

    (void)count;
    do {
        size_t found = engine_list(s->engine, &filter, now, &cursor, views, PAGE);

        for (size_t i = 0; i < found; i++)
            print_view("service", &views[i]);
        listed += found;
    } while (cursor != 0);
    printf("list %zu\n", listed);
}

static void do_incidents(struct simulation *s, char **words, size_t count)
{
    int64_t now = number(s, words[1]);

    (void)count;
    for (size_t i = 0; i < s->known_count; i++) {
        bool open = engine_update_incident(s->engine, now, &s->known[i]);

        print_incident(open ? "open" : "gone", &s->known[i]);
    }
    printf("incidents %zu\n", s->known_count);
}

static void do_gaps(struct simulation *s, char **words, size_t count)
{
    struct gap gaps[GAPS_KEPT];
    size_t found = engine_gaps(s->engine, gaps);

    (void)words;
    (void)count;
    for (size_t i = 0; i < found; i++)
        on_gap(s, &gaps[i]);
    printf("gaps %zu\n", found);
}

static void do_figures(struct simulation *s, char **words, size_t count)
{
    struct engine_figures figures = engine_figures(s->engine);

    (void)words;
    (void)count;
    fputs("figures", stdout);
    for (unsigned status = 0; status < SERVICE_STATUS_COUNT; status++)
        print_number(status_name(status), figures.services[status]);
    print_number("heartbeats", figures.heartbeats);
    print_number("older", figures.older);
    print_number("in_future", figures.in_future);
    print_number("fails", figures.fails);
    print_number("starts", figures.starts);
    print_number("logs", figures.logs);
    print_number("created", figures.created);
    print_number("alerts", figures.alerts);
    print_number("recoveries", figures.recoveries);
    print_number("gaps", figures.gaps);
    print_number("no_space", figures.no_space);
    putchar('\n');
}

/* ---- The script ---- */

struct row {
    const char *name;
    operation *run;
    size_t least, most; /* words, the name included */
};

static const struct row rows[] = {
    {"reset", do_reset, 2, WORDS_MAX},
    {"restart", do_restart, 3, 3},
    {"gap", do_gap, 4, 4},
    {"tick", do_tick, 2, 3},
    {"beat", do_beat, 3, 4},
    {"batch", do_batch, 2, WORDS_MAX},
    {"ping", do_ping, 4, 4},
    {"change", do_change, 3, WORDS_MAX},
    {"pause", do_pause, 3, 3},
    {"resume", do_pause, 3, 3},
    {"delete", do_delete, 3, 3},
    {"show", do_show, 3, 3},
    {"list", do_list, 3, 3},
    {"incidents", do_incidents, 2, 2},
    {"gaps", do_gaps, 1, 1},
    {"figures", do_figures, 1, 1},
};

static void run(struct simulation *s, char **words, size_t count)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];

        if (strcmp(words[0], row->name) != 0)
            continue;
        if (count < row->least || count > row->most)
            refuse(s, "'%s' has too few or too many words", row->name);
        if (s->engine == NULL && row->run != do_reset)
            refuse(s, "'reset' comes first");
        row->run(s, words, count);
        return;
    }
    refuse(s, "'%s' is no operation", words[0]);
}

static void run_line(struct simulation *s, char *line)
{
    char *words[WORDS_MAX];
    size_t count = 0;
    char *rest;

    s->line++;
    if (line[0] == '#')
        return;
    for (char *word = strtok_r(line, " \t\n", &rest); word != NULL;
         word = strtok_r(NULL, " \t\n", &rest)) {
        if (count == WORDS_MAX)
            refuse(s, "more than %d words", WORDS_MAX);
        words[count++] = word;
    }
    if (count > 0) {
        run(s, words, count);
        fflush(stdout); /* for whoever decides by the answer how to go on */
    }
}

int main(int argc, char **argv)
{
    struct simulation simulation = {0};
    char *line = NULL;
    size_t size = 0;

    if (argc != 2) {
        fputs("usage: simulate DATA_DIR < SCRIPT\n", stderr);
        return 2;
    }
    simulation.directory = argv[1];
    if (access(argv[1], F_OK) == 0)
        give_up(argv[1], strerror(EEXIST));
    while (getline(&line, &size, stdin) > 0)
        run_line(&simulation, line);
    stop(&simulation);
    remove_directory(simulation.directory);
    free(simulation.known);
    free(line);
    return fflush(stdout) == 0 ? 0 : 1;
}
