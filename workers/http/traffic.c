/* The bytes of a connection: from the socket through the gate to the library, one request at a
 * time, and from the library to the socket. Knows nothing of routes and of what requests mean.
 *
 * Why not let the library read and write the socket itself, with the gate as an ordinary filter
 * before it? In libevent 2.1 an answer counts as written once a filter has moved it on, and
 * "Connection: close" then cuts its end off; the library drops a connection at the client's end of
 * file even while the answer is on its way, so a client that has only shut down its sending side
 * gets none; and each request costs four changes of the epoll set. Here nothing is read while a
 * request is being answered, and in the usual case a request is one recv() and one writev(). */
#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <string.h>

#include "connection_private.h"

enum {
    READ_SIZE = 16 * 1024,
    STREAM_READ_AHEAD = 64 * 1024, /* of a client that sends on while it is sent a stream */
    KEPT_PENDING = 1024,
    KEPT_SCRATCH = 128 * 1024
};

/* A rare large text does not keep its memory. */
static void tidy(struct buf *buf, size_t kept)
{
    if (buf->capacity > kept)
        buf_release(buf);
    else
        buf_clear(buf);
}

/* --- Towards the library. --- */

static void show_library(struct connection *connection)
{
    bufferevent_trigger(connection->outer, EV_READ, 0);
}

void traffic_refuse(struct connection *connection, struct gate_refusal refusal)
{
    connection->phase = CONNECTION_CLOSING;
    (void)evbuffer_add_printf(bufferevent_get_input(connection->outer),
                              "POST / HTTP/1.1\r\n" REFUSAL_HEADER
                              ": %d %s\r\nConnection: close\r\n\r\n",
                              refusal.status, refusal.sentence);
    show_library(connection);
}

/* The true request line goes into a header; see server_private.h. */
static void hand_over(struct connection *connection, struct buf *request)
{
    enum { VERSION_LENGTH = sizeof " HTTP/1.1" - 1 };
    struct evbuffer *to = bufferevent_get_input(connection->outer);
    const char *end = strchr(request->data, '\r');
    const char *version = end - VERSION_LENGTH;
    connection->phase = CONNECTION_ANSWERING;
    connection->begun = false;
    connection_expires_never(connection);
    (void)evbuffer_add_printf(to, "POST /%.*s\r\n" REQUEST_HEADER ": ", VERSION_LENGTH, version);
    (void)evbuffer_add(to, request->data, (size_t)(version - request->data));
    (void)evbuffer_add(to, end, request->length - (size_t)(end - request->data));
    tidy(request, KEPT_SCRATCH);
    show_library(connection);
}

