#include "client.h"
#include "stopwatch.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <curl/curl.h>

#include <kairos/timestamp.h>

/* A connection that takes longer has failed, and, without a timeout, one that pauses for longer. */
#define CONNECT_SECONDS 10
#define SILENCE_SECONDS 30L

/* The waiting before the second try, which doubles from try to try up to the longest. */
#define WAIT_FIRST  0.1
#define WAIT_MAX    5.0

#define UNIX_SCHEME "unix:"

/* What a request to a socket says in "Host:". */
#define UNIX_HOST "http://localhost"

struct client {
    const struct client_options *options;
    CURL *curl;
    char *url; /* with the path of the request */
    struct curl_slist *headers;
    const struct client_request *request;
    char *bytes; /* of the answer, as far as it is kept */
    size_t size;
    size_t capacity;
    bool too_long;
    bool no_memory;
    bool taken; /* the request's own `take` was called, */
    bool ended; /* and has ended it all */
    char error[CURL_ERROR_SIZE];
};

enum outcome {
    OUTCOME_DONE,
    OUTCOME_AGAIN, /* it may go better the next time */
    OUTCOME_REFUSED,
    OUTCOME_FAILED,
};

/* ---- The address ---- */

static bool is_unix(const char *url)
{
    return strncmp(url, UNIX_SCHEME, strlen(UNIX_SCHEME)) == 0;
}

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

static const char *check_unix(const char *path)
{
    static const struct sockaddr_un address;
    if (path[0] != '/')
        return "is no absolute path behind unix:";
    return strlen(path) >= sizeof(address.sun_path) ? "is too long for the path of a socket" : NULL;
}

const char *client_check_url(const char *url)
{
    if (is_unix(url))
        return check_unix(url + strlen(UNIX_SCHEME));
    const char *wrong = NULL;
    CURLU *parsed = curl_url();
    char *scheme = NULL;
    if (parsed == NULL)
        return "out of memory";
    if (curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK ||
        (scheme = url_part(parsed, CURLUPART_SCHEME)) == NULL ||
        (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
        wrong = "is no address that begins with http://, https:// or unix:/";
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
static bool choose_proxy(struct client *client)
{
    const char *url = client->options->url;
    if (is_unix(url))
        return curl_easy_setopt(client->curl, CURLOPT_PROXY, "") == CURLE_OK;
    CURLU *parsed = curl_url();
    if (parsed == NULL || curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK) {
        curl_url_cleanup(parsed);
        return false;
    }
    char *host = url_part(parsed, CURLUPART_HOST);
    bool chosen = host == NULL || !is_loopback(host) ||
                  curl_easy_setopt(client->curl, CURLOPT_PROXY, "") == CURLE_OK;
    curl_free(host);
    curl_url_cleanup(parsed);
    return chosen;
}

/* ---- The answer ---- */

static bool is_success(long status)
{
    return status >= 200 && status < 300;
}

static long status_of(const struct client *client)
{
    long status = 0;
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static size_t answer_max(const struct client *client)
{
    size_t max = client->request->answer_max;
    return max > 0 ? max : CLIENT_ANSWER_MAX;
}

/* Makes room for SIZE further bytes, which an answer may have. */
static bool grow(struct client *client, size_t size)
{
    size_t wanted = client->size + size, capacity = client->capacity;
    if (wanted <= capacity)
        return true;
    while (capacity < wanted)
        capacity = capacity == 0 ? 4096 : capacity * 2;
    char *bytes = realloc(client->bytes, capacity);
    client->no_memory = bytes == NULL;
    if (bytes == NULL)
        return false;
    client->bytes = bytes;
    client->capacity = capacity;
    return true;
}

static size_t take_answer(char *bytes, size_t unit, size_t count, void *data)
{
    struct client *client = data;
    const struct client_request *request = client->request;
    size_t size = unit * count;
    if (request->take != NULL && is_success(status_of(client))) {
        client->taken = true;
        client->ended = !request->take(request->context, bytes, size);
        return client->ended ? 0 : size;
    }
    client->too_long = size > answer_max(client) - client->size;
    if (client->too_long || !grow(client, size))
        return 0;
    memcpy(client->bytes + client->size, bytes, size);
    client->size += size;
    return size;
}

static unsigned interrupts(const struct client *client)
{
    struct interrupt *interrupt = client->options->interrupt;
    return interrupt != NULL ? interrupt_count(interrupt) : 0;
}

/* Called about once a second while a request is under way. */
static int watch(void *data, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                 curl_off_t up)
{
    (void)down_total, (void)down, (void)up_total, (void)up;
    return interrupts(data) >= 2;
}

/* ---- Life ---- */

static bool set_times(CURL *curl, int64_t timeout)
{
    long milliseconds = (long)(timeout / KAIROS_MILLISECOND);
    return curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, milliseconds) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, timeout > 0 ? 0L : SILENCE_SECONDS) ==
               CURLE_OK;
}

static bool set_server(struct client *client)
{
    const struct client_options *options = client->options;
    CURL *curl = client->curl;
    return choose_proxy(client) &&
           (!is_unix(options->url) ||
            curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, options->url + strlen(UNIX_SCHEME)) ==
                CURLE_OK) &&
           (options->cacert == NULL ||
            curl_easy_setopt(curl, CURLOPT_CAINFO, options->cacert) == CURLE_OK);
}

static bool set_options(struct client *client)
{
    CURL *curl = client->curl;
    return set_server(client) && set_times(curl, client->options->timeout) &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_USERAGENT, "kairos/" KAIROS_VERSION) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           /* A name server that does not answer is not waited for beyond the timeout. */
           curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->error) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, client) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFODATA, client) == CURLE_OK;
}

