/* The HTTP client: libcurl, as the console and the operator's commands use it. Blocking; one client
 * belongs to one thread and keeps its connection alive between calls. Only http: and https:,
 * TLS 1.2 or newer with peer and host verified, no redirects, no proxy from the environment. */
#ifndef BOOKFLOW_CLIENT_H
#define BOOKFLOW_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "errors.h"

struct client;

struct client_options {
    const char *url;         /* "http://127.0.0.1:3000", "https://...", or "unix:/path" */
    const char *token;       /* bearer token; NULL = none */
    int64_t timeout_ms;      /* of one call, connecting included; 0 = 10 s */
    const atomic_bool *stop; /* may be NULL; once true, calls end with ERROR_UNAVAILABLE: within a
                                second, or at once after client_wake() */
};

/* ERROR_CONFIGURATION for a URL that is not one. Copies what it is given (but not *stop). */
MUST_CHECK struct client *client_new(const struct client_options *options, struct error *error);
void client_free(struct client *client);
void client_release(struct client **client); /* for AUTO() */

/* Another token from the next call on; NULL = none. ERROR_CONFIGURATION, the old one kept, for a
 * token that cannot be one. */
MUST_CHECK bool client_set_token(struct client *client, const char *token, struct error *error);

/* The same, from the first line of a file; ERROR_CONFIGURATION when others may read that, too. */
MUST_CHECK bool client_read_token(struct client *client, const char *path, struct error *error);

/* Makes a running call look at *stop now. The one function for any thread. */
void client_wake(struct client *client);

struct client_answer {
    int status;
    struct buf body;       /* at most 16 MiB */
    int64_t retry_after_s; /* -1 = none given */
};
void client_answer_release(struct client_answer *answer);

struct client_call {
    const char *method;          /* "GET", "POST", ... */
    const char *path;            /* with query, already encoded: see client_escape() */
    const char *body;            /* JSON; NULL = none */
    const char *idempotency_key; /* NULL = none */
};

/* True: the server answered, whatever the status. ERROR_UNAVAILABLE: it did not. */
MUST_CHECK bool client_send(struct client *client, const struct client_call *call,
                            struct client_answer *answer, struct error *error);

/* A stream of server-sent events. `event` is called for each event, and with data NULL for each
 * comment (heartbeat) and for a block that has an id but no data; id is NULL where none came, name
 * is "message" where none came. Returning false ends the stream. Returns true when the server or
 * `event` ended it, false with ERROR_UNAVAILABLE when it broke or was silent for `silence_ms`, or
 * another kind by the status the server refused it with. */
struct client_event {
    const char *id;
    const char *name;
    const char *data;
};
typedef bool client_event_fn(void *context, const struct client_event *event);
struct client_stream_call {
    const char *path;
    const char *last_event_id; /* NULL = from now on */
    int64_t silence_ms;
    client_event_fn *event;
    void (*opened)(void *context); /* may be NULL; called once when the server has agreed */
    void *context;
};
MUST_CHECK bool client_stream(struct client *client, const struct client_stream_call *call,
                              struct error *error);

/* Turns an answer of status 400 or more into an error: the sentence of {"error":...}, the kind by
 * the status. Always false. */
bool client_refusal(const struct client_answer *answer, struct error *error);

/* Appends text percent-encoded as one path segment or query value. */
void client_escape(struct buf *out, const char *text);

/* Once per process, before the first thread. */
void client_global_init(void);

#endif
