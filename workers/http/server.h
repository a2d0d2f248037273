/* The HTTP server: a strict gate, a router, and requests that are kept and answered later.
 * Everything runs on the loop, and of libevent only its core is used.
 *
 * The gate reads the raw bytes and lets only whole, well-framed requests through (proper HTTP/1.0
 * or 1.1, one Host, one Content-Length or plain chunked, no control bytes, limits and a deadline
 * for head and body). What it refuses is answered {"error":"..."} with 400, 408, 413, 414, 417, 431
 * or 505, in its turn, and the connection is closed; likewise 503 for a connection beyond
 * HTTP_CONNECTIONS_MAX, or beyond those of one address. Methods that no route has are 405 (or 404).
 *
 * Then a request is admitted: 429 and 503 for one too many of its client, 401 without a good token,
 * 403 (or 404) for one that is not for this route. */
#ifndef BOOKFLOW_SERVER_H
#define BOOKFLOW_SERVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "errors.h"
#include "loop.h"

enum {
    HTTP_HEAD_MAX = 16 * 1024,
    HTTP_BODY_MAX = 64 * 1024,            /* of a route that does not say otherwise */
    HTTP_BULK_BODY_MAX = 4 * 1024 * 1024, /* of a route marked bulk */
    HTTP_REQUEST_DEADLINE_MS =
        10 * 1000,            /* from the first byte (or accept) to the last of the body */
    HTTP_IDLE_MS = 75 * 1000, /* a kept-alive connection without a request; an answer not taken */
    HTTP_CONNECTIONS_MAX = 4096,
    HTTP_PARAMETERS_MAX = 4
};

/* Who may call a route; the admin may call every one. A route that says nothing is refused when it
 * is added. */
enum http_access {
    HTTP_OPEN = 1,  /* anybody, without a token */
    HTTP_LOCAL = 2, /* likewise, but only from this machine and through no proxy */
    HTTP_ADMIN = 4,
    HTTP_BOOKER = 8,
    HTTP_PROVIDER = 16, /* whose own id the first parameter must be, if the route has one */
    HTTP_ANY_TOKEN = HTTP_ADMIN | HTTP_BOOKER | HTTP_PROVIDER
};

enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_METHODS };

struct http_request;
struct token;
typedef void http_handler_fn(void *context, struct http_request *request);

/* A route. Segments in braces are parameters, in order: "/providers/{id}/bookings/{id}". HEAD is
 * served by the GET route. The table is ended by a NULL pattern. An unknown path is 404; a known
 * path with another method is 405 with Allow. */
struct http_route {
    enum http_method method;
    const char *pattern;
    http_handler_fn *handler;
    unsigned access;    /* bits of enum http_access */
    const char *absent; /* 404 with this sentence for another provider's; NULL: 403 */
    bool bulk;          /* bodies up to HTTP_BULK_BODY_MAX, if the token is good */
};

struct http_server;

/* Listens on "127.0.0.1:3000", "[::1]:3000", "unix:/path" (made with mode 0600; a stale one is
 * replaced), or takes over `fd` if it is not -1 (from systemd). Port 0 picks a free one.
 * ERROR_CONFIGURATION: the address is not one; ERROR_UNAVAILABLE: it is in use. */
struct http_listen {
    const char *address;
    int fd;
};
MUST_CHECK struct http_server *http_server_new(struct loop *loop, const struct http_listen *listen,
                                               struct error *error);

/* Adds a table of routes; every handler gets `context`. The table must outlive the server. */
void http_server_routes(struct http_server *server, const struct http_route routes[],
                        void *context);

/* The address it listens on, with the real port. */
const char *http_server_address(const struct http_server *server);

/* True when the address is a loopback one or a unix socket. ERROR_CONFIGURATION when it is none. */
MUST_CHECK bool http_address_is_local(const char *address, bool *local, struct error *error);

/* Who is let in, and how much one client may ask for: what a token holds, or its network address
 * without one. Without this call everybody is, and without limits. Borrows the tokens. */
struct tokens;
struct http_admission {
    struct tokens *tokens; /* NULL: nobody is asked who he is */
    bool behind_proxy;     /* the last address of X-Forwarded-For is the client's, not the peer's */
    int64_t requests;      /* of one client a second: 429 beyond; 0 = no limit */
    int64_t connections;   /* of one client at a time: 503 beyond; 0 = no limit */
};
void http_server_admission(struct http_server *server, const struct http_admission *admission);
/* Ends the streams of tokens that have expired or are gone; to be called every second or so. */
void http_server_recheck(struct http_server *server);

/* Stops accepting, asks kept-alive connections to close with their next answer, ends streams. */
void http_server_drain(struct http_server *server);
/* Requests that have been handed to a handler and not been answered. */
size_t http_server_open_requests(const struct http_server *server);
size_t http_server_connections(const struct http_server *server);

/* Answers nothing any more: requests and streams still open are freed with the server, no callback
 * is called. So whoever holds some lets go of them before. */
void http_server_free(struct http_server *server);

/* --- A request. Valid until it is answered or becomes a stream; a client that has gone changes
 * nothing for the handler: the answer is then dropped. --- */

enum http_method http_request_method(const struct http_request *request);
/* Whose request it is, for as long as it lasts; NULL when nobody said. */
const struct token *http_request_token(const struct http_request *request);
/* The decoded path as matched. */
const char *http_request_path(const struct http_request *request);
/* The n-th parameter of the route, percent-decoded; "" when the route has none. Already a valid id:
 * the router answers 404 for anything else. */
const char *http_request_parameter(const struct http_request *request, size_t index);
/* A query parameter, decoded; NULL when absent. */
const char *http_request_query(const struct http_request *request, const char *name);
/* A header; NULL when absent. */
const char *http_request_header(const struct http_request *request, const char *name);
const char *http_request_body(const struct http_request *request, size_t *length);

/* The body as a JSON object: {} when there is no body. A Content-Type other than application/json
 * (parameters allowed; a missing one is fine) is ERROR_UNSUPPORTED. The caller owns the result. */
MUST_CHECK json_t *http_request_json(const struct http_request *request, struct error *error);

/* --- Answers. Each ends the request. --- */

/* Takes over `body` (NULL = an empty answer, 204). */
void http_reply_json(struct http_request *request, int status, json_t *body);
/* A ready text; content_type e.g. "text/plain; version=0.0.4". location may be NULL. */
void http_reply_text(struct http_request *request, int status, const char *content_type,
                     const char *location, const char *body, size_t length);
/* {"error":"sentence"}, status by the kind; with Accept: application/problem+json the members of
 * RFC 9457 are added (type, title, status, detail). 503 and 429 carry Retry-After: 1. `extra` (may
 * be NULL) is merged into the object; not taken over. */
void http_reply_error(struct http_request *request, const struct error *error, json_t *extra);

/* --- Server-sent events: the request becomes a stream. --- */
struct http_stream;
/* `closed` is called once when the client has gone or the server drains; after it the stream must
 * not be used. */
struct http_stream *http_stream_start(struct http_request *request,
                                      void (*closed)(void *context, struct http_stream *stream),
                                      void *context);
/* One event: id and event may be NULL; data is one line of JSON. With data NULL no event reaches
 * the client: its last event id becomes `id`, and after a break it resumes from there. */
void http_stream_event(struct http_stream *stream, const char *id, const char *event,
                       const char *data);
/* ": text" */
void http_stream_comment(struct http_stream *stream, const char *text);
/* Bytes not yet taken by the client's socket: a reader that is too slow is closed by its owner. */
size_t http_stream_backlog(const struct http_stream *stream);
void http_stream_close(struct http_stream *stream);

#endif