struct client *client_create(const struct client_options *options, struct failure *failure)
{
    struct client *client = calloc(1, sizeof(*client));
    if (client != NULL) {
        client->options = options;
        client->curl = curl_easy_init();
        if (client->curl != NULL && set_options(client))
            return client;
    }
    failure_set(failure, "%s: out of memory", options->url);
    client_destroy(client);
    return NULL;
}

void client_destroy(struct client *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->curl);
    curl_slist_free_all(client->headers);
    free(client->bytes);
    free(client->url);
    free(client);
}

/* ---- One try ---- */

/* Sets METHOD and body. */
static bool set_body(CURL *curl, const struct client_request *request)
{
    if (request->body == NULL)
        return curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK;
    curl_off_t size = (curl_off_t)request->size;
    return curl_easy_setopt(curl, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, size) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body) == CURLE_OK;
}

/* Sets the header with the body's TYPE. */
static bool set_type(struct client *client, const char *type)
{
    char header[128];
    curl_slist_free_all(client->headers);
    client->headers = NULL;
    if (type != NULL) {
        snprintf(header, sizeof(header), "Content-Type: %s", type);
        client->headers = curl_slist_append(NULL, header);
        if (client->headers == NULL)
            return false;
    }
    return curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, client->headers) == CURLE_OK;
}

/* Makes REQUEST the one that is tried. */
static bool set_request(struct client *client, const struct client_request *request)
{
    const char *url = client->options->url;
    free(client->url);
    client->request = request;
    client->taken = client->ended = false;
    client->url = join(is_unix(url) ? UNIX_HOST : url, request->path);
    return client->url != NULL && set_type(client, request->type) &&
           set_body(client->curl, request) &&
           curl_easy_setopt(client->curl, CURLOPT_URL, client->url) == CURLE_OK;
}

/* The request came to nothing, by CODE. */
static enum outcome fail_request(const struct client *client, const char *where, CURLcode code,
                                 struct failure *failure)
{
    const char *error = client->error[0] != '\0' ? client->error : curl_easy_strerror(code);
    if (client->ended) /* whoever ended it has described why */
        return OUTCOME_FAILED;
    if (interrupts(client) > 0) {
        failure_set(failure, "interrupted");
        return OUTCOME_FAILED;
    }
    if (client->too_long) {
        failure_set(failure, "%s: the answer is longer than %zu bytes; is this a Kairós server?",
                    where, answer_max(client));
        return OUTCOME_FAILED;
    }
    if (client->no_memory)
        error = "out of memory";
    failure_set(failure, "%s: %s", where, error);
    switch (code) {
    case CURLE_OUT_OF_MEMORY:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return OUTCOME_FAILED;
    default:
        return client->taken || client->no_memory ? OUTCOME_FAILED : OUTCOME_AGAIN;
    }
}

/* The server answered with STATUS, and that is no success. */
static enum outcome refuse(const struct client *client, const char *where, long status,
                           struct failure *failure)
{
    json_t *answer = json_loadb(client->bytes, client->size, 0, NULL);
    const char *detail = json_string_value(json_object_get(answer, "detail"));
    bool is_kairos = detail != NULL;
    char *location = NULL;
    curl_easy_getinfo(client->curl, CURLINFO_REDIRECT_URL, &location);
    if (location != NULL)
        failure_set(failure, "%s: the server answered %ld, a redirect to %s; name the server there",
                    where, status, location);
    else
        failure_set(failure, "%s: the server answered %ld%s%s", where, status,
                    is_kairos ? ": " : "", is_kairos ? detail : "");
    json_decref(answer);
    if (status >= 500 || status == 429)
        return OUTCOME_AGAIN;
    return status >= 400 && is_kairos ? OUTCOME_REFUSED : OUTCOME_FAILED;
}

