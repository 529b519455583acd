/*
 * test_live_threads.c - the engine used by many threads at once, as the server does: heartbeats
 * come in, time passes (a clock that the test moves), services are listed, changed and deleted, and
 * the registry grows and is synced.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "live_support.h"

#define INGESTERS 3
#define BATCHES   100000 /* of each, at most */
#define BATCH     40

/* When all is over. */
#define END (BEGIN + 4 * KAIROS_HOUR)

/* How far the clock may run ahead of whoever was heard last. */
#define AHEAD (20 * KAIROS_SECOND)

/*
 * Services by number. Faithful ones beat in every batch of one ingester, so that they are never
 * late; fickle ones beat now and then; wild ones are paused, changed and deleted besides. Fresh
 * ones beat once.
 */
enum {
    FAITHFUL = 60,
    FICKLE = 40,
    WILD = 40,
    FIRST_FICKLE = FAITHFUL,
    FIRST_WILD = FIRST_FICKLE + FICKLE,
    FIRST_FRESH = FIRST_WILD + WILD,
    SERVICES = FIRST_FRESH,
};

/* Slots that are left when all begins: the registry has to grow. */
#define SLOTS_LEFT 300

/* A heartbeat of a fickle service. */
struct beat {
    size_t number;
    int64_t time;
};

struct scene {
    struct den den;
    struct registry *registry;
    struct engine *engine;
    struct name names[SERVICES];
    _Atomic int64_t now;
    _Atomic int64_t heard[INGESTERS];
    _Atomic bool over;
    _Atomic size_t fresh; /* services so far */

    /* The listener's, under the engine's lock. */
    bool is_open[SERVICES];
    struct incident *opened; /* of fickle ones */
    size_t opened_count;
    size_t told, wrong;
};

struct ingester {
    struct scene *scene;
    size_t number;
    struct dice dice;
    struct beat *beats;
    size_t beat_count;
    uint64_t accepted;
};

static size_t number_of(const char *name)
{
    return strtoull(name + strlen(name) - 10, NULL, 10);
}

/* ---- The listener: what it finds wrong is counted, as no other thread may fail a test ---- */

static void on_opened(void *context, const struct incident *incident)
{
    struct scene *scene = context;
    size_t number = number_of(incident->service);
    scene->told++;
    if (number >= SERVICES)
        return;
    scene->wrong += number < FIRST_FICKLE || scene->is_open[number];
    scene->is_open[number] = true;
    if (number >= FIRST_FICKLE && number < FIRST_WILD)
        scene->opened[scene->opened_count++] = *incident;
}

static void on_closed(void *context, const struct incident *incident)
{
    struct scene *scene = context;
    size_t number = number_of(incident->service);
    scene->told++;
    if (number >= SERVICES)
        return;
    scene->wrong += !scene->is_open[number];
    scene->is_open[number] = false;
}

/* ---- Time ---- */

/* Up to when everybody was heard. */
static int64_t heard_until(struct scene *scene)
{
    int64_t heard = atomic_load(&scene->now);
    for (size_t i = 0; i < INGESTERS; i++) {
        int64_t stamp = atomic_load(&scene->heard[i]);
        heard = stamp < heard ? stamp : heard;
    }
    return heard;
}

/* Lets time pass, unless somebody has not been heard for long. */
static int64_t pass(struct scene *scene, struct dice *dice)
{
    int64_t now = atomic_load(&scene->now);
    int64_t later = now + dice_between(dice, 0, 2 * KAIROS_SECOND);
    if (later <= heard_until(scene) + AHEAD)
        atomic_compare_exchange_strong(&scene->now, &now, later);
    return atomic_load(&scene->now);
}

/* ---- Those who bring heartbeats ---- */

static void set_event(struct kairos_event *event, const struct name *name, int64_t time)
{
    event->time = time;
    event->length = (uint8_t)name->length;
    memcpy(event->text, name->text, sizeof(event->text));
}

/*
 * Whether a fickle one is about to beat at all: it is silent every now and then, for a good while
 * or for just as long as raises an alert.
 */
static bool is_in_the_mood(size_t number, int64_t now)
{
    int64_t span = (number % 2 == 0 ? 5 : 3) * KAIROS_MINUTE;
    return (now / span + (int64_t)number) % 2 == 0;
}

/* Faithful ones of its own, and some others. Returns how many events. */
static size_t fill_batch(struct ingester *me, struct kairos_event *events, int64_t now)
{
    struct scene *scene = me->scene;
    size_t count = 0;
    for (size_t number = me->number; number < FAITHFUL; number += INGESTERS)
        set_event(&events[count++], &scene->names[number], now);
    while (count < BATCH - 1 && dice_chance(&me->dice, 80)) {
        size_t number = FIRST_FICKLE + dice_below(&me->dice, FICKLE + WILD);
        if (number >= FIRST_WILD)
            set_event(&events[count++], &scene->names[number],
                      now - dice_between(&me->dice, 0, KAIROS_HOUR));
        else if (is_in_the_mood(number, now))
            set_event(&events[count++], &scene->names[number], now);
    }
    if (dice_chance(&me->dice, 20)) {
        struct name name = name_numbered(FIRST_FRESH + atomic_fetch_add(&scene->fresh, 1),
                                         dice_chance(&me->dice, 50) ? 12 : 40);
        set_event(&events[count++], &name, now);
    }
    return count;
}

