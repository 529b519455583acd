/*
 * generate-log: writes a log of heartbeats to stdout, the same one for the same options.
 *
 * The log is a schedule with holes. Every service beats once a minute, each at its own second of
 * it; the heartbeats of one second come in an order that changes from minute to minute. Now and
 * then a service is silent for some minutes, so that there are alerts to find. Position p of the
 * schedule is the p-th heartbeat in order of time: all of it is arithmetic on p and the seed, and
 * so a shuffled log needs no more memory than an ordered one.
 *
 * Bad events stand between the heartbeats and replace none: they change no alert.
 *
 * --report says on stderr what was written, and how many alerts it holds for an interval of 60 s,
 * 3 allowed misses and no tolerance. That number is counted minute by minute from the schedule,
 * a way to it which has nothing in common with reading the log.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* 2025-08-04T00:00:00Z. A midnight, so that the days of the log are those of the calendar. */
#define START           INT64_C(1754265600)
#define END_OF_TIME     INT64_C(253402300800) /* The year 10000 begins. */
#define SECONDS_PER_DAY 86400
#define INTERVAL        60
#define ALLOWED_MISSES  3

#define MAX_EVENTS      UINT64_C(10000000000)
#define MAX_SERVICES    UINT64_C(100000000)

/*
 * Short silences: one window of 10 rounds in 256 has one, of up to 8 rounds. Long ones: one window
 * of 1,000 rounds in 64, of 10 to 59 rounds. Together about 7,000 alerts in 10 million events.
 */
#define SHORT_WINDOW 10
#define SHORT_RARITY 256
#define LONG_WINDOW  1000
#define LONG_RARITY  64

#define BUFFER_SIZE  ((size_t)1 << 20)
#define RECORD_ROOM  256 /* More than any record is long. */

enum layout { LAYOUT_ARRAY, LAYOUT_INDENTED, LAYOUT_NDJSON };
enum order { ORDER_ORDERED, ORDER_LOCAL, ORDER_SHUFFLED };

struct options {
    uint64_t events;
    uint64_t services;
    enum layout layout;
    enum order order;
    uint64_t span; /* ORDER_LOCAL: positions that are shuffled among themselves. */
    uint64_t bad;  /* Per cent of the events. */
    uint64_t seed;
    bool numeric;
    bool silences;
    bool report;
};

/* ---- Arithmetic on the seed ---- */

/* The finalizer of SplitMix64: https://prng.di.unimi.it/splitmix64.c */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* What the random numbers are for: each use draws from a stream of its own. */
enum stream { STREAM_NAME = 1, STREAM_SECOND, STREAM_SHORT, STREAM_LONG, STREAM_ORDER, STREAM_BAD };

static uint64_t draw(uint64_t seed, enum stream stream, uint64_t a, uint64_t b)
{
    uint64_t x = mix(seed + (uint64_t)stream * UINT64_C(0x9e3779b97f4a7c15));

    return mix(x ^ (a * UINT64_C(0xd1342543de82ef95)) ^ (b * UINT64_C(0xaf251af3b0f025b5)));
}

/*
 * Where the permutation `key` of 0 … size−1 sends x. Each step is a bijection on the next power of
 * two; what falls beyond `size` walks on until it is back inside, less than once on average.
 */
static uint64_t permute(uint64_t x, uint64_t size, uint64_t key)
{
    if (size <= 1) {
        return 0;
    }
    unsigned bits = 64U - (unsigned)__builtin_clzll(size - 1);
    uint64_t mask = UINT64_MAX >> (64U - bits);
    unsigned shift = bits / 2 + 1;

    do {
        x = ((x + key) * UINT64_C(0x9e3779b97f4a7c15)) & mask;
        x ^= x >> shift;
        x = ((x + (key >> 32)) * UINT64_C(0xbf58476d1ce4e5b9)) & mask;
        x ^= x >> shift;
        x = ((x ^ key) * UINT64_C(0x94d049bb133111eb)) & mask;
        x ^= x >> shift;
    } while (x >= size);
    return x;
}