static void send_continue(struct connection *connection)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    /* Nothing else is being written now. Should so few bytes not fit into the socket's buffer, the
     * client goes on without after a while (RFC 9110, section 10.1.1). */
    (void)send(connection->fd, text, sizeof text - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void show_gate(struct connection *connection)
{
    struct buf *pending = &connection->pending;
    struct buf *scratch = &connection->server->scratch;
    size_t used = 0;
    const enum gate_verdict verdict =
        gate_feed(connection->gate, pending->data, pending->length, &used, scratch);
    buf_consume(pending, used);
    switch (verdict) {
    case GATE_MORE:
        break;
    case GATE_CONTINUE:
        send_continue(connection);
        break;
    case GATE_REQUEST:
        hand_over(connection, scratch);
        break;
    case GATE_REFUSED:
        traffic_refuse(connection, gate_refusal(connection->gate));
        break;
    }
}

/* All that can be done with what has been received. A request that is answered at once comes back
 * to the reading phase within show_gate(). */
static void take_input(struct connection *connection)
{
    connection->taking = true;
    while (connection->server && connection->phase == CONNECTION_READING &&
           connection->pending.length > 0)
        show_gate(connection);
    connection->taking = false;
    if (!connection->server || connection->phase != CONNECTION_READING)
        return;
    tidy(&connection->pending, KEPT_PENDING);
    if (!connection->begun && !gate_is_idle(connection->gate)) {
        connection->begun = true;
        connection_expires_in(connection, connection->server->limits.deadline_ms);
    }
}

/* --- From the socket. --- */

static void set_reading(struct connection *connection, bool reading)
{
    if (connection->reading == reading)
        return;
    connection->reading = reading;
    if (reading)
        (void)event_add(connection->readable, NULL);
    else
        (void)event_del(connection->readable);
}

static bool has_room(const struct connection *connection)
{
    switch (connection->phase) {
    case CONNECTION_READING:
        return true;
    case CONNECTION_STREAMING:
        return connection->pending.length < STREAM_READ_AHEAD;
    case CONNECTION_NEW:
    case CONNECTION_ANSWERING:
    case CONNECTION_CLOSING:
        break;
    }
    return false;
}

static void read_some(struct connection *connection)
{
    char data[READ_SIZE];
    const ssize_t count = recv(connection->fd, data, sizeof data, MSG_DONTWAIT);
    if (count > 0) {
        buf_append(&connection->pending, data, (size_t)count);
        take_input(connection);
        return;
    }
    if (count == 0 || (errno != EAGAIN && errno != EINTR))
        connection_close(connection);
}

/* Also called without anything to read: by traffic_resume(), and when writing has failed. */
static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct connection *connection = connection_checked(context);
    (void)fd;
    (void)what;
    if (connection->broken) {
        connection_close(connection);
        return;
    }
    if (connection->phase == CONNECTION_READING && connection->pending.length > 0) {
        take_input(connection); /* before anything more is read: it may be the end of file */
        return;
    }
    if (!has_room(connection)) {
        set_reading(connection, false);
        return;
    }
    read_some(connection);
}

void traffic_resume(struct connection *connection)
{
    set_reading(connection, true);
    if (connection->pending.length > 0 && !connection->taking)
        event_active(connection->readable, EV_READ, 0);
}

/* --- To the socket. --- */

/* Writes what it can. The library learns that its answer is written when nothing is left. */
enum bufferevent_filter_result traffic_write(struct evbuffer *from, struct evbuffer *to,
                                             ev_ssize_t limit, enum bufferevent_flush_mode mode,
                                             void *context)
{
    struct connection *connection = connection_checked(context);
    (void)to;
    (void)limit;
    (void)mode;
    /* The library adds an answer in many pieces, and then connection_flush() is called. */
    if (!connection->flushing || connection->broken)
        return BEV_NEED_MORE;
    if (evbuffer_write(from, connection->fd) < 0 && errno != EAGAIN && errno != EINTR) {
        /* Not now: a handler may be further up the stack. */
        connection->broken = true;
        event_active(connection->readable, EV_READ, 0);
        return BEV_NEED_MORE;
    }
    if (evbuffer_get_length(from) > 0) {
        (void)event_add(connection->writable, NULL);
        return BEV_NEED_MORE;
    }
    return BEV_OK;
}

void connection_flush(struct connection *connection)
{
    if (!connection->server)
        return;
    connection->flushing = true;
    (void)bufferevent_flush(connection->outer, EV_WRITE, BEV_NORMAL);
    connection->flushing = false;
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
    struct connection *connection = connection_checked(context);
    (void)fd;
    (void)what;
    if (connection->answered)
        connection_expires_in(connection, connection->server->limits.idle_ms);
    connection_flush(connection);
}

size_t connection_backlog(const struct connection *connection)
{
    return evbuffer_get_length(bufferevent_get_output(connection->outer));
}

/* --- Begin and end. --- */

void traffic_start(struct connection *connection)
{
    struct event_base *base = bufferevent_get_base(connection->outer);
    connection->readable =
        event_new(base, connection->fd, EV_READ | EV_PERSIST, on_readable, connection);
    connection->writable = event_new(base, connection->fd, EV_WRITE, on_writable, connection);
    assert(connection->readable && connection->writable);
    connection->phase = CONNECTION_READING;
    set_reading(connection, true);
}

void traffic_stop(struct connection *connection)
{
    if (connection->readable) {
        event_free(connection->readable);
        event_free(connection->writable);
        connection->readable = connection->writable = NULL;
    }
    buf_release(&connection->pending);
}
