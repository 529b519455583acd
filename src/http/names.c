#include "names.h"

#include <stdlib.h>
#include <string.h>

/* Sorted names, each with a NUL behind it. */
struct piece {
    char *text;
    const char *next, *end;
};

struct names {
    struct piece *pieces;
    size_t count, capacity;
    bool begun; /* the pieces are a heap, the one whose next name is the smallest at its root */
};

struct names *names_create(void)
{
    return calloc(1, sizeof(struct names));
}

void names_destroy(struct names *names)
{
    if (names == NULL)
        return;
    for (size_t i = 0; i < names->count; i++)
        free(names->pieces[i].text);
    free(names->pieces);
    free(names);
}

/* ---- Collecting ---- */

static bool add_piece(struct names *names, char *text, size_t size)
{
    if (names->count == names->capacity) {
        size_t capacity = names->capacity == 0 ? 16 : names->capacity * 2;
        struct piece *larger = realloc(names->pieces, capacity * sizeof(larger[0]));
        if (larger == NULL)
            return false;
        names->pieces = larger;
        names->capacity = capacity;
    }
    names->pieces[names->count++] = (struct piece){.text = text, .next = text, .end = text + size};
    return true;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct service_name *)a)->text, ((const struct service_name *)b)->text);
}

bool names_add(struct names *names, struct service_name *array, size_t count)
{
    size_t size = 0;
    if (count == 0)
        return true;
    qsort(array, count, sizeof(array[0]), compare);
    for (size_t i = 0; i < count; i++)
        size += array[i].length + 1u;
    char *text = malloc(size), *at = text;
    if (text == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        at = stpcpy(at, array[i].text) + 1;
    if (add_piece(names, text, size))
        return true;
    free(text);
    return false;
}

/* ---- Giving out ---- */

static bool is_less(const struct piece *a, const struct piece *b)
{
    return strcmp(a->next, b->next) < 0;
}

static void sift_down(struct names *names, size_t i)
{
    struct piece *pieces = names->pieces;
    for (size_t child; (child = 2 * i + 1) < names->count; i = child) {
        if (child + 1 < names->count && is_less(&pieces[child + 1], &pieces[child]))
            child++;
        if (!is_less(&pieces[child], &pieces[i]))
            return;
        struct piece kept = pieces[i];
        pieces[i] = pieces[child];
        pieces[child] = kept;
    }
}

static void begin(struct names *names)
{
    names->begun = true;
    for (size_t i = names->count / 2; i > 0; i--)
        sift_down(names, i - 1);
}

/* Takes the next name from the root, and the piece from the heap if it was the last. */
static void take(struct names *names, struct service_name *name)
{
    struct piece *root = &names->pieces[0];
    size_t length = strlen(root->next);
    *name = (struct service_name){.length = (uint8_t)length};
    memcpy(name->text, root->next, length);
    root->next += length + 1;
    if (root->next == root->end) {
        free(root->text);
        *root = names->pieces[--names->count];
    }
    sift_down(names, 0);
}

bool names_next(struct names *names, struct service_name *name)
{
    if (!names->begun)
        begin(names);
    if (names->count == 0)
        return false;
    take(names, name);
    /* A service that went and came again while they were collected may be there twice. */
    struct service_name other;
    while (names->count > 0 && strcmp(names->pieces[0].next, name->text) == 0)
        take(names, &other);
    return true;
}
