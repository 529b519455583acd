#include "yaml_node.h"

#include <errno.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define BOM "\xef\xbb\xbf"

struct reader {
    yaml_parser_t parser;
    const char *text;
    size_t length;
    size_t nodes, nodes_max;
    struct place *place;
    struct failure *failure;
};

/* What a member of a mapping is called; all zero in a sequence. */
struct key {
    yaml_event_t event;
    const char *text;
    size_t length;
    struct place place;
};

/* ---- Failures ---- */

/* How many of the LENGTH bytes at TEXT, from its front, are among CHARACTERS. */
static size_t span(const char *text, size_t length, const char *characters)
{
    size_t count = 0;
    while (count < length && text[count] != '\0' && strchr(characters, text[count]) != NULL)
        count++;
    return count;
}

static struct place place_of(yaml_mark_t mark)
{
    return (struct place){.line = mark.line + 1, .column = mark.column + 1};
}

/* Describes what is wrong at MARK. Returns NULL. */
static struct yaml_node *refuse(struct reader *reader, yaml_mark_t mark, const char *what)
{
    *reader->place = place_of(mark);
    failure_set(reader->failure, "%s", what);
    return NULL;
}

static struct yaml_node *refuse_memory(struct reader *reader, yaml_mark_t mark)
{
    return refuse(reader, mark, "out of memory");
}

/* Bytes that are no text have an offset and no mark. */
static void describe_bytes(struct reader *reader)
{
    size_t offset = reader->parser.problem_offset;
    *reader->place = PLACE_FIRST;
    place_advance(reader->place, reader->text, offset < reader->length ? offset : reader->length);
    failure_set(reader->failure, "%s; the text has to be UTF-8 without control characters",
                reader->parser.problem);
}

/* Whether it is a tab that stands at MARK, with nothing but blanks and tabs before it. */
static bool is_tab(const struct reader *reader, yaml_mark_t mark)
{
    const char *line = reader->text, *end = reader->text + reader->length;
    for (size_t i = 0; i < mark.line && line != NULL; i++) {
        line = memchr(line, '\n', (size_t)(end - line));
        line = line == NULL ? NULL : line + 1;
    }
    return line != NULL && (size_t)(end - line) > mark.column && line[mark.column] == '\t' &&
           span(line, mark.column, " \t") == mark.column;
}

/* What the library has found. */
static void describe_problem(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    if (parser->error == YAML_READER_ERROR) {
        describe_bytes(reader);
        return;
    }
    if (parser->error == YAML_MEMORY_ERROR || parser->problem == NULL) {
        refuse_memory(reader, parser->mark);
        return;
    }
    *reader->place = place_of(parser->problem_mark);
    if (is_tab(reader, parser->problem_mark))
        failure_set(reader->failure, "a tab cannot indent; use blanks");
    else
        failure_set(reader->failure, "%s%s%s", parser->context != NULL ? parser->context : "",
                    parser->context != NULL ? ", " : "", parser->problem);
}

/* The next event, to be deleted. */
static bool next_event(struct reader *reader, yaml_event_t *event)
{
    if (yaml_parser_parse(&reader->parser, event))
        return true;
    describe_problem(reader);
    return false;
}

/* ---- What plain scalars mean: YAML 1.2, section 10.3.2 ---- */

static bool is_one_of(const char *text, size_t length, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strlen(*words) == length && memcmp(*words, text, length) == 0)
            return true;
    }
    return false;
}

#define DECIMALS "0123456789"

static bool is_integer(const char *text, size_t length)
{
    if (length > 2 && memcmp(text, "0o", 2) == 0)
        return span(text + 2, length - 2, "01234567") == length - 2;
    if (length > 2 && memcmp(text, "0x", 2) == 0)
        return span(text + 2, length - 2, DECIMALS "abcdefABCDEF") == length - 2;
    size_t sign = length > 0 && (text[0] == '-' || text[0] == '+');
    return length > sign && span(text + sign, length - sign, DECIMALS) == length - sign;
}

static bool is_real(const char *text, size_t length)
{
    static const char *const endless[] = {".inf", ".Inf", ".INF", NULL};
    static const char *const none[] = {".nan", ".NaN", ".NAN", NULL};
    size_t sign = length > 0 && (text[0] == '-' || text[0] == '+');
    if (is_one_of(text + sign, length - sign, endless) || is_one_of(text, length, none))
        return true;
    size_t at = sign, whole = span(text + at, length - at, DECIMALS), fraction = 0;
    at += whole;
    if (at < length && text[at] == '.') {
        at++;
        fraction = span(text + at, length - at, DECIMALS);
        at += fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (at == length)
        return true;
    if (text[at] != 'e' && text[at] != 'E')
        return false;
    at++;
    at += at < length && (text[at] == '-' || text[at] == '+');
    return at < length && span(text + at, length - at, DECIMALS) == length - at;
}

enum yaml_kind yaml_plain_kind(const char *text, size_t length)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const booleans[] = {"true", "True", "TRUE", "false", "False", "FALSE", NULL};
    if (is_one_of(text, length, nulls))
        return YAML_IS_NULL;
    if (is_one_of(text, length, booleans))
        return YAML_IS_BOOLEAN;
    if (is_integer(text, length))
        return YAML_IS_INTEGER;
    return is_real(text, length) ? YAML_IS_REAL : YAML_IS_TEXT;
}