static void *ingest(void *argument)
{
    struct ingester *me = argument;
    struct scene *scene = me->scene;
    struct kairos_event *events = calloc(BATCH, sizeof(events[0]));
    enum engine_result results[BATCH];
    for (size_t batch = 0; events != NULL && batch < BATCHES; batch++) {
        int64_t now = pass(scene, &me->dice);
        if (now >= END)
            break;
        size_t count = fill_batch(me, events, now);
        engine_heartbeats(scene->engine, events, count, now, results);
        for (size_t i = 0; i < count; i++) {
            size_t number = number_of(events[i].text);
            me->accepted += results[i] <= ENGINE_OLDER;
            if (results[i] < ENGINE_OLDER && number >= FIRST_FICKLE && number < FIRST_WILD)
                me->beats[me->beat_count++] = (struct beat){number, events[i].time};
        }
        if (now == atomic_exchange(&scene->heard[me->number], now))
            sched_yield(); /* time waits for somebody else */
    }
    free(events);
    return NULL;
}

/* ---- The others, until those are done ---- */

static void *tick(void *argument)
{
    struct scene *scene = argument;
    struct dice dice = {11};
    while (!atomic_load(&scene->over)) {
        int64_t heard = heard_until(scene), now = pass(scene, &dice);
        while (engine_tick(scene->engine, now, heard).more)
            ;
        if (dice_chance(&dice, 1)) {
            struct gap gap = {.from = heard, .to = heard, .reason = GAP_STALL};
            engine_record_gap(scene->engine, &gap);
        }
        sched_yield();
    }
    return NULL;
}

static void change_one(struct scene *scene, struct dice *dice)
{
    const struct name *name = &scene->names[FIRST_WILD + dice_below(dice, WILD)];
    int64_t now = atomic_load(&scene->now);
    struct service_view view;
    struct service_change change = {
        .create = dice_chance(dice, 50),
        .has_interval = true,
        .has_max_runtime = dice_chance(dice, 50),
        .max_runtime = KAIROS_MINUTE,
    };
    change.policy.interval = dice_between(dice, 1, 100) * KAIROS_SECOND;
    switch (dice_below(dice, 8)) {
    case 0:
        engine_delete(scene->engine, name->text, name->length, now);
        break;
    case 1:
    case 2:
        engine_change(scene->engine, name->text, name->length, &change, now, &view);
        break;
    case 3:
    case 4:
        engine_pause(scene->engine, name->text, name->length, dice_chance(dice, 50), now, &view);
        break;
    case 5:
        engine_find(scene->engine, name->text, name->length, now, &view);
        break;
    default:
        engine_ping(scene->engine, name->text, name->length,
                    (enum engine_action)(1 + dice_below(dice, 3)), now);
    }
}

static void *change(void *argument)
{
    struct scene *scene = argument;
    struct dice dice = {12};
    struct service_view *views = malloc(10 * sizeof(views[0]));
    while (views != NULL && !atomic_load(&scene->over)) {
        uint64_t cursor = dice_below(&dice, 1000);
        change_one(scene, &dice);
        struct engine_filter filter = {.statuses = 1u << dice_below(&dice, SERVICE_STATUS_COUNT)};
        engine_list(scene->engine, &filter, atomic_load(&scene->now), &cursor, views, 10);
    }
    free(views);
    return NULL;
}

static void *sync_and_grow(void *argument)
{
    struct scene *scene = argument;
    struct gap gaps[GAPS_KEPT];
    struct incident incident = {.started_at = BEGIN};
    memcpy(incident.service, scene->names[FIRST_WILD].text, KAIROS_SERVICE_SIZE);
    while (!atomic_load(&scene->over)) {
        engine_make_room(scene->engine);
        registry_sync(scene->registry, heard_until(scene));
        registry_stamp_alive(scene->registry, atomic_load(&scene->now));
        engine_figures(scene->engine);
        engine_gaps(scene->engine, gaps);
        engine_update_incident(scene->engine, atomic_load(&scene->now), &incident);
    }
    return NULL;
}

/* ---- Before and after ---- */