/* ---- The schedule ---- */

/* A heartbeat: the service's place among the seconds of a round, and the round (the minute). */
struct beat {
    uint64_t slot;
    uint64_t round;
};

struct schedule {
    const struct options *options;
    uint64_t positions; /* As many as hold the heartbeats asked for, silences left out. */
    uint64_t bad;       /* Bad events among the events. */
    uint64_t alerts;    /* Alerts in the log, with INTERVAL and ALLOWED_MISSES. */
};

static uint64_t second_of(const struct options *o, uint64_t slot)
{
    return slot * INTERVAL / o->services;
}

/* The first slot that beats in `second` of the minute. */
static uint64_t first_slot(const struct options *o, uint64_t second)
{
    return (second * o->services + INTERVAL - 1) / INTERVAL;
}

static struct beat beat_at(const struct options *o, uint64_t position)
{
    uint64_t round = position / o->services;
    uint64_t place = position % o->services;
    uint64_t second = second_of(o, place);
    uint64_t first = first_slot(o, second);
    uint64_t count = first_slot(o, second + 1) - first;
    uint64_t key = draw(o->seed, STREAM_SECOND, round, second);

    return (struct beat){.slot = first + permute(place - first, count, key), .round = round};
}

static bool in_silence(uint64_t random, uint64_t offset, uint64_t rarity, uint64_t last_start,
                       uint64_t shortest, uint64_t longest)
{
    if (random % rarity != 0) {
        return false;
    }
    uint64_t start = (random >> 16) % (last_start + 1);
    uint64_t length = shortest + (random >> 40) % (longest - shortest + 1);

    return offset >= start && offset < start + length;
}

static bool is_silent(const struct options *o, struct beat beat)
{
    if (!o->silences) {
        return false;
    }
    uint64_t near = draw(o->seed, STREAM_SHORT, beat.slot, beat.round / SHORT_WINDOW);
    uint64_t far = draw(o->seed, STREAM_LONG, beat.slot, beat.round / LONG_WINDOW);

    return in_silence(near, beat.round % SHORT_WINDOW, SHORT_RARITY, 4, 1, 8) ||
           in_silence(far, beat.round % LONG_WINDOW, LONG_RARITY, LONG_WINDOW - 1, 10, 59);
}

static bool is_bad(const struct options *o, uint64_t event)
{
    return o->bad > 0 && draw(o->seed, STREAM_BAD, event, 0) % 100 < o->bad;
}

static uint64_t count_bad(const struct options *o)
{
    uint64_t bad = 0;

    for (uint64_t event = 0; o->bad > 0 && event < o->events; event++) {
        bad += is_bad(o, event) ? 1 : 0;
    }
    return bad;
}

/* How many alerts the silence between two heartbeats raises that are `rounds` apart. */
static uint64_t alerts_between(uint64_t rounds)
{
    return (rounds - 1) / ALLOWED_MISSES;
}

/*
 * Walks the schedule in order of time until it holds the heartbeats asked for, and counts alerts.
 * False if memory is short or time comes to its end, after saying so.
 */
static bool schedule_init(struct schedule *s, const struct options *o)
{
    /* The round after each slot's last heartbeat; 0 before the first. The bound on time keeps
     * rounds within 32 bits. */
    uint32_t *after = calloc(o->services, sizeof *after);

    if (after == NULL) {
        fprintf(stderr, "generate-log: no memory for %" PRIu64 " services\n", o->services);
        return false;
    }
    *s = (struct schedule){.options = o, .bad = count_bad(o)};
    for (uint64_t left = o->events - s->bad; left > 0; s->positions++) {
        struct beat beat = beat_at(o, s->positions);

        if (START + (int64_t)(beat.round + 1) * INTERVAL > END_OF_TIME) {
            fprintf(stderr, "generate-log: the year 9999 ends before the events do; use more "
                            "--services\n");
            free(after);
            return false;
        }
        if (is_silent(o, beat)) {
            continue;
        }
        if (after[beat.slot] > 0) {
            s->alerts += alerts_between(beat.round + 1 - after[beat.slot]);
        }
        after[beat.slot] = (uint32_t)(beat.round + 1);
        left--;
    }
    free(after);
    return true;
}

