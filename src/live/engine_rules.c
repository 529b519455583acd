/*
 * engine_rules.c - services that nobody declared: they follow the rules.
 */
#include "engine_state.h"
#include "rules.h"

/* So many slots, or patterns that are tried on their names, before others get the lock, */
#define CHUNK 256

/* and so many slots in one call. */
#define LOOKS 8192

const struct label *engine_rule_for(const struct engine *engine, struct service *service)
{
    service->expectation.policy = engine->options.policy;
    service->max_runtime = 0;
    const struct rule *rule =
        engine->rules == NULL ? NULL : rules_match(engine->rules, service->name);
    if (rule == NULL)
        return NULL;
    engine_merge(engine, &rule->change, service);
    return label_is_empty(&rule->change.label) ? NULL : &rule->change.label;
}

const struct rules *engine_set_rules(struct engine *engine, const struct rules *rules)
{
    engine_lock(engine);
    const struct rules *old = engine->rules;
    engine->rules = rules;
    engine->options.policy = rules->policy;
    engine_unlock(engine);
    return old;
}

/* Gives SLOT the LABEL, NULL for none. Returns whether it had another. */
static bool relabel(struct engine *engine, uint32_t slot, const struct label *label)
{
    static const struct label none;
    struct label present;
    if (label == NULL && !labels_has(&engine->labels, slot))
        return false;
    labels_get(&engine->labels, slot, &present);
    label = label == NULL ? &none : label;
    /* Without memory the old one stays. */
    return !label_equal(&present, label) && labels_set(&engine->labels, slot, label);
}

/* Lets a service follow that nobody declared. Returns whether anything differed. */
static bool follow(struct engine *engine, struct watched *watched, int64_t now)
{
    struct service wanted = watched->service;
    const struct label *label = engine_rule_for(engine, &wanted);
    bool relabelled = relabel(engine, watched->slot, label);
    return watched_adopt(watched, &wanted, now) || relabelled;
}

static bool follow_slot(struct engine *engine, uint32_t slot, int64_t now)
{
    struct watched watched;
    if (atomic_load_explicit(&engine->states[slot], memory_order_relaxed) == STATE_NONE)
        return false;
    watched_load(engine, &watched, slot);
    if (watched.service.declared || !follow(engine, &watched, now))
        return false;
    watched_settle(engine, &watched, now);
    return true;
}

size_t engine_follow(struct engine *engine, int64_t now, uint64_t *cursor)
{
    size_t changed = 0, tried = 0;
    engine_lock(engine);
    uint64_t slots = registry_slots(engine->registry);
    uint64_t slot = *cursor, end = slot + LOOKS < slots ? slot + LOOKS : slots;
    for (; slot < end; slot++) {
        changed += follow_slot(engine, (uint32_t)slot, now);
        tried += 1 + (engine->rules == NULL ? 0 : engine->rules->count);
        if (tried < CHUNK)
            continue;
        tried = 0;
        engine_yield(engine);
    }
    engine_unlock(engine);
    *cursor = slot < slots ? slot : 0;
    return changed;
}

enum engine_result engine_undeclare(struct engine *engine, const char *name, size_t length,
                                    int64_t now)
{
    struct watched watched;
    enum engine_result result = engine_seek(engine, name, length, &watched);
    if (result != ENGINE_OK)
        return result;
    if (watched.last_seen == TIME_NEVER) {
        watched_remove(engine, &watched, INCIDENT_DELETED, now);
    } else {
        watched.service.declared = false;
        watched.changed = true;
        follow(engine, &watched, now);
        watched_settle(engine, &watched, now);
    }
    engine_unlock(engine);
    return ENGINE_OK;
}