static enum outcome attempt(struct client *client, const char *where, struct failure *failure)
{
    client->size = 0;
    client->too_long = client->no_memory = false;
    client->error[0] = '\0';
    CURLcode code = curl_easy_perform(client->curl);
    if (code != CURLE_OK)
        return fail_request(client, where, code, failure);
    long status = status_of(client);
    return is_success(status) ? OUTCOME_DONE : refuse(client, where, status, failure);
}

/* ---- Several ---- */

/* How long to wait for the next try: at least as long as the server asked for, if it did. */
static double next_wait(const struct client *client, double wait)
{
    curl_off_t asked = 0;
    curl_easy_getinfo(client->curl, CURLINFO_RETRY_AFTER, &asked);
    return (double)asked > wait ? (double)asked : wait;
}

static void log_retry(const struct client_options *options, double wait,
                      const struct failure *failure)
{
    char quoted[4 * sizeof(failure->text) + 3];
    if (options->progress != NULL)
        progress_finish(options->progress);
    if (options->log == NULL)
        return;
    log_quote(quoted, failure->text, strlen(failure->text));
    log_write(options->log, LOG_WARNING, "retry wait=%.3f reason=%s", wait, quoted);
}

static void sleep_for(double seconds)
{
    time_t whole = (time_t)seconds;
    nanosleep(
        &(struct timespec){.tv_sec = whole, .tv_nsec = (long)((seconds - (double)whole) * 1e9)},
        NULL);
}

/* Logs why the last try failed, and waits. Returns false when there is to be no other. */
static bool wait_again(struct client *client, double wait, struct failure *failure)
{
    const struct client_options *options = client->options;
    if (interrupts(client) > 0)
        return failure_set(failure, "interrupted");
    log_retry(options, wait, failure);
    if (options->interrupt == NULL)
        sleep_for(wait);
    else if (interrupt_sleep(options->interrupt, wait))
        return failure_set(failure, "interrupted");
    return true;
}

/* Tries until it is settled. WHERE is told to the user. */
static enum outcome try_for_long(struct client *client, const char *where, struct failure *failure)
{
    double retry_for = (double)client->options->retry_for / KAIROS_SECOND;
    double begin = stopwatch_seconds(), wait = WAIT_FIRST;
    for (;;) {
        enum outcome outcome = attempt(client, where, failure);
        if (outcome != OUTCOME_AGAIN)
            return outcome;
        double left = begin + retry_for - stopwatch_seconds();
        if (left <= 0) {
            struct failure last = *failure;
            failure_set(failure, "%s; given up after %.1f s (see --url and --retry-for)", last.text,
                        stopwatch_seconds() - begin);
            return OUTCOME_FAILED;
        }
        double now = next_wait(client, wait);
        if (!wait_again(client, now < left ? now : left, failure))
            return OUTCOME_FAILED;
        wait = wait * 2 < WAIT_MAX ? wait * 2 : WAIT_MAX;
    }
}

/* The server and the path, to be freed; NULL if memory ran out. */
static char *place_of(const struct client *client)
{
    char *where = NULL;
    if (!is_unix(client->options->url))
        return strdup(client->url);
    int length = asprintf(&where, "%s: %s", client->options->url, client->request->path);
    return length < 0 ? NULL : where;
}

static struct client_answer answer_of(const struct client *client)
{
    char *type = NULL;
    curl_easy_getinfo(client->curl, CURLINFO_CONTENT_TYPE, &type);
    return (struct client_answer){
        .status = status_of(client), .bytes = client->bytes, .size = client->size, .type = type};
}

enum client_result client_send(struct client *client, const struct client_request *request,
                               struct client_answer *answer, struct failure *failure)
{
    enum outcome outcome = OUTCOME_FAILED;
    bool set = set_request(client, request);
    char *where = set ? place_of(client) : NULL;
    if (where == NULL)
        failure_set(failure, "%s: out of memory", client->options->url);
    else
        outcome = try_for_long(client, where, failure);
    free(where);
    if (outcome == OUTCOME_DONE)
        *answer = answer_of(client);
    return outcome == OUTCOME_DONE      ? CLIENT_DONE
           : outcome == OUTCOME_REFUSED ? CLIENT_REFUSED
                                        : CLIENT_FAILED;
}

json_t *client_send_json(struct client *client, const struct client_request *request,
                         enum client_result *result, struct failure *failure)
{
    struct client_answer answer;
    json_t *object = NULL;
    enum client_result sent = client_send(client, request, &answer, failure);
    if (sent == CLIENT_DONE) {
        object = json_loadb(answer.bytes, answer.size, 0, NULL);
        if (!json_is_object(object)) {
            failure_set(failure, "%s: the answer is no JSON object; is this a Kairós server?",
                        client->url);
            json_decref(object);
            object = NULL;
            sent = CLIENT_FAILED;
        }
    }
    if (result != NULL)
        *result = sent;
    return object;
}
