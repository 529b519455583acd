#include "generator.h"

#include <kairos/timestamp.h>

#define MEMBERS_MAX 12

enum member_kind {
    MEMBER_SERVICE,
    MEMBER_TIMESTAMP,
    MEMBER_CONSTANT, /* the same in all records */
    MEMBER_COUNTER,  /* another number in each */
    MEMBER_TEXT,     /* another string in each */
    MEMBER_NESTED,
};

enum time_form {
    TIME_SECONDS, /* "2025-08-04T10:00:00Z" */
    TIME_MICROS,
    TIME_OFFSET,
    TIME_SHORT,
    TIME_UNIX, /* 1754301900 */
    TIME_UNIX_FRACTION,
    TIME_UNIX_MILLIS,
    TIME_FORMS,
};

struct member {
    enum member_kind kind;
    int which; /* of the constants */
};

struct layout {
    const char *before_colon, *after_colon, *after_comma, *inside, *between;
    struct member members[MEMBERS_MAX];
    size_t count;
    enum time_form time;
    const char *prefix; /* of a service's name */
    bool upper;
};

static const char *pick(struct dice *dice, const char *const *choices, size_t count)
{
    return choices[dice_below(dice, count)];
}

#define PICK(dice, choices) pick((dice), (choices), COUNT_OF(choices))

/* White space where JSON allows it; none of it a newline. */
static const char *space(struct dice *dice)
{
    static const char *const spaces[] = {"", "", "", " ", "  ", "\t", " \r"};
    return PICK(dice, spaces);
}

static void add_member(struct layout *layout, struct dice *dice, enum member_kind kind)
{
    layout->members[layout->count++] =
        (struct member){.kind = kind, .which = (int)dice_below(dice, 100)};
}

static void add_others(struct layout *layout, struct dice *dice)
{
    for (size_t count = dice_chance(dice, 60) ? 0 : dice_below(dice, 4); count > 0; count--)
        add_member(layout, dice,
                   (enum member_kind)dice_between(dice, MEMBER_CONSTANT, MEMBER_NESTED));
}

static struct layout random_layout(struct dice *dice, bool one_line)
{
    static const char *const betweens[] = {"", "", " ", "\n", "\n  ", "\r\n\t", "\n\n"};
    static const char *const prefixes[] = {
        "svc-",
        "s",
        "a-service-with-a-long-name-",
        "",
        "eighty-characters-long-eighty-characters-long-eighty-characters-long-eighty-cha-",
    };
    struct layout layout = {
        .before_colon = space(dice),
        .after_colon = space(dice),
        .after_comma = space(dice),
        .inside = space(dice),
        .between = one_line ? "" : PICK(dice, betweens),
        .time = (enum time_form)dice_below(dice, TIME_FORMS),
        .prefix = PICK(dice, prefixes),
        .upper = dice_chance(dice, 10),
    };
    bool service_first = dice_chance(dice, 70);
    add_others(&layout, dice);
    add_member(&layout, dice, service_first ? MEMBER_SERVICE : MEMBER_TIMESTAMP);
    add_others(&layout, dice);
    add_member(&layout, dice, service_first ? MEMBER_TIMESTAMP : MEMBER_SERVICE);
    add_others(&layout, dice);
    return layout;
}

static int64_t next_time(struct generator *generator, int64_t *clock)
{
    *clock += dice_between(&generator->dice, 0, 2 * generator->step);
    return dice_chance(&generator->dice, 5) ? *clock - 3 * generator->step : *clock;
}

