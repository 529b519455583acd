#include "upload.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FILE_FIELD "file"

void upload_refuse(struct upload *upload, unsigned status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    failure_vset(&upload->failure, format, arguments);
    va_end(arguments);
    upload->status = status;
}

/* ---- What the body is ---- */

static const struct {
    const char *name;
    const struct decoder *decoder;
} encodings[] = {
    {"identity", &decoder_plain},
    {"gzip", &decoder_gzip},
    {"x-gzip", &decoder_gzip},
    {"zstd", &decoder_zstd},
};

/* The decoder for a Content-Encoding; NULL if there is none. */
static const struct decoder *find_encoding(const char *name)
{
    for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++) {
        if (strcasecmp(encodings[i].name, name) == 0)
            return encodings[i].decoder;
    }
    return NULL;
}

void upload_init(struct upload *upload, const struct upload_options *options)
{
    const char *encoding = options->content_encoding;
    const struct decoder *decoder = encoding == NULL ? &decoder_plain : find_encoding(encoding);
    upload->status = 0;
    upload->terms = options->terms;
    upload->analysis = NULL;
    upload->alerts = 0;
    upload->seed = options->seed;
    upload->has_file = upload->all_put = upload->log_complete = upload->concluded = false;
    upload->form = (struct slice){"", 0};
    upload->field = UPLOAD_FIELD_NONE;
    upload->place = PLACE_FIRST;
    upload->offset = 0;
    upload->is_form = multipart_is_form(options->content_type);
    unpacker_init(&upload->body, "body", decoder, options->unpacked_max);
    unpacker_init(&upload->file, upload->is_form ? FILE_FIELD : "body", NULL,
                  options->unpacked_max);
    if (decoder == NULL)
        upload_refuse(upload, 415,
                      "Content-Encoding: '%s' is not known here; send the body as it is, or as "
                      "gzip or zstd",
                      encoding);
    else if (upload->is_form &&
             !multipart_open(&upload->multipart, options->content_type, &upload->failure))
        upload->status = 400;
}

void upload_finish(struct upload *upload)
{
    unpacker_finish(&upload->body);
    unpacker_finish(&upload->file);
    kairos_analysis_destroy(upload->analysis);
    upload->analysis = NULL;
}

/* ---- The log ---- */

/* Terms that come behind the file are judged by at the end. */
static bool begin_analysis(struct upload *upload)
{
    struct kairos_analysis_options options =
        upload->is_form ? terms_strictest(&upload->terms) : upload->terms.analysis;
    options.seed = upload->seed;
    upload->analysis = kairos_analysis_create(&options);
    return upload->analysis != NULL;
}

static void refuse_no_memory(struct upload *upload)
{
    upload_refuse(upload, 503, "out of memory; try again later");
}

/* What came of reading PIECE, or of the end of the log behind it. */
static void check_log(struct upload *upload, struct slice piece, enum kairos_analysis_status status)
{
    switch (status) {
    case KAIROS_ANALYSIS_OK:
        place_advance(&upload->place, piece.text, piece.length);
        upload->offset += piece.length;
        break;
    case KAIROS_ANALYSIS_MALFORMED: {
        struct kairos_parse_error error = kairos_analysis_error(upload->analysis);
        size_t behind = (size_t)(error.offset - upload->offset);
        place_advance(&upload->place, piece.text, behind < piece.length ? behind : piece.length);
        place_describe(&upload->place, upload->is_form ? FILE_FIELD : "body", &error,
                       &upload->failure);
        upload->status = 400;
        break;
    }
    case KAIROS_ANALYSIS_NO_MEMORY:
        refuse_no_memory(upload);
        break;
    }
}

static bool check_unpacker(struct upload *upload, const struct unpacker *unpacker,
                           enum unpacker_result result)
{
    static const unsigned statuses[] = {
        [UNPACKER_DAMAGED] = 400,
        [UNPACKER_TOO_LONG] = 413,
        [UNPACKER_NO_MEMORY] = 503,
    };
    if (result == UNPACKER_OK)
        return true;
    upload->status = statuses[result];
    upload->failure = unpacker->failure;
    return false;
}

/* Reads the next piece of the log. Returns whether there was one. */
static bool read_log(struct upload *upload)
{
    struct slice piece;
    if (!check_unpacker(upload, &upload->file, unpacker_next(&upload->file, &piece)))
        return false;
    if (piece.length == 0 && !upload->file.ended)
        return false;
    if (upload->analysis == NULL && !begin_analysis(upload)) {
        refuse_no_memory(upload);
        return false;
    }
    if (piece.length > 0) {
        check_log(upload, piece, kairos_analysis_feed(upload->analysis, piece.text, piece.length));
    } else {
        upload->log_complete = true;
        check_log(upload, piece, kairos_analysis_finish(upload->analysis));
    }
    return true;
}

/* ---- The form ---- */

