/* What the files of the HTTP server share. Nobody else includes this, but the server's own tests.
 *
 * The way of a request:
 *   traffic.c     bytes of the socket -> gate -> the library, one request at a time
 *   connection.c  deadlines, and what becomes of a request when its client goes
 *   request.c     what the library hands back -> struct http_request
 *   router.c      -> the handler
 *   reply.c, stream.c   the handler's answer -> the library -> traffic.c -> the socket
 *
 * The library (evhttp) is never shown a request line or a method of a client: it gets
 * "POST / HTTP/1.x" and the true ones in a header "(request): GET /path?query". What the gate
 * refused travels as "(refusal): 400 sentence", so that it is answered in its turn. No client can
 * send such headers: parentheses are not allowed in names, and the gate sees to that. In this way
 * none of the library's own error pages can be reached, and a body is framed alike for all methods.
 */
#ifndef BOOKFLOW_SERVER_PRIVATE_H
#define BOOKFLOW_SERVER_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "buf.h"
#include "gate.h"
#include "server.h"

struct evbuffer;
struct evhttp;
struct evhttp_bound_socket;
struct evhttp_connection;
struct evhttp_request;

struct connection;

#define REQUEST_HEADER "(request)"
#define REFUSAL_HEADER "(refusal)"

/* --- Addresses and sockets (listen.c). --- */

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_storage room;
    } socket;
    socklen_t length;
};

MUST_CHECK bool address_parse(struct address *address, const char *text, struct error *error);
void address_print(const struct address *address, struct buf *out);
bool address_is_local(const struct address *address);

struct listener {
    int fd;             /* -1: none, or handed to the library */
    struct buf address; /* as text, with the real port */
    char *path;         /* of a unix socket that we made; NULL otherwise */
    uint64_t device;    /* to tell that it is still ours */
    uint64_t inode;
};

MUST_CHECK bool listener_open(struct listener *listener, const struct http_listen *listen,
                              struct error *error);
void listener_release(struct listener *listener);

/* --- Routes (router.c). --- */

enum { PATH_SEGMENTS_MAX = 8, ROUTES_MAX = 64 };

struct route_segment {
    const char *text;
    size_t length;
    bool parameter;
};

struct router {
    size_t count;
    struct router_entry {
        const struct http_route *route;
        void *context;
        size_t segments_count;
        struct route_segment segments[PATH_SEGMENTS_MAX];
    } entries[ROUTES_MAX];
};

/* A decoded path, cut at its slashes. */
struct path {
    size_t count;
    const char *segments[PATH_SEGMENTS_MAX];
};

struct route_match {
    const struct router_entry *entry; /* NULL: no route of this method */
    unsigned methods;                 /* of all routes of this path: bits 1 << enum http_method */
};

void router_add(struct router *router, const struct http_route routes[], void *context);
/* Cuts and decodes the path of a target. `storage` has room for the target and a NUL. False: too
 * many segments, or a %-sequence that is none: no route has that path. */
bool path_split(struct path *path, const char *target, char *storage);
/* `method` is HTTP_METHODS for one that no route has. */
struct route_match router_match(const struct router *router, const struct path *path,
                                enum http_method method);
/* HEAD is GET with *head set. */
enum http_method method_of(const char *name, size_t length, bool *head);
void methods_print(unsigned methods, struct buf *out);
/* Decodes %XX (and + when `plus`) in place. False for a malformed sequence or a NUL. */
bool percent_decode(char *text, bool plus);

/* --- Connections (connection.c). --- */

/* Makes the library's end of a new connection; see evhttp_set_bevcb(). */
struct bufferevent *connection_new(struct http_server *server);
/* The connection is forgotten by the server; what it was doing goes on without a client. */
void connection_detach(struct connection *connection);
/* Ties a request that the library hands over to its connection. */
struct connection *connection_of(struct http_server *server, struct evhttp_request *event);
void connection_handling(struct connection *connection, struct http_request *request);
/* The answer is whole; to be called before the library is given the last of it. */
void connection_answered(struct connection *connection, struct evhttp_request *event);
/* The answer is a stream: watch for the client going away. */
void connection_streams(struct connection *connection);
/* Writes to the socket what the library has for it. It may be the end of the connection: its memory
 * stays until the next turn of the loop, but it is detached then. */
