#include "poster.h"
#include "stopwatch.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include <kairos/timestamp.h>

/* A request that takes longer counts as failed. */
#define CONNECT_SECONDS 10
#define REQUEST_SECONDS 30

/* The waiting before the second try, which doubles from try to try up to the longest. */
#define WAIT_FIRST 0.1
#define WAIT_MAX   5.0

/* What an answer may hold; one of Kairós has a few hundred bytes, and as much for each error. */
#define ANSWER_MAX ((size_t)1024 * 1024)

struct answer {
    char *bytes;
    size_t size;
    bool too_long;
};

struct poster {
    const struct poster_options *options;
    char *url; /* with the path */
    CURL *curl;
    struct curl_slist *headers;
    struct answer answer;
    char error[CURL_ERROR_SIZE];
};

enum outcome {
    OUTCOME_DONE,
    OUTCOME_AGAIN, /* it may go better the next time */
    OUTCOME_FAILED,
};

/* The PART of a parsed address, to be freed by curl_free; NULL if it has none. */
static char *url_part(CURLU *parsed, CURLUPart part)
{
    char *text = NULL;
    return curl_url_get(parsed, part, &text, 0) == CURLUE_OK ? text : NULL;
}

static bool url_has(CURLU *parsed, CURLUPart part)
{
    char *text = url_part(parsed, part);
    bool has = text != NULL;
    curl_free(text);
    return has;
}

const char *poster_check_url(const char *url)
{
    const char *wrong = NULL;
    CURLU *parsed = curl_url();
    char *scheme = NULL;
    if (parsed == NULL)
        return "out of memory";
    if (curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK ||
        (scheme = url_part(parsed, CURLUPART_SCHEME)) == NULL ||
        (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
        wrong = "is no address that begins with http:// or https://";
    else if (url_has(parsed, CURLUPART_USER) || url_has(parsed, CURLUPART_PASSWORD))
        wrong = "may not hold a user's name or password";
    else if (url_has(parsed, CURLUPART_QUERY) || url_has(parsed, CURLUPART_FRAGMENT))
        wrong = "may not hold a query or a fragment";
    curl_free(scheme);
    curl_url_cleanup(parsed);
    return wrong;
}

/* Whether the host is this machine itself, whatever a proxy may think. */
static bool is_loopback(const char *host)
{
    static const char suffix[] = ".localhost";
    struct in_addr address;
    size_t length = strlen(host);
    if (inet_pton(AF_INET, host, &address) == 1)
        return ntohl(address.s_addr) >> 24 == 127;
    return strcmp(host, "[::1]") == 0 || strcasecmp(host, suffix + 1) == 0 ||
           (length > strlen(suffix) && strcasecmp(host + length - strlen(suffix), suffix) == 0);
}

static char *join(const char *url, const char *path)
{
    size_t length = strlen(url);
    while (length > 0 && url[length - 1] == '/')
        length--;
    char *joined = malloc(length + strlen(path) + 1);
    if (joined != NULL) {
        memcpy(joined, url, length);
        strcpy(joined + length, path);
    }
    return joined;
}

/* Without a proxy in between where the server is on this machine. */
static bool choose_proxy(struct poster *poster)
{
    CURLU *parsed = curl_url();
    if (parsed == NULL || curl_url_set(parsed, CURLUPART_URL, poster->url, 0) != CURLUE_OK) {
        curl_url_cleanup(parsed);
        return false;
    }
    char *host = url_part(parsed, CURLUPART_HOST);
    bool chosen = host == NULL || !is_loopback(host) ||
                  curl_easy_setopt(poster->curl, CURLOPT_PROXY, "") == CURLE_OK;
    curl_free(host);
    curl_url_cleanup(parsed);
    return chosen;
}

static size_t take_answer(char *bytes, size_t unit, size_t count, void *data)
{
    struct answer *answer = data;
    size_t size = unit * count;
    answer->too_long = size > ANSWER_MAX - answer->size;
    if (answer->too_long)
        return 0;
    memcpy(answer->bytes + answer->size, bytes, size);
    answer->size += size;
    return size;
}

/* Called about once a second while a request is under way. */
static int watch(void *data, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                 curl_off_t up)
{
    const struct poster *poster = data;
    (void)down_total, (void)down, (void)up_total, (void)up;
    return interrupt_count(poster->options->interrupt) >= 2;
}

static bool set_options(struct poster *poster)
{
    CURL *curl = poster->curl;
    poster->headers = curl_slist_append(NULL, "Content-Type: application/json");
    return poster->headers != NULL && choose_proxy(poster) &&
           curl_easy_setopt(curl, CURLOPT_URL, poster->url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, poster->headers) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_USERAGENT, "kairos/" KAIROS_VERSION) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)REQUEST_SECONDS) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, poster->error) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, &poster->answer) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFODATA, poster) == CURLE_OK;
}

struct poster *poster_create(const struct poster_options *options, struct failure *failure)
{
    struct poster *poster = calloc(1, sizeof(*poster));
    if (poster != NULL) {
        poster->options = options;
        poster->url = join(options->url, options->path);
        poster->answer.bytes = malloc(ANSWER_MAX);
        poster->curl = curl_easy_init();
        if (poster->url != NULL && poster->answer.bytes != NULL && poster->curl != NULL &&
            set_options(poster))
            return poster;
    }
    failure_set(failure, "%s: out of memory", options->url);
    poster_destroy(poster);
    return NULL;
}