static void begin_field(struct upload *upload)
{
    const char *name = upload->multipart.name;
    upload->value_length = 0;
    if (strcmp(name, FILE_FIELD) == 0) {
        upload->field = UPLOAD_FIELD_FILE;
        if (upload->has_file)
            upload_refuse(upload, 422, FILE_FIELD ": there are two; send one log at a time");
        upload->has_file = true;
        return;
    }
    upload->field = UPLOAD_FIELD_TERM;
    upload->term = term_find(name);
    if (upload->term == TERM_COUNT)
        upload_refuse(upload, 422,
                      "unknown field '%s'; known here: " FILE_FIELD
                      ", interval, allowed_misses, tolerance, until, max_alerts",
                      name);
}

static void add_value(struct upload *upload, struct slice value)
{
    if (upload->field == UPLOAD_FIELD_FILE) {
        unpacker_put(&upload->file, value.text, value.length);
        return;
    }
    if (value.length > UPLOAD_VALUE_MAX - upload->value_length) {
        upload_refuse(upload, 422, "%s: longer than %d characters", term_names[upload->term],
                      UPLOAD_VALUE_MAX);
        return;
    }
    memcpy(upload->value + upload->value_length, value.text, value.length);
    upload->value_length += value.length;
}

/* A field without a value counts as not given, as in the query. */
static void end_field(struct upload *upload)
{
    if (upload->field == UPLOAD_FIELD_FILE) {
        unpacker_end(&upload->file);
        return;
    }
    upload->value[upload->value_length] = '\0';
    if (upload->value_length > 0 &&
        (strlen(upload->value) < upload->value_length ||
         !terms_set(&upload->terms, upload->term, upload->value, &upload->failure))) {
        if (strlen(upload->value) < upload->value_length)
            failure_set(&upload->failure, "%s: a NUL in the value", term_names[upload->term]);
        upload->status = 422;
    }
}

/* Reads the form up to the next piece of the log. Returns whether there was anything to read. */
static bool read_form(struct upload *upload)
{
    struct slice value;
    switch (multipart_read(&upload->multipart, &upload->form, &value)) {
    case MULTIPART_MORE:
        return false;
    case MULTIPART_FIELD:
        begin_field(upload);
        break;
    case MULTIPART_VALUE:
        add_value(upload, value);
        break;
    case MULTIPART_END:
        end_field(upload);
        break;
    case MULTIPART_BAD:
        upload_refuse(upload, 400, "body: byte %llu: the form has %s",
                      (unsigned long long)upload->multipart.offset + 1, upload->multipart.error);
        break;
    }
    return true;
}

/* ---- The body ---- */

static bool read_body(struct upload *upload)
{
    struct slice piece;
    if (!check_unpacker(upload, &upload->body, unpacker_next(&upload->body, &piece)))
        return false;
    if (upload->is_form)
        upload->form = piece;
    else
        unpacker_put(&upload->file, piece.text, piece.length);
    return piece.length > 0;
}

/* All was read: judges by the terms, which are complete. */
static void conclude(struct upload *upload)
{
    const struct terms *terms = &upload->terms;
    upload->concluded = true;
    if (upload->is_form && !multipart_is_complete(&upload->multipart)) {
        upload_refuse(upload, 400,
                      "body: the form ends before its last boundary, behind byte %llu; was it cut "
                      "short?",
                      (unsigned long long)upload->multipart.offset);
        return;
    }
    if (upload->analysis == NULL) {
        upload_refuse(upload, 422,
                      FILE_FIELD ": is missing; send the log as a field of that name, as `curl -F "
                                 "file=@events.json` does");
        return;
    }
    kairos_analysis_judge_by(upload->analysis, &terms->analysis);
    upload->alerts = kairos_analysis_alerts(upload->analysis);
    if (upload->alerts > terms->max_alerts)
        upload_refuse(upload, 422,
                      "max_alerts: %s%llu alerts are more than %llu; raise it (up to %d), or "
                      "interval or allowed_misses",
                      upload->alerts == UINT64_MAX ? "at least " : "",
                      (unsigned long long)upload->alerts, (unsigned long long)terms->max_alerts,
                      TERMS_MAX_ALERTS);
}

void upload_put(struct upload *upload, const char *bytes, size_t size, bool last)
{
    unpacker_put(&upload->body, bytes, size);
    upload->all_put = last;
    if (last)
        unpacker_end(&upload->body);
}

bool upload_step(struct upload *upload)
{
    if (upload->status != 0 || upload->concluded)
        return false;
    if (!upload->log_complete && read_log(upload))
        return true;
    if (upload->status == 0 && upload->is_form && read_form(upload))
        return true;
    if (upload->status == 0 && read_body(upload))
        return true;
    if (upload->status != 0 || !upload->all_put)
        return false;
    if (!upload->is_form && !upload->file.ended) {
        unpacker_end(&upload->file);
        return true;
    }
    conclude(upload);
    return false;
}

uint64_t upload_memory(const struct upload *upload)
{
    uint64_t memory = unpacker_memory(&upload->body) + unpacker_memory(&upload->file);
    return memory + (upload->analysis == NULL ? 0 : kairos_analysis_memory(upload->analysis));
}