static void put_time(struct text *log, enum time_form form, int64_t time)
{
    char text[KAIROS_TIMESTAMP_SIZE];
    size_t length = kairos_timestamp_format(time - time % KAIROS_SECOND, text);
    int micros = (int)(time % KAIROS_SECOND);
    switch (form) {
    case TIME_MICROS:
        text_print(log, "\"%.19s.%06dZ\"", text, micros);
        break;
    case TIME_OFFSET:
        text_print(log, "\"%.19s+05:30\"", text);
        break;
    case TIME_SHORT:
        text_print(log, "\"%.16s\"", text);
        break;
    case TIME_UNIX:
        text_print(log, "%jd", (intmax_t)(time / KAIROS_SECOND));
        break;
    case TIME_UNIX_FRACTION:
        text_print(log, "%jd.%06d", (intmax_t)(time / KAIROS_SECOND), micros);
        break;
    case TIME_UNIX_MILLIS:
        text_print(log, "%jd", (intmax_t)(time / KAIROS_MILLISECOND));
        break;
    default:
        text_print(log, "\"%.*s\"", (int)length, text);
    }
}

static void put_random_text(struct dice *dice, struct text *log)
{
    static const char *const pieces[] = {
        "a", "Z",    "0",   "}",       "{",        ",",       "]",
        " ", "\\\"", "\\n", "\\u00e9", "\xc3\xa9", "service", "\xf0\x9f\x9a\xa8"};
    size_t length = dice_below(dice, dice_chance(dice, 90) ? 12 : 200);
    bool plain = dice_chance(dice, 70);
    text_print(log, "\"");
    for (size_t i = 0; i < length; i++)
        text_print(log, "%s", plain ? "x" : PICK(dice, pieces));
    text_print(log, "\"");
}

/* Values that no layout holds in store. */
static void put_odd_value(struct dice *dice, struct text *log)
{
    static const char *const values[] = {
        "null",
        "true",
        "0",
        "-1e3",
        "\"\"",
        "\"push\"",
        "\" Push \"",
        "\"p\\u0075sh\"",
        "\"not one\"",
        "[]",
        "{}",
        "[\"push\"]",
        "{\"service\":\"x\"}",
        "\"2025-08-04T10:00:00Z\"",
        "1754301900",
        "\"2025-02-30T10:00:00Z\"",
        "1e400",
        "1754301900.12345678901234567890123456789012345678901234567",
        "\"2025-08-04T10:00:00.123456789012345678901234567890123456789Z\"",
        "\"\\ud83d\"",
    };
    text_print(log, "%s", PICK(dice, values));
}

static void put_member(struct generator *generator, const struct layout *layout,
                       const struct member *member, int64_t time, struct text *log)
{
    static const char *const constants[] = {"null",  "true",  "\"eu-west-1\"", "17",
                                            "1.5e3", "[1,2]", "{\"a\":[]}",    "\"\""};
    static const char *const names[] = {"host", "region", "Service", "time", "id"};
    struct dice *dice = &generator->dice;
    switch (member->kind) {
    case MEMBER_SERVICE:
        text_print(log, "\"service\"%s:%s\"%s%s%zu\"", layout->before_colon, layout->after_colon,
                   layout->upper ? "UP" : "", layout->prefix,
                   dice_below(dice, generator->services));
        return;
    case MEMBER_TIMESTAMP:
        text_print(log, "\"timestamp\"%s:%s", layout->before_colon, layout->after_colon);
        put_time(log, layout->time, time);
        return;
    default:
        break;
    }
    text_print(log, "\"%s\"%s:%s", names[(size_t)member->which % COUNT_OF(names)],
               layout->before_colon, layout->after_colon);
    if (member->kind == MEMBER_CONSTANT)
        text_print(log, "%s", constants[(size_t)member->which % COUNT_OF(constants)]);
    else if (member->kind == MEMBER_COUNTER)
        text_print(log, "%s%zu", dice_chance(dice, 10) ? "-" : "", dice_below(dice, 100000));
    else if (member->kind == MEMBER_TEXT)
        put_random_text(dice, log);
    else
        text_print(log, "{\"service\":[%zu]}", dice_below(dice, 10));
}

/* A record that has the layout's members, each now and then with another value, twice, or absent.
 */
