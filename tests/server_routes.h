/* Routes for the tests of the server: handlers whose context is the fixture. */
#ifndef BOOKFLOW_SERVER_ROUTES_H
#define BOOKFLOW_SERVER_ROUTES_H

#include <string.h>

#include "json_fields.h"
#include "server_harness.h"

#define HOST "Host: a\r\n"
#define END  HOST "\r\n"

#define NOT_FOUND   "{\"error\":\"Not found\"}"
#define NOT_ALLOWED "{\"error\":\"Method not allowed\"}"

/* More than the buffers of two sockets hold. */
enum { LARGE_ANSWER = 15 * 1000 * 1000 };

static const char any_port[] = "127.0.0.1:0";

static inline void reply_words(struct http_request *request, const char *words)
{
    http_reply_text(request, 200, "text/plain", NULL, words, strlen(words));
}

static inline void hello(void *context, struct http_request *request)
{
    (void)context;
    reply_words(request, "hello");
}

static inline void booking(void *context, struct http_request *request)
{
    struct buf words AUTO(buf_release) = {0};
    const char *of = http_request_query(request, "of");
    const char *note = http_request_header(request, "x-note");
    (void)context;
    buf_printf(&words, "%s|%s|%s|%s|%s", http_request_path(request),
               http_request_parameter(request, 0), http_request_parameter(request, 1),
               of ? of : "-", note ? note : "-");
    reply_words(request, buf_text(&words));
}

static inline void echo_json(void *context, struct http_request *request)
{
    struct error error = {0};
    json_t *body = http_request_json(request, &error);
    (void)context;
    if (!body) {
        http_reply_error(request, &error, NULL);
        return;
    }
    http_reply_json(request, 201, body);
}

static inline void length_of(void *context, struct http_request *request)
{
    size_t length = 0;
    const char *body = http_request_body(request, &length);
    (void)context;
    http_reply_json(request, 200,
                    json_pack("{s:i,s:s#}", "length", (int)length, "start", body,
                              length < 5 ? length : (size_t)5));
}

static inline void nothing(void *context, struct http_request *request)
{
    (void)context;
    http_reply_json(request, 204, NULL);
}

static inline void keep(void *context, struct http_request *request)
{
    struct fixture *fixture = context;
    fixture->kept[fixture->kept_count++] = request;
}

static inline void large(void *context, struct http_request *request)
{
    char *body AUTO(memory_release) = memory_new(LARGE_ANSWER, 1);
    (void)context;
    for (size_t i = 0; i < LARGE_ANSWER; i++)
        body[i] = (char)('a' + i % 23);
    http_reply_text(request, 200, "text/plain", NULL, body, LARGE_ANSWER);
}

/* What a handler must never do, and cannot. */
static inline void inject(void *context, struct http_request *request)
{
    (void)context;
    http_reply_text(request, 201, "text/plain\r\nX-Evil: 1", "/a\r\n\r\nX-Evil: 1", "ok", 2);
}

static inline void fail(void *context, struct http_request *request)
{
    struct error error = {.kind = (enum error_kind)atoi(http_request_parameter(request, 0))};
    json_t *extra AUTO(json_release) = json_pack("{s:i}", "more", 1);
    (void)context;
    (void)strcpy(error.text, "It failed");
    http_reply_error(request, &error, extra);
}

static inline void streaming_over(void *context, struct http_stream *stream)
{
    struct fixture *fixture = context;
    cr_assert_eq(stream, fixture->stream);
    fixture->stream = NULL;
    fixture->streams_closed++;
}

static inline void stream(void *context, struct http_request *request)
{
    struct fixture *fixture = context;
    fixture->stream = http_stream_start(request, streaming_over, fixture);
}

static const struct http_route routes[] = {
    {.method = HTTP_GET, .pattern = "/", .handler = hello, .access = HTTP_OPEN},
    {.method = HTTP_GET, .pattern = "/hello", .handler = hello, .access = HTTP_OPEN},
    {.method = HTTP_GET,
     .pattern = "/providers/{id}/bookings/{id}",
     .handler = booking,
     .access = HTTP_OPEN},
    {.method = HTTP_POST, .pattern = "/json", .handler = echo_json, .access = HTTP_OPEN},
    {.method = HTTP_POST, .pattern = "/length", .handler = length_of, .access = HTTP_OPEN},
    {.method = HTTP_PUT, .pattern = "/length", .handler = length_of, .access = HTTP_OPEN},
    {.method = HTTP_POST,
     .pattern = "/bulk",
     .handler = length_of,
     .access = HTTP_OPEN,
     .bulk = true},
    {.method = HTTP_DELETE, .pattern = "/nothing/{id}", .handler = nothing, .access = HTTP_OPEN},
    {.method = HTTP_GET, .pattern = "/keep", .handler = keep, .access = HTTP_OPEN},
    {.method = HTTP_GET, .pattern = "/large", .handler = large, .access = HTTP_OPEN},
    {.method = HTTP_GET, .pattern = "/inject", .handler = inject, .access = HTTP_OPEN},
    {.method = HTTP_GET, .pattern = "/fail/{id}", .handler = fail, .access = HTTP_OPEN},
    {.method = HTTP_GET, .pattern = "/stream", .handler = stream, .access = HTTP_OPEN},
    {.pattern = NULL},
};

#endif
