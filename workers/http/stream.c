/* Server-sent events: answers that go on. The form is the WHATWG HTML standard's, section
 * "Server-sent events". Knows nothing of what the events mean. */
#include <event2/buffer.h>
#include <stdlib.h>

#include "server_private.h"

static const char event_stream[] = "text/event-stream";

void http_stream_close(struct http_stream *stream)
{
    struct connection *connection = stream->connection;
    const bool close = stream->close || stream->server->draining;
    if (connection && stream->chunked)
        (void)evbuffer_add(connection_output(connection), "0\r\n\r\n", 5);
    LIST_REMOVE(stream, link);
    loop_timer_free(stream->over);
    free(stream);
    if (connection)
        connection_answered(connection, close);
}

void stream_end(struct http_stream *stream)
{
    stream->closed(stream->context, stream);
    http_stream_close(stream);
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
    reply_send(request, &(struct reply){.status = 200, .content_type = event_stream});
}

static void start(struct http_stream *stream, struct http_request *request)
{
    struct evbuffer *out = connection_output(request->connection);
    stream->connection = request->connection;
    stream->chunked = request->knows_chunks;
    stream->close = request->close || request->server->draining;
    reply_begin(
        stream->server, out,
        &(struct reply){.status = 200, .content_type = event_stream, .close = stream->close});
    (void)evbuffer_add_printf(out, "X-Accel-Buffering: no\r\n%s\r\n",
                              stream->chunked ? "Transfer-Encoding: chunked\r\n" : "");
    connection_streams(stream->connection, stream);
}

struct http_stream *http_stream_start(struct http_request *request,
                                      void (*closed)(void *context, struct http_stream *stream),
                                      void *context)
{
    struct http_stream *stream = memory_new(1, sizeof *stream);
    stream->server = request->server;
    stream->closed = closed;
    stream->context = context;
    stream->known = request->known;
    stream->token = request->token;
    LIST_INSERT_HEAD(&stream->server->streams, stream, link);
    if (request->head)
        start_head(stream, request);
    else
        start(stream, request);
    return stream;
}

static void send_text(struct http_stream *stream, const struct buf *text)
{
    if (!stream->connection)
        return;
    struct evbuffer *out = connection_output(stream->connection);
    if (stream->chunked)
        (void)evbuffer_add_printf(out, "%zx\r\n", text->length);
    (void)evbuffer_add(out, text->data, text->length);
    if (stream->chunked)
        (void)evbuffer_add(out, "\r\n", 2);
    connection_flush(stream->connection);
}

void http_stream_event(struct http_stream *stream, const char *id, const char *event,
                       const char *data)
{
    struct buf text AUTO(buf_release) = {0};
    if (id)
        buf_printf(&text, "id: %s\n", id);
    if (event)
        buf_printf(&text, "event: %s\n", event);
    if (data)
        buf_printf(&text, "data: %s\n", data);
    buf_char(&text, '\n');
    send_text(stream, &text);
}

void http_stream_comment(struct http_stream *stream, const char *text)
{
    struct buf line AUTO(buf_release) = {0};
    buf_printf(&line, ": %s\n\n", text);
    send_text(stream, &line);
}

size_t http_stream_backlog(const struct http_stream *stream)
{
    return stream->connection ? evbuffer_get_length(connection_output(stream->connection)) : 0;
}
