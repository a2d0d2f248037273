/* Answers: headers that every answer has, JSON, errors. Knows nothing of routes. */
#include <event2/buffer.h>
#include <event2/http.h>
#include <stdio.h>
#include <string.h>

#include "json_fields.h"
#include "server_private.h"

static const struct reason {
    int status;
    const char *text;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

const char *reply_reason(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return "Status";
}

static void set_header(struct http_request *request, const char *name, const char *value)
{
    (void)evhttp_add_header(evhttp_request_get_output_headers(request->event), name, value);
}

void reply_common_headers(struct http_request *request, const char *content_type)
{
    if (content_type) {
        set_header(request, "Content-Type", content_type);
        set_header(request, "X-Content-Type-Options", "nosniff");
    }
    set_header(request, "Cache-Control", "no-store");
    if (request->server->draining)
        set_header(request, "Connection", "close");
}

static void set_status_headers(struct http_request *request, const struct reply *reply)
{
    if (reply->location)
        set_header(request, "Location", reply->location);
    if (reply->allow)
        set_header(request, "Allow", reply->allow);
    if (reply->status == 401)
        set_header(request, "WWW-Authenticate", "Bearer");
    if (reply->status == 429 || reply->status == 503)
        set_header(request, "Retry-After", "1");
}

void reply_send(struct http_request *request, const struct reply *reply)
{
    struct connection *connection = request->connection;
    struct evhttp_request *event = request->event;
    if (!connection) {
        request_free(request);
        return;
    }
    reply_common_headers(request, reply->content_type);
    set_status_headers(request, reply);
    if (reply->status != 204) {
        char length[24];
        (void)snprintf(length, sizeof length, "%zu", reply->length);
        set_header(request, "Content-Length", length);
    }
    if (!request->head && reply->length > 0)
        (void)evbuffer_add(evhttp_request_get_output_buffer(event), reply->body, reply->length);
    request->event = NULL;
    request_free(request);
    connection_answered(connection, event);
    evhttp_send_reply(event, reply->status, reply_reason(reply->status), NULL);
    connection_flush(connection);
}

void reply_method_not_allowed(struct http_request *request, unsigned methods)
{
    struct buf allow AUTO(buf_release) = {0};
    static const char body[] = "{\"error\":\"Method not allowed\"}";
    methods_print(methods, &allow);
    reply_send(request, &(struct reply){
                            .status = 405,
                            .content_type = "application/json",
                            .allow = buf_text(&allow),
                            .body = body,
                            .length = sizeof body - 1,
                        });
}

void http_reply_text(struct http_request *request, int status, const char *content_type,
                     const char *location, const char *body, size_t length)
{
    reply_send(request, &(struct reply){
                            .status = status,
                            .content_type = content_type,
                            .location = location,
                            .body = body,
                            .length = length,
                        });
}

static void reply_json(struct http_request *request, int status, const char *content_type,
                       const json_t *body)
{
    struct buf text AUTO(buf_release) = {0};
    json_append(&text, body);
    reply_send(request, &(struct reply){
                            .status = status,
                            .content_type = content_type,
                            .body = buf_text(&text),
                            .length = text.length,
                        });
}

void http_reply_json(struct http_request *request, int status, json_t *body)
{
    if (!body) {
        reply_send(request, &(struct reply){.status = status});
        return;
    }
    reply_json(request, status, "application/json", body);
    json_decref(body);
}

static bool wants_problem(const struct http_request *request)
{
    const char *accept = http_request_header(request, "Accept");
    return accept && strstr(accept, "application/problem+json");
}

void reply_problem(struct http_request *request, int status, const char *sentence,
                   const json_t *extra)
{
    json_t *body AUTO(json_release) = json_object();
    const bool problem = wants_problem(request);
    (void)json_object_set_new(body, "error", json_string(sentence));
    if (problem) {
        (void)json_object_set_new(body, "type", json_string("about:blank"));
        (void)json_object_set_new(body, "title", json_string(reply_reason(status)));
        (void)json_object_set_new(body, "status", json_integer(status));
        (void)json_object_set_new(body, "detail", json_string(sentence));
    }
    if (extra) {
        /* jansson takes no const here, but only reads `extra`. */
        (void)json_object_update_missing(body, (json_t *)(uintptr_t)extra);
    }
    reply_json(request, status, problem ? "application/problem+json" : "application/json", body);
}

void http_reply_error(struct http_request *request, const struct error *error, const json_t *extra)
{
    reply_problem(request, error_policy(error->kind)->http_status, error->text, extra);
}
