#include "keeper.h"

#include <string.h>

bool keeper_is_concerned(const struct service_change *change, const struct service_view *view)
{
    if (change == NULL || change->has_tags || change->has_description)
        return true;
    if (view == NULL || label_is_empty(&view->label))
        return false;
    return change->replace || !view->declared;
}

/* What the label will be; false if that is what is kept already. */
static bool wants_row(const struct keeping *keeping, bool found, struct label *label)
{
    static const struct label none;
    *label = found ? keeping->view.label : none;
    service_change_label(keeping->change, label);
    if (!found)
        return keeping->change->create && !label_is_empty(label);
    if (keeping->view.declared)
        return !label_equal(label, &keeping->view.label);
    return !label_is_empty(label);
}

/* Writes what the catalog is to know of the change, ahead of it. */
static bool write_ahead(const struct keeper *keeper, struct keeping *keeping,
                        struct failure *failure)
{
    const struct service_name *name = &keeping->name;
    struct label label;
    if (keeping->change == NULL)
        return catalog_remove(keeper->catalog, name, failure);
    bool found = engine_find(keeper->engine, name->text, name->length, clock_now(keeper->clock),
                             &keeping->view) == ENGINE_OK;
    keeping->altered = !found || !keeping->view.declared;
    return !wants_row(keeping, found, &label) ||
           catalog_put(keeper->catalog, name, &label, failure);
}

static bool write_all(const struct keeper *keeper, struct keeping *keepings, size_t count,
                      struct failure *failure)
{
    if (!catalog_begin(keeper->catalog, failure))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!write_ahead(keeper, &keepings[i], failure)) {
            catalog_cancel(keeper->catalog);
            return false;
        }
    }
    return catalog_commit(keeper->catalog, failure);
}

/* What the engine refused is not to be kept either. Should that fail, the row is dropped at the
 * next start: there is no such service. */
static void write_back(const struct keeper *keeper, const struct service_name *name)
{
    struct service_view view;
    struct failure failure;
    if (engine_find(keeper->engine, name->text, name->length, clock_now(keeper->clock), &view) ==
            ENGINE_OK &&
        view.declared)
        catalog_put(keeper->catalog, name, &view.label, &failure);
    else
        catalog_remove(keeper->catalog, name, &failure);
}

static bool is_other(const struct service_view *a, const struct service_view *b)
{
    return a->policy.interval != b->policy.interval || a->policy.tolerance != b->policy.tolerance ||
           a->policy.allowed_misses != b->policy.allowed_misses ||
           a->max_runtime != b->max_runtime || !label_equal(&a->label, &b->label) ||
           (a->status == SERVICE_PAUSED) != (b->status == SERVICE_PAUSED);
}

static void carry_out(const struct keeper *keeper, struct keeping *keeping)
{
    const struct service_name *name = &keeping->name;
    int64_t now = clock_now(keeper->clock);
    struct service_view view;
    if (keeping->change == NULL) {
        keeping->result = engine_delete(keeper->engine, name->text, name->length, now);
        keeping->altered = keeping->result == ENGINE_OK;
        return;
    }
    keeping->result =
        engine_change(keeper->engine, name->text, name->length, keeping->change, now, &view);
    if (keeping->result == ENGINE_OK || keeping->result == ENGINE_CREATED) {
        keeping->altered |= is_other(&keeping->view, &view);
        keeping->view = view;
    } else {
        write_back(keeper, name);
    }
}

bool keeper_carry_out(const struct keeper *keeper, struct keeping *keepings, size_t count,
                      struct failure *failure)
{
    catalog_lock(keeper->catalog);
    bool written = write_all(keeper, keepings, count, failure);
    for (size_t i = 0; written && i < count; i++)
        carry_out(keeper, &keepings[i]);
    catalog_unlock(keeper->catalog);
    return written;
}
