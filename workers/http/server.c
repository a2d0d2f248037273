/* The server: puts listener, routes and connections together. Knows the order in which they begin
 * and end. */
#include <assert.h>
#include <event2/listener.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "server_private.h"

/* Writing to a client that has gone is an error to handle, not a reason to die. */
static void ignore_broken_pipes(void)
{
    struct sigaction now;
    if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL) {
        const struct sigaction ignore = {.sa_handler = SIG_IGN};
        (void)sigaction(SIGPIPE, &ignore, NULL);
    }
}

/* --- Accepting. Out of descriptors, a client that cannot be accepted stays in the queue and would
 * wake the loop again at once, so accepting pauses. --- */

enum { ACCEPT_PAUSE_MS = 100 };

static void accepted(struct evconnlistener *acceptor, evutil_socket_t fd, struct sockaddr *client,
                     int length, void *server)
{
    struct address peer = {.length = (socklen_t)length};
    (void)acceptor;
    if (length > 0 && (size_t)length <= sizeof peer.socket)
        memcpy(&peer.socket, client, (size_t)length);
    connection_start(server, fd, &peer);
}

static void accept_failed(struct evconnlistener *acceptor, void *context)
{
    struct http_server *server = context;
    (void)evconnlistener_disable(acceptor);
    loop_timer_set(server->accept_again, ACCEPT_PAUSE_MS);
}

static void accept_again(void *context)
{
    struct http_server *server = context;
    if (server->acceptor)
        (void)evconnlistener_enable(server->acceptor);
}

static void start_accepting(struct http_server *server)
{
    enum { FLAGS = LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_CLOSE_ON_FREE, LISTENS_ALREADY = 0 };
    server->accept_again = loop_timer_new(server->loop, accept_again, server);
    server->acceptor = evconnlistener_new(loop_base(server->loop), accepted, server, FLAGS,
                                          LISTENS_ALREADY, server->listener.fd);
    assert(server->acceptor);
    server->listener.fd = -1; /* the acceptor closes it */
    evconnlistener_set_error_cb(server->acceptor, accept_failed);
}

static void stop_accepting(struct http_server *server)
{
    if (server->acceptor)
        evconnlistener_free(server->acceptor);
    server->acceptor = NULL;
}

/* --- Public. --- */

struct http_server *http_server_new(struct loop *loop, const struct http_listen *listen,
                                    struct error *error)
{
    struct listener listener;
    if (!listener_open(&listener, listen, error))
        return NULL;
    struct http_server *server = memory_new(1, sizeof *server);
    server->loop = loop;
    server->listener = listener;
    server->limits = (struct http_limits){
        .deadline_ms = HTTP_REQUEST_DEADLINE_MS,
        .idle_ms = HTTP_IDLE_MS,
        .connections = HTTP_CONNECTIONS_MAX,
    };
    LIST_INIT(&server->connections);
    LIST_INIT(&server->streams);
    start_accepting(server);
    ignore_broken_pipes();
    return server;
}

void http_server_routes(struct http_server *server, const struct http_route routes[], void *context)
{
    router_add(&server->router, routes, context);
}

const char *http_server_address(const struct http_server *server)
{
    return buf_text(&server->listener.address);
}

void http_server_limits(struct http_server *server, const struct http_limits *limits)
{
    server->limits = *limits;
}

size_t http_server_open_requests(const struct http_server *server)
{
    return server->open_requests;
}

size_t http_server_connections(const struct http_server *server)
{
    return server->connections_count;
}

void http_server_drain(struct http_server *server)
{
    server->draining = true;
    stop_accepting(server);
    while (!LIST_EMPTY(&server->streams))
        stream_end(LIST_FIRST(&server->streams));
}

static void nobody_is_told(void *context, struct http_stream *stream)
{
    (void)context;
    (void)stream;
}

void http_server_free(struct http_server *server)
{
    if (!server)
        return;
    stop_accepting(server);
    struct http_stream *stream = NULL;
    LIST_FOREACH(stream, &server->streams, link)
    {
        stream->closed = nobody_is_told;
    }
    while (!LIST_EMPTY(&server->connections))
        connection_free(LIST_FIRST(&server->connections));
    while (!LIST_EMPTY(&server->streams))
        stream_end(LIST_FIRST(&server->streams));
    clients_free(server->clients);
    loop_timer_free(server->accept_again);
    listener_release(&server->listener);
    free(server);
}
