#include "multipart.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum state {
    STATE_PREAMBLE, /* ahead of the first boundary */
    STATE_BOUNDARY, /* right behind one */
    STATE_LAST,     /* a '-' follows it */
    STATE_PADDING,  /* blanks follow it, or a CR */
    STATE_HEADER,
    STATE_VALUE,
    STATE_EPILOGUE, /* behind the last boundary */
    STATE_BAD,
};

static enum multipart_event fail(struct multipart *multipart, const char *error)
{
    multipart->state = STATE_BAD;
    multipart->error = error;
    return MULTIPART_BAD;
}

/* ---- Parameters, as in `form-data; name="file"; filename=x` ---- */

enum parameter_result {
    PARAMETER_FOUND,
    PARAMETER_MISSING,
    PARAMETER_TOO_LONG,
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const char *skip_blanks(const char *text, const char *end)
{
    while (text < end && is_blank(*text))
        text++;
    return text;
}

/* Where the token that begins at TEXT ends. */
static const char *skip_token(const char *text, const char *end)
{
    while (text < end && !is_blank(*text) && *text != ';' && *text != '=' && *text != '"')
        text++;
    return text;
}

/*
 * Copies the value at *TEXT, a token or a quoted string, of which only `\"` and `\\` are escapes:
 * some send a path with single backslashes. Returns false if it does not fit.
 */
static bool copy_value(const char **text, const char *end, char *value, size_t size)
{
    const char *at = *text;
    bool quoted = at < end && *at == '"';
    size_t length = 0;
    for (at += quoted; at < end && (quoted ? *at != '"' : *at != ';' && !is_blank(*at)); at++) {
        if (quoted && *at == '\\' && at + 1 < end && (at[1] == '"' || at[1] == '\\'))
            at++;
        if (length + 1 < size)
            value[length] = *at;
        length++;
    }
    *text = at + (quoted && at < end);
    value[length < size ? length : size - 1] = '\0';
    return length < size;
}

/* Looks for the parameter NAME behind the first ';' of TEXT. */
static enum parameter_result find_parameter(struct slice text, const char *name, char *value,
                                            size_t size)
{
    const char *end = text.text + text.length;
    const char *at = memchr(text.text, ';', text.length);
    while (at != NULL && at < end) {
        const char *begin = skip_blanks(at + 1, end);
        const char *stop = skip_token(begin, end);
        size_t length = (size_t)(stop - begin);
        at = skip_blanks(stop, end);
        if (at < end && *at == '=') {
            at = skip_blanks(at + 1, end);
            bool fits = copy_value(&at, end, value, size);
            if (length == strlen(name) && strncasecmp(begin, name, length) == 0)
                return fits ? PARAMETER_FOUND : PARAMETER_TOO_LONG;
        }
        while (at < end && *at != ';')
            at++;
    }
    return PARAMETER_MISSING;
}

/* Whether what stands in TEXT ahead of its parameters is TYPE. */
static bool has_type(struct slice text, const char *type)
{
    const char *end = text.text + text.length;
    const char *begin = skip_blanks(text.text, end);
    size_t length = (size_t)(skip_token(begin, end) - begin);
    return length == strlen(type) && strncasecmp(begin, type, length) == 0;
}

/* ---- The beginning ---- */

static struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

bool multipart_is_form(const char *content_type)
{
    return content_type != NULL && has_type(slice_of(content_type), "multipart/form-data");
}

static bool is_boundary(const char *boundary)
{
    if (boundary[0] == '\0')
        return false;
    for (const char *c = boundary; *c != '\0'; c++) {
        if (*c < 0x20 || *c > 0x7e)
            return false;
    }
    return true;
}

bool multipart_open(struct multipart *multipart, const char *content_type, struct failure *failure)
{
    char boundary[MULTIPART_BOUNDARY_MAX + 1];
    multipart->offset = 0;
    multipart->error = NULL;
    multipart->state = STATE_PREAMBLE;
    multipart->name[0] = '\0';
    switch (find_parameter(slice_of(content_type), "boundary", boundary, sizeof(boundary))) {
    case PARAMETER_FOUND:
        if (is_boundary(boundary))
            break;
        return failure_set(failure, "Content-Type: the boundary of multipart/form-data must be 1 "
                                    "to 70 printable characters");
    case PARAMETER_MISSING:
        return failure_set(failure, "Content-Type: multipart/form-data needs a boundary; leave the "
                                    "header to the program that makes the form");
    case PARAMETER_TOO_LONG:
        return failure_set(failure,
                           "Content-Type: the boundary of multipart/form-data is longer "
                           "than %d characters",
                           MULTIPART_BOUNDARY_MAX);
    }
    /* At first any line will do, and the body's beginning is one. */
    snprintf(multipart->delimiter, sizeof(multipart->delimiter), "\n--%s", boundary);
    multipart->delimiter_length = strlen(multipart->delimiter);
    multipart->matched = 1;
    return true;
}

/* Lines end in CR LF from here on. */
static void expect_cr(struct multipart *multipart)
{
    if (multipart->delimiter[0] == '\r')
        return;
    memmove(multipart->delimiter + 1, multipart->delimiter, multipart->delimiter_length + 1);
    multipart->delimiter[0] = '\r';
    multipart->delimiter_length++;
}

/* ---- Values: whatever is no delimiter ---- */

static void consume(struct multipart *multipart, struct slice *piece, size_t count)
{
    piece->text += count;
    piece->length -= count;
    multipart->offset += count;
}

/*
 * Goes on with a delimiter that has been seen in part. Its first character stands nowhere else in
 * it, so what turns out to be none cannot contain the beginning of another.
 */
static void match(struct multipart *multipart, struct slice *piece)
{
    size_t left = multipart->delimiter_length - multipart->matched;
    size_t count = 0;
    while (count < left && count < piece->length &&
           piece->text[count] == multipart->delimiter[multipart->matched + count])
        count++;
    multipart->matched += count;
    consume(multipart, piece, count);
}

/*
 * The bytes of PIECE ahead of the next delimiter, or of what may be the beginning of one at its
 * end; those are counted in `matched`.
 */
static struct slice scan(struct multipart *multipart, struct slice *piece)
{
    const char *begin = piece->text, *end = begin + piece->length;
    const char *at = begin;
    size_t length = 0;
    while ((at = memchr(at, multipart->delimiter[0], (size_t)(end - at))) != NULL) {
        length = (size_t)(end - at) < multipart->delimiter_length ? (size_t)(end - at)
                                                                  : multipart->delimiter_length;
        if (memcmp(at, multipart->delimiter, length) == 0)
            break;
        at++;
    }
    struct slice value = {begin, at == NULL ? piece->length : (size_t)(at - begin)};
    multipart->matched = at == NULL ? 0 : length;
    multipart->ghost = 0;
    consume(multipart, piece, value.length + multipart->matched);
    return value;
}

/*
 * Reads on to the next delimiter. Returns true if there is a slice of what stands before it in
 * *VALUE; else PIECE is used up, or the delimiter is complete.
 */
static bool read_value(struct multipart *multipart, struct slice *piece, struct slice *value)
{
    if (multipart->matched > 0)
        match(multipart, piece);
    if (multipart->matched == multipart->delimiter_length || piece->length == 0)
        return false;
    if (multipart->matched > multipart->ghost) {
        *value = (struct slice){multipart->delimiter + multipart->ghost,
                                multipart->matched - multipart->ghost};
        multipart->matched = multipart->ghost = 0;
        return true;
    }
    multipart->ghost = 0;
    *value = scan(multipart, piece);
    return value->length > 0;
}

/* ---- Headers ---- */

/* The value of the header field NAME, unfolded no further than blanks are skipped; NULL if there
 * is none. */
static struct slice find_field(const struct multipart *multipart, const char *name)
{
    const char *at = multipart->header, *end = at + multipart->header_length;
    size_t length = strlen(name);
    while (at < end) {
        /* A line that begins with a blank goes on with the one before. */
        const char *stop = at;
        do {
            stop = memchr(stop, '\n', (size_t)(end - stop));
            stop = stop == NULL ? end : stop + 1;
        } while (stop < end && (*stop == ' ' || *stop == '\t'));
        const char *colon = memchr(at, ':', (size_t)(stop - at));
        if (colon != NULL && (size_t)(colon - at) == length && strncasecmp(at, name, length) == 0)
            return (struct slice){colon + 1, (size_t)(stop - colon - 1)};
        at = stop;
    }
    return (struct slice){NULL, 0};
}

static bool is_encoded(struct slice encoding)
{
    return encoding.text != NULL && !has_type(encoding, "7bit") && !has_type(encoding, "8bit") &&
           !has_type(encoding, "binary");
}

static bool is_multipart(struct slice type)
{
    static const char multipart[] = "multipart/";
    if (type.text == NULL)
        return false;
    const char *end = type.text + type.length, *begin = skip_blanks(type.text, end);
    return (size_t)(end - begin) >= strlen(multipart) &&
           strncasecmp(begin, multipart, strlen(multipart)) == 0;
}

/*
 * How much of the delimiter is the end of the empty line behind the header: if a boundary follows
 * at once, the value is empty.
 */
static size_t line_end_seen(const struct multipart *multipart)
{
    size_t length = multipart->header_length;
    if (multipart->delimiter[0] == '\n')
        return 1;
    return length > 0 && multipart->header[length - 1] == '\r' ? 2 : 0;
}

/* The header is complete: what field is it? */
static enum multipart_event begin_field(struct multipart *multipart)
{
    struct slice disposition = find_field(multipart, "Content-Disposition");
    if (memchr(multipart->header, '\0', multipart->header_length) != NULL)
        return fail(multipart, "a part with a NUL in its header");
    if (disposition.text == NULL || !has_type(disposition, "form-data"))
        return fail(multipart, "a part without \"Content-Disposition: form-data\"");
    if (is_encoded(find_field(multipart, "Content-Transfer-Encoding")))
        return fail(multipart, "a part with a Content-Transfer-Encoding; send it as it is");
    if (is_multipart(find_field(multipart, "Content-Type")))
        return fail(multipart, "a part that has parts; send each file as a part of the form");
    switch (find_parameter(disposition, "name", multipart->name, sizeof(multipart->name))) {
    case PARAMETER_MISSING:
        return fail(multipart, "a part without a name");
    case PARAMETER_TOO_LONG:
        return fail(multipart, "a part whose name is longer than 255 bytes");
    case PARAMETER_FOUND:
        break;
    }
    multipart->state = STATE_VALUE;
    multipart->matched = multipart->ghost = line_end_seen(multipart);
    return MULTIPART_FIELD;
}

/* Whether what has come of the header ends in an empty line. */
static bool is_header_complete(const struct multipart *multipart)
{
    const char *header = multipart->header;
    size_t length = multipart->header_length;
    if (length > 0 && header[length - 1] == '\r')
        length--;
    return length == 0 || header[length - 1] == '\n';
}

/* Takes in what PIECE has of the header, up to the end of a line. */
static enum multipart_event read_header(struct multipart *multipart, struct slice *piece)
{
    const char *newline = memchr(piece->text, '\n', piece->length);
    size_t count = newline == NULL ? piece->length : (size_t)(newline - piece->text);
    size_t room = sizeof(multipart->header) - multipart->header_length;
    if (count + 1 > room) {
        consume(multipart, piece, room > 0 ? room - 1 : 0);
        return fail(multipart, "a part whose header is longer than 4096 bytes");
    }
    memcpy(multipart->header + multipart->header_length, piece->text, count);
    multipart->header_length += count;
    consume(multipart, piece, count + (newline != NULL));
    if (newline == NULL)
        return MULTIPART_MORE;
    if (is_header_complete(multipart))
        return begin_field(multipart);
    multipart->header[multipart->header_length++] = '\n';
    return MULTIPART_MORE;
}

/* ---- Boundaries ---- */

/* Reads the next character behind a boundary. */
static enum multipart_event read_boundary(struct multipart *multipart, struct slice *piece)
{
    char c = *piece->text;
    if (multipart->state == STATE_BOUNDARY && c == '-') {
        multipart->state = STATE_LAST;
    } else if (multipart->state == STATE_LAST && c == '-') {
        multipart->state = STATE_EPILOGUE;
    } else if (multipart->state != STATE_LAST && (c == ' ' || c == '\t')) {
        multipart->state = STATE_PADDING;
    } else if (multipart->state != STATE_LAST && c == '\r') {
        multipart->state = STATE_PADDING;
        expect_cr(multipart);
    } else if (multipart->state != STATE_LAST && c == '\n') {
        multipart->state = STATE_HEADER;
        multipart->header_length = 0;
    } else {
        return fail(multipart, "a boundary with something behind it");
    }
    consume(multipart, piece, 1);
    return MULTIPART_MORE;
}

/* A delimiter is complete: it ends a value, or the preamble. */
static enum multipart_event end_value(struct multipart *multipart)
{
    bool inside = multipart->state == STATE_VALUE;
    multipart->state = STATE_BOUNDARY;
    multipart->matched = multipart->ghost = 0;
    return inside ? MULTIPART_END : MULTIPART_MORE;
}

enum multipart_event multipart_read(struct multipart *multipart, struct slice *piece,
                                    struct slice *value)
{
    enum multipart_event event = MULTIPART_MORE;
    while (event == MULTIPART_MORE &&
           (piece->length > 0 || multipart->matched == multipart->delimiter_length)) {
        switch ((enum state)multipart->state) {
        case STATE_PREAMBLE:
        case STATE_VALUE:
            if (read_value(multipart, piece, value))
                event = multipart->state == STATE_VALUE ? MULTIPART_VALUE : MULTIPART_MORE;
            else if (multipart->matched == multipart->delimiter_length)
                event = end_value(multipart);
            break;
        case STATE_BOUNDARY:
        case STATE_LAST:
        case STATE_PADDING:
            event = read_boundary(multipart, piece);
            break;
        case STATE_HEADER:
            event = read_header(multipart, piece);
            break;
        case STATE_EPILOGUE:
            consume(multipart, piece, piece->length);
            break;
        case STATE_BAD:
            event = MULTIPART_BAD;
            break;
        }
    }
    return event;
}

bool multipart_is_complete(const struct multipart *multipart)
{
    return multipart->state == STATE_EPILOGUE;
}
