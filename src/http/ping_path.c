#include "ping_path.h"

#include <stdbool.h>
#include <string.h>

static const struct {
    const char *name;
    enum engine_action action;
} actions[] = {
    {"fail", ENGINE_FAIL},
    {"start", ENGINE_START},
    {"log", ENGINE_LOG},
};

/*
 * Decodes SEGMENT where it has escapes: into STORE then, which has room for SEGMENT_MAX bytes.
 * Returns false if it cannot be decoded.
 */
static bool decode(struct slice *segment, char *store)
{
    if (segment->length == 0 || memchr(segment->text, '%', segment->length) == NULL)
        return true;
    size_t length;
    switch (percent_decode(*segment, store, SEGMENT_MAX, &length)) {
    case PERCENT_OK:
        *segment = (struct slice){store, length};
        return true;
    case PERCENT_TOO_LONG: /* as it stands it is too long as well */
        return true;
    case PERCENT_INVALID:
        break;
    }
    return false;
}

/* An exit status: 0 to 255, with no more digits than that needs. */
static bool parse_exit_status(struct slice text, int *status)
{
    int value = 0;
    if (text.length == 0 || text.length > 3)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (text.text[i] < '0' || text.text[i] > '9')
            return false;
        value = value * 10 + (text.text[i] - '0');
    }
    *status = value;
    return value <= 255;
}

static bool parse_action(struct slice text, struct ping *ping)
{
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strlen(actions[i].name) == text.length &&
            memcmp(actions[i].name, text.text, text.length) == 0) {
            ping->action = actions[i].action;
            return true;
        }
    }
    if (!parse_exit_status(text, &ping->exit_status))
        return false;
    ping->action = ping->exit_status == 0 ? ENGINE_HEARTBEAT : ENGINE_FAIL;
    return true;
}

enum ping_result ping_path_parse(const struct slice *segments, size_t count, struct ping *ping)
{
    char name_store[SEGMENT_MAX], action_store[SEGMENT_MAX];
    struct slice name = segments[0];
    if (!decode(&name, name_store))
        return PING_BAD_ESCAPE;
    if (name.length > 0 && memchr(name.text, '.', name.length) != NULL)
        return PING_KEY;
    if (count > 2)
        return PING_UNKNOWN;

    switch (kairos_service_parse(name.text, name.length, ping->name, &ping->length)) {
    case KAIROS_SERVICE_OK:
        break;
    case KAIROS_SERVICE_EMPTY:
        return PING_EMPTY_NAME;
    case KAIROS_SERVICE_INVALID:
        return PING_BAD_NAME;
    }
    ping->action = ENGINE_HEARTBEAT;
    ping->exit_status = EXIT_STATUS_NONE;
    if (count == 1)
        return PING_OK;
    struct slice action = segments[1];
    if (!decode(&action, action_store))
        return PING_BAD_ESCAPE;
    return parse_action(action, ping) ? PING_OK : PING_BAD_ACTION;
}

const char *ping_result_text(enum ping_result result)
{
    switch (result) {
    case PING_OK:
        break;
    case PING_BAD_ESCAPE:
        return "the path has a '%' that is not followed by two hexadecimal digits, or %00";
    case PING_EMPTY_NAME:
        return "the service's name is empty; write /ping/NAME";
    case PING_BAD_NAME:
        return "the service's name is invalid; it has 1 to 100 characters of a-z 0-9 _ -";
    case PING_BAD_ACTION:
        return "the action is invalid; it is fail, start, log, or an exit status from 0 to 255";
    case PING_KEY:
        return "unknown ping key; it is what stands before the service's name and has a dot, "
               "which a name has not";
    case PING_UNKNOWN:
        return "no such path; pings go to /ping/NAME and /ping/NAME/ACTION";
    }
    return "";
}
