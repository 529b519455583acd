/*
 * json.h - a streaming tokenizer for one JSON text (RFC 8259, to the letter).
 *
 * The text comes in blocks cut anywhere; the state says what the next byte may be. Nothing is kept
 * of what is skipped but the kinds of the open brackets, one bit each. Reading stops where the
 * owner may want to know something of a member of the outermost object:
 *
 *     {"service": "push", "tags": [1, {"a": 2}]}
 *              ^KEY^MEMBER^MEMBER_END     MEMBER_END^^END
 *
 * At JSON_MEMBER the owner may set `capture`, and the string that begins there is written to it.
 */
#ifndef KAIROS_CORE_JSON_H
#define KAIROS_CORE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <kairos/parser.h>

#include "capture.h"
#include "decimal.h"

enum json_state {
    JSON_VALUE_NEXT,  /* at the beginning, after ':', or after ',' in an array */
    JSON_KEY_FIRST,   /* after '{': a key or '}' */
    JSON_KEY_NEXT,    /* after ',': a key */
    JSON_COLON,       /* after a key */
    JSON_MEMBER_NEXT, /* after a member: ',' or '}' */
    JSON_ITEM_FIRST,  /* after '[': an item or ']' */
    JSON_ITEM_NEXT,   /* after an item: ',' or ']' */
    JSON_STRING,
    JSON_ESCAPE, /* after a backslash */
    JSON_HEX,    /* in the four digits of \uXXXX */
    JSON_UTF8,   /* in the further bytes of a character */
    JSON_NUMBER,
    JSON_LITERAL, /* in true, false or null */
};

enum json_kind {
    JSON_IS_OBJECT,
    JSON_IS_ARRAY,
    JSON_IS_STRING,
    JSON_IS_NUMBER,
    JSON_IS_BOOLEAN,
    JSON_IS_NULL,
};

/* Why reading stopped, and where the cursor stands then. */
enum json_stop {
    JSON_MORE,       /* the block is used up */
    JSON_KEY,        /* behind a key of the outermost object: `key` holds it */
    JSON_MEMBER,     /* behind the first byte of such a member's value: `kind` tells its kind */
    JSON_MEMBER_END, /* behind that value; `number` holds it if it is one; `kind` is that of the
                        last value inside it */
    JSON_END,        /* behind the text; `kind` is that of the last value read */
    JSON_BAD,        /* at the byte that JSON forbids: `error` tells why */
};

struct json {
    enum json_state state;
    bool one_line; /* a newline is no white space, but a byte that may not come */
    enum json_kind kind;
    enum kairos_parse_error_code error;
    bool string_is_key;
    struct capture *capture; /* where the string goes; NULL for nowhere */
    struct capture key;
    struct decimal number;
    const char *literal;    /* the rest of true, false or null */
    unsigned escape_code;   /* of \uXXXX, as far as read */
    unsigned escape_left;   /* digits of it to come */
    unsigned utf8_left;     /* bytes of a character to come */
    unsigned char utf8_low; /* and what the next of them may be */
    unsigned char utf8_high;
    uint32_t depth;                                /* open brackets */
    unsigned char nesting[KAIROS_NESTING_MAX / 8]; /* bit n: bracket n is a '{' */
};

/* Begins a text, with its first byte that is no white space. */
void json_begin(struct json *json, bool one_line);

/* Reads on from *CURSOR to END at most, and tells why it stopped. */
enum json_stop json_read(struct json *json, const char **cursor, const char *end);

/*
 * Tells that the input ends here. Returns JSON_END if that completes the text (a number may end
 * so), else JSON_BAD.
 */
enum json_stop json_finish(struct json *json);

#endif
