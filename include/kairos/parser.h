/*
 * parser.h - the event parser: from the bytes of a log to heartbeats.
 *
 * A log is a JSON array of events in any layout, or NDJSON, one event a line. An event is an object
 * with the members "service" and "timestamp"; others are ignored, and of members with one name the
 * last counts. What is no valid heartbeat comes out as a bad event with the reason; only an array
 * that is not well-formed (RFC 8259, to the letter) is an error of the whole log.
 *
 * The log is handed over in blocks of any size, cut anywhere. Nothing is kept of a block once it
 * was read, and memory depends on neither the length of a string nor the depth of nesting.
 *
 *     const char *cursor = block;
 *     while ((count = kairos_parser_read(parser, &cursor, block + size, events, 64)) > 0)
 *         use(events, count);
 *     ... the next blocks ..., and once after the last:
 *     count = kairos_parser_finish(parser, events);
 *     if (kairos_parser_error(parser, &error))
 *         report(&error);
 */
#ifndef KAIROS_PARSER_H
#define KAIROS_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kairos/service.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How deep brackets may nest inside an event: one bit each is kept of them. */
#define KAIROS_NESTING_MAX (1 << 20)

enum kairos_format {
    KAIROS_FORMAT_UNKNOWN, /* not a byte but white space so far */
    KAIROS_FORMAT_ARRAY,
    KAIROS_FORMAT_NDJSON,
};

/* Why an event is bad: the first reason that holds. */
enum kairos_reason {
    KAIROS_VALID,
    KAIROS_NOT_AN_OBJECT,
    KAIROS_MISSING_SERVICE,
    KAIROS_MISSING_TIMESTAMP,
    KAIROS_EMPTY_SERVICE,
    KAIROS_EMPTY_TIMESTAMP,
    KAIROS_INVALID_SERVICE_FORMAT,
    KAIROS_INVALID_TIMESTAMP_FORMAT,
    KAIROS_INVALID_JSON, /* a line of NDJSON that is not one JSON text */
    KAIROS_REASON_COUNT,
};

/* "missing_service" and so on; "valid" for KAIROS_VALID. */
const char *kairos_reason_name(enum kairos_reason reason);

/* What is wrong with the event, in a few words: "the key \"service\" is missing". */
const char *kairos_reason_text(enum kairos_reason reason);

struct kairos_event {
    int64_t time;              /* of a valid event: the heartbeat, microseconds */
    uint64_t offset;           /* of a bad event: its first byte, from 0 */
    enum kairos_reason reason; /* KAIROS_VALID, or why it is bad */
    uint8_t length;            /* of the text */
    /*
     * Of a valid event: the service's name, padded with NULs to a whole word and with one at least.
     * Of one with an invalid format: the beginning of what was found.
     */
    char text[KAIROS_SERVICE_SIZE];
};

/* Why an array is not well-formed. */
enum kairos_parse_error_code {
    KAIROS_PARSE_OK,
    KAIROS_PARSE_EMPTY,     /* no byte but white space */
    KAIROS_PARSE_TRUNCATED, /* the log ends inside the array */
    KAIROS_PARSE_TRAILING,  /* something follows the array */
    KAIROS_PARSE_SEPARATOR, /* neither ',' nor ']' after an event */
    KAIROS_PARSE_VALUE,     /* no JSON value where one must begin */
    KAIROS_PARSE_KEY,       /* no key where one must begin */
    KAIROS_PARSE_COLON,     /* no ':' after a key */
    KAIROS_PARSE_MEMBER,    /* neither ',' nor '}' after a member */
    KAIROS_PARSE_ITEM,      /* neither ',' nor ']' after an item */
    KAIROS_PARSE_LITERAL,   /* neither true nor false nor null */
    KAIROS_PARSE_NUMBER,    /* a number that JSON does not allow */
    KAIROS_PARSE_CONTROL,   /* a control character inside a string */
    KAIROS_PARSE_ESCAPE,    /* an escape that JSON does not have */
    KAIROS_PARSE_UTF8,      /* a byte that is not UTF-8 inside a string */
    KAIROS_PARSE_NESTING,   /* deeper than KAIROS_NESTING_MAX */
};

struct kairos_parse_error {
    enum kairos_parse_error_code code;
    uint64_t offset; /* the byte that could not be read, or the log's length: from 0 */
};

/* What is wrong and what would mend it, in one line without the place. */
const char *kairos_parse_error_text(enum kairos_parse_error_code code);

struct kairos_parser;

/* A parser at the beginning of a log. Returns NULL when memory ran out. */
struct kairos_parser *kairos_parser_create(void);

/*
 * A parser that begins inside a log of a known FORMAT, at byte OFFSET, taking it that this is a
 * border: the end of an event in an array, or the beginning of a line. Whether it is one, the
 * parser that reads up to there will know (kairos_parser_at_border).
 */
struct kairos_parser *kairos_parser_create_at(enum kairos_format format, uint64_t offset);

void kairos_parser_destroy(struct kairos_parser *parser);

/*
 * With `false`, every event takes the complete path: the specification of the fast one, which reads
 * records laid out like the one before them. The result is the same. For tests.
 */
void kairos_parser_set_fast(struct kairos_parser *parser, bool fast);

/*
 * From now on an event without the key "timestamp" counts at TIME (microseconds, a moment that a
 * timestamp could name) and is not bad for KAIROS_MISSING_TIMESTAMP: for heartbeats that are sent
 * as they happen. An empty timestamp is still KAIROS_EMPTY_TIMESTAMP.
 */
void kairos_parser_set_default_time(struct kairos_parser *parser, int64_t time);

/*
 * Reads on from *CURSOR to END at most, fills EVENTS with up to MAX events in the order of the log
 * and moves *CURSOR behind what was read. Returns how many there are; 0 means that the block is
 * used up or that the log is in error, as kairos_parser_error tells.
 */
size_t kairos_parser_read(struct kairos_parser *parser, const char **cursor, const char *end,
                          struct kairos_event *events, size_t max);

/*
 * Tells that the log ends here. Returns the number of events in EVENT: 1 when the last line of
 * NDJSON had no newline, else 0.
 */
size_t kairos_parser_finish(struct kairos_parser *parser, struct kairos_event *event);

/* Whether the log is in error; then *ERROR says why and where. */
bool kairos_parser_error(const struct kairos_parser *parser, struct kairos_parse_error *error);

/* Whether the bytes read so far end at a border (see kairos_parser_create_at). */
bool kairos_parser_at_border(const struct kairos_parser *parser);

/* Bytes that the parser holds. */
size_t kairos_parser_memory(const struct kairos_parser *parser);

enum kairos_format kairos_parser_format(const struct kairos_parser *parser);

/*
 * Looks in the LENGTH bytes at TEXT, from anywhere inside a log of FORMAT, for what looks like a
 * border. Returns its offset from TEXT, or LENGTH when there is none. A guess for arrays: to be
 * verified.
 */
size_t kairos_parser_guess_border(enum kairos_format format, const char *text, size_t length);

#ifdef __cplusplus
}
#endif

#endif