/* ---- Tags ---- */

/* What TAG says of a scalar whose text would be of the kind PLAIN. Returns whether it may. */
static bool tagged_kind(const char *tag, enum yaml_kind plain, enum yaml_kind *kind)
{
    static const struct {
        const char *tag;
        enum yaml_kind kind;
    } tags[] = {
        {"!", YAML_IS_TEXT},
        {YAML_STR_TAG, YAML_IS_TEXT},
        {YAML_NULL_TAG, YAML_IS_NULL},
        {YAML_BOOL_TAG, YAML_IS_BOOLEAN},
        {YAML_INT_TAG, YAML_IS_INTEGER},
        {YAML_FLOAT_TAG, YAML_IS_REAL},
    };
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        if (strcmp(tag, tags[i].tag) != 0)
            continue;
        *kind = tags[i].kind;
        return *kind == YAML_IS_TEXT || *kind == plain ||
               (*kind == YAML_IS_REAL && plain == YAML_IS_INTEGER);
    }
    return false;
}

static bool scalar_kind(const yaml_event_t *event, enum yaml_kind *kind)
{
    const char *text = (const char *)event->data.scalar.value;
    const char *tag = (const char *)event->data.scalar.tag;
    enum yaml_kind plain = yaml_plain_kind(text, event->data.scalar.length);
    if (tag != NULL)
        return tagged_kind(tag, plain, kind);
    *kind = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? plain : YAML_IS_TEXT;
    return true;
}

/* ---- Nodes ---- */

/* The double that is written at TEXT; it may be infinite, or none. */
static double real_value(const char *text)
{
    const char *point = strchr(text, '.');
    if (point != NULL && (point[1] == 'n' || point[1] == 'N'))
        return NAN;
    if (point != NULL && (point[1] == 'i' || point[1] == 'I'))
        return INFINITY;
    return strtod(text, NULL);
}

/* A node at MARK with a copy of its key, if there is one, and of the LENGTH bytes at TEXT. */
static struct yaml_node *create(struct reader *reader, enum yaml_kind kind, yaml_mark_t mark,
                                const struct key *key, const char *text, size_t length)
{
    if (reader->nodes >= reader->nodes_max)
        return refuse(reader, mark, "there are too many values");
    struct yaml_node *node = malloc(sizeof(*node) + key->length + length + 2);
    if (node == NULL)
        return refuse_memory(reader, mark);
    reader->nodes++;
    char *bytes = (char *)(node + 1);
    *node = (struct yaml_node){.kind = kind, .place = place_of(mark)};
    if (key->text != NULL) {
        node->key = memcpy(bytes, key->text, key->length);
        node->key_place = key->place;
        bytes[key->length] = '\0';
        bytes += key->length + 1;
    }
    if (text != NULL) {
        node->text = memcpy(bytes, text, length);
        node->length = length;
        bytes[length] = '\0';
    }
    return node;
}

void yaml_node_destroy(struct yaml_node *node)
{
    if (node == NULL)
        return;
    for (struct yaml_node *child = node->first, *next; child != NULL; child = next) {
        next = child->next;
        yaml_node_destroy(child); /* YAML_DEPTH_MAX deep */
    }
    free(node);
}

static struct yaml_node *read_scalar(struct reader *reader, const yaml_event_t *event,
                                     const struct key *key)
{
    const char *text = (const char *)event->data.scalar.value;
    enum yaml_kind kind;
    if (event->data.scalar.anchor != NULL)
        return refuse(reader, event->start_mark, "anchors are not taken; write the value itself");
    if (!scalar_kind(event, &kind))
        return refuse(reader, event->start_mark, "the tag is unknown or does not fit the value");
    if (kind == YAML_IS_REAL && !isfinite(real_value(text)))
        return refuse(reader, event->start_mark, "the number is too large, or none");
    return create(reader, kind, event->start_mark, key, text, event->data.scalar.length);
}

static struct yaml_node *read_node(struct reader *reader, const yaml_event_t *event,
                                   const struct key *key, unsigned depth);

