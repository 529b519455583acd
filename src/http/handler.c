#include "handler.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "answer.h"
#include "connection.h"
#include "forwarded.h"
#include "server.h"
#include "tls.h"
#include "worker.h"

/*
 * Memory of a connection: its headers, and what a read can take at a time. Up to this size the
 * library takes it from malloc; above, each connection would cost a mapping.
 */
#define CONNECTION_MEMORY (32 * 1024)

/*
 * Seconds after which a connection is closed that takes nothing of its answer. The library counts
 * so while it reads as well, where the worker's own deadlines come first.
 */
#define INACTIVITY_TIMEOUT 30

/*
 * Parameters of a query for which a connection's memory has room in any case. Where there is none
 * the library gives the request up, and closes the connection only when something happens to it.
 */
#define PARAMETERS_MAX 256

/* Fields X-Forwarded-For that are looked at; each proxy adds to one, or adds one. */
#define FORWARDED_MAX 16

/* The status in the log of a request whose client left ahead of the answer; nginx's word for it. */
#define STATUS_LEFT 499

static struct request *take_request(struct worker *worker, struct connection *from)
{
    struct request *request = worker->spare_requests;
    if (request != NULL)
        worker->spare_requests = request->next;
    else
        request = malloc(sizeof(*request));
    if (request == NULL)
        return NULL;
    worker->under_way++;
    *request = (struct request){.worker = worker, .context = worker->context, .from = from};
    from->request = request;
    return request;
}

static void give_request(struct request *request)
{
    struct worker *worker = request->worker;
    request_forget(request);
    request->from->request = NULL;
    parking_forget(&worker->parking, request);
    request->next = worker->spare_requests;
    worker->spare_requests = request;
    worker->under_way--;
}

/* Whether the headers promise more than the endpoint takes. */
static bool promises_too_much(const struct request *request)
{
    uint64_t max = request_body_max(request);
    const struct fields *fields = &request->fields;
    return max > 0 && fields->lengths > 0 && strtoull(fields->length.text, NULL, 10) > max;
}

static enum MHD_Result add_field(void *context, enum MHD_ValueKind kind, const char *name,
                                 size_t name_length, const char *value, size_t value_length)
{
    (void)kind;
    fields_add(context, (struct slice){name, name_length},
               (struct slice){value == NULL ? "" : value, value_length});
    return MHD_YES;
}

/*
 * The headers are complete. Nothing is answered yet, since that would close the connection; which
 * is what is wanted if a body is announced that nobody wants to read.
 */
static enum MHD_Result begin(struct worker *worker, struct MHD_Connection *connection,
                             const char *path, const char *method, const char *version,
                             void **state)
{
    struct connection *from =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    struct request *request = from == NULL ? NULL : take_request(worker, from);
    if (request == NULL)
        return MHD_NO;
    *state = request;
    request->connection = connection;
    request->began = clock_now(worker->context->clock);
    connection_await(from, AWAITED_BODY, request->began);
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, add_field, &request->fields);
    request->path = path;
    request->method = method_parse(method);
    request->route = router_find(request->method, path);
    const char *wrong = fields_wrong(&request->fields, strcmp(version, MHD_HTTP_VERSION_1_0) == 0);
    if (wrong != NULL)
        answer_malformed(request, wrong);
    else if (promises_too_much(request))
        answer_too_long(request);
    else
        return MHD_YES;
    return request->queued ? MHD_YES : MHD_NO;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *piece,
                              size_t *size, void **state)
{
    struct worker *worker = context;
    struct request *request = *state;
    if (request == NULL)
        return begin(worker, connection, path, method, version, state);
    if (request->abandoned)
        return MHD_NO;
    if (*size > 0) {
        /* What was answered already is not read. */
        bool go_on = request->queued || request_take(request, piece, *size);
        *size = 0;
        return go_on ? MHD_YES : MHD_NO;
    }
    connection_await(request->from, AWAITED_NOTHING, request->began);
    if (!request->queued)
        request_answer(request);
    return request->queued || request->parked ? MHD_YES : MHD_NO;
}

/* Values of X-Forwarded-For: the last ones that came, in a ring. */
struct forwarding {
    const struct networks *trusted;
    struct slice values[FORWARDED_MAX];
    size_t count; /* of all that came */
};

static enum MHD_Result add_forwarded(void *context, enum MHD_ValueKind kind, const char *name,
                                     size_t name_length, const char *value, size_t value_length)
{
    struct forwarding *forwarding = context;
    (void)kind;
    if (field_is((struct slice){name, name_length}, "X-Forwarded-For"))
        forwarding->values[forwarding->count++ % FORWARDED_MAX] =
            (struct slice){value == NULL ? "" : value, value_length};
    return MHD_YES;
}

/* Puts the client ahead of PROXIES that are trusted into *IP. */
static void find_client(const struct request *request, struct ip *ip)
{
    struct forwarding forwarding = {.trusted =
                                        &server_limits(request->worker->server)->trusted_proxies};
    MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, add_forwarded, &forwarding);
    size_t kept = forwarding.count < FORWARDED_MAX ? forwarding.count : FORWARDED_MAX;
    for (size_t i = 1; i <= kept; i++) {
        if (!forwarded_read(forwarding.values[(forwarding.count - i) % FORWARDED_MAX],
                            forwarding.trusted, ip))
            break;
    }
}

