#include "self_heartbeat.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "readiness.h"
#include "url_list.h"

/* A try may take so long, in milliseconds, or an interval if that is shorter. */
#define TRY_MAX 10000

/* While something is wrong here, it is looked at so often whether it still is. */
#define LOOK_AGAIN KAIROS_SECOND

/* An address that fails is logged so often. */
#define LOG_PERIOD (10 * KAIROS_MINUTE)

struct watcher {
    char url[URL_SIZE];
    CURL *easy;        /* while it is tried */
    uint64_t failures; /* one after the other */
    int64_t log_next;  /* when a further failure may be logged; monotonic, microseconds */
};

struct self_heartbeat {
    struct self_heartbeat_parts parts;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows up to the condition */
    CURLM *multi; /* made when there is somebody to tell; then the thread's, but for waking */
    char *urls;   /* to be told from now on; NULL for none */
    int64_t interval;
    bool changed;
    bool stopping;
    pthread_cond_t wake;

    /* The thread's own. */
    struct watcher watchers[URL_LIST_MAX];
    size_t count;
};

static int64_t monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * KAIROS_SECOND + now.tv_nsec / 1000;
}

/* ---- What became of a try ---- */

static void note_failure(struct self_heartbeat *self, struct watcher *watcher, const char *error)
{
    char host[256], quoted_host[4 * sizeof(host) + 3], quoted[1024];
    int64_t now = monotonic();
    self->parts.operations->self_failed++;
    watcher->failures++;
    if (watcher->failures > 1 && now < watcher->log_next)
        return;
    watcher->log_next = now + LOG_PERIOD;
    url_host(watcher->url, host, sizeof(host));
    log_quote(quoted_host, host, strlen(host));
    log_quote(quoted, error, strnlen(error, sizeof(quoted) / 4 - 1));
    journal_note(self->parts.journal, LOG_WARNING,
                 "self_heartbeat_failed host=%s failures=%" PRIu64 " error=%s", quoted_host,
                 watcher->failures, quoted);
}

static void note_success(struct self_heartbeat *self, struct watcher *watcher)
{
    char host[256], quoted_host[4 * sizeof(host) + 3];
    self->parts.operations->self_heartbeats++;
    if (watcher->failures == 0)
        return;
    url_host(watcher->url, host, sizeof(host));
    log_quote(quoted_host, host, strlen(host));
    journal_note(self->parts.journal, LOG_INFO, "self_heartbeat_taken host=%s failures=%" PRIu64,
                 quoted_host, watcher->failures);
    watcher->failures = 0;
}

/* The library's own words for what is wrong are said without the address. */
static void end_try(struct self_heartbeat *self, struct watcher *watcher, CURLcode result)
{
    char status_text[64];
    long status = 0;
    curl_easy_getinfo(watcher->easy, CURLINFO_RESPONSE_CODE, &status);
    snprintf(status_text, sizeof(status_text), "the answer was %ld", status);
    if (result != CURLE_OK)
        note_failure(self, watcher, curl_easy_strerror(result));
    else if (status < 200 || status > 299)
        note_failure(self, watcher, status_text);
    else
        note_success(self, watcher);
}

/* ---- Trying ---- */

static size_t throw_away(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

static void begin_try(struct self_heartbeat *self, struct watcher *watcher, int64_t interval)
{
    int64_t patience = interval / KAIROS_MILLISECOND;
    CURL *easy = curl_easy_init();
    watcher->easy = easy;
    if (easy == NULL) {
        note_failure(self, watcher, "out of memory");
        return;
    }
    curl_easy_setopt(easy, CURLOPT_URL, watcher->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, throw_away);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(patience < TRY_MAX ? patience : TRY_MAX));
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L); /* each try shows that all of the way works */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);   /* a look-up that hangs is not waited for */
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "kairos/" KAIROS_VERSION);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, watcher);
    if (curl_multi_add_handle(self->multi, easy) != CURLM_OK)
        note_failure(self, watcher, "out of memory");
}

static void take_results(struct self_heartbeat *self)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(self->multi, &left)) != NULL;) {
        void *watcher = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &watcher);
        if (message->msg == CURLMSG_DONE)
            end_try(self, watcher, message->data.result);
    }
}

static void forget_try(struct self_heartbeat *self, struct watcher *watcher)
{
    if (watcher->easy == NULL)
        return;
    curl_multi_remove_handle(self->multi, watcher->easy);
    curl_easy_cleanup(watcher->easy);
    watcher->easy = NULL;
}

static bool is_stopping(struct self_heartbeat *self)
{
    pthread_mutex_lock(&self->lock);
    bool stopping = self->stopping;
    pthread_mutex_unlock(&self->lock);
    return stopping;
}