static void put_record(struct generator *generator, const struct layout *layout, bool odd,
                       int64_t time, struct text *log)
{
    struct dice *dice = &generator->dice;
    const char *comma = "";
    text_print(log, "{%s", layout->inside);
    for (size_t i = 0; i < layout->count; i++) {
        const struct member *member = &layout->members[i];
        if (odd && dice_chance(dice, 10))
            continue;
        text_print(log, "%s", comma);
        comma = ",";
        if (odd && dice_chance(dice, 20)) {
            text_print(log, "%s", dice_chance(dice, 50) ? "\"service\":" : "\"timestamp\":");
            put_odd_value(dice, log);
            text_print(log, ",");
        }
        text_print(log, "%s", layout->after_comma);
        put_member(generator, layout, member, time, log);
    }
    text_print(log, "%s}", layout->inside);
}

static void put_bad(struct dice *dice, bool one_line, struct text *log)
{
    static const char *const events[] = {
        "null",
        "7",
        "\"push\"",
        "[]",
        "[{}]",
        "{}",
        "{\"service\":\"push\"}",
        "{\"timestamp\":0}",
        "{\"service\":\"\",\"timestamp\":0}",
        "{\"service\":\" \",\"timestamp\":0}",
        "{\"service\":null,\"timestamp\":0}",
        "{\"service\":\"push\",\"timestamp\":null}",
        "{\"service\":\"push\",\"timestamp\":\"\"}",
        "{\"service\":\"two words\",\"timestamp\":0}",
        "{\"service\":7,\"timestamp\":0}",
        "{\"service\":\"push\",\"timestamp\":\"yesterday\"}",
        "{\"service\":\"push\",\"timestamp\":1e400}",
        "{\"service\":\"push\",\"timestamp\":[]}",
    };
    static const char *const lines[] = {"{",   "}",   "x", "{}{}", "{\"service\":\"push\"",
                                        "1 2", "\xff"};
    text_print(log, "%s",
               one_line && dice_chance(dice, 30) ? PICK(dice, lines) : PICK(dice, events));
}

void generate_log(struct generator *generator, enum kairos_format format, size_t records,
                  struct text *log)
{
    struct dice *dice = &generator->dice;
    bool one_line = format == KAIROS_FORMAT_NDJSON;
    int64_t clock = INT64_C(1754301900000000);
    struct layout layout = random_layout(dice, one_line);
    text_print(log, "%s", one_line ? "" : "[");
    for (size_t i = 0; i < records; i++) {
        if (dice_chance(dice, 2))
            layout = random_layout(dice, one_line);
        text_print(log, "%s%s", i > 0 && !one_line ? "," : "", layout.between);
        if (dice_chance(dice, generator->bad) && !(i == 0 && one_line))
            put_bad(dice, one_line, log);
        else
            put_record(generator, &layout, dice_chance(dice, generator->odd),
                       next_time(generator, &clock), log);
        if (one_line && (i + 1 < records || dice_chance(dice, 70)))
            text_print(log, "%s", dice_chance(dice, 2) ? " \r\n \n" : "\n");
        else
            text_print(log, "%s", dice_chance(dice, 3) ? " " : "");
    }
    text_print(log, "%s", one_line ? "" : "\n]\n");
}

void damage(struct dice *dice, struct text *text)
{
    size_t at = dice_below(dice, text->length);
    char byte = dice_chance(dice, 80)
                    ? dice_char(dice, "{}[]:,\"\\ \n0189.eE+-abtnfu_A\x7f\xc3\x80")
                    : (char)dice_below(dice, 256);
    switch (dice_below(dice, 4)) {
    case 0:
        text->bytes[at] = byte;
        break;
    case 1:
        text_add(text, &byte, 1);
        memmove(text->bytes + at + 1, text->bytes + at, text->length - 1 - at);
        text->bytes[at] = byte;
        break;
    case 2:
        memmove(text->bytes + at, text->bytes + at + 1, text->length - at);
        text->length--;
        break;
    default:
        memmove(text->bytes + at, text->bytes + dice_below(dice, at + 1),
                1 + dice_below(dice, text->length - at));
    }
}
