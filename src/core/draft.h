/*
 * draft.h - the event that the parser is reading: what is known of its members so far, and in the
 * end whether they make a heartbeat.
 *
 * Of two members with one name the later one counts, whatever its value.
 */
#ifndef KAIROS_CORE_DRAFT_H
#define KAIROS_CORE_DRAFT_H

#include <stdbool.h>
#include <stdint.h>

#include <kairos/parser.h>
#include <kairos/timestamp.h>

#include "capture.h"
#include "json.h"
#include "layout.h"

struct member {
    bool present;
    enum json_kind kind;
    struct capture value; /* of a string */
};

/* Where a string, without its quotes, or a number stands in the log. */
struct value_place {
    const struct member *member; /* NULL if it does not count */
    enum json_kind kind;
    uint64_t begin, end;
};

struct draft {
    /* Kept from event to event. */
    bool has_default;     /* the timestamp may be left out */
    int64_t default_time; /* and then counts as this */

    bool is_object;
    bool invalid;    /* its line is no JSON */
    uint64_t offset; /* its first byte in the log */
    struct member service;
    struct member timestamp;
    struct member *current; /* whose value comes next or is read; NULL if it does not count */
    bool time_valid;        /* the timestamp is a number, and a moment */
    int64_t time;

    /* For the fast path: where the members' strings and numbers stand, in their order. */
    size_t place_count;
    struct value_place places[SLOTS_MAX];
    bool place_open; /* the last one is being read */
    bool place_lost; /* one that counts did not fit */
};

/* Begins an event whose first byte, at OFFSET in the log, is FIRST. */
void draft_begin(struct draft *draft, char first, uint64_t offset);

/* For the stops of the tokenizer: OFFSET is where it has stopped. */
void draft_key(struct draft *draft, const struct json *json);
void draft_member(struct draft *draft, struct json *json, uint64_t offset);
void draft_member_end(struct draft *draft, const struct json *json, uint64_t offset);

/* Makes EVENT of the draft: a heartbeat, or a bad event with the first reason that holds. */
void draft_judge(const struct draft *draft, struct kairos_date_memo *memo,
                 struct kairos_event *event);

#endif
