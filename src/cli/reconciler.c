#include "reconciler.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rules.h"

/* Between two looks whether the ticker is ready. */
#define PAUSE (20 * KAIROS_MILLISECOND)

/* Names that are asked of the catalog at a time. */
#define NAMES 256

struct reconciler {
    struct keeper keeper;
    struct journal *journal;
    struct rules *rules; /* in force; NULL at first */
    pthread_t thread;

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t wake;
    const struct ticker *ticker; /* NULL until the thread may work */
    bool wanted;                 /* services that nobody declared are to be looked at, anew */
    uint64_t fingerprint;        /* of the rules that they follow then */
    bool stopping;
};

static struct service_name name_of(const char *text)
{
    struct service_name name = {.length = (uint8_t)strlen(text)};
    memcpy(name.text, text, name.length);
    return name;
}

/* ---- In the background ---- */

/* Waits until there is something to do, and it may be done; returns false at the end. */
static bool await_work(struct reconciler *reconciler, uint64_t *fingerprint)
{
    pthread_mutex_lock(&reconciler->lock);
    while (!reconciler->stopping && (!reconciler->wanted || reconciler->ticker == NULL ||
                                     !ticker_is_ready(reconciler->ticker))) {
        if (!reconciler->wanted || reconciler->ticker == NULL) {
            pthread_cond_wait(&reconciler->wake, &reconciler->lock);
            continue;
        }
        int64_t until = clock_read().monotonic + PAUSE;
        struct timespec deadline = {.tv_sec = until / KAIROS_SECOND,
                                    .tv_nsec = until % KAIROS_SECOND * 1000};
        pthread_cond_timedwait(&reconciler->wake, &reconciler->lock, &deadline);
    }
    reconciler->wanted = false;
    *fingerprint = reconciler->fingerprint;
    bool stopping = reconciler->stopping;
    pthread_mutex_unlock(&reconciler->lock);
    return !stopping;
}

/* Whether there are other rules by now, or no time left. */
static bool is_overtaken(struct reconciler *reconciler)
{
    pthread_mutex_lock(&reconciler->lock);
    bool overtaken = reconciler->wanted || reconciler->stopping;
    pthread_mutex_unlock(&reconciler->lock);
    return overtaken;
}

/* All have followed: the next start need not look. Should this fail, it does. Those who want other
 * rules to be followed say so with the catalog's lock held. */
static void keep_fingerprint(struct reconciler *reconciler, uint64_t fingerprint)
{
    struct catalog *catalog = reconciler->keeper.catalog;
    struct failure failure;
    catalog_lock(catalog);
    if (!is_overtaken(reconciler))
        catalog_keep_fingerprint(catalog, fingerprint, &failure);
    catalog_unlock(catalog);
}

static void follow_all(struct reconciler *reconciler, uint64_t fingerprint)
{
    const struct keeper *keeper = &reconciler->keeper;
    uint64_t cursor = 0;
    size_t changed = 0;
    do {
        changed += engine_follow(keeper->engine, clock_now(keeper->clock), &cursor);
        if (is_overtaken(reconciler))
            return;
    } while (cursor != 0);
    keep_fingerprint(reconciler, fingerprint);
    if (changed > 0)
        journal_note(reconciler->journal, LOG_INFO, "followed services=%zu", changed);
}

static void *run(void *argument)
{
    struct reconciler *reconciler = argument;
    uint64_t fingerprint;
    while (await_work(reconciler, &fingerprint))
        follow_all(reconciler, fingerprint);
    return NULL;
}

/* ---- Lifecycle ---- */

static void init_wake(struct reconciler *reconciler)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&reconciler->wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void release(struct reconciler *reconciler)
{
    rules_destroy(reconciler->rules);
    pthread_cond_destroy(&reconciler->wake);
    pthread_mutex_destroy(&reconciler->lock);
    free(reconciler);
}

struct reconciler *reconciler_create(const struct keeper *keeper, struct journal *journal,
                                     struct failure *failure)
{
    struct reconciler *reconciler = calloc(1, sizeof(*reconciler));
    if (reconciler == NULL) {
        failure_set(failure, "out of memory");
        return NULL;
    }
    reconciler->keeper = *keeper;
    reconciler->journal = journal;
    pthread_mutex_init(&reconciler->lock, NULL);
    init_wake(reconciler);
    int error = pthread_create(&reconciler->thread, NULL, run, reconciler);
    if (error == 0) {
        pthread_setname_np(reconciler->thread, "reconciler");
        return reconciler;
    }
    failure_set(failure, "cannot start a thread: %s", strerror(error));
    release(reconciler);
    return NULL;
}