/* Tells all watchers, at the same time. */
static void tell_all(struct self_heartbeat *self, int64_t interval)
{
    int running = 1;
    for (size_t i = 0; i < self->count; i++)
        begin_try(self, &self->watchers[i], interval);
    while (running > 0 && !is_stopping(self)) {
        if (curl_multi_perform(self->multi, &running) != CURLM_OK)
            break;
        take_results(self);
        if (running > 0)
            curl_multi_poll(self->multi, NULL, 0, TRY_MAX, NULL);
    }
    for (size_t i = 0; i < self->count; i++)
        forget_try(self, &self->watchers[i]);
}

/* ---- The thread ---- */

static void ignore(void *target, const char *reason)
{
    (void)target;
    (void)reason;
}

static bool is_well(const struct self_heartbeat *self)
{
    return readiness_find(self->parts.context, self->parts.server, ignore, NULL) == READINESS_READY;
}

/*
 * Takes over the addresses that were set; the lock is held. The library is not touched before there
 * is any: most will not have one.
 */
static void take_urls(struct self_heartbeat *self)
{
    const char *at = self->urls != NULL ? self->urls : "";
    self->changed = false;
    for (self->count = 0; self->count < URL_LIST_MAX; self->count++) {
        self->watchers[self->count] = (struct watcher){0};
        if (!url_list_next(&at, self->watchers[self->count].url))
            break;
    }
    if (self->count > 0 && self->multi == NULL) {
        curl_global_init(CURL_GLOBAL_DEFAULT);
        self->multi = curl_multi_init();
    }
    if (self->multi == NULL)
        self->count = 0;
}

/* Waits until TIME, INT64_MAX for ever, or until something changes; the lock is held. */
static void rest(struct self_heartbeat *self, int64_t time)
{
    struct timespec until = {.tv_sec = time / KAIROS_SECOND,
                             .tv_nsec = time % KAIROS_SECOND * 1000};
    int result = 0;
    while (!self->stopping && !self->changed && result == 0) {
        if (time == INT64_MAX)
            pthread_cond_wait(&self->wake, &self->lock);
        else
            result = pthread_cond_timedwait(&self->wake, &self->lock, &until);
    }
}

static void *run(void *argument)
{
    struct self_heartbeat *self = argument;
    int64_t next = INT64_MAX;
    pthread_mutex_lock(&self->lock);
    while (!self->stopping) {
        if (self->changed) {
            take_urls(self);
            next = self->count > 0 ? monotonic() : INT64_MAX;
        }
        int64_t interval = self->interval;
        if (next <= monotonic()) {
            pthread_mutex_unlock(&self->lock);
            bool well = is_well(self);
            int64_t now = monotonic();
            if (well)
                tell_all(self, interval);
            next = now + (well ? interval : LOOK_AGAIN);
            pthread_mutex_lock(&self->lock);
        }
        rest(self, next);
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

/* ---- Life ---- */

static void init_condition(struct self_heartbeat *self)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&self->wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void release(struct self_heartbeat *self)
{
    if (self->multi != NULL)
        curl_multi_cleanup(self->multi);
    pthread_cond_destroy(&self->wake);
    pthread_mutex_destroy(&self->lock);
    free(self->urls);
    free(self);
}

struct self_heartbeat *self_heartbeat_create(const struct self_heartbeat_parts *parts,
                                             struct failure *failure)
{
    struct self_heartbeat *self = calloc(1, sizeof(*self));
    if (self == NULL) {
        failure_set(failure, "out of memory");
        return NULL;
    }
    self->parts = *parts;
    pthread_mutex_init(&self->lock, NULL);
    init_condition(self);
    int error = pthread_create(&self->thread, NULL, run, self);
    if (error == 0) {
        pthread_setname_np(self->thread, "self-heartbeat");
        return self;
    }
    failure_set(failure, "cannot start a thread: %s", strerror(error));
    release(self);
    return NULL;
}

bool self_heartbeat_set(struct self_heartbeat *self, const char *urls, int64_t interval)
{
    char *copy = urls != NULL ? strdup(urls) : NULL;
    if (urls != NULL && copy == NULL)
        return false;
    pthread_mutex_lock(&self->lock);
    bool same = self->interval == interval &&
                strcmp(self->urls != NULL ? self->urls : "", copy != NULL ? copy : "") == 0;
    if (!same) {
        char *before = self->urls;
        self->urls = copy;
        copy = before;
        self->interval = interval;
        self->changed = true;
        pthread_cond_signal(&self->wake);
    }
    pthread_mutex_unlock(&self->lock);
    free(copy);
    return true;
}

void self_heartbeat_destroy(struct self_heartbeat *self)
{
    if (self == NULL)
        return;
    pthread_mutex_lock(&self->lock);
    self->stopping = true;
    pthread_cond_signal(&self->wake);
    if (self->multi != NULL)
        curl_multi_wakeup(self->multi);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
    release(self);
}