/* The position that comes n-th in the order asked for. */
static uint64_t position_of(const struct schedule *s, uint64_t n)
{
    const struct options *o = s->options;

    if (o->order == ORDER_ORDERED) {
        return n;
    }
    uint64_t span = o->order == ORDER_LOCAL ? o->span : s->positions;
    uint64_t first = n / span * span;
    uint64_t count = s->positions - first < span ? s->positions - first : span;

    return first + permute(n - first, count, draw(o->seed, STREAM_ORDER, first, 0));
}

/* ---- Text ---- */

struct text {
    const char *bytes;
    size_t length;
};

#define TEXT(literal)                                                                              \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

static char *put(char *out, struct text text)
{
    memcpy(out, text.bytes, text.length);
    return out + text.length;
}

static char *put_digits(char *out, uint64_t number, unsigned width)
{
    for (unsigned i = width; i-- > 0; number /= 10) {
        out[i] = (char)('0' + number % 10);
    }
    return out + width;
}

static unsigned digits_of(uint64_t number)
{
    unsigned digits = 1;

    while (number >= 10) {
        number /= 10;
        digits++;
    }
    return digits;
}

/* What stands around the events, and around the values of one. */
struct frame {
    struct text start, indent, separator, end;
    struct text open, service, comma, timestamp, close;
};

static const struct frame frames[] = {
    [LAYOUT_ARRAY] = {TEXT("[\n"), TEXT(""), TEXT(",\n"), TEXT("\n]\n"), TEXT("{"),
                      TEXT("\"service\": "), TEXT(", "), TEXT("\"timestamp\": "), TEXT("}")},
    [LAYOUT_INDENTED] = {TEXT("[\n"), TEXT("    "), TEXT(",\n"), TEXT("\n]\n"), TEXT("{\n        "),
                         TEXT("\"service\": "), TEXT(",\n        "), TEXT("\"timestamp\": "),
                         TEXT("\n    }")},
    [LAYOUT_NDJSON] = {TEXT(""), TEXT(""), TEXT("\n"), TEXT("\n"), TEXT("{"), TEXT("\"service\": "),
                       TEXT(", "), TEXT("\"timestamp\": "), TEXT("}")},
};

/* ---- Bad events ---- */

enum part { PART_EVENT, PART_SERVICE, PART_TIMESTAMP };

/* What stands in place of the part; without text the part is left out. */
struct flaw {
    enum part part;
    struct text text;
};

#define FLAWS_PER_REASON 4