static void append(struct yaml_node *parent, struct yaml_node **last, struct yaml_node *child)
{
    if (*last == NULL)
        parent->first = child;
    else
        (*last)->next = child;
    *last = child;
    parent->count++;
}

/* Reads what follows, up to the end of SEQUENCE. */
static bool read_items(struct reader *reader, struct yaml_node *sequence, unsigned depth)
{
    static const struct key none;
    struct yaml_node *last = NULL;
    for (;;) {
        yaml_event_t event;
        if (!next_event(reader, &event))
            return false;
        bool end = event.type == YAML_SEQUENCE_END_EVENT;
        struct yaml_node *item = end ? NULL : read_node(reader, &event, &none, depth);
        yaml_event_delete(&event);
        if (item == NULL)
            return end;
        append(sequence, &last, item);
    }
}

/* Makes KEY of its event, if it is one that MAPPING may still have. */
static bool take_key(struct reader *reader, const struct yaml_node *mapping, struct key *key)
{
    const yaml_event_t *event = &key->event;
    yaml_mark_t mark = event->start_mark;
    if (event->type != YAML_SCALAR_EVENT || event->data.scalar.anchor != NULL)
        return refuse(reader, mark, "a key has to be a text") != NULL;
    key->text = (const char *)event->data.scalar.value;
    key->length = event->data.scalar.length;
    key->place = place_of(mark);
    if (key->length == 0 || memchr(key->text, '\0', key->length) != NULL)
        return refuse(reader, mark, "a key has to be a text, and not empty") != NULL;
    if (mapping->count >= YAML_KEYS_MAX)
        return refuse(reader, mark, "there are too many keys") != NULL;
    const struct yaml_node *same = yaml_node_member(mapping, key->text);
    if (same == NULL)
        return true;
    *reader->place = key->place;
    return failure_set(reader->failure, "the key '%s' stands twice, here and in line %llu",
                       key->text, (unsigned long long)same->key_place.line);
}

static struct yaml_node *read_member(struct reader *reader, const struct yaml_node *mapping,
                                     struct key *key, unsigned depth)
{
    yaml_event_t event;
    if (!take_key(reader, mapping, key) || !next_event(reader, &event))
        return NULL;
    struct yaml_node *member = read_node(reader, &event, key, depth);
    yaml_event_delete(&event);
    return member;
}

static bool read_members(struct reader *reader, struct yaml_node *mapping, unsigned depth)
{
    struct yaml_node *last = NULL;
    for (;;) {
        struct key key = {0};
        if (!next_event(reader, &key.event))
            return false;
        bool end = key.event.type == YAML_MAPPING_END_EVENT;
        struct yaml_node *member = end ? NULL : read_member(reader, mapping, &key, depth);
        yaml_event_delete(&key.event);
        if (member == NULL)
            return end;
        append(mapping, &last, member);
    }
}

/* Reads what begins with EVENT. */
static struct yaml_node *read_collection(struct reader *reader, const yaml_event_t *event,
                                         const struct key *key, unsigned depth)
{
    bool mapping = event->type == YAML_MAPPING_START_EVENT;
    const yaml_char_t *anchor =
        mapping ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    const yaml_char_t *tag =
        mapping ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    if (anchor != NULL)
        return refuse(reader, event->start_mark, "anchors are not taken; write the value itself");
    if (tag != NULL && strcmp((const char *)tag, mapping ? YAML_MAP_TAG : YAML_SEQ_TAG) != 0)
        return refuse(reader, event->start_mark, "the tag is unknown or does not fit the value");
    if (depth >= YAML_DEPTH_MAX)
        return refuse(reader, event->start_mark, "the values are nested too deeply");

    struct yaml_node *node = create(reader, mapping ? YAML_IS_MAPPING : YAML_IS_SEQUENCE,
                                    event->start_mark, key, NULL, 0);
    if (node == NULL)
        return NULL;
    if (mapping ? read_members(reader, node, depth + 1) : read_items(reader, node, depth + 1))
        return node;
    yaml_node_destroy(node);
    return NULL;
}

static struct yaml_node *read_node(struct reader *reader, const yaml_event_t *event,
                                   const struct key *key, unsigned depth)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(reader, event, key);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return read_collection(reader, event, key, depth);
    default:
        return refuse(reader, event->start_mark, "aliases are not taken; write the value itself");
    }
}

/* ---- The document ---- */

/* The library compares each %TAG directive with all before it, however many there are. */
#define TAGS_MAX 100

static bool has_too_many_tags(const char *text, size_t length)
{
    static const char directive[] = "%TAG";
    const char *end = text + length;
    for (size_t count = 0; count <= TAGS_MAX; count++) {
        text = memmem(text, (size_t)(end - text), directive, strlen(directive));
        if (text == NULL)
            return false;
        text += strlen(directive);
    }
    return true;
}

