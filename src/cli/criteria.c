#include "criteria.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "option_values.h"

enum option_key {
    OPTION_STATUS = 's',
    OPTION_TAG = 't',
    OPTION_SEARCH = 'q',
};

static const struct argp_option entries[] = {
    {"status", OPTION_STATUS, "STATUS[,...]", 0,
     "Only services that are one of new, up, late, down, paused", CRITERIA_ARGP_GROUP},
    {"tag", OPTION_TAG, "TAG", 0, "Only services with this tag; with all of them if given again",
     CRITERIA_ARGP_GROUP},
    {"search", OPTION_SEARCH, "TEXT", 0, "Only services with TEXT in their name",
     CRITERIA_ARGP_GROUP},
    {0},
};

/* ---- The options ---- */

static bool is_status(const char *text, size_t length)
{
    static const char *const names[] = {"new", "up", "late", "down", "paused"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i]) == length && memcmp(names[i], text, length) == 0)
            return true;
    }
    return false;
}

static const char *parse_statuses(const struct argp_state *state, const char *text)
{
    for (const char *part = text, *end;; part = end + 1) {
        end = strchrnul(part, ',');
        if (!is_status(part, (size_t)(end - part)))
            wrong_usage(state, "--status: '%.*s' is none of new, up, late, down, paused",
                        (int)(end - part), part);
        if (*end == '\0')
            return text;
    }
}

static void add_tag(const struct argp_state *state, struct criteria *criteria, const char *tag)
{
    if (*tag == '\0')
        wrong_usage(state, "--tag: the tag is empty");
    if (criteria->tag_count == CRITERIA_TAGS_MAX)
        wrong_usage(state, "--tag: more than %d", CRITERIA_TAGS_MAX);
    criteria->tags[criteria->tag_count++] = tag;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct criteria *criteria = state->input;
    switch (key) {
    case OPTION_STATUS:
        criteria->statuses = parse_statuses(state, argument);
        return 0;
    case OPTION_TAG:
        add_tag(state, criteria, argument);
        return 0;
    case OPTION_SEARCH:
        if (*argument == '\0')
            wrong_usage(state, "--search: the text is empty");
        criteria->search = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp criteria_argp = {.options = entries, .parser = parse_option};

/* ---- The query ---- */

struct path {
    FILE *stream;
    bool has_query;
    bool failed;
};

static void add(struct path *path, const char *name, const char *value)
{
    if (value == NULL)
        return;
    char *escaped = curl_easy_escape(NULL, value, 0);
    if (escaped == NULL)
        path->failed = true;
    else
        fprintf(path->stream, "%c%s=%s", path->has_query ? '&' : '?', name, escaped);
    path->has_query = true;
    curl_free(escaped);
}

char *criteria_path(const struct criteria *criteria, const char *path, const char *const more[][2],
                    size_t count)
{
    char *text = NULL;
    size_t size;
    struct path made = {.stream = open_memstream(&text, &size)};
    if (made.stream == NULL)
        return NULL;
    fputs(path, made.stream);
    add(&made, "status", criteria->statuses);
    for (size_t i = 0; i < criteria->tag_count; i++)
        add(&made, "tag", criteria->tags[i]);
    add(&made, "search", criteria->search);
    for (size_t i = 0; i < count; i++)
        add(&made, more[i][0], more[i][1]);
    if (fclose(made.stream) == 0 && !made.failed)
        return text;
    free(text);
    return NULL;
}
