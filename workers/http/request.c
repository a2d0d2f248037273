/* Requests: made from what the gate lets out, read by handlers, freed when answered. Knows no
 * sockets and writes no answers itself. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "json_fields.h"
#include "server_private.h"

/* --- Reading what the gate let through. --- */

const char *header_find(const char *lines, const char *name)
{
    const size_t length = strlen(name);
    for (const char *line = lines; *line && *line != '\r'; line += strcspn(line, "\r") + 2)
        if (strncasecmp(line, name, length) == 0 && line[length] == ':')
            return line + length + 2;
    return NULL;
}

/* Where the next part goes; NULL: it cannot be decoded. */
static char *decode_part(char *out, const char *text, size_t length)
{
    memcpy(out, text, length);
    out[length] = '\0';
    return percent_decode(out, true) ? out + strlen(out) + 1 : NULL;
}

/* "a=1&b=%20" becomes "a\0" "1\0" "b\0" " \0". */
static void parse_query(struct http_request *request, const char *text, char *out)
{
    request->query = out;
    while (*text) {
        const size_t length = strcspn(text, "&");
        const char *equals = memchr(text, '=', length);
        const size_t name = equals ? (size_t)(equals - text) : length;
        const size_t value = equals ? name + 1 : length;
        char *value_out = decode_part(out, text, name);
        char *next = value_out ? decode_part(value_out, text + value, length - value) : NULL;
        request->malformed = request->malformed || !next;
        out = next ? next : out;
        text += length;
        text += *text == '&';
    }
    request->query_end = out;
}

/* Storage of a request: the segments, the path and the query. Each takes at most the target and a
 * NUL, but the query: two NULs for an argument of one letter and its "&". */
static size_t storage_size(size_t target)
{
    return 4 * (target + 2);
}

/* "METHOD target HTTP/1.x": method and target get a NUL behind them. */
static const char *cut_request_line(char *line)
{
    char *target = line + strcspn(line, " ") + 1;
    target[-1] = '\0';
    target[strcspn(target, " ")] = '\0';
    return target;
}

/* The lines behind the first get NULs for their CRs, so that each header is a text of its own. */
static void cut_headers(struct http_request *request, char *line)
{
    request->headers = line;
    while (*line != '\r') {
        char *end = line + strcspn(line, "\r");
        *end = '\0';
        line = end + 2;
    }
    *line = '\0';
    request->body = line + 2;
    request->body_length = request->text.length - (size_t)(request->body - request->text.data);
}

struct http_request *request_new(struct http_server *server, struct connection *connection,
                                 struct buf text)
{
    char *line_end = text.data + strcspn(text.data, "\r");
    const char *target = cut_request_line(text.data);
    const size_t room = strlen(target) + 2;
    struct http_request *request = memory_new(1, sizeof *request + storage_size(strlen(target)));
    request->server = server;
    request->connection = connection;
    request->text = text;
    request->method = method_of(text.data, &request->head);
    request->knows_chunks = line_end[-1] == '1'; /* HTTP/1.1 */
    cut_headers(request, line_end + 2);
    /* Of all Connection options the gate lets only this one through. */
    request->close = http_request_header(request, "Connection") != NULL;
    if (!path_split(&request->segments, target, request->storage))
        request->segments.count = 0;
    const size_t path_length = strcspn(target, "?");
    request->path = memcpy(request->storage + room, target, path_length);
    (void)percent_decode(request->storage + room, false); /* if it fails, no route has it */
    parse_query(request, target[path_length] ? target + path_length + 1 : "",
                request->storage + 2 * room);
    server->open_requests++;
    return request;
}

void request_free(struct http_request *request)
{
    if (!request)
        return;
    request->server->open_requests--;
    buf_release(&request->text);
    free(request);
}

struct gate_limit request_body_limit(void *context, const char *method, const char *target,
                                     const char *head)
{
    const struct http_server *server = context;
    char storage[GATE_HEAD_MAX] UNINITIALISED;
    struct path path;
    bool only_head = false;
    const enum http_method wanted = method_of(method, &only_head);
    struct route_match match = {.entry = NULL};
    if (path_split(&path, target, storage))
        match = router_match(&server->router, &path, wanted);
    return admission_body_limit(server, match.entry ? match.entry->route : NULL, head);
}

/* --- Dispatch. --- */

static void refuse(struct http_request *request, enum error_kind kind, const char *sentence)
{
    struct error error = {0};
    (void)error_set(&error, kind, "%s", sentence);
    http_reply_error(request, &error, NULL);
}

void request_dispatch(struct http_request *request)
{
    const struct route_match match =
        router_match(&request->server->router, &request->segments, request->method);
    request->route = match.entry ? match.entry->route : NULL;
    if (!admission_admit(request))
        return;
    if (!match.entry && match.methods != 0)
        reply_method_not_allowed(request, match.methods);
    else if (!match.entry)
        refuse(request, ERROR_NOT_FOUND, "Not found");
    else if (request->malformed)
        refuse(request, ERROR_INVALID, "The query cannot be decoded");
    else
        match.entry->route->handler(match.entry->context, request);
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
    const char *found = path_parameter(&request->segments, request->route->pattern, index);
    return found ? found : "";
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
    return header_find(request->headers, name);
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
    if (http_request_header(request, "Content-Encoding")) {
        (void)error_set(error, ERROR_UNSUPPORTED, "The body must not be encoded");
        return NULL;
    }
    if (content_type && !is_json(content_type)) {
        (void)error_set(error, ERROR_UNSUPPORTED, "The body must be application/json");
        return NULL;
    }
    return json_parse_object(request->body, request->body_length, error);
}