static const char *client_of(const struct request *request, char text[IP_TEXT_SIZE])
{
    struct connection *from = request->from;
    struct ip ip = from->ip;
    if (!from->trusted || !request->fields.forwarded)
        return connection_address(from);
    find_client(request, &ip);
    if (memcmp(&ip, &from->ip, sizeof(ip)) == 0) /* it does not say */
        return connection_address(from);
    ip_format(&ip, text);
    return text;
}

static void log_access(struct request *request, int64_t now)
{
    struct worker *worker = request->worker;
    struct access_log *log = server_access_log(worker->server);
    char text[IP_TEXT_SIZE];
    if (log == NULL || !access_log_wants(log))
        return;
    const struct access access = {
        .method = method_name(request->method),
        .path = request->path,
        .status = request->status == 0 ? STATUS_LEFT : request->status,
        .bytes = request->method == METHOD_HEAD ? 0 : request->sent,
        .duration = now - request->began,
        .address = client_of(request, text),
        .id = request_id(request),
    };
    access_log_add(log, &worker->access, &access, clock_to_wall(worker->context->clock, now));
}

/* The one place that every request comes through in the end, whatever has become of it. */
static void finish(struct request *request, int64_t now)
{
    struct worker *worker = request->worker;
    traffic_count(&worker->traffic, request->route.number, request->status, now - request->began);
    log_access(request, now);
    connection_await(request->from, AWAITED_HEADERS, now);
    give_request(request);
}

static void completed(void *context, struct MHD_Connection *connection, void **state,
                      enum MHD_RequestTerminationCode code)
{
    const struct worker *worker = context;
    (void)connection;
    (void)code;
    if (*state != NULL)
        finish(*state, clock_now(worker->context->clock));
    *state = NULL;
}

/* The connection that the worker has just handed over begins. */
static struct connection *begin_connection(struct worker *worker, struct MHD_Connection *handle)
{
    struct connection *connection = worker->arriving;
    worker->arriving = NULL;
    if (connection == NULL || connection->tls.identity == NULL)
        return connection;
    tls_attach(&connection->tls,
               MHD_get_connection_info(handle, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session);
    handshake_begin(connection, handle);
    return connection;
}

/* A connection, of which *STATE is what the worker keeps, begins or has ended. */
static void note_connection(void *context, struct MHD_Connection *handle, void **state,
                            enum MHD_ConnectionNotificationCode code)
{
    struct worker *worker = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *state = begin_connection(worker, handle);
    else if (*state != NULL)
        connection_give(*state);
}

/* Leaves escapes as they are: router and query decode them, and refuse the wrong ones. */
static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

/*
 * Looks at the target of a request before the library does. With too many parameters nothing more
 * is read: an answer that is possible still goes out, and then the connection is closed.
 */
static void *look_at_target(void *context, const char *target, struct MHD_Connection *connection)
{
    size_t count = 0;
    (void)context;
    for (const char *at = target; (at = strchr(at, '&')) != NULL; at++)
        count++;
    if (count >= PARAMETERS_MAX)
        shutdown(MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
                 SHUT_RD);
    return NULL;
}

/* What the library has to say is about clients that misbehave. */
static void __attribute__((format(printf, 2, 0)))
log_message(void *context, const char *format, va_list arguments)
{
    const struct worker *worker = context;
    char text[512], quoted[4 * sizeof(text) + 3];
    int length = vsnprintf(text, sizeof(text), format, arguments);
    if (length < 0)
        return;
    text[strcspn(text, "\n")] = '\0';
    log_quote(quoted, text, strlen(text));
    log_write(worker->context->log, LOG_DEBUG, "http message=%s", quoted);
}

struct MHD_Daemon *handler_start(struct worker *worker, bool tls, unsigned connections)
{
    const struct server_limits *limits = server_limits(worker->server);
    int64_t time = limits->header_timeout > limits->body_timeout ? limits->header_timeout
                                                                 : limits->body_timeout;
    unsigned timeout = INACTIVITY_TIMEOUT + (unsigned)(time / KAIROS_SECOND);
    const struct MHD_OptionItem options_tls[] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)identity_show},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
            (tls ? MHD_USE_TLS : 0),
        0, NULL, NULL, handle, worker, MHD_OPTION_EXTERNAL_LOGGER, log_message, worker,
        MHD_OPTION_NOTIFY_COMPLETED, completed, worker, MHD_OPTION_NOTIFY_CONNECTION,
        note_connection, worker, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, look_at_target, NULL, MHD_OPTION_CONNECTION_LIMIT, connections,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, timeout, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_ARRAY, tls ? options_tls : options_tls + 2, MHD_OPTION_END);
}

void handler_stop(struct worker *worker)
{
    for (unsigned i = 0; i < DAEMONS_MAX; i++) {
        if (worker->daemons[i] != NULL)
            MHD_stop_daemon(worker->daemons[i]);
        worker->daemons[i] = NULL;
    }
    connections_free(worker->spare_connections);
    worker->spare_connections = NULL;
    for (struct request *request; (request = worker->spare_requests) != NULL;) {
        worker->spare_requests = request->next;
        free(request);
    }
}
