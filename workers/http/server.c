/* The server: puts listener, library, routes and connections together. Knows the order in which
 * they begin and end. */
#include <assert.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <signal.h>
#include <stdlib.h>

#include "server_private.h"

static struct bufferevent *new_connection(struct event_base *base, void *context)
{
    (void)base;
    return connection_new(context);
}

static void new_request(struct evhttp_request *event, void *context)
{
    request_arrived(context, event);
}

/* Writing to a client that has gone is an error to handle, not a reason to die. */
static void ignore_broken_pipes(void)
{
    struct sigaction now;
    if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL) {
        const struct sigaction ignore = {.sa_handler = SIG_IGN};
        (void)sigaction(SIGPIPE, &ignore, NULL);
    }
}

static struct evhttp *library_new(struct http_server *server)
{
    struct evhttp *http = evhttp_new(loop_base(server->loop));
    assert(http);
    evhttp_set_bevcb(http, new_connection, server);
    evhttp_set_gencb(http, new_request, server);
    evhttp_set_default_content_type(http, NULL);
    return http;
}

/* --- Out of descriptors: a client that cannot be accepted stays in the queue and would wake the
 * loop again at once, so accepting pauses. --- */

enum { ACCEPT_PAUSE_MS = 100 };

static void accept_failed(struct evconnlistener *listener, void *context)
{
    struct http_server *server = context;
    (void)evconnlistener_disable(listener);
    loop_timer_set(server->accept_again, ACCEPT_PAUSE_MS);
}

static void accept_again(void *context)
{
    struct http_server *server = context;
    if (server->bound)
        (void)evconnlistener_enable(evhttp_bound_socket_get_listener(server->bound));
}

static void start_accepting(struct http_server *server)
{
    server->accept_again = loop_timer_new(server->loop, accept_again, server);
    server->bound = evhttp_accept_socket_with_handle(server->http, server->listener.fd);
    assert(server->bound);
    server->listener.fd = -1; /* the library closes it */
    struct evconnlistener *listener = evhttp_bound_socket_get_listener(server->bound);
    evconnlistener_set_error_cb(listener, accept_failed);
}

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
    LIST_INIT(&server->lingering);
    LIST_INIT(&server->requests);
    LIST_INIT(&server->streams);
    server->http = library_new(server);
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

static void stop_accepting(struct http_server *server)
{
    if (server->bound) {
        evhttp_del_accept_socket(server->http, server->bound);
        server->bound = NULL;
    }
}

void http_server_drain(struct http_server *server)
{
    server->draining = true;
    stop_accepting(server);
    for (struct http_stream *stream = LIST_FIRST(&server->streams); stream;
         stream = LIST_FIRST(&server->streams))
        stream_end(stream);
}

/* Requests first: what the library frees with a connection is then nobody's any more. */
static void drop_everything(struct http_server *server)
{
    while (!LIST_EMPTY(&server->streams))
        stream_free(LIST_FIRST(&server->streams));
    struct http_request *request = NULL;
    LIST_FOREACH(request, &server->requests, link)
    {
        request->stream = NULL;
    }
    while (!LIST_EMPTY(&server->connections))
        connection_detach(LIST_FIRST(&server->connections));
    lingering_end_all(server);
}

void http_server_free(struct http_server *server)
{
    if (!server)
        return;
    stop_accepting(server);
    drop_everything(server);
    evhttp_free(server->http);
    loop_timer_free(server->accept_again);
    while (!LIST_EMPTY(&server->requests))
        request_free(LIST_FIRST(&server->requests));
    listener_release(&server->listener);
    buf_release(&server->scratch);
    free(server->by_fd);
    free(server);
}
