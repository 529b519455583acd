#include "services.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "client.h"
#include "output_file.h"
#include "services_options.h"
#include "status.h"

/* A file to import is read as a whole; no server takes more. */
#define IMPORT_MAX ((size_t)256 * 1024 * 1024)

/* ---- Export ---- */

struct sink {
    FILE *stream;
    const char *name;
    struct failure *failure;
};

static bool take(void *context, const char *piece, size_t size)
{
    const struct sink *sink = context;
    return fwrite(piece, 1, size, sink->stream) == size ||
           failure_set_write(sink->failure, sink->name);
}

/* Whether what came is an export, and not the page of somebody who says 200 to everything. */
static bool is_export(const struct client_answer *answer, const char *format)
{
    return answer->type != NULL && strstr(answer->type, format) != NULL;
}

/* Fetches the services into SINK. */
static bool fetch(const struct services_options *options, struct client *client, struct sink *sink,
                  struct failure *failure)
{
    const char *const more[][2] = {{"format", options->format}};
    char *path = criteria_path(&options->criteria, "/api/v1/export", more, 1);
    if (path == NULL)
        return failure_set(failure, "out of memory");
    const struct client_request request = {
        .method = "GET", .path = path, .take = take, .context = sink};
    struct client_answer answer;
    bool done = client_send(client, &request, &answer, failure) == CLIENT_DONE;
    if (done && !is_export(&answer, options->format))
        done = failure_set(failure, "%s%s: the answer is none of a Kairós server",
                           options->client.url, path);
    free(path);
    return done;
}

static bool export_to_file(const struct services_options *options, struct client *client,
                           struct failure *failure)
{
    struct output_file file;
    if (!output_file_open(&file, options->output, failure))
        return false;
    struct sink sink = {.stream = file.stream, .name = options->output, .failure = failure};
    if (fetch(options, client, &sink, failure))
        return output_file_commit(&file, failure);
    output_file_discard(&file);
    return false;
}

static bool export(const struct services_options *options, struct client *client,
                   struct failure *failure)
{
    struct sink sink = {.stream = stdout, .name = "standard output", .failure = failure};
    return options->output != NULL ? export_to_file(options, client, failure)
                                   : fetch(options, client, &sink, failure);
}

/* ---- Import ---- */

/* A file in memory. */
struct content {
    char *bytes;
    size_t size;
    size_t capacity;
};

static bool grow(struct content *content)
{
    size_t capacity = content->capacity == 0 ? 65536 : content->capacity * 2;
    char *bytes = realloc(content->bytes, capacity);
    if (bytes == NULL)
        return false;
    content->bytes = bytes;
    content->capacity = capacity;
    return true;
}

static bool read_all(struct content *content, int fd, const char *name, struct failure *failure)
{
    for (ssize_t size;; content->size += (size_t)size) {
        if (content->size == content->capacity && !grow(content))
            return failure_set(failure, "%s: out of memory", name);
        size = read(fd, content->bytes + content->size, content->capacity - content->size);
        if (size == 0)
            return true;
        if (size < 0 && errno == EINTR)
            size = 0;
        else if (size < 0)
            return failure_set(failure, "cannot read %s: %s", name, strerror(errno));
        if (content->size + (size_t)size > IMPORT_MAX)
            return failure_set(failure, "%s: longer than %zu MiB; import it in parts", name,
                               IMPORT_MAX / 1024 / 1024);
    }
}

static bool read_file(struct content *content, const char *path, struct failure *failure)
{
    if (strcmp(path, "-") == 0)
        return read_all(content, STDIN_FILENO, "standard input", failure);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return failure_set(failure, "cannot read %s: %s", path, strerror(errno));
    bool done = read_all(content, fd, path, failure);
    close(fd);
    return done;
}

/* JSON begins with a bracket; all else that the server reads is YAML. */
static const char *type_of(const struct content *content)
{
    size_t i = 0;
    while (i < content->size && memchr(" \t\r\n", content->bytes[i], 4) != NULL)
        i++;
    bool json = i < content->size && (content->bytes[i] == '{' || content->bytes[i] == '[');
    return json ? "application/json" : "application/yaml";
}

/* Prints the counts that the server gives: "created 3, updated 1, unchanged 0". */
static void print_counts(json_t *answer)
{
    const char *key, *separator = "";
    json_t *value;
    json_object_foreach(answer, key, value)
    {
        if (!json_is_integer(value))
            continue;
        printf("%s%s %" JSON_INTEGER_FORMAT, separator, key, json_integer_value(value));
        separator = ", ";
    }
    putchar('\n');
}

static bool post(const struct content *content, struct client *client, struct failure *failure)
{
    const struct client_request request = {
        .method = "POST",
        .path = "/api/v1/import",
        .type = type_of(content),
        .body = content->size > 0 ? content->bytes : "",
        .size = content->size,
    };
    json_t *answer = client_send_json(client, &request, NULL, failure);
    if (answer == NULL)
        return false;
    print_counts(answer);
    json_decref(answer);
    return true;
}

static bool import(const struct services_options *options, struct client *client,
                   struct failure *failure)
{
    struct content content = {0};
    bool done = read_file(&content, options->file, failure) && post(&content, client, failure);
    free(content.bytes);
    return done;
}

int services_command(int argc, char **argv)
{
    struct services_options options;
    struct failure failure;
    services_options_parse(&options, argc, argv);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct client *client = client_create(&options.client, &failure);
    bool done =
        client != NULL && (options.action == SERVICES_EXPORT ? export(&options, client, &failure)
                                                             : import(&options, client, &failure));
    if (!done)
        failure_print(&failure);
    client_destroy(client);
    curl_global_cleanup();
    return done ? STATUS_DONE : STATUS_FAILED;
}