void reconciler_destroy(struct reconciler *reconciler)
{
    if (reconciler == NULL)
        return;
    pthread_mutex_lock(&reconciler->lock);
    reconciler->stopping = true;
    pthread_cond_signal(&reconciler->wake);
    pthread_mutex_unlock(&reconciler->lock);
    pthread_join(reconciler->thread, NULL);
    release(reconciler);
}

void reconciler_begin(struct reconciler *reconciler, const struct ticker *ticker)
{
    pthread_mutex_lock(&reconciler->lock);
    reconciler->ticker = ticker;
    pthread_cond_signal(&reconciler->wake);
    pthread_mutex_unlock(&reconciler->lock);
}

/* ---- What the configuration says ---- */

static struct rules *rules_of(const struct declarations *declarations,
                              const struct kairos_policy *defaults)
{
    struct rules *rules = rules_create(defaults);
    for (size_t i = 0; rules != NULL && i < declarations->count; i++) {
        const struct declaration *declaration = &declarations->list[i];
        struct service_change change;
        if (!declaration->is_pattern)
            continue;
        declaration_change(declaration, &change);
        if (!rules_add(rules, declaration->name, &change)) {
            rules_destroy(rules);
            return NULL;
        }
    }
    return rules;
}

/* A plan: what is to become of the services that are, or were, declared singly; and of others. */
struct plan {
    const struct declaration **declared; /* by name */
    size_t declared_count;
    struct service_name *gone; /* no longer declared */
    size_t gone_count, gone_capacity;
    uint64_t fingerprint; /* of the rules */
    bool known;           /* all that nobody declared have followed some rules, */
    bool followed;        /* these */
};

static void plan_finish(struct plan *plan)
{
    free(plan->declared);
    free(plan->gone);
}

