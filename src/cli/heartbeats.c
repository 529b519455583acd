#include "heartbeats.h"

#include <stdlib.h>
#include <sys/random.h>

#include "place.h"

#define BLOCK_SIZE  (1024 * 1024)
#define EVENTS_MAX  64
#define ITEMS_FIRST 4096

/* How far reading has come. */
struct reader {
    struct heartbeats *heartbeats;
    struct kairos_parser *parser;
    const char *name;   /* of the log */
    uint64_t offset;    /* of the block under way */
    uint64_t total;     /* events */
    struct place place; /* of the block */
    bool sorted;        /* so far the log is in order of time */
    struct failure *failure;
};

static bool no_memory(struct reader *reader)
{
    return failure_set(reader->failure, "%s: out of memory", reader->name);
}

static bool add(struct reader *reader, const struct kairos_event *event)
{
    struct heartbeats *heartbeats = reader->heartbeats;
    struct roster *services = &heartbeats->services;
    if (heartbeats->count == UINT32_MAX)
        return failure_set(reader->failure, "%s: more than %u heartbeats; cut the log into parts",
                           reader->name, UINT32_MAX);
    if (heartbeats->count == heartbeats->capacity) {
        size_t capacity = heartbeats->capacity == 0 ? ITEMS_FIRST : heartbeats->capacity * 2;
        struct heartbeat *items = reallocarray(heartbeats->items, capacity, sizeof(items[0]));
        if (items == NULL)
            return no_memory(reader);
        heartbeats->items = items;
        heartbeats->capacity = capacity;
    }
    struct record *record = roster_intern(services, event->text, event->length,
                                          roster_hash(services, event->text, event->length));
    if (record == NULL)
        return no_memory(reader);

    struct heartbeat *item = &heartbeats->items[heartbeats->count];
    *item = (struct heartbeat){
        .time = event->time,
        .service = (uint32_t)(((const char *)record - services->records) / RECORD_UNIT),
        .order = (uint32_t)heartbeats->count,
    };
    if (heartbeats->count > 0 && item->time < item[-1].time)
        reader->sorted = false;
    heartbeats->count++;
    return true;
}

static bool take(struct reader *reader, const struct kairos_event *events, size_t count)
{
    struct heartbeats *heartbeats = reader->heartbeats;
    for (size_t i = 0; i < count; i++) {
        reader->total++;
        if (events[i].reason == KAIROS_VALID) {
            if (!add(reader, &events[i]))
                return false;
            continue;
        }
        if (heartbeats->skipped < SKIPPED_LOGGED)
            heartbeats->bad[heartbeats->skipped] =
                (struct kairos_bad_event){.number = reader->total, .event = events[i]};
        heartbeats->skipped++;
    }
    return true;
}

/* Whether the log is well-formed up to the end of the SIZE bytes at BLOCK, which lie behind us. */
static bool check(struct reader *reader, const char *block, size_t size)
{
    struct kairos_parse_error error;
    bool failed = kairos_parser_error(reader->parser, &error);
    if (failed)
        size = (size_t)(error.offset - reader->offset);
    place_advance(&reader->place, block, size);
    reader->offset += size;
    return !failed || place_describe(&reader->place, reader->name, &error, reader->failure);
}

static bool read_block(struct reader *reader, const char *block, size_t size)
{
    struct kairos_event events[EVENTS_MAX];
    const char *cursor = block;
    size_t count;
    while ((count = kairos_parser_read(reader->parser, &cursor, block + size, events, EVENTS_MAX)) >
           0) {
        if (!take(reader, events, count))
            return false;
    }
    return check(reader, block, size);
}

static bool read_all(struct reader *reader, struct input *input, struct progress *progress)
{
    char *block = malloc(BLOCK_SIZE);
    bool done = block != NULL || no_memory(reader);
    uint64_t used = 0;
    size_t size = 1;
    while (done && size > 0) {
        uint64_t before = reader->total;
        done = input_read(input, block, BLOCK_SIZE, &size, reader->failure) &&
               read_block(reader, block, size);
        progress_add(progress, input_used(input) - used, reader->total - before);
        progress_show(progress);
        used = input_used(input);
    }
    free(block);
    progress_finish(progress);
    if (!done)
        return false;
    struct kairos_event last;
    return take(reader, &last, kairos_parser_finish(reader->parser, &last)) && check(reader, "", 0);
}

static int compare(const void *a, const void *b)
{
    const struct heartbeat *one = a, *other = b;
    if (one->time != other->time)
        return one->time < other->time ? -1 : 1;
    return one->order < other->order ? -1 : one->order > other->order;
}

bool heartbeats_read(struct heartbeats *heartbeats, struct input *input, struct progress *progress,
                     struct failure *failure)
{
    uint64_t seed = 0;
    struct reader reader = {
        .heartbeats = heartbeats,
        .parser = kairos_parser_create(),
        .name = input_name(input),
        .place = PLACE_FIRST,
        .sorted = true,
        .failure = failure,
    };
    *heartbeats = (struct heartbeats){.count = 0};
    /* Should there be no random numbers, names chosen to collide are slower, and no more. */
    (void)!getrandom(&seed, sizeof(seed), GRND_NONBLOCK);
    bool done =
        (reader.parser != NULL && roster_init(&heartbeats->services, seed)) || no_memory(&reader);
    done = done && read_all(&reader, input, progress);
    kairos_parser_destroy(reader.parser);
    if (done && !reader.sorted)
        qsort(heartbeats->items, heartbeats->count, sizeof(heartbeats->items[0]), compare);
    return done;
}

void heartbeats_finish(struct heartbeats *heartbeats)
{
    roster_finish(&heartbeats->services);
    free(heartbeats->items);
    *heartbeats = (struct heartbeats){.count = 0};
}

const char *heartbeats_service(const struct heartbeats *heartbeats, size_t index)
{
    size_t place = (size_t)heartbeats->items[index].service * RECORD_UNIT;
    return ((const struct record *)(heartbeats->services.records + place))->name;
}
