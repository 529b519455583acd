/*
 * yaml_node.h - a YAML text as a tree of nodes that know where they stand.
 *
 *     root = yaml_node_read(text, length, NODES_MAX, &place, &failure);
 *     for (member = root->first; member != NULL; member = member->next)
 *         ... member->key, member->text, member->place.line ...
 *     yaml_node_destroy(root);
 *
 * What a text may hold is what can be had as JSON, and no trick: one document, no anchors and
 * aliases (a few of them make a text of a kilobyte a tree of a gigabyte), no tags but those of the
 * core schema, no key twice. Plain scalars mean what the core schema of YAML 1.2 says (section
 * 10.3): `true` is a boolean and `on` a text, 0660 is six hundred and sixty. Those in quotes are
 * texts.
 */
#ifndef KAIROS_BASE_YAML_NODE_H
#define KAIROS_BASE_YAML_NODE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "failure.h"
#include "place.h"

/* Sequences and mappings within one another. */
#define YAML_DEPTH_MAX 32

/* Keys of one mapping; each is compared with those before it. */
#define YAML_KEYS_MAX 200

enum yaml_kind {
    YAML_IS_NULL,
    YAML_IS_BOOLEAN,
    YAML_IS_INTEGER,
    YAML_IS_REAL,
    YAML_IS_TEXT,
    YAML_IS_SEQUENCE,
    YAML_IS_MAPPING,
};

struct yaml_node {
    enum yaml_kind kind;
    struct place place;      /* the column is in characters */
    struct yaml_node *next;  /* in the sequence or mapping that it is of */
    struct yaml_node *first; /* of a sequence or mapping */
    size_t count;            /* how many these are */
    struct place key_place;  /* of a member of a mapping */
    const char *key;         /* the same: its key; else NULL */
    const char *text;        /* of a scalar: what is written, without its quotes; else NULL */
    size_t length;
};

/*
 * Reads the LENGTH bytes at TEXT, UTF-8, into a tree of NODES_MAX nodes at most; a text without a
 * document is a null. Returns the root, for yaml_node_destroy; or NULL, and describes what is wrong
 * at PLACE.
 */
struct yaml_node *yaml_node_read(const char *text, size_t length, size_t nodes_max,
                                 struct place *place, struct failure *failure);

/* Accepts NULL. */
void yaml_node_destroy(struct yaml_node *node);

/* The member KEY of a mapping, or NULL. */
const struct yaml_node *yaml_node_member(const struct yaml_node *mapping, const char *key);

/*
 * The node as a JSON value; whole numbers beyond 64 bits become real ones. NULL when memory ran
 * out.
 */
json_t *yaml_node_json(const struct yaml_node *node);

/* What the LENGTH bytes at TEXT mean as a plain scalar, which has no NUL in it. */
enum yaml_kind yaml_plain_kind(const char *text, size_t length);

#endif
