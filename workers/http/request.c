/* Requests: made from what the library hands over, read by handlers, dropped when answered. Knows
 * no sockets and writes no answers itself. */
#include <assert.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "json_fields.h"
#include "server_private.h"

/* --- Reading what the gate let through. --- */

/* "a=1&b=%20" becomes "a\0" "1\0" "b\0" " \0". What cannot be decoded is left out. */
static void parse_query(struct http_request *request, const char *text, char *out)
{
    request->query = out;
    while (*text) {
        const size_t length = strcspn(text, "&");
        const char *equals = memchr(text, '=', length);
        const size_t name = equals ? (size_t)(equals - text) : length;
        const size_t value = equals ? length - name - 1 : 0;
        char *value_out = out + name + 1;
        memcpy(out, text, name);
        out[name] = '\0';
        memcpy(value_out, text + length - value, value);
        value_out[value] = '\0';
        if (percent_decode(out, true) && percent_decode(value_out, true)) {
            /* Decoding shortens: the value moves up to its name. */
            const size_t kept = strlen(out) + 1;
            const size_t value_kept = strlen(value_out) + 1;
            memmove(out + kept, value_out, value_kept);
            out += kept + value_kept;
        }
        text += length;
        text += *text == '&';
    }
    request->query_end = out;
}

/* The decoded path as one text; its segments stay beside it. */
static void join_path(struct http_request *request, char *out)
{
    request->path = out;
    for (size_t i = 0; i < request->segments.count; i++) {
        const size_t length = strlen(request->segments.segments[i]);
        *out++ = '/';
        memcpy(out, request->segments.segments[i], length);
        out += length;
    }
    *out = '\0';
}

/* Storage of a request: the segments, the path and the query. Each takes at most the target and a
 * NUL, but the query: two NULs for an argument of one letter and its "&". */
static size_t storage_size(size_t target)
{
    return 4 * (target + 2);
}

static struct http_request *request_new(struct http_server *server, struct evhttp_request *event,
                                        const char *line)
{
    const char *space = strchr(line, ' ');
    assert(space);
    const char *target = space + 1;
    const size_t room = strlen(target) + 2;
    struct http_request *request = memory_new(1, sizeof *request + storage_size(strlen(target)));
    request->server = server;
    request->event = event;
    request->method = method_of(line, (size_t)(space - line), &request->head);
    if (!path_split(&request->segments, target, request->storage))
        request->segments.count = 0;
    join_path(request, request->storage + room);
    const char *query = strchr(target, '?');
    parse_query(request, query ? query + 1 : "", request->storage + 2 * room);
    LIST_INSERT_HEAD(&server->requests, request, link);
    return request;
}

static void read_body(struct http_request *request)
{
    struct evbuffer *buffer = evhttp_request_get_input_buffer(request->event);
    /* char and unsigned char are the same bytes. */
    const char *body = (const char *)evbuffer_pullup(buffer, -1);
    request->body = body ? body : "";
    request->body_length = evbuffer_get_length(buffer);
}

size_t request_body_limit(void *context, const char *method, const char *target)
{
    const struct http_server *server = context;
    char storage[GATE_HEAD_MAX];
    struct path path;
    bool head = false;
    if (!path_split(&path, target, storage))
        return HTTP_BODY_MAX;
    const enum http_method wanted = method_of(method, strlen(method), &head);
    const struct route_match match = router_match(&server->router, &path, wanted);
    return match.entry && match.entry->route->bulk ? HTTP_BULK_BODY_MAX : HTTP_BODY_MAX;
}

/* --- Dispatch. --- */

static void take_parameters(struct http_request *request, const struct router_entry *entry)
{
    size_t count = 0;
    for (size_t i = 0; i < entry->segments_count; i++) {
        if (entry->segments[i].parameter) {
            assert(count < HTTP_PARAMETERS_MAX);
            request->parameters[count++] = request->segments.segments[i];
        }
    }
}

static void route(struct http_request *request)
{
    struct http_server *server = request->server;
    const struct route_match match =
        router_match(&server->router, &request->segments, request->method);
    if (match.entry) {
        take_parameters(request, match.entry);
        request->handled = true;
        server->open_requests++;
        match.entry->route->handler(match.entry->context, request);
        return;
    }
    if (match.methods != 0) {
        reply_method_not_allowed(request, match.methods);
        return;
    }
    reply_problem(request, 404, "Not found", NULL);
}

/* "400 sentence", written by traffic.c. */
static void refuse(struct http_request *request, const char *refusal)
{
    char *sentence = NULL;
    const long status = strtol(refusal, &sentence, 10);
    reply_problem(request, (int)status, sentence + 1, NULL);
}

void request_arrived(struct http_server *server, struct evhttp_request *event)
{
    struct evkeyvalq *headers = evhttp_request_get_input_headers(event);
    const char *refusal = evhttp_find_header(headers, REFUSAL_HEADER);
    const char *line = refusal ? "GET /" : evhttp_find_header(headers, REQUEST_HEADER);
    assert(line);
    struct http_request *request = request_new(server, event, line);
    request->connection = connection_of(server, event);
    connection_handling(request->connection, request);
    if (refusal) {
        refuse(request, refusal);
        return;
    }
    read_body(request);
    route(request);
}

void request_client_gone(struct http_request *request)
{
    request->connection = NULL;
    if (request->stream)
        stream_end(request->stream);
}

void request_free(struct http_request *request)
{
    if (request->handled)
        request->server->open_requests--;
    if (request->event)
        evhttp_request_free(request->event);
    LIST_REMOVE(request, link);
    free(request);
}

/* --- For handlers. --- */

enum http_method http_request_method(const struct http_request *request)
{
    return request->method;
}

const char *http_request_path(const struct http_request *request)
{
    return request->path;
}

const char *http_request_parameter(const struct http_request *request, size_t index)
{
    assert(index < HTTP_PARAMETERS_MAX);
    return request->parameters[index] ? request->parameters[index] : "";
}

const char *http_request_query(const struct http_request *request, const char *name)
{
    for (const char *at = request->query; at < request->query_end;) {
        const char *value = at + strlen(at) + 1;
        if (strcmp(at, name) == 0)
            return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}

const char *http_request_header(const struct http_request *request, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(request->event), name);
}

const char *http_request_body(const struct http_request *request, size_t *length)
{
    *length = request->body_length;
    return request->body;
}

static bool is_json(const char *content_type)
{
    static const char json[] = "application/json";
    const size_t length = sizeof json - 1;
    return strncasecmp(content_type, json, length) == 0 && strchr(" \t;", content_type[length]);
}

json_t *http_request_json(const struct http_request *request, struct error *error)
{
    const char *content_type = http_request_header(request, "Content-Type");
    if (request->body_length == 0)
        return json_object();
    if (content_type && !is_json(content_type)) {
        (void)error_set(error, ERROR_UNSUPPORTED, "The body must be application/json");
        return NULL;
    }
    return json_parse_object(request->body, request->body_length, error);
}

void http_request_attach(struct http_request *request, void *data)
{
    request->attached = data;
}

void *http_request_attached(const struct http_request *request)
{
    return request->attached;
}
