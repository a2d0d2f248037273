/* Server-sent events: answers that go on. The form is the WHATWG HTML standard's, section
 * "Server-sent events". Knows nothing of what the events mean. */
#include <event2/buffer.h>
#include <event2/http.h>
#include <stdlib.h>

#include "server_private.h"

void stream_free(struct http_stream *stream)
{
    LIST_REMOVE(stream, link);
    loop_timer_free(stream->over);
    if (stream->buffer)
        evbuffer_free(stream->buffer);
    free(stream);
}

/* The library is given the last of the answer, when there is still a client. */
static void finish(struct http_stream *stream)
{
    struct http_request *request = stream->request;
    stream_free(stream);
    if (!request)
        return;
    struct connection *connection = request->connection;
    struct evhttp_request *event = request->event;
    request->stream = NULL;
    if (connection)
        request->event = NULL;
    request_free(request);
    if (connection) {
        connection_answered(connection, event);
        evhttp_send_reply_end(event);
        connection_flush(connection);
    }
}

void stream_end(struct http_stream *stream)
{
    stream->closed(stream->context, stream);
    finish(stream);
}

static void head_is_over(void *context)
{
    stream_end(context);
}

/* Of a HEAD only the headers: the answer is whole at once, the owner hears of it a turn later. */
static void start_head(struct http_stream *stream, struct http_request *request)
{
    stream->over = loop_timer_new(stream->server->loop, head_is_over, stream);
    loop_timer_set(stream->over, 0);
    reply_send(request, &(struct reply){.status = 200, .content_type = "text/event-stream"});
}

struct http_stream *http_stream_start(struct http_request *request,
                                      void (*closed)(void *context, struct http_stream *stream),
                                      void *context)
{
    struct http_stream *stream = memory_new(1, sizeof *stream);
    stream->server = request->server;
    stream->closed = closed;
    stream->context = context;
    LIST_INSERT_HEAD(&stream->server->streams, stream, link);
    if (request->head || !request->connection) {
        start_head(stream, request);
        return stream;
    }
    stream->buffer = evbuffer_new();
    stream->request = request;
    request->stream = stream;
    if (request->handled) {
        /* A stream is an answer: nobody waits for it to end. */
        request->handled = false;
        request->server->open_requests--;
    }
    reply_common_headers(request, "text/event-stream");
    (void)evhttp_add_header(evhttp_request_get_output_headers(request->event), "X-Accel-Buffering",
                            "no");
    evhttp_send_reply_start(request->event, 200, reply_reason(200));
    connection_streams(request->connection);
    connection_flush(request->connection);
    return stream;
}

static void send_buffer(struct http_stream *stream)
{
    evhttp_send_reply_chunk(stream->request->event, stream->buffer);
    connection_flush(stream->request->connection);
}

void http_stream_event(struct http_stream *stream, const char *id, const char *event,
                       const char *data)
{
    if (!stream->request)
        return;
    if (id)
        (void)evbuffer_add_printf(stream->buffer, "id: %s\n", id);
    if (event)
        (void)evbuffer_add_printf(stream->buffer, "event: %s\n", event);
    if (data)
        (void)evbuffer_add_printf(stream->buffer, "data: %s\n", data);
    (void)evbuffer_add(stream->buffer, "\n", 1);
    send_buffer(stream);
}

void http_stream_comment(struct http_stream *stream, const char *text)
{
    if (!stream->request)
        return;
    (void)evbuffer_add_printf(stream->buffer, ": %s\n\n", text);
    send_buffer(stream);
}

size_t http_stream_backlog(const struct http_stream *stream)
{
    return stream->request ? connection_backlog(stream->request->connection) : 0;
}

void http_stream_close(struct http_stream *stream)
{
    finish(stream);
}