/* One row per reason, the one that only a line can have at the end. */
static const struct flaw flaws[][FLAWS_PER_REASON] = {
    /* not_an_object */
    {{PART_EVENT, TEXT("42")},
     {PART_EVENT, TEXT("null")},
     {PART_EVENT, TEXT("true")},
     {PART_EVENT, TEXT("\"heartbeat\"")}},
    /* missing_service */
    {{PART_SERVICE, TEXT("")},
     {PART_SERVICE, TEXT("")},
     {PART_SERVICE, TEXT("")},
     {PART_SERVICE, TEXT("")}},
    /* missing_timestamp */
    {{PART_TIMESTAMP, TEXT("")},
     {PART_TIMESTAMP, TEXT("")},
     {PART_TIMESTAMP, TEXT("")},
     {PART_TIMESTAMP, TEXT("")}},
    /* empty_service */
    {{PART_SERVICE, TEXT("null")},
     {PART_SERVICE, TEXT("\"\"")},
     {PART_SERVICE, TEXT("\"   \"")},
     {PART_SERVICE, TEXT("\"\\t\"")}},
    /* empty_timestamp */
    {{PART_TIMESTAMP, TEXT("null")},
     {PART_TIMESTAMP, TEXT("\"\"")},
     {PART_TIMESTAMP, TEXT("null")},
     {PART_TIMESTAMP, TEXT("\"\"")}},
    /* invalid_service_format */
    {{PART_SERVICE, TEXT("17")},
     {PART_SERVICE, TEXT("\"svc 17\"")},
     {PART_SERVICE, TEXT("\"svc-000017!\"")},
     {PART_SERVICE, TEXT("\"d\\u00e9p\\u00f4t\"")}},
    /* invalid_timestamp_format */
    {{PART_TIMESTAMP, TEXT("true")},
     {PART_TIMESTAMP, TEXT("\"yesterday\"")},
     {PART_TIMESTAMP, TEXT("\"2025-02-30T10:00:00Z\"")},
     {PART_TIMESTAMP, TEXT("\"2025-08-04T24:00:00Z\"")}},
    /* invalid_json */
    {{PART_EVENT, TEXT("{\"service\": \"svc-000017\", \"timestamp\": \"2025-08-")},
     {PART_EVENT, TEXT("{\"service\": \"svc-000017\", \"timestamp\": }")},
     {PART_EVENT, TEXT("2025-08-04T10:00:00Z svc-000017 alive")},
     {PART_EVENT, TEXT("{'service': 'svc-000017'}")}},
};

static const struct flaw *flaw_of(const struct options *o, uint64_t event)
{
    size_t reasons = sizeof flaws / sizeof flaws[0] - (o->layout == LAYOUT_NDJSON ? 0 : 1);
    uint64_t random = draw(o->seed, STREAM_BAD, event, 1);

    return &flaws[random % reasons][(random >> 32) % FLAWS_PER_REASON];
}

/* ---- Output ---- */

struct writer {
    const struct options *options;
    const struct frame *frame;
    unsigned name_digits;
    uint64_t bytes;    /* Written so far. */
    size_t used;       /* Of the buffer. */
    char (*dates)[11]; /* "2025-08-04", one per day of the log. */
    char *buffer;
};

static bool write_all(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = write(STDOUT_FILENO, bytes, length);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            fprintf(stderr, "generate-log: cannot write: %s\n", strerror(errno));
            return false;
        }
        bytes += n;
        length -= (size_t)n;
    }
    return true;
}

static bool writer_flush(struct writer *w)
{
    if (!write_all(w->buffer, w->used)) {
        return false;
    }
    w->bytes += w->used;
    w->used = 0;
    return true;
}

static void writer_finish(struct writer *w)
{
    free(w->dates);
    free(w->buffer);
}

/* False if memory is short, after saying so. The writer may be finished in either case. */
static bool writer_init(struct writer *w, const struct schedule *s)
{
    const struct options *o = s->options;
    uint64_t seconds = (s->positions / o->services + 1) * INTERVAL;
    size_t days = (size_t)(seconds / SECONDS_PER_DAY + 1);

    *w = (struct writer){.options = o, .frame = &frames[o->layout]};
    w->name_digits = digits_of(o->services - 1) > 6 ? digits_of(o->services - 1) : 6;
    w->buffer = malloc(BUFFER_SIZE);
    w->dates = calloc(days, sizeof *w->dates);
    if (w->buffer == NULL || w->dates == NULL) {
        fprintf(stderr, "generate-log: no memory\n");
        return false;
    }
    for (size_t day = 0; day < days; day++) {
        time_t midnight = (time_t)START + (time_t)day * SECONDS_PER_DAY;
        struct tm tm;

        if (gmtime_r(&midnight, &tm) == NULL ||
            strftime(w->dates[day], sizeof w->dates[day], "%Y-%m-%d", &tm) != 10) {
            fprintf(stderr, "generate-log: no date for day %zu\n", day);
            return false;
        }
    }
    return true;
}

static char *put_service(const struct writer *w, char *out, uint64_t slot)
{
    const struct options *o = w->options;
    uint64_t key = draw(o->seed, STREAM_NAME, 0, 0);

    /* Neighbours in time are no neighbours by name. */
    out = put(out, (struct text)TEXT("\"svc-"));
    out = put_digits(out, permute(slot, o->services, key), w->name_digits);
    *out++ = '"';
    return out;
}

