/* Connections: their sockets, their deadlines, and which request each of them is busy with. Knows
 * nothing of routes and of what requests mean.
 *
 * Nothing is read while a request is being answered, and readiness is unlearnt only if the client
 * sends more meanwhile: in the usual case a request is one recv() and one writev(). */
#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server_private.h"
#include "world.h"

_Static_assert((int)HTTP_HEAD_MAX == (int)GATE_HEAD_MAX, "server.h promises the gate's limit");

enum {
    CONNECTION_MAGIC = 0x62666c77,
    READ_SIZE = 16 * 1024,
    STREAM_READ_AHEAD = 64 * 1024, /* of a client that sends on while it is sent a stream */
    LINGER_MS = 1000,
    LINGERING_MAX = 256
};

enum phase {
    PHASE_READING,
    PHASE_ANSWERING, /* a handler has the request */
    PHASE_STREAMING,
    PHASE_WRITING, /* the answer is whole, but not all of it written */
    PHASE_LINGERING
};

struct connection {
    unsigned magic;
    struct http_server *server;
    int fd;
    struct client_key client;
    bool is_local;
    struct seat *place; /* of its address */
    struct seat *seat;  /* of who asks, while something is answered */
    enum phase phase;
    struct event *readable;
    struct event *writable; /* pending only while something is left to write */
    struct gate *gate;
    struct buf input; /* received, not yet shown to the gate */
    struct evbuffer *output;
    struct http_request *request; /* while answering */
    struct http_stream *stream;   /* while streaming */
    bool begun;                   /* the deadline of a request runs */
    bool close;                   /* behind the answer */
    bool over;                    /* on_readable() is to free it */
    struct loop_timer *timer;
    int64_t expires; /* in ticks; INT64_MAX: never */
    int64_t armed;   /* when the timer fires: at or before `expires` */
    LIST_ENTRY(connection) link;
};

/* The connection behind a callback's pointer. */
static struct connection *checked(void *context)
{
    struct connection *connection = context;
    assert(connection->magic == CONNECTION_MAGIC);
    return connection;
}

void connection_free(struct connection *connection)
{
    struct http_server *server = connection->server;
    LIST_REMOVE(connection, link);
    if (connection->phase == PHASE_LINGERING)
        server->lingering_count--;
    else
        server->connections_count--;
    if (connection->stream) {
        connection->stream->connection = NULL;
        stream_end(connection->stream);
    }
    request_free(connection->request);
    clients_rise(connection->place);
    clients_rise(connection->seat);
    event_free(connection->readable);
    event_free(connection->writable);
    loop_timer_free(connection->timer);
    gate_free(connection->gate);
    buf_release(&connection->input);
    evbuffer_free(connection->output);
    (void)close(connection->fd);
    connection->magic = 0;
    free(connection);
}

/* Frees it in a moment: a handler may be further up the stack. */
static void free_soon(struct connection *connection)
{
    connection->over = true;
    event_active(connection->readable, EV_READ, 0);
}

/* --- Deadlines. The timer is only ever moved forward, and looks again when it fires: a busy
 * connection sets no timer at all. --- */

static void arm(struct connection *connection, int64_t now)
{
    if (connection->expires < connection->armed) {
        connection->armed = connection->expires;
        loop_timer_set(connection->timer, connection->expires - now);
    }
}

static void expires_in(struct connection *connection, int64_t delay_ms)
{
    const int64_t now = world_ticks_ms(world_real());
    connection->expires = now + delay_ms;
    arm(connection, now);
}

static void refuse(struct connection *connection, int status, const char *sentence)
{
    reply_refusal(connection->server, connection, (struct gate_refusal){status, sentence});
}

static void timer_fired(void *context)
{
    struct connection *connection = checked(context);
    const int64_t now = world_ticks_ms(world_real());
    connection->armed = INT64_MAX;
    if (now < connection->expires)
        arm(connection, now);
    else if (connection->phase == PHASE_READING && !gate_is_idle(connection->gate))
        refuse(connection, 408, "The request did not arrive in time");
    else
        connection_free(connection);
}

/* --- From the socket. --- */

static void handle(struct connection *connection, struct buf text)
{
    connection->phase = PHASE_ANSWERING;
    connection->begun = false;
    connection->expires = INT64_MAX;
    connection->request = request_new(connection->server, connection, text);
    request_dispatch(connection->request);
}

static void show_gate(struct connection *connection)
{
    static const char go_ahead[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct buf *input = &connection->input;
    struct buf request = {0};
    size_t used = 0;
    const enum gate_verdict verdict =
        gate_feed(connection->gate, input->data, input->length, &used, &request);
    buf_consume(input, used);
    switch (verdict) {
    case GATE_MORE:
        break;
    case GATE_CONTINUE:
        (void)evbuffer_add(connection->output, go_ahead, sizeof go_ahead - 1);
        connection_flush(connection);
        break;
    case GATE_REQUEST:
        handle(connection, request);
        break;
    case GATE_REFUSED:
        reply_refusal(connection->server, connection, gate_refusal(connection->gate));
        break;
    }
}

/* One request at most: what is left of the input is for later. */
static void take_input(struct connection *connection)
{
    show_gate(connection);
    if (connection->input.length == 0)
        buf_release(&connection->input);
    if (connection->phase == PHASE_READING && !connection->begun &&
        !gate_is_idle(connection->gate)) {
        connection->begun = true;
        expires_in(connection, connection->server->limits.deadline_ms);
    }
}

static void read_some(struct connection *connection)
{
    char data[READ_SIZE] UNINITIALISED;
    const ssize_t count = recv(connection->fd, data, sizeof data, MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) {
        connection_free(connection);
        return;
    }
    if (count < 0 || connection->phase == PHASE_LINGERING)
        return;
    buf_append(&connection->input, data, (size_t)count);
    if (connection->phase == PHASE_READING)
        take_input(connection);
}

static bool may_read(const struct connection *connection)
{
    if (connection->phase == PHASE_STREAMING)
        return connection->input.length < STREAM_READ_AHEAD;
    return connection->phase == PHASE_READING || connection->phase == PHASE_LINGERING;
}

/* Also called without anything to read: by free_soon() and go_on(). */
static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct connection *connection = checked(context);
    (void)fd;
    (void)what;
    if (connection->over && !connection->request)
        connection_free(connection);
    else if (!may_read(connection))
        (void)event_del(connection->readable);
    else if (connection->phase == PHASE_READING && connection->input.length > 0)
        take_input(connection); /* before anything more is read: it may be the end of file */
    else
        read_some(connection);
}