void connection_flush(struct connection *connection);
size_t connection_backlog(const struct connection *connection);

/* Reads and drops what a refused client still sends, so that closing does not destroy the answer
 * on its way (lingering.c). Takes over the descriptor. */
struct lingering {
    struct http_server *server;
    int fd;
    struct loop_watch *watch;
    struct loop_timer *timer;
    LIST_ENTRY(lingering) link;
};
void lingering_start(struct http_server *server, int fd);
void lingering_end_all(struct http_server *server);

/* --- Requests (request.c, reply.c, stream.c). --- */

LIST_HEAD(connection_list, connection);
LIST_HEAD(lingering_list, lingering);
LIST_HEAD(request_list, http_request);
LIST_HEAD(stream_list, http_stream);

struct http_request {
    struct http_server *server;
    struct connection *connection; /* NULL: the client has gone */
    struct evhttp_request *event;  /* ours until the answer is given to the library */
    struct http_stream *stream;
    enum http_method method; /* HTTP_METHODS: none of ours */
    bool head;
    bool handled; /* a handler has it */
    const char *body;
    size_t body_length;
    const char *path;
    struct path segments;
    const char *parameters[HTTP_PARAMETERS_MAX];
    const char *query; /* "name\0value\0..." */
    const char *query_end;
    void *attached;
    LIST_ENTRY(http_request) link;
    char storage[];
};

/* A gate_limit_fn: the largest body that the route takes. */
size_t request_body_limit(void *server, const char *method, const char *target);
void request_arrived(struct http_server *server, struct evhttp_request *event);
void request_client_gone(struct http_request *request);
void request_free(struct http_request *request);

struct reply {
    int status;
    const char *content_type; /* NULL: no body */
    const char *location;
    const char *allow;
    const char *body;
    size_t length;
};
void reply_send(struct http_request *request, const struct reply *reply);
/* {"error":sentence}, and more for Accept: application/problem+json. */
void reply_problem(struct http_request *request, int status, const char *sentence,
                   const json_t *extra);
void reply_method_not_allowed(struct http_request *request, unsigned methods);
void reply_common_headers(struct http_request *request, const char *content_type);
const char *reply_reason(int status);

struct http_stream {
    struct http_request *request; /* NULL: the answer to a HEAD, which is over already */
    struct http_server *server;
    void (*closed)(void *context, struct http_stream *stream);
    void *context;
    struct evbuffer *buffer;
    struct loop_timer *over; /* of an answer to a HEAD */
    LIST_ENTRY(http_stream) link;
};
/* The client has gone or the server drains: tells the owner and forgets the stream. */
void stream_end(struct http_stream *stream);
void stream_free(struct http_stream *stream);

/* --- The server (server.c). --- */

struct http_limits {
    int64_t deadline_ms;
    int64_t idle_ms;
    size_t connections;
};

struct http_server {
    struct loop *loop;
    struct evhttp *http;
    struct evhttp_bound_socket *bound; /* NULL once draining */
    struct loop_timer *accept_again;
    struct listener listener;
    struct router router;
    struct http_limits limits;
    struct connection_list connections;
    struct lingering_list lingering;
    struct request_list requests;
    struct stream_list streams;
    struct connection **by_fd; /* the library tells us no more of a connection than its socket */
    size_t by_fd_count;
    size_t connections_count;
    size_t lingering_count;
    size_t open_requests;
    struct buf scratch; /* one request between gate and library */
    bool draining;
};

/* For tests: other limits than those of server.h, for connections made from now on. */
void http_server_limits(struct http_server *server, const struct http_limits *limits);

#endif