static char *put_timestamp(const struct writer *w, char *out, struct beat beat)
{
    uint64_t seconds = beat.round * INTERVAL + second_of(w->options, beat.slot);

    if (w->options->numeric) {
        uint64_t unix_time = (uint64_t)START + seconds;

        return put_digits(out, unix_time, digits_of(unix_time));
    }
    uint64_t of_day = seconds % SECONDS_PER_DAY;

    *out++ = '"';
    out = put(out, (struct text){w->dates[seconds / SECONDS_PER_DAY], 10});
    *out++ = 'T';
    out = put_digits(out, of_day / 3600, 2);
    *out++ = ':';
    out = put_digits(out, of_day / 60 % 60, 2);
    *out++ = ':';
    out = put_digits(out, of_day % 60, 2);
    *out++ = 'Z';
    *out++ = '"';
    return out;
}

static char *put_heartbeat(const struct writer *w, char *out, struct beat beat)
{
    const struct frame *f = w->frame;

    out = put(put(out, f->open), f->service);
    out = put_service(w, out, beat.slot);
    out = put(put(out, f->comma), f->timestamp);
    out = put_timestamp(w, out, beat);
    return put(out, f->close);
}

static char *put_bad_event(const struct writer *w, char *out, const struct flaw *flaw,
                           struct beat beat)
{
    const struct frame *f = w->frame;
    bool left_out = flaw->text.length == 0;

    if (flaw->part == PART_EVENT) {
        return put(out, flaw->text);
    }
    out = put(out, f->open);
    if (flaw->part != PART_SERVICE) {
        out = put_service(w, put(out, f->service), beat.slot);
    } else if (!left_out) {
        out = put(put(out, f->service), flaw->text);
    }
    if (!left_out) {
        out = put(out, f->comma);
    }
    if (flaw->part != PART_TIMESTAMP) {
        out = put_timestamp(w, put(out, f->timestamp), beat);
    } else if (!left_out) {
        out = put(put(out, f->timestamp), flaw->text);
    }
    return put(out, f->close);
}

static bool write_log(struct writer *w, const struct schedule *s)
{
    const struct options *o = s->options;
    struct beat beat = {0};
    uint64_t next = 0; /* Of the schedule, in the order asked for. */

    w->used = (size_t)(put(w->buffer, w->frame->start) - w->buffer);
    for (uint64_t event = 0; event < o->events; event++) {
        if (BUFFER_SIZE - w->used < RECORD_ROOM && !writer_flush(w)) {
            return false;
        }
        char *out = w->buffer + w->used;

        if (event > 0) {
            out = put(out, w->frame->separator);
        }
        out = put(out, w->frame->indent);
        if (is_bad(o, event)) {
            out = put_bad_event(w, out, flaw_of(o, event), beat);
        } else {
            do {
                beat = beat_at(o, position_of(s, next++));
            } while (is_silent(o, beat));
            out = put_heartbeat(w, out, beat);
        }
        w->used = (size_t)(out - w->buffer);
    }
    if (BUFFER_SIZE - w->used < RECORD_ROOM && !writer_flush(w)) {
        return false;
    }
    w->used = (size_t)(put(w->buffer + w->used, w->frame->end) - w->buffer);
    return writer_flush(w);
}

/* ---- Command line ---- */

enum key {
    KEY_EVENTS = 256,
    KEY_SERVICES,
    KEY_LAYOUT,
    KEY_ORDER,
    KEY_SPAN,
    KEY_BAD,
    KEY_SEED,
    KEY_NUMERIC,
    KEY_NO_SILENCES,
    KEY_REPORT
};