/* --- To the socket. --- */

/* Ready for the next request. */
static void go_on(struct connection *connection)
{
    connection->phase = PHASE_READING;
    (void)event_add(connection->readable, NULL);
    if (connection->input.length > 0)
        event_active(connection->readable, EV_READ, 0);
}

/* Closing a socket with unread bytes in it makes the kernel reset the connection, and the answer is
 * lost on its way. So what the client still sends is read for a moment, and dropped. */
static void linger(struct connection *connection)
{
    struct http_server *server = connection->server;
    if (server->lingering_count >= LINGERING_MAX) {
        free_soon(connection);
        return;
    }
    server->connections_count--;
    server->lingering_count++;
    connection->phase = PHASE_LINGERING;
    (void)shutdown(connection->fd, SHUT_WR);
    (void)event_add(connection->readable, NULL);
    expires_in(connection, LINGER_MS);
}

static bool write_some(struct connection *connection)
{
    if (evbuffer_get_length(connection->output) == 0)
        return true;
    return evbuffer_write(connection->output, connection->fd) >= 0 || errno == EAGAIN ||
           errno == EINTR;
}

void connection_flush(struct connection *connection)
{
    if (connection->over || !write_some(connection)) {
        free_soon(connection);
        return;
    }
    if (evbuffer_get_length(connection->output) > 0) {
        (void)event_add(connection->writable, NULL);
        return;
    }
    (void)event_del(connection->writable);
    if (connection->phase != PHASE_WRITING)
        return;
    if (connection->close)
        linger(connection);
    else
        go_on(connection);
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
    struct connection *connection = checked(context);
    (void)fd;
    (void)what;
    if (connection->phase == PHASE_WRITING)
        expires_in(connection, connection->server->limits.idle_ms);
    connection_flush(connection);
}

struct evbuffer *connection_output(struct connection *connection)
{
    return connection->output;
}

static void request_is_over(struct connection *connection)
{
    request_free(connection->request);
    connection->request = NULL;
}

void connection_answered(struct connection *connection, bool close)
{
    request_is_over(connection);
    clients_rise(connection->seat);
    connection->seat = NULL;
    connection->stream = NULL;
    connection->close = close;
    connection->phase = PHASE_WRITING;
    /* For the client to take it, and then to ask again. */
    expires_in(connection, connection->server->limits.idle_ms);
    connection_flush(connection);
}

void connection_streams(struct connection *connection, struct http_stream *stream)
{
    request_is_over(connection);
    connection->stream = stream;
    connection->phase = PHASE_STREAMING;
    /* The end of file is how the client goes away. */
    (void)event_add(connection->readable, NULL);
    connection_flush(connection);
}

/* --- Begin. --- */

struct client_key connection_client(const struct connection *connection)
{
    return connection->client;
}

bool connection_is_local(const struct connection *connection)
{
    return connection->is_local;
}

void connection_seat(struct connection *connection, struct seat *seat)
{
    connection->seat = seat;
}

/* Through a proxy all clients come from one address: there each is counted when it asks. */
static bool take_place(struct connection *connection)
{
    struct http_server *server = connection->server;
    if (!server->clients || server->admission.behind_proxy)
        return true;
    connection->place =
        clients_sit(server->clients, &connection->client, world_ticks_ms(world_real()));
    return connection->place != NULL;
}

void connection_start(struct http_server *server, int fd, const struct address *peer)
{
    struct event_base *base = loop_base(server->loop);
    struct connection *connection = memory_new(1, sizeof *connection);
    *connection = (struct connection){
        .magic = CONNECTION_MAGIC,
        .server = server,
        .fd = fd,
        .client = client_key_of(peer),
        .is_local = address_is_local(peer),
        .readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, connection),
        .writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, connection),
        .gate = gate_new(request_body_limit, server),
        .output = evbuffer_new(),
        .begun = true, /* the deadline runs from accept */
        .timer = loop_timer_new(server->loop, timer_fired, connection),
        .armed = INT64_MAX,
    };
    assert(connection->readable && connection->writable && connection->output);
    LIST_INSERT_HEAD(&server->connections, connection, link);
    server->connections_count++;
    (void)event_add(connection->readable, NULL);
    expires_in(connection, server->limits.deadline_ms);
    if (!take_place(connection) || server->connections_count > server->limits.connections)
        refuse(connection, 503, "Too many connections; try again");
}
