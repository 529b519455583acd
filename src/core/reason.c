/*
 * reason.c - the words for what can be wrong with an event or a log.
 */
#include <kairos/parser.h>

struct reason_words {
    const char *name;
    const char *text;
};

static const struct reason_words reasons[KAIROS_REASON_COUNT] = {
    [KAIROS_VALID] = {"valid", "a heartbeat"},
    [KAIROS_NOT_AN_OBJECT] = {"not_an_object", "the event is no JSON object"},
    [KAIROS_MISSING_SERVICE] = {"missing_service", "the key \"service\" is missing"},
    [KAIROS_MISSING_TIMESTAMP] = {"missing_timestamp", "the key \"timestamp\" is missing"},
    [KAIROS_EMPTY_SERVICE] = {"empty_service", "the service is null or blank"},
    [KAIROS_EMPTY_TIMESTAMP] = {"empty_timestamp", "the timestamp is null or empty"},
    [KAIROS_INVALID_SERVICE_FORMAT] = {"invalid_service_format",
                                       "a service is 1 to 100 of a-z 0-9 _ -"},
    [KAIROS_INVALID_TIMESTAMP_FORMAT] =
        {"invalid_timestamp_format",
         "a timestamp is a real moment such as 2025-08-04T10:00:00Z, or Unix time"},
    [KAIROS_INVALID_JSON] = {"invalid_json", "the line is not one JSON text"},
};

const char *kairos_reason_name(enum kairos_reason reason)
{
    return reasons[reason].name;
}

const char *kairos_reason_text(enum kairos_reason reason)
{
    return reasons[reason].text;
}

static const char *const parse_errors[] = {
    [KAIROS_PARSE_OK] = "no error",
    [KAIROS_PARSE_EMPTY] = "the input is empty; a log without events is written []",
    [KAIROS_PARSE_TRUNCATED] = "the input ends inside the array; is the file complete?",
    [KAIROS_PARSE_TRAILING] = "something follows the array; remove it or close the file there",
    [KAIROS_PARSE_SEPARATOR] = "expected ',' or ']' after an event",
    [KAIROS_PARSE_VALUE] = "expected a JSON value",
    [KAIROS_PARSE_KEY] = "expected a key in double quotes",
    [KAIROS_PARSE_COLON] = "expected ':' after a key",
    [KAIROS_PARSE_MEMBER] = "expected ',' or '}' after a member",
    [KAIROS_PARSE_ITEM] = "expected ',' or ']' after an item",
    [KAIROS_PARSE_LITERAL] = "expected true, false or null",
    [KAIROS_PARSE_NUMBER] = "not a number that JSON allows",
    [KAIROS_PARSE_CONTROL] = "a control character inside a string; write it as \\u00XX",
    [KAIROS_PARSE_ESCAPE] = "not an escape that JSON has; write a backslash as \\\\",
    [KAIROS_PARSE_UTF8] = "not UTF-8; convert the file to UTF-8",
    [KAIROS_PARSE_NESTING] = "brackets nest deeper than 1048576 levels; flatten the event",
};

const char *kairos_parse_error_text(enum kairos_parse_error_code code)
{
    return parse_errors[code];
}
