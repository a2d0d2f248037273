/* What the files of the HTTP server share. Nobody else includes this, but the server's own tests.
 *
 * The way of a request:
 *   server.c      accepts
 *   connection.c  socket -> gate, one request at a time; deadlines; output -> socket
 *   request.c     what the gate lets out -> struct http_request
 *   router.c      -> its route
 *   admission.c   -> the handler, if this client may; clients.c counts
 *   reply.c, stream.c   the handler's answer -> the connection's output
 *
 * A connection outlives its request: while one is being answered nothing is read, and a client that
 * has gone shows when the answer is written. So a request always has its connection, and its answer
 * is dropped there. */
#ifndef BOOKFLOW_SERVER_PRIVATE_H
#define BOOKFLOW_SERVER_PRIVATE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "buf.h"
#include "clients.h"
#include "gate.h"
#include "server.h"
#include "tokens.h"

struct connection;
struct evbuffer;
struct evconnlistener;

/* --- Addresses and sockets (listen.c). --- */

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in ip4;
        struct sockaddr_in6 ip6;
        struct sockaddr_un path;
        struct sockaddr_storage room;
    } socket;
    socklen_t length;
};

MUST_CHECK bool address_parse(struct address *address, const char *text, struct error *error);
/* True for loopback and unix sockets. */
bool address_is_local(const struct address *address);

struct listener {
    int fd;             /* -1: none, or the acceptor's */
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

struct router {
    size_t count;
    struct router_entry {
        const struct http_route *route;
        void *context;
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
/* The n-th segment that is a parameter of the pattern; NULL when it has fewer. */
const char *path_parameter(const struct path *path, const char *pattern, size_t index);
/* `method` is HTTP_METHODS for one that no route has. */
struct route_match router_match(const struct router *router, const struct path *path,
                                enum http_method method);
/* HEAD is GET with *head set. */
enum http_method method_of(const char *name, bool *head);
void methods_print(unsigned methods, struct buf *out);
/* Decodes %XX (and + when `plus`) in place. False for a malformed sequence or a NUL. */
bool percent_decode(char *text, bool plus);

/* --- Connections (connection.c). None of these frees the connection, so a handler may be further
 * up the stack. --- */

LIST_HEAD(connection_list, connection);

/* Takes over the descriptor of a new client. */
void connection_start(struct http_server *server, int fd, const struct address *peer);
/* Where it comes from. */
struct client_key connection_client(const struct connection *connection);
bool connection_is_local(const struct connection *connection);
/* Holds the seat until the request, or the stream that it becomes, is over. */
void connection_seat(struct connection *connection, struct seat *seat);
/* For http_server_free(); frees its request and its stream as well. */
void connection_free(struct connection *connection);
/* What is added here goes to the client with the next of the following. */
struct evbuffer *connection_output(struct connection *connection);
void connection_flush(struct connection *connection);
/* The answer is whole. Frees the request. */
void connection_answered(struct connection *connection, bool close);
/* The answer goes on as a stream. Frees the request. */
void connection_streams(struct connection *connection, struct http_stream *stream);

/* --- Requests (request.c). --- */

struct http_request {
    struct http_server *server;
    struct connection *connection;
    const struct http_route *route; /* NULL until one is found */
    struct buf text;                /* as let out by the gate, then cut by NULs */
    enum http_method method;        /* HTTP_METHODS: none of ours */
    bool head;
    bool close;        /* the connection ends with the answer */
    bool malformed;    /* the query cannot be decoded */
    bool knows_chunks; /* HTTP/1.1 */
    bool known;        /* by its token */
    struct token token;
    const char *headers; /* "Name: value\0\n..." up to an empty one */
    const char *body;
    size_t body_length;
    const char *path;
    struct path segments;
    const char *query; /* "name\0value\0..." */
    const char *query_end;
    char storage[];
};

/* A gate_limit_fn: the largest body that the route takes of this client. */
struct gate_limit request_body_limit(void *server, const char *method, const char *target,
                                     const char *head);
/* The value of a header; NULL when absent. `lines` end with CR LF, or with NUL LF once they are
 * cut; the last is followed by an empty one or by nothing. A value is where the search goes on. */
const char *header_find(const char *lines, const char *name);
/* Takes over the text, which holds one request in the gate's form. */
struct http_request *request_new(struct http_server *server, struct connection *connection,
                                 struct buf text);
/* Gives it to its handler, or answers that there is none. */
void request_dispatch(struct http_request *request);
void request_free(struct http_request *request);

/* --- Admission (admission.c). --- */

struct client_key client_key_of(const struct address *address);
/* Of the client that a proxy calls for, by X-Forwarded-For. False, the key unchanged: it says none.
 */
bool forwarded_key(const char *headers, struct client_key *key);
/* Learns who asks. False: it has been answered 401, 403, 404, 429 or 503. A request without a route
 * is only counted. */
bool admission_admit(struct http_request *request);
struct gate_limit admission_body_limit(const struct http_server *server,
                                       const struct http_route *route, const char *head);

/* --- Answers (reply.c, stream.c). --- */

struct reply {
    int status;
    const char *content_type; /* NULL: no body */
    const char *location;
    const char *allow;
    const char *body;
    size_t length;
    bool head;  /* asked by HEAD: without its body */
    bool close; /* the connection ends with it */
};
/* Sets `head` and `close` by the request. */
void reply_send(struct http_request *request, const struct reply *reply);
/* Status line and headers, without those that frame the body and without the empty line. */
void reply_begin(struct http_server *server, struct evbuffer *out, const struct reply *reply);
void reply_method_not_allowed(struct http_request *request, unsigned methods);
/* Answers what never became a request; the connection ends with it. */
void reply_refusal(struct http_server *server, struct connection *connection,
                   struct gate_refusal refusal);
const char *reply_reason(int status);

LIST_HEAD(stream_list, http_stream);

struct http_stream {
    struct http_server *server;
    struct connection *connection; /* NULL: the answer is over already, or the client has gone */
    void (*closed)(void *context, struct http_stream *stream);
    void *context;
    bool chunked;
    bool close;
    bool known; /* by its token */
    struct token token;
    struct loop_timer *over; /* of an answer to a HEAD */
    LIST_ENTRY(http_stream) link;
};
/* The client has gone or the server drains: tells the owner and frees the stream. */
void stream_end(struct http_stream *stream);

/* --- The server (server.c). --- */

struct http_limits {
    int64_t deadline_ms;
    int64_t idle_ms;
    size_t connections;
};

struct http_server {
    struct loop *loop;
    struct evconnlistener *acceptor; /* NULL once draining */
    struct loop_timer *accept_again;
    struct listener listener;
    struct router router;
    struct http_admission admission;
    struct clients *clients; /* NULL: no limits for one client */
    struct http_limits limits;
    struct connection_list connections;
    struct stream_list streams;
    size_t connections_count; /* without those that linger */
    size_t lingering_count;
    size_t open_requests;
    int64_t date_s; /* the second of `date` */
    char date[32];
    bool draining;
};

/* For tests: other limits than those of server.h. */
void http_server_limits(struct http_server *server, const struct http_limits *limits);

#endif
