/* Answers: headers that every answer has, JSON, errors. Knows nothing of routes. */
#include <event2/buffer.h>
#include <event2/util.h>
#include <string.h>

#include "json_fields.h"
#include "server_private.h"
#include "world.h"

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

/* For all answers of a second. */
static const char *date(struct http_server *server)
{
    const int64_t now_s = world_wall_ms(world_real()) / 1000;
    if (now_s != server->date_s) {
        server->date_s = now_s;
        (void)evutil_date_rfc1123(server->date, sizeof server->date, NULL);
    }
    return server->date;
}

/* A value that holds the end of a line is cut there: nobody can add a header of his own. */
static void add_header(struct evbuffer *out, const char *name, const char *value)
{
    if (value)
        (void)evbuffer_add_printf(out, "%s: %.*s\r\n", name, (int)strcspn(value, "\r\n"), value);
}

void reply_begin(struct http_server *server, struct evbuffer *out, const struct reply *reply)
{
    const bool later = reply->status == 429 || reply->status == 503;
    (void)evbuffer_add_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\nCache-Control: no-store\r\n",
                              reply->status, reply_reason(reply->status), date(server));
    add_header(out, "Content-Type", reply->content_type);
    add_header(out, "X-Content-Type-Options", reply->content_type ? "nosniff" : NULL);
    add_header(out, "Location", reply->location);
    add_header(out, "Allow", reply->allow);
    add_header(out, "WWW-Authenticate", reply->status == 401 ? "Bearer" : NULL);
    add_header(out, "Retry-After", later ? "1" : NULL);
    add_header(out, "Connection", reply->close ? "close" : NULL);
}

static void answer(struct http_server *server, struct connection *connection,
                   const struct reply *reply)
{
    struct evbuffer *out = connection_output(connection);
    reply_begin(server, out, reply);
    if (reply->status != 204)
        (void)evbuffer_add_printf(out, "Content-Length: %zu\r\n", reply->length);
    (void)evbuffer_add(out, "\r\n", 2);
    if (!reply->head && reply->length > 0)
        (void)evbuffer_add(out, reply->body, reply->length);
    connection_answered(connection, reply->close);
}

void reply_send(struct http_request *request, const struct reply *reply)
{
    struct reply whole = *reply;
    whole.head = request->head;
    whole.close = request->close || request->server->draining;
    answer(request->server, request->connection, &whole);
}

void reply_refusal(struct http_server *server, struct connection *connection,
                   struct gate_refusal refusal)
{
    struct buf body AUTO(buf_release) = {0};
    buf_printf(&body, "{\"error\":\"%s\"}", refusal.sentence); /* ours: needs no escapes */
    answer(server, connection,
           &(struct reply){
               .status = refusal.status,
               .content_type = "application/json",
               .body = buf_text(&body),
               .length = body.length,
               .close = true,
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

/* `reply` says all but the body. */
static void reply_json(struct http_request *request, const struct reply *reply, const json_t *body)
{
    struct buf text AUTO(buf_release) = {0};
    struct reply whole = *reply;
    json_append(&text, body);
    whole.body = buf_text(&text);
    whole.length = text.length;
    reply_send(request, &whole);
}

void http_reply_json(struct http_request *request, int status, json_t *body)
{
    if (!body) {
        reply_send(request, &(struct reply){.status = status});
        return;
    }
    reply_json(request, &(struct reply){.status = status, .content_type = "application/json"},
               body);
    json_decref(body);
}

static bool wants_problem(const struct http_request *request)
{
    const char *accept = http_request_header(request, "Accept");
    return accept && strstr(accept, "application/problem+json");
}

static void reply_problem(struct http_request *request, const struct reply *reply,
                          const char *sentence, json_t *extra)
{
    json_t *body AUTO(json_release) = json_object();
    struct reply whole = *reply;
    whole.content_type = "application/json";
    (void)json_object_set_new(body, "error", json_string(sentence));
    if (wants_problem(request)) {
        whole.content_type = "application/problem+json";
        (void)json_object_set_new(body, "type", json_string("about:blank"));
        (void)json_object_set_new(body, "title", json_string(reply_reason(reply->status)));
        (void)json_object_set_new(body, "status", json_integer(reply->status));
        (void)json_object_set_new(body, "detail", json_string(sentence));
    }
    (void)json_object_update_missing(body, extra); /* NULL changes nothing */
    reply_json(request, &whole, body);
}

void reply_method_not_allowed(struct http_request *request, unsigned methods)
{
    struct buf allow AUTO(buf_release) = {0};
    methods_print(methods, &allow);
    reply_problem(request, &(struct reply){.status = 405, .allow = buf_text(&allow)},
                  "Method not allowed", NULL);
}

void http_reply_error(struct http_request *request, const struct error *error, json_t *extra)
{
    reply_problem(request, &(struct reply){.status = error_policy(error->kind)->http_status},
                  error->text, extra);
}
