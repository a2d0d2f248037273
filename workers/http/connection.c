/* Connections: their life, their deadlines, and which request each of them is busy with. Knows
 * nothing of bytes (traffic.c), of routes and of what requests mean. */
#include <assert.h>
#include <event2/http.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "connection_private.h"
#include "world.h"

_Static_assert((int)HTTP_HEAD_MAX == (int)GATE_HEAD_MAX, "server.h promises the gate's limit");

enum { CONNECTION_MAGIC = 0x62666c77 };

struct connection *connection_checked(void *context)
{
    struct connection *connection = context;
    assert(connection->magic == CONNECTION_MAGIC);
    return connection;
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

void connection_expires_in(struct connection *connection, int64_t delay_ms)
{
    const int64_t now = world_ticks_ms(world_real());
    connection->expires = now + delay_ms;
    arm(connection, now);
}

void connection_expires_never(struct connection *connection)
{
    connection->expires = INT64_MAX;
}

static void refuse(struct connection *connection, int status, const char *sentence)
{
    connection_expires_in(connection, connection->server->limits.idle_ms);
    traffic_refuse(connection, (struct gate_refusal){.status = status, .sentence = sentence});
}

static void expired(struct connection *connection)
{
    if (connection->phase == CONNECTION_READING && !gate_is_idle(connection->gate)) {
        refuse(connection, 408, "The request did not arrive in time");
        return;
    }
    connection_close(connection);
}

/* --- Life and death. --- */

/* The library tells us no more of a request's connection than its socket. */
static void remember_fd(struct connection *connection)
{
    struct http_server *server = connection->server;
    connection->fd = bufferevent_getfd(connection->holder);
    assert(connection->fd >= 0);
    const size_t index = (size_t)connection->fd;
    if (index >= server->by_fd_count) {
        const size_t count = (index + 1) * 2;
        server->by_fd = memory_resize(server->by_fd, count, sizeof(struct connection *));
        memset(server->by_fd + server->by_fd_count, 0,
               (count - server->by_fd_count) * sizeof(struct connection *));
        server->by_fd_count = count;
    }
    server->by_fd[index] = connection;
}

static void start(struct connection *connection)
{
    const struct http_limits *limits = &connection->server->limits;
    remember_fd(connection);
    traffic_start(connection);
    connection->begun = true; /* the deadline runs from accept */
    connection_expires_in(connection, limits->deadline_ms);
    if (connection->server->connections_count > limits->connections)
        refuse(connection, 503, "Too many connections; try again");
}

static void timer_fired(void *context)
{
    struct connection *connection = connection_checked(context);
    const int64_t now = world_ticks_ms(world_real());
    connection->armed = INT64_MAX;
    if (connection->phase == CONNECTION_NEW) {
        start(connection);
        return;
    }
    if (now < connection->expires) {
        arm(connection, now);
        return;
    }
    expired(connection);
}

void connection_close(struct connection *connection)
{
    bufferevent_trigger_event(connection->outer, BEV_EVENT_READING | BEV_EVENT_EOF, 0);
}

void connection_detach(struct connection *connection)
{
    struct http_server *server = connection->server;
    if (!server)
        return;
    connection->server = NULL;
    LIST_REMOVE(connection, link);
    server->connections_count--;
    if (connection->fd >= 0)
        server->by_fd[connection->fd] = NULL;
    traffic_stop(connection);
    loop_timer_free(connection->timer);
    gate_free(connection->gate);
    struct http_request *request = connection->request;
    connection->request = NULL;
    if (request)
        request_client_gone(request);
}

/* The library is about to free its connection. */
static void library_closes(struct evhttp_connection *http, void *context)
{
    (void)http;
    connection_detach(connection_checked(context));
}

/* The last of the filter; in a later turn of the loop than library_closes(). It is all there is for
 * a connection that never had a request. */
static void filter_freed(void *context)
{
    struct connection *connection = connection_checked(context);
    connection_detach(connection);
    if (connection->answered)
        evhttp_request_free(connection->answered);
    connection->magic = 0;
    free(connection);
}

/* What the library holds is a filter above a socket that is never read or written there. */
static void make_ends(struct connection *connection)
{
    struct event_base *base = loop_base(connection->server->loop);
    connection->holder = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    connection->outer = bufferevent_filter_new(connection->holder, NULL, traffic_write,
                                               BEV_OPT_CLOSE_ON_FREE, filter_freed, connection);
    assert(connection->outer);
    (void)bufferevent_disable(connection->holder, EV_READ | EV_WRITE);
}

struct bufferevent *connection_new(struct http_server *server)
{
    struct connection *connection = memory_new(1, sizeof *connection);
    *connection = (struct connection){
        .magic = CONNECTION_MAGIC,
        .server = server,
        .gate = gate_new(request_body_limit, server),
        .fd = -1,
        .armed = INT64_MAX,
    };
    make_ends(connection);
    connection->timer = loop_timer_new(server->loop, timer_fired, connection);
    LIST_INSERT_HEAD(&server->connections, connection, link);
    server->connections_count++;
    /* The library sets the socket after this, and tells nobody. */
    connection_expires_in(connection, 0);
    return connection->outer;
}

/* --- One request. --- */

struct connection *connection_of(struct http_server *server, struct evhttp_request *event)
{
    struct evhttp_connection *http = evhttp_request_get_connection(event);
    struct bufferevent *outer = evhttp_connection_get_bufferevent(http);
    const int fd = bufferevent_getfd(bufferevent_get_underlying(outer));
    assert(fd >= 0 && (size_t)fd < server->by_fd_count);
    struct connection *connection = connection_checked(server->by_fd[fd]);
    assert(connection->outer == outer);
    return connection;
}

/* The library finished writing the answer; what it does next follows from "Connection: close". */
static void library_has_written(struct evhttp_request *event, void *context)
{
    struct connection *connection = connection_checked(context);
    (void)event; /* freed by the library from here on */
    connection->answered = NULL;
    if (!connection->server)
        return;
    if (connection->phase == CONNECTION_CLOSING) {
        const int fd = fcntl(connection->fd, F_DUPFD_CLOEXEC, 0);
        if (fd >= 0)
            lingering_start(connection->server, fd);
        return;
    }
    connection->phase = CONNECTION_READING;
    traffic_resume(connection);
}

void connection_handling(struct connection *connection, struct http_request *request)
{
    connection->request = request;
    evhttp_connection_set_closecb(evhttp_request_get_connection(request->event), library_closes,
                                  connection);
    /* Otherwise the library frees the request when the client goes away, under the handler. */
    evhttp_request_own(request->event);
    evhttp_request_set_on_complete_cb(request->event, library_has_written, connection);
}

void connection_answered(struct connection *connection, struct evhttp_request *event)
{
    connection->request = NULL;
    connection->answered = event;
    /* For the client to take it, and then to ask again. */
    connection_expires_in(connection, connection->server->limits.idle_ms);
}

void connection_streams(struct connection *connection)
{
    connection->phase = CONNECTION_STREAMING;
    traffic_resume(connection);
}