static const struct argp_option option_table[] = {
    {"events", KEY_EVENTS, "N", 0, "Events to write, bad ones included (default: 10000000)", 0},
    {"services", KEY_SERVICES, "N", 0, "Services, each beating once a minute (default: 1000)", 0},
    {"layout", KEY_LAYOUT, "NAME", 0,
     "array (default): a JSON array, one event per line; indented: one field per line; ndjson: "
     "lines without an array",
     0},
    {"order", KEY_ORDER, "NAME", 0,
     "ordered (default): by time; local: out of order within --span; shuffled: in no order", 0},
    {"span", KEY_SPAN, "N", 0, "Heartbeats shuffled among themselves (default: 5000)", 0},
    {"bad", KEY_BAD, "PERCENT", 0, "Share of bad events, of all kinds (default: 0)", 0},
    {"seed", KEY_SEED, "N", 0, "Another seed, another log (default: 1)", 0},
    {"numeric", KEY_NUMERIC, NULL, 0, "Write timestamps as Unix time in seconds", 0},
    {"no-silences", KEY_NO_SILENCES, NULL, 0, "Let no service go silent", 0},
    {"report", KEY_REPORT, NULL, 0, "Say on stderr what was written", 0},
    {0},
};

static uint64_t parse_number(struct argp_state *state, const char *name, const char *text,
                             uint64_t least, uint64_t most)
{
    char *end;

    errno = 0;
    uint64_t number = strtoull(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number < least ||
        number > most) {
        argp_error(state, "--%s: '%s' is no number from %" PRIu64 " to %" PRIu64, name, text, least,
                   most);
    }
    return number;
}

static unsigned parse_choice(struct argp_state *state, const char *name, const char *text,
                             const char *const choices[3])
{
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(text, choices[i]) == 0) {
            return i;
        }
    }
    argp_error(state, "--%s: '%s' is none of %s, %s and %s", name, text, choices[0], choices[1],
               choices[2]);
    return 0;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    static const char *const layouts[] = {"array", "indented", "ndjson"};
    static const char *const orders[] = {"ordered", "local", "shuffled"};
    struct options *o = state->input;

    switch (key) {
    case KEY_EVENTS:
        o->events = parse_number(state, "events", arg, 1, MAX_EVENTS);
        return 0;
    case KEY_SERVICES:
        o->services = parse_number(state, "services", arg, 1, MAX_SERVICES);
        return 0;
    case KEY_LAYOUT:
        o->layout = (enum layout)parse_choice(state, "layout", arg, layouts);
        return 0;
    case KEY_ORDER:
        o->order = (enum order)parse_choice(state, "order", arg, orders);
        return 0;
    case KEY_SPAN:
        o->span = parse_number(state, "span", arg, 1, MAX_EVENTS);
        return 0;
    case KEY_BAD:
        o->bad = parse_number(state, "bad", arg, 0, 100);
        return 0;
    case KEY_SEED:
        o->seed = parse_number(state, "seed", arg, 0, UINT64_MAX);
        return 0;
    case KEY_NUMERIC:
        o->numeric = true;
        return 0;
    case KEY_NO_SILENCES:
        o->silences = false;
        return 0;
    case KEY_REPORT:
        o->report = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = option_table,
        .parser = parse_option,
        .doc = "Writes a log of heartbeats to stdout, the same one for the same options.",
    };
    struct options options = {
        .events = 10000000, .services = 1000, .span = 5000, .seed = 1, .silences = true};
    struct schedule schedule;
    struct writer writer;

    argp_err_exit_status = 2;
    if (argp_parse(&argp, argc, argv, 0, NULL, &options) != 0) {
        return 2;
    }
    if (!schedule_init(&schedule, &options)) {
        return 1;
    }
    bool written = writer_init(&writer, &schedule) && write_log(&writer, &schedule);

    if (written && options.report) {
        fprintf(stderr,
                "events=%" PRIu64 " bad=%" PRIu64 " services=%" PRIu64 " alerts=%" PRIu64
                " bytes=%" PRIu64 "\n",
                options.events, schedule.bad, options.services, schedule.alerts, writer.bytes);
    }
    writer_finish(&writer);
    return written ? 0 : 1;
}