static int by_name(const void *a, const void *b)
{
    const struct declaration *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

static bool plan_declared(struct plan *plan, const struct declarations *declarations)
{
    plan->declared = malloc((declarations->count + 1) * sizeof(plan->declared[0]));
    if (plan->declared == NULL)
        return false;
    for (size_t i = 0; i < declarations->count; i++) {
        if (!declarations->list[i].is_pattern)
            plan->declared[plan->declared_count++] = &declarations->list[i];
    }
    qsort(plan->declared, plan->declared_count, sizeof(plan->declared[0]), by_name);
    return true;
}

static bool is_declared(const struct plan *plan, const struct service_name *name)
{
    const struct declaration key = {.name = name->text}, *sought = &key;
    return bsearch(&sought, plan->declared, plan->declared_count, sizeof(plan->declared[0]),
                   by_name) != NULL;
}

static bool note_gone(struct plan *plan, const struct service_name *name, struct failure *failure)
{
    if (plan->gone_count == plan->gone_capacity) {
        size_t capacity = plan->gone_capacity == 0 ? 64 : plan->gone_capacity * 2;
        struct service_name *larger = realloc(plan->gone, capacity * sizeof(larger[0]));
        if (larger == NULL)
            return failure_set(failure, "out of memory");
        plan->gone = larger;
        plan->gone_capacity = capacity;
    }
    plan->gone[plan->gone_count++] = *name;
    return true;
}

/* Finds those that were declared, and are no longer; the catalog's lock is held. */
static bool plan_gone(struct plan *plan, struct catalog *catalog, struct failure *failure)
{
    struct service_name names[NAMES], last;
    size_t count = 0;
    do {
        bool first = count == 0;
        if (!catalog_declared(catalog, first ? NULL : &last, names, NAMES, &count, failure))
            return false;
        for (size_t i = 0; i < count; i++) {
            if (!is_declared(plan, &names[i]) && !note_gone(plan, &names[i], failure))
                return false;
        }
        if (count > 0)
            last = names[count - 1];
    } while (count == NAMES);
    return true;
}

/* Finds out whether all that nobody declared follow the rules as it is; the catalog's lock is held.
 */
static bool plan_followers(struct plan *plan, struct catalog *catalog, struct failure *failure)
{
    uint64_t fingerprint;
    if (!catalog_fingerprint(catalog, &fingerprint, &plan->known, failure))
        return false;
    plan->followed = plan->known && fingerprint == plan->fingerprint;
    return true;
}

/* ---- Carrying it out; the catalog's lock is held ---- */

static bool write_rows(const struct plan *plan, struct catalog *catalog, struct failure *failure)
{
    for (size_t i = 0; i < plan->declared_count; i++) {
        struct service_name name = name_of(plan->declared[i]->name);
        struct service_change change;
        declaration_change(plan->declared[i], &change);
        if (!catalog_declare(catalog, &name, &change.label, failure))
            return false;
    }
    for (size_t i = 0; i < plan->gone_count; i++) {
        if (!catalog_remove(catalog, &plan->gone[i], failure))
            return false;
    }
    /* Whatever happens until all follow the rules: some may, and others not. */
    return !plan->known || plan->followed || catalog_forget_fingerprint(catalog, failure);
}

static bool write_plan(const struct plan *plan, struct catalog *catalog, struct failure *failure)
{
    if (!catalog_begin(catalog, failure))
        return false;
    if (write_rows(plan, catalog, failure))
        return catalog_commit(catalog, failure);
    catalog_cancel(catalog);
    return false;
}

static void declare(struct reconciler *reconciler, const struct declaration *declaration,
                    int64_t now)
{
    struct service_name name = name_of(declaration->name);
    struct service_change change;
    struct service_view view;
    declaration_change(declaration, &change);
    change.replace = change.create = change.has_tags = change.has_description = true;
    enum engine_result result =
        engine_change(reconciler->keeper.engine, name.text, name.length, &change, now, &view);
    if (result != ENGINE_OK && result != ENGINE_CREATED)
        journal_note(reconciler->journal, LOG_WARNING, "not_declared service=%s detail=\"%s\"",
                     name.text,
                     result == ENGINE_FULL ? "as many services as max_services allows"
                                           : "no space left for a further service");
}

static void put_into_force(struct reconciler *reconciler, struct rules *rules,
                           const struct plan *plan, int64_t now)
{
    struct engine *engine = reconciler->keeper.engine;
    engine_set_rules(engine, rules);
    rules_destroy(reconciler->rules);
    reconciler->rules = rules;
    for (size_t i = 0; i < plan->declared_count; i++)
        declare(reconciler, plan->declared[i], now);
    for (size_t i = 0; i < plan->gone_count; i++)
        engine_undeclare(engine, plan->gone[i].text, plan->gone[i].length, now);
    if (plan->declared_count + plan->gone_count + rules->count > 0)
        journal_note(reconciler->journal, LOG_INFO, "declared services=%zu patterns=%zu gone=%zu",
                     plan->declared_count, rules->count, plan->gone_count);
}

/* Has the thread look at those that nobody declared. */
static void want_followers(struct reconciler *reconciler, uint64_t fingerprint)
{
    pthread_mutex_lock(&reconciler->lock);
    reconciler->wanted = true;
    reconciler->fingerprint = fingerprint;
    pthread_cond_signal(&reconciler->wake);
    pthread_mutex_unlock(&reconciler->lock);
}

bool reconciler_apply(struct reconciler *reconciler, const struct declarations *declarations,
                      const struct kairos_policy *defaults, int64_t now, struct failure *failure)
{
    struct catalog *catalog = reconciler->keeper.catalog;
    struct rules *rules = rules_of(declarations, defaults);
    struct plan plan = {0};
    bool labelled = reconciler->rules != NULL && rules_give_labels(reconciler->rules);
    if (rules == NULL || !plan_declared(&plan, declarations)) {
        rules_destroy(rules);
        return failure_set(failure, "out of memory");
    }
    plan.fingerprint = rules_fingerprint(rules);
    catalog_lock(catalog);
    bool done = plan_followers(&plan, catalog, failure) && plan_gone(&plan, catalog, failure) &&
                write_plan(&plan, catalog, failure);
    if (done) {
        put_into_force(reconciler, rules, &plan, now);
        if (!plan.followed || labelled || rules_give_labels(rules))
            want_followers(reconciler, plan.fingerprint);
    }
    catalog_unlock(catalog);
    plan_finish(&plan);
    if (!done)
        rules_destroy(rules);
    return done;
}
