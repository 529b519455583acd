#include "ledger.h"

void ledger_init(struct ledger *ledger, size_t count)
{
    assert_true(count <= LEDGER_MAX);
    memset(ledger, 0, sizeof(*ledger));
    ledger->count = count;
    for (size_t i = 0; i < count; i++)
        ledger->entries[i].name = name_numbered(
            i, i % 3 == 0 ? SLOT_NAME_INLINE + 1 + i % (KAIROS_SERVICE_MAX - SLOT_NAME_INLINE)
                          : 10 + i % 11);
}

void ledger_attach(struct ledger *ledger, struct registry *registry)
{
    ledger->registry = registry;
    for (size_t i = 0; i < ledger->count; i++)
        ledger->entries[i].slot = slot_of(registry, &ledger->entries[i].name);
}

static void add(struct ledger *ledger, struct ledger_entry *entry, struct dice *dice)
{
    entry->service = random_service(dice, &entry->name);
    entry->last_seen = dice_chance(dice, 20) ? TIME_NEVER : BEGIN + dice_between(dice, 0, 1000000);
    entry->present = true;
    if (ledger->registry == NULL)
        return;
    entry->slot = registry_add(ledger->registry, &entry->service, entry->last_seen);
    assert_int_not_equal(entry->slot, SLOT_NONE);
}

static void take_out(struct ledger *ledger, struct ledger_entry *entry)
{
    entry->present = false;
    entry->removals++;
    if (ledger->registry != NULL)
        registry_remove(ledger->registry, entry->slot);
}

static void change(struct ledger *ledger, struct ledger_entry *entry, struct dice *dice)
{
    entry->service = random_service(dice, &entry->name);
    if (ledger->registry != NULL)
        registry_store(ledger->registry, entry->slot, &entry->service);
}

static void beat(struct ledger *ledger, struct ledger_entry *entry, struct dice *dice)
{
    int64_t later = dice_between(dice, 1, 1000000);
    entry->last_seen = entry->last_seen == TIME_NEVER ? BEGIN + later : entry->last_seen + later;
    if (ledger->registry != NULL)
        atomic_store(registry_cell(ledger->registry, entry->slot), time_encode(entry->last_seen));
}

void ledger_step(struct ledger *ledger, struct dice *dice)
{
    struct ledger_entry *entry = &ledger->entries[dice_below(dice, ledger->count)];
    size_t choice = dice_below(dice, 10);
    if (!entry->present)
        add(ledger, entry, dice);
    else if (choice < 3)
        take_out(ledger, entry);
    else if (choice < 7)
        change(ledger, entry, dice);
    else
        beat(ledger, entry, dice);
}

void ledger_fill(struct ledger *ledger, struct dice *dice)
{
    for (size_t i = 0; i < ledger->count; i++) {
        if (!ledger->entries[i].present)
            add(ledger, &ledger->entries[i], dice);
    }
}

static bool is_same_service(const struct service *a, const struct service *b)
{
    struct slot first, second;
    slot_encode(&first, a);
    slot_encode(&second, b);
    return memcmp(&first, &second, sizeof(first)) == 0 &&
           memcmp(a->name, b->name, sizeof(a->name)) == 0;
}

bool ledger_agrees(const struct registry *registry, const struct ledger_entry *entry)
{
    uint32_t slot = slot_of(registry, &entry->name);
    struct service service;
    if (slot == SLOT_NONE || !entry->present)
        return slot == SLOT_NONE && !entry->present;
    registry_load(registry, slot, &service);
    return is_same_service(&service, &entry->service) &&
           time_decode(atomic_load(registry_cell(registry, slot))) == entry->last_seen;
}

void ledger_check(const struct ledger *ledger)
{
    size_t present = 0;
    for (size_t i = 0; i < ledger->count; i++) {
        const struct ledger_entry *entry = &ledger->entries[i];
        present += entry->present;
        check(ledger_agrees(ledger->registry, entry), "%s is not as it was", entry->name.text);
    }
    assert_int_equal(walk_registry(ledger->registry), present);
}
