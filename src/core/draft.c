#include "draft.h"

#include <string.h>

void draft_begin(struct draft *draft, char first, uint64_t offset)
{
    draft->is_object = first == '{';
    draft->invalid = false;
    draft->offset = offset;
    draft->service.present = false;
    draft->timestamp.present = false;
    draft->current = NULL;
    draft->place_count = 0;
    draft->place_lost = false;
}

void draft_key(struct draft *draft, const struct json *json)
{
    if (capture_is(&json->key, "service"))
        draft->current = &draft->service;
    else if (capture_is(&json->key, "timestamp"))
        draft->current = &draft->timestamp;
    else
        draft->current = NULL;
}

static void place_begin(struct draft *draft, enum json_kind kind, uint64_t offset)
{
    draft->place_open = kind == JSON_IS_STRING || kind == JSON_IS_NUMBER;
    if (draft->place_open && draft->place_count == SLOTS_MAX) {
        draft->place_open = false;
        draft->place_lost |= draft->current != NULL;
    }
    if (draft->place_open)
        draft->places[draft->place_count++] = (struct value_place){
            .member = draft->current,
            .kind = kind,
            .begin = offset - (kind == JSON_IS_NUMBER),
        };
}

static void place_end(struct draft *draft, uint64_t offset)
{
    if (!draft->place_open)
        return;
    struct value_place *place = &draft->places[draft->place_count - 1];
    place->end = offset - (place->kind == JSON_IS_STRING);
}

void draft_member(struct draft *draft, struct json *json, uint64_t offset)
{
    struct member *member = draft->current;
    place_begin(draft, json->kind, offset);
    if (member == NULL)
        return;
    member->present = true;
    member->kind = json->kind;
    capture_begin(&member->value, member == &draft->service ? CAPTURE_SERVICE : CAPTURE_TIMESTAMP);
    if (json->kind == JSON_IS_STRING)
        json->capture = &member->value;
}

void draft_member_end(struct draft *draft, const struct json *json, uint64_t offset)
{
    place_end(draft, offset);
    if (draft->current == &draft->timestamp && draft->timestamp.kind == JSON_IS_NUMBER)
        draft->time_valid = decimal_time(&json->number, &draft->time);
}

/* Present, but as good as not. */
static bool is_empty(const struct member *member)
{
    return member->present && (member->kind == JSON_IS_NULL ||
                               (member->kind == JSON_IS_STRING && member->value.length == 0));
}

static bool read_service(const struct member *service, struct kairos_event *event)
{
    size_t length;
    if (service->kind != JSON_IS_STRING || service->value.cut ||
        kairos_service_parse(service->value.text, service->value.length, event->text, &length) !=
            KAIROS_SERVICE_OK)
        return false;
    event->length = (uint8_t)length;
    return true;
}

static bool read_timestamp(const struct draft *draft, struct kairos_date_memo *memo,
                           struct kairos_event *event)
{
    const struct member *timestamp = &draft->timestamp;
    if (!timestamp->present) {
        event->time = draft->default_time;
        return true;
    }
    if (timestamp->kind == JSON_IS_NUMBER) {
        event->time = draft->time;
        return draft->time_valid;
    }
    return timestamp->kind == JSON_IS_STRING && !timestamp->value.cut &&
           kairos_timestamp_parse_memo(timestamp->value.text, timestamp->value.length, memo,
                                       &event->time);
}

/* Keeps the text that was refused, for messages. */
static enum kairos_reason refuse(enum kairos_reason reason, const struct member *member,
                                 struct kairos_event *event)
{
    event->length = member->kind == JSON_IS_STRING ? member->value.length : 0;
    memcpy(event->text, member->value.text, event->length);
    return reason;
}

/* The first reason that holds, in the order of the rules. */
static enum kairos_reason find_reason(const struct draft *draft, struct kairos_date_memo *memo,
                                      struct kairos_event *event)
{
    if (draft->invalid)
        return KAIROS_INVALID_JSON;
    if (!draft->is_object)
        return KAIROS_NOT_AN_OBJECT;
    if (!draft->service.present)
        return KAIROS_MISSING_SERVICE;
    if (!draft->timestamp.present && !draft->has_default)
        return KAIROS_MISSING_TIMESTAMP;
    if (is_empty(&draft->service))
        return KAIROS_EMPTY_SERVICE;
    if (is_empty(&draft->timestamp))
        return KAIROS_EMPTY_TIMESTAMP;
    if (!read_service(&draft->service, event))
        return refuse(KAIROS_INVALID_SERVICE_FORMAT, &draft->service, event);
    if (!read_timestamp(draft, memo, event))
        return refuse(KAIROS_INVALID_TIMESTAMP_FORMAT, &draft->timestamp, event);
    return KAIROS_VALID;
}

void draft_judge(const struct draft *draft, struct kairos_date_memo *memo,
                 struct kairos_event *event)
{
    event->length = 0;
    event->offset = draft->offset;
    event->reason = find_reason(draft, memo, event);
}