/* Skips one event; whether it is of that TYPE, or else WHAT is wrong. */
static bool expect(struct reader *reader, yaml_event_type_t type, const char *what)
{
    yaml_event_t event;
    if (!next_event(reader, &event))
        return false;
    bool expected = event.type == type;
    if (!expected)
        refuse(reader, event.start_mark, what);
    yaml_event_delete(&event);
    return expected;
}

/* Reads the document behind its beginning. */
static struct yaml_node *read_root(struct reader *reader)
{
    static const struct key none;
    yaml_event_t event;
    if (!next_event(reader, &event))
        return NULL;
    struct yaml_node *root = read_node(reader, &event, &none, 0);
    yaml_event_delete(&event);
    if (root == NULL)
        return NULL;
    if (expect(reader, YAML_DOCUMENT_END_EVENT, "the document does not end here") &&
        expect(reader, YAML_STREAM_END_EVENT, "there is a second document; only one is taken"))
        return root;
    yaml_node_destroy(root);
    return NULL;
}

static struct yaml_node *read_stream(struct reader *reader)
{
    static const struct key none;
    yaml_event_t event;
    if (!expect(reader, YAML_STREAM_START_EVENT, "there is no text") || !next_event(reader, &event))
        return NULL;
    yaml_event_type_t type = event.type;
    yaml_mark_t mark = event.start_mark;
    yaml_event_delete(&event);
    return type == YAML_STREAM_END_EVENT ? create(reader, YAML_IS_NULL, mark, &none, "", 0)
                                         : read_root(reader);
}

struct yaml_node *yaml_node_read(const char *text, size_t length, size_t nodes_max,
                                 struct place *place, struct failure *failure)
{
    struct reader reader = {.nodes_max = nodes_max, .place = place, .failure = failure};
    *place = PLACE_FIRST;
    if (length >= strlen(BOM) && memcmp(text, BOM, strlen(BOM)) == 0) {
        text += strlen(BOM);
        length -= strlen(BOM);
    }
    reader.text = text;
    reader.length = length;
    if (has_too_many_tags(text, length)) {
        failure_set(failure, "there are too many %%TAG directives");
        return NULL;
    }
    if (!yaml_parser_initialize(&reader.parser)) {
        failure_set(failure, "out of memory");
        return NULL;
    }
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
    struct yaml_node *root = read_stream(&reader);
    yaml_parser_delete(&reader.parser);
    return root;
}

/* ---- Use ---- */

const struct yaml_node *yaml_node_member(const struct yaml_node *mapping, const char *key)
{
    for (const struct yaml_node *member = mapping->first; member != NULL; member = member->next) {
        if (strcmp(member->key, key) == 0)
            return member;
    }
    return NULL;
}

static json_t *json_of_integer(const char *text)
{
    bool prefixed = text[0] == '0' && (text[1] == 'o' || text[1] == 'x');
    int base = !prefixed ? 10 : text[1] == 'o' ? 8 : 16;
    const char *digits = prefixed ? text + 2 : text;
    errno = 0;
    long long number = strtoll(digits, NULL, base);
    if (errno == 0)
        return json_integer(number);
    double real = prefixed ? (double)LLONG_MAX : strtod(digits, NULL);
    return json_real(isfinite(real) ? real : text[0] == '-' ? -DBL_MAX : DBL_MAX);
}

static json_t *json_of_sequence(const struct yaml_node *node)
{
    json_t *array = json_array();
    for (const struct yaml_node *item = node->first; array != NULL && item != NULL;
         item = item->next) {
        if (json_array_append_new(array, yaml_node_json(item)) == 0)
            continue;
        json_decref(array);
        array = NULL;
    }
    return array;
}

static json_t *json_of_mapping(const struct yaml_node *node)
{
    json_t *object = json_object();
    for (const struct yaml_node *member = node->first; object != NULL && member != NULL;
         member = member->next) {
        if (json_object_set_new(object, member->key, yaml_node_json(member)) == 0)
            continue;
        json_decref(object);
        object = NULL;
    }
    return object;
}

json_t *yaml_node_json(const struct yaml_node *node)
{
    switch (node->kind) {
    case YAML_IS_NULL:
        return json_null();
    case YAML_IS_BOOLEAN:
        return json_boolean(node->text[0] == 't' || node->text[0] == 'T');
    case YAML_IS_INTEGER:
        return json_of_integer(node->text);
    case YAML_IS_REAL:
        return json_real(real_value(node->text));
    case YAML_IS_TEXT:
        return json_stringn(node->text, node->length);
    case YAML_IS_SEQUENCE:
        return json_of_sequence(node);
    case YAML_IS_MAPPING:
        return json_of_mapping(node);
    }
    return NULL;
}