void poster_destroy(struct poster *poster)
{
    if (poster == NULL)
        return;
    curl_easy_cleanup(poster->curl);
    curl_slist_free_all(poster->headers);
    free(poster->answer.bytes);
    free(poster->url);
    free(poster);
}

/* The request came to nothing. */
static enum outcome fail_request(const struct poster *poster, CURLcode code,
                                 struct failure *failure)
{
    const char *error = poster->error[0] != '\0' ? poster->error : curl_easy_strerror(code);
    if (interrupt_count(poster->options->interrupt) > 0) {
        failure_set(failure, "interrupted");
        return OUTCOME_FAILED;
    }
    if (poster->answer.too_long) {
        failure_set(failure, "%s: the answer is longer than %zu bytes; is this a Kairós server?",
                    poster->url, ANSWER_MAX);
        return OUTCOME_FAILED;
    }
    failure_set(failure, "%s: %s", poster->url, error);
    switch (code) {
    case CURLE_OUT_OF_MEMORY:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return OUTCOME_FAILED;
    default:
        return OUTCOME_AGAIN;
    }
}

/* The server answered with STATUS, and that is no success. */
static enum outcome refuse(const struct poster *poster, long status, const json_t *answer,
                           struct failure *failure)
{
    const char *detail = json_string_value(json_object_get(answer, "detail"));
    char *location = NULL;
    curl_easy_getinfo(poster->curl, CURLINFO_REDIRECT_URL, &location);
    if (location != NULL)
        failure_set(failure, "%s: the server answered %ld, a redirect to %s; name the server there",
                    poster->url, status, location);
    else
        failure_set(failure, "%s: the server answered %ld%s%s", poster->url, status,
                    detail != NULL ? ": " : "", detail != NULL ? detail : "");
    return status >= 500 || status == 429 ? OUTCOME_AGAIN : OUTCOME_FAILED;
}

/* One try. The answer of one that succeeded is in *ANSWER. */
static enum outcome attempt(struct poster *poster, json_t **answer, struct failure *failure)
{
    long status = 0;
    poster->answer.size = 0;
    poster->answer.too_long = false;
    poster->error[0] = '\0';
    CURLcode code = curl_easy_perform(poster->curl);
    if (code != CURLE_OK)
        return fail_request(poster, code, failure);
    curl_easy_getinfo(poster->curl, CURLINFO_RESPONSE_CODE, &status);
    *answer = json_loadb(poster->answer.bytes, poster->answer.size, 0, NULL);
    if (status >= 200 && status < 300) {
        if (json_is_object(*answer))
            return OUTCOME_DONE;
        failure_set(failure, "%s: the answer is no JSON object; is this a Kairós server?",
                    poster->url);
        json_decref(*answer);
        return OUTCOME_FAILED;
    }
    enum outcome outcome = refuse(poster, status, *answer, failure);
    json_decref(*answer);
    return outcome;
}

/* How long to wait for the next try: at least as long as the server asked for, if it did. */
static double next_wait(const struct poster *poster, double wait)
{
    curl_off_t asked = 0;
    curl_easy_getinfo(poster->curl, CURLINFO_RETRY_AFTER, &asked);
    return (double)asked > wait ? (double)asked : wait;
}

/* Logs why the last try failed, and waits. Returns false when there is to be no other. */
static bool wait_again(struct poster *poster, double wait, struct failure *failure)
{
    const struct poster_options *options = poster->options;
    if (interrupt_count(options->interrupt) > 0)
        return failure_set(failure, "interrupted");
    char quoted[4 * sizeof(failure->text) + 3];
    log_quote(quoted, failure->text, strlen(failure->text));
    progress_finish(options->progress);
    log_write(options->log, LOG_WARNING, "retry wait=%.3f reason=%s", wait, quoted);
    return !interrupt_sleep(options->interrupt, wait) || failure_set(failure, "interrupted");
}

json_t *poster_send(struct poster *poster, const char *body, size_t size, struct failure *failure)
{
    double retry_for = (double)poster->options->retry_for / KAIROS_SECOND;
    double begin = stopwatch_seconds(), wait = WAIT_FIRST;
    json_t *answer = NULL;
    curl_easy_setopt(poster->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    curl_easy_setopt(poster->curl, CURLOPT_POSTFIELDS, body);
    for (;;) {
        switch (attempt(poster, &answer, failure)) {
        case OUTCOME_DONE:
            return answer;
        case OUTCOME_FAILED:
            return NULL;
        case OUTCOME_AGAIN:
            break;
        }
        double left = begin + retry_for - stopwatch_seconds();
        if (left <= 0) {
            struct failure last = *failure;
            failure_set(failure, "%s; given up after %.1f s (see --url and --retry-for)", last.text,
                        stopwatch_seconds() - begin);
            return NULL;
        }
        double now = next_wait(poster, wait);
        if (!wait_again(poster, now < left ? now : left, failure))
            return NULL;
        wait = wait * 2 < WAIT_MAX ? wait * 2 : WAIT_MAX;
    }
}