static void set_scene(struct scene *scene)
{
    struct engine_options options = engine_options_default();
    struct failure failure;
    memset(scene, 0, sizeof(*scene));
    den_init(&scene->den);
    scene->registry = den_open(&scene->den, 3 * SEGMENT_SLOTS);
    scene->opened = malloc((size_t)INGESTERS * BATCHES * BATCH * sizeof(scene->opened[0]));
    assert_non_null(scene->opened);
    for (size_t number = 0; number < SERVICES; number++)
        scene->names[number] = name_numbered(number, 10 + number % 60);
    for (size_t number = 1000000; registry_free(scene->registry) > SLOTS_LEFT; number++) {
        struct name name = name_numbered(number, 12);
        struct service filler = service_named(&name);
        registry_add(scene->registry, &filler, TIME_NEVER);
    }
    options.listener =
        (struct engine_listener){.context = scene, .opened = on_opened, .closed = on_closed};
    atomic_store(&scene->now, BEGIN);
    for (size_t i = 0; i < INGESTERS; i++)
        atomic_store(&scene->heard[i], BEGIN);
    scene->engine = engine_create(scene->registry, &options, BEGIN, &failure);
    assert_non_null(scene->engine);
}

static void clear_scene(struct scene *scene)
{
    engine_destroy(scene->engine);
    registry_close(scene->registry);
    free(scene->opened);
    den_finish(&scene->den);
}

/* An incident of a fickle service: there was such a silence, and nobody beat in it. */
static void check_silence(const struct incident *incident, const struct ingester *ingesters)
{
    size_t number = number_of(incident->service);
    bool beat_before = false;
    for (size_t i = 0; i < INGESTERS; i++) {
        for (size_t k = 0; k < ingesters[i].beat_count; k++) {
            const struct beat *beat = &ingesters[i].beats[k];
            if (beat->number != number)
                continue;
            beat_before |= beat->time == incident->last_seen;
            check(beat->time <= incident->last_seen || beat->time > incident->started_at,
                  "%s beat, and there was an alert", incident->service);
        }
    }
    assert_true(beat_before);
    /* Or later, where a gap has let expectation start anew. */
    assert_true(incident->started_at >= incident->last_seen + 3 * KAIROS_MINUTE);
}

static void check_last_seen(struct scene *scene, const struct ingester *ingesters)
{
    for (size_t number = FIRST_FICKLE; number < FIRST_WILD; number++) {
        struct service_view view;
        int64_t last = TIME_NEVER;
        for (size_t i = 0; i < INGESTERS; i++) {
            for (size_t k = 0; k < ingesters[i].beat_count; k++) {
                const struct beat *beat = &ingesters[i].beats[k];
                if (beat->number == number && beat->time > last)
                    last = beat->time;
            }
        }
        if (last == TIME_NEVER)
            continue;
        assert_int_equal(engine_find(scene->engine, scene->names[number].text,
                                     scene->names[number].length, scene->now, &view),
                         ENGINE_OK);
        assert_int_equal(view.last_seen, last);
    }
}

static void check_scene(struct scene *scene, const struct ingester *ingesters)
{
    struct engine_figures figures = engine_figures(scene->engine);
    uint64_t accepted = 0;
    for (size_t i = 0; i < INGESTERS; i++)
        accepted += ingesters[i].accepted;
    walk_engine(scene->engine, TIME_NEVER);
    assert_int_equal(figures.heartbeats, accepted);
    assert_int_equal(scene->wrong, 0);
    assert_true(registry_slots(scene->registry) > SEGMENT_SLOTS);
    check_last_seen(scene, ingesters);
    for (size_t i = 0; i < scene->opened_count; i++)
        check_silence(&scene->opened[i], ingesters);
    assert_true(scene->opened_count > 0);
    /* And then nobody beats any more. */
    int64_t now = atomic_load(&scene->now) + KAIROS_DAY;
    while (engine_tick(scene->engine, now, now).more)
        ;
    walk_engine(scene->engine, now);
    for (size_t number = FIRST_FICKLE; number < FIRST_WILD; number++)
        assert_true(scene->is_open[number]);
}

static void all_at_once(void **state)
{
    static struct scene scene;
    struct ingester ingesters[INGESTERS];
    pthread_t threads[INGESTERS], others[3];
    void *(*const bodies[])(void *) = {tick, change, sync_and_grow};
    set_scene(&scene);
    for (size_t i = 0; i < INGESTERS; i++) {
        ingesters[i] = (struct ingester){.scene = &scene, .number = i, .dice = {i + 1}};
        ingesters[i].beats = malloc((size_t)BATCHES * BATCH * sizeof(struct beat));
        assert_non_null(ingesters[i].beats);
        assert_int_equal(pthread_create(&threads[i], NULL, ingest, &ingesters[i]), 0);
    }
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_int_equal(pthread_create(&others[i], NULL, bodies[i], &scene), 0);
    for (size_t i = 0; i < INGESTERS; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&scene.over, true);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        pthread_join(others[i], NULL);
    check_scene(&scene, ingesters);
    for (size_t i = 0; i < INGESTERS; i++)
        free(ingesters[i].beats);
    clear_scene(&scene);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_at_once),
    };
    return cmocka_run_group_tests_name("live_threads", tests, NULL, NULL);
}
